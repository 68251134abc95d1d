-- Stars that move in straight lines: Lindegren's rigorous treatment (ESA SP-1200, vol. 1, 1.5.5),
-- as the IVOA's Catalogue of ADQL User Defined Functions 1.2, section 2.2.1, asks.
-- Arguments: doubles. NULL in, NULL out; dec beyond a pole and numbers beyond 1e100 give NULL.
--   (x + 1e-90 - 1e-90) is x, but 0 below 1e-106: PostgreSQL raises where a product vanishes.
-- Errors raised: none.
-- Locks taken: none.

-- The direction of (ra, dec), degrees, after moves to the east, north and away from us; radians.
CREATE OR REPLACE FUNCTION sky.moved_v1(
    ra double precision, "dec" double precision, east double precision, north double precision,
    away double precision
)
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    sr double precision;
    cr double precision;
    sd double precision;
    cd double precision;
BEGIN
    IF (abs(ra) < 1e100 AND "dec" BETWEEN -90 AND 90
        AND abs(east) < 1e100 AND abs(north) < 1e100 AND abs(away) < 1e100) IS NOT TRUE
    THEN
        RETURN NULL;
    END IF;
    sr := sin(radians(ra + 1e-90 - 1e-90));
    cr := cos(radians(ra + 1e-90 - 1e-90));
    sd := sin(radians("dec" + 1e-90 - 1e-90));
    cd := cos(radians("dec" + 1e-90 - 1e-90));
    east := east + 1e-90 - 1e-90;
    north := north + 1e-90 - 1e-90;
    away := 1 + away;
    RETURN sky.position_v1(
        away * cd * cr - east * sr - north * sd * cr,
        away * cd * sr + east * cr - north * sd * sr,
        away * sd + north * cd
    );
END
$$;

-- Proper motions are in mas/yr (that in ra times cos(dec)), parallax in mas, radial velocity in
-- km/s, epochs in Julian years. 4.740470446 is the astronomical unit, km yr/s.
CREATE OR REPLACE FUNCTION sky.ivo_epoch_prop_pos_v1(
    ra double precision, "dec" double precision, parallax double precision,
    pmra double precision, pmdec double precision, radial_velocity double precision,
    ref_epoch double precision, out_epoch double precision
)
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    years double precision;
BEGIN
    IF (abs(parallax) < 1e30 AND abs(pmra) < 1e30 AND abs(pmdec) < 1e30
        AND abs(radial_velocity) < 1e30 AND abs(ref_epoch) < 1e30 AND abs(out_epoch) < 1e30)
        IS NOT TRUE
    THEN
        RETURN NULL;
    END IF;
    years := radians((out_epoch - ref_epoch + 1e-90 - 1e-90) / 3.6e6);
    RETURN sky.moved_v1(
        ra, "dec", (pmra + 1e-90 - 1e-90) * years, (pmdec + 1e-90 - 1e-90) * years,
        (parallax + 1e-90 - 1e-90) * (radial_velocity + 1e-90 - 1e-90) / 4.740470446 * years
    );
END
$$;

-- Proper motions in degrees per unit of time (that in ra times cos(dec)).
CREATE OR REPLACE FUNCTION sky.ivo_apply_pm_v1(
    ra double precision, "dec" double precision, pmra double precision, pmdec double precision,
    epdist double precision
)
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(pmra) < 1e30 AND abs(pmdec) < 1e30 AND abs(epdist) < 1e30
        THEN sky.moved_v1(
            ra, "dec",
            radians((pmra + 1e-90 - 1e-90) * (epdist + 1e-90 - 1e-90)),
            radians((pmdec + 1e-90 - 1e-90) * (epdist + 1e-90 - 1e-90)),
            0
        )
    END;
