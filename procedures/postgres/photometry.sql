-- Fluxes in nanojansky and AB magnitudes: m = 31.4 - 2.5 log10(flux) (Oke & Gunn 1983, ApJ 266,
-- 713; 1 nJy is 1e-32 erg/s/cm2/Hz and AB's zero point -48.6).
-- Arguments: doubles. NULL in, NULL out; a flux that is not positive has no magnitude: NULL.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.nanojansky_to_abmag_v1(flux double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN flux > 0 AND flux < 'Infinity' THEN 31.4 - 2.5 * log10(flux) END;

CREATE OR REPLACE FUNCTION sky.nanojansky_to_abmag_sigma_v1(
    flux double precision, flux_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN flux > 0 THEN 1.0857362047581294 * flux_sigma / flux END;

CREATE OR REPLACE FUNCTION sky.abmag_to_nanojansky_v1(mag double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN mag BETWEEN -700 AND 700 THEN power(10.0, 0.4 * (31.4 - mag)) END;
