-- Intervals and Julian dates, as the IVOA's Catalogue of ADQL User Defined Functions 1.2 has them,
-- and the bins of its histograms.
-- Arguments: doubles; timestamps; of histogram_bin an integer too. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

-- 1 where [a1, b1] and [a2, b2] have a number in common, else 0; an interval whose bounds are
-- exchanged holds nothing.
CREATE OR REPLACE MACRO sky.ivo_interval_overlaps_v1(a1, b1, a2, b2) AS
    CASE
        WHEN a1 IS NULL OR b1 IS NULL OR a2 IS NULL OR b2 IS NULL THEN NULL
        WHEN a1 <= b1 AND a2 <= b2 AND a1 <= b2 AND a2 <= b1 THEN 1
        ELSE 0
    END;

-- 1 where x lies in [low, high], else 0.
CREATE OR REPLACE MACRO sky.interval_has_v1(x, low, high) AS
    CASE
        WHEN x IS NULL OR low IS NULL OR high IS NULL THEN NULL
        WHEN low <= x AND x <= high THEN 1
        ELSE 0
    END;

-- Days since noon, 1 January 4713 BC, of the calendar that runs on backwards; the clock's time as
-- it is.
CREATE OR REPLACE MACRO sky.ivo_to_jd_v1(t) AS
    CASE WHEN isfinite(t) THEN epoch_us(t) / 1e6 / 86400 + 2440587.5e0 END;

-- Days since 17 November 1858.
CREATE OR REPLACE MACRO sky.ivo_to_mjd_v1(t) AS
    CASE WHEN isfinite(t) THEN epoch_us(t) / 1e6 / 86400 + 40587e0 END;

-- Where x belongs in a histogram of so many bins between low and high: 0 below, bins + 1 above;
-- high itself is above, as in PostgreSQL's width_bucket.
CREATE OR REPLACE MACRO sky.histogram_bin_v1(x, low, high, bins) AS
    CASE
        WHEN x IS NULL OR low IS NULL OR high IS NULL OR bins IS NULL THEN NULL
        WHEN x < low THEN 0
        WHEN x >= high THEN bins + 1
        ELSE LEAST(
            bins,
            CAST(floor((x - low + 1e-90 - 1e-90) / (high - low) * bins) AS integer) + 1
        )
    END;
