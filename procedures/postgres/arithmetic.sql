-- Arithmetic whose domain errors are NULL: logarithms, roots, powers, division, remainders.
-- Arguments: doubles; idiv and imod of smallint, integer or bigint. NULL in, NULL out; an infinite
--   or NaN argument gives NULL where PostgreSQL's own function would raise.
-- Errors raised: integer overflow of idiv (the least integer by -1), as PostgreSQL raises it.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.idiv_v1(a smallint, b smallint)
    RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a / NULLIF(b, 0);

CREATE OR REPLACE FUNCTION sky.idiv_v1(a integer, b integer)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a / NULLIF(b, 0);

CREATE OR REPLACE FUNCTION sky.idiv_v1(a bigint, b bigint)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a / NULLIF(b, 0);

CREATE OR REPLACE FUNCTION sky.imod_v1(a smallint, b smallint)
    RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a % NULLIF(b, 0);

CREATE OR REPLACE FUNCTION sky.imod_v1(a integer, b integer)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a % NULLIF(b, 0);

CREATE OR REPLACE FUNCTION sky.imod_v1(a bigint, b bigint)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a % NULLIF(b, 0);

CREATE OR REPLACE FUNCTION sky.div_v1(x double precision, y double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN x / NULLIF(y, 0);

CREATE OR REPLACE FUNCTION sky.mod_v1(x double precision, y double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN NOT (abs(x) < 'Infinity' AND abs(y) < 'Infinity') OR y = 0 THEN NULL
        WHEN abs(x) < abs(y) THEN x
        WHEN abs(y) < 1 AND abs(x) >= abs(y) * 1e300 THEN NULL
        -- A quotient that rounds up to the next integer leaves a remainder of the other sign.
        WHEN (x - y * trunc(x / y)) * sign(x) < 0
            THEN x - y * trunc(x / y) + sign(x) * abs(y)
        ELSE x - y * trunc(x / y)
    END;

CREATE OR REPLACE FUNCTION sky.ln_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN x > 0 AND x < 'Infinity' THEN ln(x) END;

CREATE OR REPLACE FUNCTION sky.log10_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN x > 0 AND x < 'Infinity' THEN log10(x) END;

CREATE OR REPLACE FUNCTION sky.sqrt_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN x >= 0 AND x < 'Infinity' THEN sqrt(x) END;

CREATE OR REPLACE FUNCTION sky.exp_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN x > 709.78 THEN NULL WHEN x < -744.4 THEN 0 ELSE exp(x) END;

CREATE OR REPLACE FUNCTION sky.power_v1(x double precision, y double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN x = 0 THEN CASE WHEN y > 0 THEN 0 WHEN y = 0 THEN 1 END
        WHEN x < 0 AND y <> floor(y) THEN NULL
        WHEN NOT (abs(x) < 'Infinity' AND abs(y) < 1e300) THEN NULL
        WHEN y * ln(abs(x)) > 709.78 THEN NULL
        WHEN y * ln(abs(x)) < -744.4 THEN 0
        ELSE power(x, y)
    END;

CREATE OR REPLACE FUNCTION sky.sign_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN x > 0 THEN 1 WHEN x < 0 THEN -1 WHEN x = 0 THEN x END;

CREATE OR REPLACE FUNCTION sky.abs_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN abs(x);
