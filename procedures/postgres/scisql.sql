-- sciSQL's photometry beside that of nanojanskys: AB magnitudes, fluxes in erg/s/cm2/Hz
-- (m = -48.6 - 2.5 log10(f); Oke & Gunn 1983, ApJ 266, 713), and raw counts dn, of which flux_mag0
-- are a magnitude of 0. Errors are propagated to the first order.
-- Arguments: doubles. NULL in, NULL out; so is what has no magnitude, a negative error, and numbers
--   so large or so near 0 that no flux is (1e-40..1e40 for counts whose errors are combined,
--   1e-100..1e100 else, magnitudes -450..450). (x + 1e-90 - 1e-90) is x, but 0 below 1e-106:
--   PostgreSQL raises where a product vanishes.
-- Errors raised: none.
-- Locks taken: none.

-- The AB magnitude of a flux.
CREATE OR REPLACE FUNCTION sky.flux_to_abmag_v1(flux double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN flux > 0 AND flux < 'Infinity'
        THEN -48.6 - 2.5 * log10(flux)
    END;

-- The error of that.
CREATE OR REPLACE FUNCTION sky.flux_to_abmag_sigma_v1(
    flux double precision, flux_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN flux BETWEEN 1e-100 AND 1e100
        AND flux_sigma BETWEEN 0 AND 1e40
        THEN 1.0857362047581294 * (flux_sigma + 1e-90 - 1e-90) / flux
    END;

-- The flux of an AB magnitude.
CREATE OR REPLACE FUNCTION sky.abmag_to_flux_v1(mag double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN mag BETWEEN -450 AND 450
        THEN power(10.0, -0.4 * (mag + 48.6))
    END;

-- The error of that.
CREATE OR REPLACE FUNCTION sky.abmag_to_flux_sigma_v1(
    mag double precision, mag_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN mag BETWEEN -450 AND 450
        AND mag_sigma BETWEEN 0 AND 1e40
        THEN 0.9210340371976183 * (mag_sigma + 1e-90 - 1e-90) 
            * power(10.0, -0.4 * (mag + 48.6))
    END;

-- The error of the flux in nanojansky of an AB magnitude.
CREATE OR REPLACE FUNCTION sky.abmag_to_nanojansky_sigma_v1(
    mag double precision, mag_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN mag BETWEEN -450 AND 450
        AND mag_sigma BETWEEN 0 AND 1e40
        THEN 0.9210340371976183 * (mag_sigma + 1e-90 - 1e-90) 
            * power(10.0, 0.4 * (31.4 - mag))
    END;

-- The AB magnitude of raw counts.
CREATE OR REPLACE FUNCTION sky.dn_to_abmag_v1(dn double precision, flux_mag0 double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN dn BETWEEN 1e-100 AND 1e100 AND flux_mag0 BETWEEN 1e-100 AND 1e100
        THEN -2.5 * log10(dn / flux_mag0)
    END;

-- The error of that.
CREATE OR REPLACE FUNCTION sky.dn_to_abmag_sigma_v1(
    dn double precision, dn_sigma double precision,
    flux_mag0 double precision,
    flux_mag0_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN dn BETWEEN 1e-40 AND 1e40 AND flux_mag0 BETWEEN 1e-40 AND 1e40
        AND dn_sigma BETWEEN 0 AND 1e40 AND flux_mag0_sigma BETWEEN 0 AND 1e40
        THEN 1.0857362047581294 * sqrt(
            power((dn_sigma + 1e-90 - 1e-90) / dn, 2)
            + power((flux_mag0_sigma + 1e-90 - 1e-90) / flux_mag0, 2)
        )
    END;

-- The flux of raw counts.
CREATE OR REPLACE FUNCTION sky.dn_to_flux_v1(dn double precision, flux_mag0 double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(dn) < 1e100
        AND flux_mag0 BETWEEN 1e-100 AND 1e100
        THEN 3.630780547701013e-20 * (dn + 1e-90 - 1e-90) / flux_mag0
    END;

-- The error of that.
CREATE OR REPLACE FUNCTION sky.dn_to_flux_sigma_v1(
    dn double precision, dn_sigma double precision,
    flux_mag0 double precision,
    flux_mag0_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(dn) < 1e40 AND flux_mag0 BETWEEN 1e-40 AND 1e40
        AND dn_sigma BETWEEN 0 AND 1e40 AND flux_mag0_sigma BETWEEN 0 AND 1e40
        THEN 3.630780547701013e-20 / flux_mag0 * sqrt(
            power((dn_sigma + 1e-90 - 1e-90), 2)
            + power((dn + 1e-90 - 1e-90) * (flux_mag0_sigma + 1e-90 - 1e-90) / flux_mag0
                + 1e-90 - 1e-90, 2)
        )
    END;

-- The raw counts of a flux.
CREATE OR REPLACE FUNCTION sky.flux_to_dn_v1(flux double precision, flux_mag0 double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(flux) < 1e100
        AND flux_mag0 BETWEEN 1e-100 AND 1e100
        THEN (flux + 1e-90 - 1e-90) * flux_mag0 / 3.630780547701013e-20
    END;

-- The error of that.
CREATE OR REPLACE FUNCTION sky.flux_to_dn_sigma_v1(
    flux double precision, flux_sigma double precision,
    flux_mag0 double precision,
    flux_mag0_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(flux) < 1e40 AND flux_mag0 BETWEEN 1e-40 AND 1e40
        AND flux_sigma BETWEEN 0 AND 1e40 AND flux_mag0_sigma BETWEEN 0 AND 1e40
        THEN sqrt(
            power((flux_sigma + 1e-90 - 1e-90) * flux_mag0 + 1e-90 - 1e-90, 2)
            + power((flux + 1e-90 - 1e-90) * (flux_mag0_sigma + 1e-90 - 1e-90) + 1e-90 - 1e-90, 2)
        ) / 3.630780547701013e-20
    END;

-- The raw counts of an AB magnitude.
CREATE OR REPLACE FUNCTION sky.abmag_to_dn_v1(mag double precision, flux_mag0 double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN mag BETWEEN -450 AND 450 AND flux_mag0 BETWEEN 1e-100 AND 1e100
        THEN flux_mag0 * power(10.0, -0.4 * mag)
    END;

-- The error of that.
CREATE OR REPLACE FUNCTION sky.abmag_to_dn_sigma_v1(
    mag double precision, mag_sigma double precision,
    flux_mag0 double precision,
    flux_mag0_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN mag BETWEEN -450 AND 450 AND flux_mag0 BETWEEN 1e-40 AND 1e40
        AND mag_sigma BETWEEN 0 AND 1e40 AND flux_mag0_sigma BETWEEN 0 AND 1e40
        THEN power(10.0, -0.4 * mag) * sqrt(
            power(0.9210340371976183 * (mag_sigma + 1e-90 - 1e-90) * flux_mag0 + 1e-90 - 1e-90, 2)
            + power((flux_mag0_sigma + 1e-90 - 1e-90), 2)
        )
    END;

-- The error of the AB magnitude of a flux in nanojansky.
CREATE OR REPLACE FUNCTION sky.nanojansky_to_abmag_sigma_v2(
    flux double precision, flux_sigma double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN flux BETWEEN 1e-100 AND 1e100
        AND flux_sigma BETWEEN 0 AND 1e40
        THEN 1.0857362047581294 * (flux_sigma + 1e-90 - 1e-90) / flux
    END;
