-- Trigonometry in radians; an argument outside the domain gives NULL.
-- Arguments: doubles. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.degrees_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN degrees(x);

CREATE OR REPLACE FUNCTION sky.radians_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN radians(x);

CREATE OR REPLACE FUNCTION sky.sin_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(x) < 'Infinity' THEN sin(x) END;

CREATE OR REPLACE FUNCTION sky.cos_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(x) < 'Infinity' THEN cos(x) END;

CREATE OR REPLACE FUNCTION sky.tan_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(x) < 'Infinity' THEN tan(x) END;

CREATE OR REPLACE FUNCTION sky.cot_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(x) < 'Infinity' AND abs(x) > 1e-300 THEN 1 / tan(x) END;

CREATE OR REPLACE FUNCTION sky.asin_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN x BETWEEN -1 AND 1 THEN asin(x) END;

CREATE OR REPLACE FUNCTION sky.acos_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN x BETWEEN -1 AND 1 THEN acos(x) END;

CREATE OR REPLACE FUNCTION sky.atan_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN atan(x);

CREATE OR REPLACE FUNCTION sky.atan2_v1(y double precision, x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN atan2(y, x);
