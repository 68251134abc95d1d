-- Cells for joins of near neighbours: zones of declination, each cut into equal spans of right
-- ascension, about two radii wide. Points within the radius of each other meet: cell(p) is among
-- cells_around(q), so the join is an equality, to be followed by the exact test.
-- Arguments: doubles, degrees; the same radius in both. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

-- The height of the zones.
CREATE OR REPLACE FUNCTION sky.zone_height_v1(radius double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN radius * 2.000001 + 1e-6;

-- How many cells there are in a zone.
CREATE OR REPLACE FUNCTION sky.zone_cells_v1(zone bigint, radius double precision)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN GREATEST(
            abs(zone * sky.zone_height_v1(radius) - 90),
            abs((zone + 1) * sky.zone_height_v1(radius) - 90)
        ) + radius > 89.9 THEN 1
        ELSE GREATEST(1, CAST(floor(180 / (1e-7 + 1.000001 * degrees(asin(
            sin(radians(radius + 1e-7)) / cos(radians(GREATEST(
                abs(zone * sky.zone_height_v1(radius) - 90),
                abs((zone + 1) * sky.zone_height_v1(radius) - 90)
            )))
        )))) AS bigint))
    END;

-- The cell of a zone, at a right ascension of any turn.
CREATE OR REPLACE FUNCTION sky.zone_cell_v1(zone bigint, cells bigint, ra double precision)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN zone * 1073741824
        + CAST(floor((ra / 360 - floor(ra / 360)) * cells) AS bigint) % cells;

CREATE OR REPLACE FUNCTION sky.cell_v1(
    ra double precision, "dec" double precision, radius double precision
)
    RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    zone bigint := floor(("dec" + 90) / sky.zone_height_v1(radius));
BEGIN
    RETURN sky.zone_cell_v1(zone, sky.zone_cells_v1(zone, radius), ra);
END
$$;

CREATE OR REPLACE FUNCTION sky.cells_around_v1(
    ra double precision, "dec" double precision, radius double precision
)
    RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    height double precision := sky.zone_height_v1(radius);
    cells bigint;
    west bigint;
    east bigint;
    found bigint[] := '{}';
BEGIN
    IF ra IS NULL OR "dec" IS NULL OR radius IS NULL THEN
        RETURN NULL;
    END IF;
    FOR zone IN floor(("dec" + 90 - radius) / height - 1e-9)
        .. floor(("dec" + 90 + radius) / height + 1e-9) LOOP
        -- Half a cell to either side: at least the radius, at this zone's declinations.
        cells := sky.zone_cells_v1(zone, radius);
        west := sky.zone_cell_v1(zone, cells, ra - 180.0 / cells);
        east := sky.zone_cell_v1(zone, cells, ra + 180.0 / cells);
        found := found || west;
        IF east <> west THEN
            found := found || east;
        END IF;
    END LOOP;
    RETURN found;
END
$$;
