-- Cells for joins of near neighbours: zones of declination, each cut into equal spans of right
-- ascension, about two radii wide. Points within the radius of each other meet: cell(p) is among
-- cells_around(q), so the join is an equality, to be followed by the exact test.
-- Arguments: doubles, degrees; the same radius in both. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

-- The height of the zones.
CREATE OR REPLACE MACRO sky.zone_height_v1(radius) AS
    radius * 2.000001e0 + 1e-6;

-- How many cells there are in a zone.
CREATE OR REPLACE MACRO sky.zone_cells_v1(zone, radius) AS
    list_transform(
        [GREATEST(
            abs(zone * sky.zone_height_v1(radius) - 90),
            abs((zone + 1) * sky.zone_height_v1(radius) - 90)
        )],
        lambda latitude: CASE
            WHEN latitude + radius > 89.9e0 THEN 1
            ELSE GREATEST(1, CAST(floor(180 / (1e-7 + 1.000001e0 * degrees(asin(
                sin(radians(radius + 1e-7)) / cos(radians(latitude))
            )))) AS BIGINT))
        END
    )[1];

-- The cell of a zone, at a right ascension of any turn.
CREATE OR REPLACE MACRO sky.zone_cell_v1(zone, cells, ra) AS
    zone * 1073741824
        + CAST(floor((ra / 360 - floor(ra / 360)) * cells) AS BIGINT) % cells;

CREATE OR REPLACE MACRO sky.cell_v1(ra, dec, radius) AS
    list_transform(list_transform(
        [CAST(floor((dec + 90) / sky.zone_height_v1(radius)) AS BIGINT)],
        lambda zone: {'zone': zone, 'cells': sky.zone_cells_v1(zone, radius)}),
        lambda z: sky.zone_cell_v1(z.zone, z.cells, ra)
    )[1];

CREATE OR REPLACE MACRO sky.cells_around_v1(ra, dec, radius) AS
    CASE WHEN ra IS NOT NULL AND dec IS NOT NULL AND radius IS NOT NULL THEN
        flatten(list_transform(list_transform(
            range(
                CAST(floor((dec + 90 - radius) / sky.zone_height_v1(radius) - 1e-9) AS BIGINT),
                CAST(floor((dec + 90 + radius) / sky.zone_height_v1(radius) + 1e-9) AS BIGINT) + 1
            ),
            -- Half a cell to either side: at least the radius, at this zone's declinations.
            lambda zone: {'zone': zone, 'cells': sky.zone_cells_v1(zone, radius)}),
            lambda z: list_distinct([
                sky.zone_cell_v1(z.zone, z.cells, ra - 180e0 / z.cells),
                sky.zone_cell_v1(z.zone, z.cells, ra + 180e0 / z.cells)
            ])
        ))
    END;
