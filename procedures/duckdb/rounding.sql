-- Rounding of doubles; halves go away from zero.
-- Arguments: doubles; n, an integer, is the number of decimal digits kept (negative: left of the
--   point). A number that has no digits beyond n is given back as it is. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.ceiling_v1(x) AS
    ceil(x);

CREATE OR REPLACE MACRO sky.floor_v1(x) AS
    floor(x);

CREATE OR REPLACE MACRO sky.round_v1(x, n) AS
    CASE
        WHEN n IS NULL OR NOT abs(x) < 'Infinity'::DOUBLE THEN NULL
        WHEN n > 300 THEN x
        WHEN n >= 0 THEN
            CASE
                WHEN abs(x) >= 4503599627370496.0e0 / power(10.0e0, n) THEN x
                ELSE sign(x) * (trunc(abs(x) * power(10.0e0, n)) + CASE WHEN abs(x) * power(10.0e0, n) - trunc(abs(x) * power(10.0e0, n)) >= 0.5e0 THEN 1 ELSE 0 END) / power(10.0e0, n)
            END
        WHEN n < -300 OR abs(x) < 1 THEN CASE WHEN x IS NOT NULL THEN 0.0e0 END
        ELSE sign(x) * (trunc(abs(x) / power(10.0e0, -n)) + CASE WHEN abs(x) / power(10.0e0, -n) - trunc(abs(x) / power(10.0e0, -n)) >= 0.5e0 THEN 1 ELSE 0 END) * power(10.0e0, -n)
    END;

CREATE OR REPLACE MACRO sky.truncate_v1(x, n) AS
    CASE
        WHEN n IS NULL OR NOT abs(x) < 'Infinity'::DOUBLE THEN NULL
        WHEN n > 300 THEN x
        WHEN n >= 0 THEN
            CASE
                WHEN abs(x) >= 4503599627370496.0e0 / power(10.0e0, n) THEN x
                ELSE sign(x) * (trunc(abs(x) * power(10.0e0, n))) / power(10.0e0, n)
            END
        WHEN n < -300 OR abs(x) < 1 THEN CASE WHEN x IS NOT NULL THEN 0.0e0 END
        ELSE sign(x) * (trunc(abs(x) / power(10.0e0, -n))) * power(10.0e0, -n)
    END;
