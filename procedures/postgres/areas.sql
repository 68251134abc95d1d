-- Points in sciSQL's regions: ranges of coordinates, and ellipses.
-- Arguments: doubles, degrees; right ascensions of any turn for the point; ra_min and ra_max in
--   [0, 360], ra_max before ra_min where the range crosses ra = 0. NULL in, NULL out. Edges belong
--   to regions. (x + 1e-90 - 1e-90) is x, but 0 below 1e-106: PostgreSQL
--   raises where a product vanishes.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.in_range_v1(
    ra double precision, "dec" double precision, ra_min double precision, dec_min double precision,
    ra_max double precision, dec_max double precision
)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN "dec" >= dec_min AND "dec" <= dec_max
        AND CASE
            WHEN ra_min > ra_max THEN
                ra - 360 * floor((ra + 1e-90 - 1e-90) / 360) >= ra_min
                OR ra - 360 * floor((ra + 1e-90 - 1e-90) / 360) <= ra_max
            ELSE
                ra - 360 * floor((ra + 1e-90 - 1e-90) / 360) >= ra_min
                AND ra - 360 * floor((ra + 1e-90 - 1e-90) / 360) <= ra_max
        END;

-- How far north and east of (ra0, dec0) a point lies in the plane that touches the sphere there,
-- seen along the line of sight; radians.
CREATE OR REPLACE FUNCTION sky.north_v1(
    ra double precision, "dec" double precision, ra0 double precision, dec0 double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sin(radians("dec" - dec0 + 1e-90 - 1e-90))
        + 2 * sin(radians(dec0 + 1e-90 - 1e-90)) * cos(radians("dec" + 1e-90 - 1e-90))
            * power(sin(radians(ra - ra0 + 1e-90 - 1e-90) / 2), 2);

CREATE OR REPLACE FUNCTION sky.east_v1(
    ra double precision, "dec" double precision, ra0 double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN cos(radians("dec" + 1e-90 - 1e-90)) * sin(radians(ra - ra0 + 1e-90 - 1e-90));

-- The ellipse lies in the plane that touches the sphere at its centre, and is projected onto the
-- sphere along the line of sight; angle is that of its major axis, from north to east. Semi-axes
-- are taken as radians of that plane, as sciSQL does. An ellipse without width (1e-20) is empty.
CREATE OR REPLACE FUNCTION sky.in_ellipse_v1(
    ra double precision, "dec" double precision, ra0 double precision, dec0 double precision,
    major double precision, minor double precision, angle double precision
)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN minor >= 1e-20
        AND sin(radians(dec0 + 1e-90 - 1e-90)) * sin(radians("dec" + 1e-90 - 1e-90))
            + cos(radians(dec0 + 1e-90 - 1e-90)) * cos(radians("dec" + 1e-90 - 1e-90))
                * cos(radians(ra - ra0 + 1e-90 - 1e-90)) > 0
        AND power(
            radians(minor) * (
                cos(radians(angle + 1e-90 - 1e-90)) * sky.north_v1(ra, "dec", ra0, dec0)
                + sin(radians(angle + 1e-90 - 1e-90)) * sky.east_v1(ra, "dec", ra0)
            ),
            2
        ) + power(
            radians(major) * (
                cos(radians(angle + 1e-90 - 1e-90)) * sky.east_v1(ra, "dec", ra0)
                - sin(radians(angle + 1e-90 - 1e-90)) * sky.north_v1(ra, "dec", ra0, dec0)
            ),
            2
        ) <= power(radians(major) * radians(minor), 2);
