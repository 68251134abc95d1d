-- Arithmetic of doubles that gives NULL where PostgreSQL's operators raise for a result too large,
-- and 0 for one too small. The operators themselves are used first; these where they have raised.
-- Arguments: doubles. NULL in, NULL out; what is infinite gives NULL.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.finite_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(x) <= 1.7976931348623157e308 THEN x END;

-- A half of a number, 0 of one that is small beside 1e300.
CREATE OR REPLACE FUNCTION sky.half_v1(x double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(x) < 1 THEN 0 ELSE x / 2 END;

CREATE OR REPLACE FUNCTION sky.plus_v1(x double precision, y double precision)
    RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF (abs(x) < 'Infinity' AND abs(y) < 'Infinity') IS NOT TRUE
        OR abs(sky.half_v1(x) + sky.half_v1(y)) > 8.988465674311579e307
    THEN
        RETURN NULL;
    END IF;
    RETURN x + y;
END
$$;

CREATE OR REPLACE FUNCTION sky.minus_v1(x double precision, y double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sky.plus_v1(x, - y);

-- Where the logarithm leaves it open, a result 2^40 times smaller or 2^60 times larger decides:
-- such steps are exact.
CREATE OR REPLACE FUNCTION sky.times_v1(x double precision, y double precision)
    RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    more double precision := GREATEST(abs(x), abs(y));
    less double precision := LEAST(abs(x), abs(y));
    size double precision;
BEGIN
    IF (abs(x) < 'Infinity' AND abs(y) < 'Infinity') IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    IF less = 0 THEN
        RETURN 0;
    END IF;
    size := ln(more) + ln(less);
    IF size > 709.9 OR size > 709.7
        AND more / 1099511627776 * less > 1.7976931348623157e308 / 1099511627776
    THEN
        RETURN NULL;
    END IF;
    IF size < -745.3 OR size < -744 AND less * 1152921504606846976 * more <= 2.848094538889218e-306
    THEN
        RETURN 0;
    END IF;
    RETURN x * y;
END
$$;

CREATE OR REPLACE FUNCTION sky.over_v1(x double precision, y double precision)
    RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    size double precision;
BEGIN
    IF (abs(x) < 'Infinity' AND abs(y) < 'Infinity') IS NOT TRUE OR y = 0 THEN
        RETURN NULL;
    END IF;
    IF x = 0 THEN
        RETURN 0;
    END IF;
    size := ln(abs(x)) - ln(abs(y));
    IF size > 709.9 OR size > 709.7
        AND abs(x) / 1099511627776 / abs(y) > 1.7976931348623157e308 / 1099511627776
    THEN
        RETURN NULL;
    END IF;
    IF size < -745.3 OR size < -744
        AND abs(x) * 1152921504606846976 / abs(y) <= 2.848094538889218e-306
    THEN
        RETURN 0;
    END IF;
    RETURN x / y;
END
$$;
