-- Cells for joins of near neighbours: zones of declination, each cut into equal spans of right
-- ascension, both about two radii wide. Points within the radius of each other meet: cell(p) is
-- among cells_around(q), so the join is an equality, to be followed by the exact test.
-- Arguments: doubles, degrees; the same radius in both. NULL in, NULL out. NULLs in the list of
--   cells stand where there are fewer than four.
-- Errors raised: none.
-- Locks taken: none.

-- The zone of a declination.
CREATE OR REPLACE MACRO sky.zone_v1(dec, radius) AS
    CAST(floor((dec + 90) / (radius * 2.000001e0 + 1e-6)) AS BIGINT);

-- How many cells there are in a zone: from its latitude farthest from the equator, and how far in
-- right ascension the radius reaches there.
CREATE OR REPLACE MACRO sky.zone_cells_v1(zone, radius) AS
    GREATEST(1, CAST(floor(180 / (1e-7 + 1.000001e0 * degrees(asin(LEAST(1e0,
        sin(radians(LEAST(90, radius + 1e-7))) / cos(radians(LEAST(
            90e0,
            abs((zone + 0.5e0) * (radius * 2.000001e0 + 1e-6) - 90) + radius * 1.000001e0 + 1e-6
        )))
    ))))) AS BIGINT));

-- The cell of a zone that lies half a cell (half -1 or 1) beside a part of a turn, or at it (0).
CREATE OR REPLACE MACRO sky.zone_cell_v1(zone, cells, turn, half) AS
    zone * 1073741824 + (CAST(floor(turn * cells + half * 0.5e0) AS BIGINT) + cells) % cells;

CREATE OR REPLACE MACRO sky.cell_v1(ra, dec, radius) AS
    sky.zone_cell_v1(
        sky.zone_v1(dec, radius),
        sky.zone_cells_v1(sky.zone_v1(dec, radius), radius),
        ra / 360 - floor(ra / 360),
        0
    );

CREATE OR REPLACE MACRO sky.cells_around_v1(ra, dec, radius) AS
    -- The list of one struct stands for local variables.
    CASE WHEN ra IS NOT NULL AND dec IS NOT NULL AND radius IS NOT NULL THEN list_transform(
        [{
            'a': sky.zone_v1(dec - radius, radius),
            'b': sky.zone_v1(dec + radius, radius),
            'cells_a': sky.zone_cells_v1(sky.zone_v1(dec - radius, radius), radius),
            'cells_b': sky.zone_cells_v1(sky.zone_v1(dec + radius, radius), radius),
            'turn': ra / 360 - floor(ra / 360)
        }],
        lambda z: [
            sky.zone_cell_v1(z.a, z.cells_a, z.turn, -1),
            CASE WHEN z.cells_a > 1 THEN sky.zone_cell_v1(z.a, z.cells_a, z.turn, 1) END,
            CASE WHEN z.a <> z.b THEN sky.zone_cell_v1(z.b, z.cells_b, z.turn, -1) END,
            CASE WHEN z.a <> z.b AND z.cells_b > 1
                THEN sky.zone_cell_v1(z.b, z.cells_b, z.turn, 1)
            END
        ]
    )[1] END;
