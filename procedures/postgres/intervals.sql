-- Intervals and Julian dates, as the IVOA's Catalogue of ADQL User Defined Functions 1.2 has them,
-- and the bins of its histograms.
-- Arguments: doubles; timestamps; of histogram_bin an integer too. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

-- 1 where [a1, b1] and [a2, b2] have a number in common, else 0; an interval whose bounds are
-- exchanged holds nothing.
CREATE OR REPLACE FUNCTION sky.ivo_interval_overlaps_v1(
    a1 double precision, b1 double precision, a2 double precision, b2 double precision
)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN a1 IS NULL OR b1 IS NULL OR a2 IS NULL OR b2 IS NULL THEN NULL
        WHEN a1 <= b1 AND a2 <= b2 AND a1 <= b2 AND a2 <= b1 THEN 1
        ELSE 0
    END;

-- 1 where x lies in [low, high], else 0.
CREATE OR REPLACE FUNCTION sky.interval_has_v1(
    x double precision, low double precision, high double precision
)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN x IS NULL OR low IS NULL OR high IS NULL THEN NULL
        WHEN low <= x AND x <= high THEN 1
        ELSE 0
    END;

-- Days since noon, 1 January 4713 BC, of the calendar that runs on backwards; the clock's time as
-- it is.
CREATE OR REPLACE FUNCTION sky.ivo_to_jd_v1(t timestamp)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN isfinite(t) THEN date_part('epoch', t) / 86400 + 2440587.5 END;

-- Days since 17 November 1858.
CREATE OR REPLACE FUNCTION sky.ivo_to_mjd_v1(t timestamp)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN isfinite(t) THEN date_part('epoch', t) / 86400 + 40587 END;

-- Where x belongs in a histogram of so many bins between low and high: 0 below, bins + 1 above;
-- high itself is above, as in PostgreSQL's width_bucket.
CREATE OR REPLACE FUNCTION sky.histogram_bin_v1(
    x double precision, low double precision, high double precision, bins integer
)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN x IS NULL OR low IS NULL OR high IS NULL OR bins IS NULL THEN NULL
        WHEN x < low THEN 0
        WHEN x >= high THEN bins + 1
        ELSE LEAST(
            bins,
            CAST(floor((x - low + 1e-90 - 1e-90) / (high - low) * bins) AS integer) + 1
        )
    END;

-- Counts of rows by the number of their bin, 0 .. bins + 1.
CREATE OR REPLACE FUNCTION sky.histogram_step_v1(counts bigint[], bin integer, bins integer)
    RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF counts IS NULL THEN
        counts := array_fill(0::bigint, ARRAY[bins + 2]);
    END IF;
    counts[bin + 1] := counts[bin + 1] + 1;
    RETURN counts;
END
$$;

CREATE OR REPLACE AGGREGATE sky.histogram_v1(integer, integer) (
    SFUNC = sky.histogram_step_v1,
    STYPE = bigint[],
    PARALLEL = SAFE
);
