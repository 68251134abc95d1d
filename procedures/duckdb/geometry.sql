-- Positions on the sky: distances, and points in regions. All in degrees.
-- Arguments: doubles; right ascensions of any turn. NULL in, NULL out. Edges belong to regions.
--   A quarter of the squared chord, sin^2(d / 2), is compared, which keeps its precision at small
--   distances. (x + 1e-90 - 1e-90) is x, but 0 below 1e-106: PostgreSQL raises where a product
--   vanishes.
-- separation is Vincenty's form; its term cos(d1) sin(d2) - sin(d1) cos(d2) cos(t) is written
--   sin(d2 - d1) + 2 sin(d1) cos(d2) sin^2(t / 2), which loses no digits at small distances.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.separation_v1(ra1, dec1, ra2, dec2) AS
    degrees(atan2(
        sqrt(
            power(cos(radians(dec2 + 1e-90 - 1e-90)) * sin(radians(ra2 - ra1 + 1e-90 - 1e-90)), 2)
            + power(
                sin(radians(dec2 - dec1 + 1e-90 - 1e-90))
                + 2 * sin(radians(dec1 + 1e-90 - 1e-90)) * cos(radians(dec2 + 1e-90 - 1e-90))
                    * power(sin(radians(ra2 - ra1 + 1e-90 - 1e-90) / 2), 2),
                2
            )
        ),
        sin(radians(dec1 + 1e-90 - 1e-90)) * sin(radians(dec2 + 1e-90 - 1e-90))
        + cos(radians(dec1 + 1e-90 - 1e-90)) * cos(radians(dec2 + 1e-90 - 1e-90))
            * cos(radians(ra2 - ra1))
    ));

CREATE OR REPLACE MACRO sky.within_v1(ra1, dec1, ra2, dec2, radius) AS
    power(sin(radians(dec2 - dec1 + 1e-90 - 1e-90) / 2), 2)
        + cos(radians(dec1 + 1e-90 - 1e-90)) * cos(radians(dec2 + 1e-90 - 1e-90))
            * power(sin(radians(ra2 - ra1 + 1e-90 - 1e-90) / 2), 2)
        <= CASE
            WHEN radius < 0 THEN -1
            WHEN radius >= 180 THEN 2
            ELSE power(sin(radians(radius + 1e-90 - 1e-90) / 2), 2)
        END;

CREATE OR REPLACE MACRO sky.within_strict_v1(ra1, dec1, ra2, dec2, radius) AS
    power(sin(radians(dec2 - dec1 + 1e-90 - 1e-90) / 2), 2)
        + cos(radians(dec1 + 1e-90 - 1e-90)) * cos(radians(dec2 + 1e-90 - 1e-90))
            * power(sin(radians(ra2 - ra1 + 1e-90 - 1e-90) / 2), 2)
        < CASE
            WHEN radius <= 0 THEN -1
            WHEN radius >= 180 THEN 2
            ELSE power(sin(radians(radius + 1e-90 - 1e-90) / 2), 2)
        END;

CREATE OR REPLACE MACRO sky.in_circle_v1(ra, dec, ra0, dec0, radius) AS
    power(sin(radians(dec - dec0 + 1e-90 - 1e-90) / 2), 2)
        + cos(radians(dec0 + 1e-90 - 1e-90)) * cos(radians(dec + 1e-90 - 1e-90))
            * power(sin(radians(ra - ra0 + 1e-90 - 1e-90) / 2), 2)
        <= CASE
            WHEN radius < 0 THEN -1
            WHEN radius >= 180 THEN 2
            ELSE power(sin(radians(radius + 1e-90 - 1e-90) / 2), 2)
        END;

CREATE OR REPLACE MACRO sky.in_box_v1(ra, dec, ra0, dec0, width, height) AS
    abs(dec - dec0) <= height / 2
        AND LEAST(
            abs(ra - ra0) - 360 * floor(abs(ra - ra0) / 360),
            360 - (abs(ra - ra0) - 360 * floor(abs(ra - ra0) / 360))
        ) <= width / 2;
