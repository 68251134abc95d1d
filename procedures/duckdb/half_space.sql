-- Points on one side of a great circle: what a convex polygon is made of.
-- Arguments: position in degrees; the unit vector that points to the inner side's pole. NULL in,
--   NULL out. The circle itself is inside, as is a point within 1e-14 radians of it (rounding).
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.in_half_space_v1(ra, dec, x, y, z) AS
    cos(radians(dec)) * cos(radians(ra)) * x
    + cos(radians(dec)) * sin(radians(ra)) * y
    + sin(radians(dec)) * z
    >= -1e-14;
