-- Rounding of doubles; halves go away from zero.
-- Arguments: doubles; n, an integer, is the number of decimal digits kept (negative: left of the
--   point). A number that has no digits beyond n is given back as it is. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.ceiling_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ceil(x);

CREATE OR REPLACE FUNCTION sky.floor_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN floor(x);

CREATE OR REPLACE FUNCTION sky.round_v1(x double precision, n integer)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN n IS NULL OR NOT abs(x) < 'Infinity' THEN NULL
        WHEN n > 300 THEN x
        WHEN n >= 0 THEN
            CASE
                WHEN abs(x) >= 4503599627370496.0 / power(CAST(10 AS double precision), n) THEN x
                ELSE sign(x) * (trunc(abs(x) * power(CAST(10 AS double precision), n)) + CASE WHEN abs(x) * power(CAST(10 AS double precision), n) - trunc(abs(x) * power(CAST(10 AS double precision), n)) >= 0.5 THEN 1 ELSE 0 END) / power(CAST(10 AS double precision), n)
            END
        WHEN n < -300 OR abs(x) < 1 THEN CASE WHEN x IS NOT NULL THEN CAST(0.0 AS double precision) END
        ELSE sign(x) * (trunc(abs(x) / power(CAST(10 AS double precision), -n)) + CASE WHEN abs(x) / power(CAST(10 AS double precision), -n) - trunc(abs(x) / power(CAST(10 AS double precision), -n)) >= 0.5 THEN 1 ELSE 0 END) * power(CAST(10 AS double precision), -n)
    END;

CREATE OR REPLACE FUNCTION sky.truncate_v1(x double precision, n integer)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN n IS NULL OR NOT abs(x) < 'Infinity' THEN NULL
        WHEN n > 300 THEN x
        WHEN n >= 0 THEN
            CASE
                WHEN abs(x) >= 4503599627370496.0 / power(CAST(10 AS double precision), n) THEN x
                ELSE sign(x) * (trunc(abs(x) * power(CAST(10 AS double precision), n))) / power(CAST(10 AS double precision), n)
            END
        WHEN n < -300 OR abs(x) < 1 THEN CASE WHEN x IS NOT NULL THEN CAST(0.0 AS double precision) END
        ELSE sign(x) * (trunc(abs(x) / power(CAST(10 AS double precision), -n))) * power(CAST(10 AS double precision), -n)
    END;
