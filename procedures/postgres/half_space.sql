-- Points on one side of a great circle: what a convex polygon is made of.
-- Arguments: position in degrees; the unit vector that points to the inner side's pole. NULL in,
--   NULL out. The circle itself is inside, as is a point within 1e-14 radians of it (rounding).
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.in_half_space_v1(
    ra double precision, "dec" double precision, x double precision, y double precision,
    z double precision
)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN cos(radians("dec" + 1e-90 - 1e-90)) * cos(radians(ra + 1e-90 - 1e-90)) * x
        + cos(radians("dec" + 1e-90 - 1e-90)) * sin(radians(ra + 1e-90 - 1e-90)) * y
        + sin(radians("dec" + 1e-90 - 1e-90)) * z
        >= -1e-14;
