-- Cells for joins of near neighbours: zones of declination, each cut into equal spans of right
-- ascension, both about two radii wide. Points within the radius of each other meet: cell(p) is
-- among cells_around(q), so the join is an equality, to be followed by the exact test.
-- Arguments: doubles, degrees; the same radius in both. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

-- The zone of a declination.
CREATE OR REPLACE FUNCTION sky.zone_v1("dec" double precision, radius double precision)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(floor(("dec" + 90) / (radius * 2.000001 + 1e-6)) AS bigint);

-- How many cells there are in a zone: from its latitude farthest from the equator, and how far in
-- right ascension the radius reaches there.
CREATE OR REPLACE FUNCTION sky.zone_cells_v1(zone bigint, radius double precision)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN GREATEST(1, CAST(floor(180 / (1e-7 + 1.000001 * degrees(asin(LEAST(1,
        sin(radians(LEAST(90, radius + 1e-7))) / cos(radians(LEAST(
            90,
            abs((zone + 0.5) * (radius * 2.000001 + 1e-6) - 90) + radius * 1.000001 + 1e-6
        )))
    ))))) AS bigint));

-- The cell of a zone that lies half a cell (half -1 or 1) beside a part of a turn, or at it (0).
CREATE OR REPLACE FUNCTION sky.zone_cell_v1(
    zone bigint, cells bigint, turn double precision, half integer
)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN zone * 1073741824 + (CAST(floor(turn * cells + half * 0.5) AS bigint) + cells) % cells;

CREATE OR REPLACE FUNCTION sky.cell_v1(
    ra double precision, "dec" double precision, radius double precision
)
    RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    zone bigint := sky.zone_v1("dec", radius);
BEGIN
    RETURN sky.zone_cell_v1(zone, sky.zone_cells_v1(zone, radius), ra / 360 - floor(ra / 360), 0);
END
$$;

CREATE OR REPLACE FUNCTION sky.cells_around_v1(
    ra double precision, "dec" double precision, radius double precision
)
    RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    cells bigint;
    turn double precision := ra / 360 - floor(ra / 360);
    found bigint[] := '{}';
BEGIN
    IF ra IS NULL OR "dec" IS NULL OR radius IS NULL THEN
        RETURN NULL;
    END IF;
    FOR zone IN sky.zone_v1("dec" - radius, radius) .. sky.zone_v1("dec" + radius, radius) LOOP
        cells := sky.zone_cells_v1(zone, radius);
        found := found || sky.zone_cell_v1(zone, cells, turn, -1);
        IF cells > 1 THEN
            found := found || sky.zone_cell_v1(zone, cells, turn, 1);
        END IF;
    END LOOP;
    RETURN found;
END
$$;
