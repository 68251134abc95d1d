-- Stars that move in straight lines: Lindegren's rigorous treatment (ESA SP-1200, vol. 1, 1.5.5),
-- as the IVOA's Catalogue of ADQL User Defined Functions 1.2, section 2.2.1, asks.
-- Arguments: doubles. NULL in, NULL out; dec beyond a pole and numbers beyond 1e100 give NULL.
--   Lists of one struct stand for local variables.
-- Errors raised: none.
-- Locks taken: none.

-- The direction of (ra, dec), degrees, after moves to the east, north and away from us; radians.
CREATE OR REPLACE MACRO sky.moved_v1(ra, dec, east, north, away) AS
    CASE WHEN abs(ra) < 1e100 AND dec BETWEEN -90 AND 90
        AND abs(east) < 1e100 AND abs(north) < 1e100 AND abs(away) < 1e100
    THEN list_transform(list_transform(
        [{
            'sr': sin(radians(ra + 1e-90 - 1e-90)),
            'cr': cos(radians(ra + 1e-90 - 1e-90)),
            'sd': sin(radians(dec + 1e-90 - 1e-90)),
            'cd': cos(radians(dec + 1e-90 - 1e-90)),
            'e': east + 1e-90 - 1e-90,
            'n': north + 1e-90 - 1e-90,
            'a': 1 + away
        }],
        lambda s: {
            'x': s.a * s.cd * s.cr - s.e * s.sr - s.n * s.sd * s.cr,
            'y': s.a * s.cd * s.sr + s.e * s.cr - s.n * s.sd * s.sr,
            'z': s.a * s.sd + s.n * s.cd
        }),
        lambda v: sky.position_v1(v.x, v.y, v.z)
    )[1] END;

-- Proper motions are in mas/yr (that in ra times cos(dec)), parallax in mas, radial velocity in
-- km/s, epochs in Julian years. 4.740470446 is the astronomical unit, km yr/s.
CREATE OR REPLACE MACRO sky.ivo_epoch_prop_pos_v1(
    ra, dec, parallax, pmra, pmdec, radial_velocity, ref_epoch, out_epoch
) AS
    CASE WHEN abs(parallax) < 1e30 AND abs(pmra) < 1e30 AND abs(pmdec) < 1e30
        AND abs(radial_velocity) < 1e30 AND abs(ref_epoch) < 1e30 AND abs(out_epoch) < 1e30
    THEN list_transform(
        [radians((out_epoch - ref_epoch + 1e-90 - 1e-90) / 3.6e6)],
        lambda years: sky.moved_v1(
            ra, dec, (pmra + 1e-90 - 1e-90) * years, (pmdec + 1e-90 - 1e-90) * years,
            (parallax + 1e-90 - 1e-90) * (radial_velocity + 1e-90 - 1e-90) / 4.740470446e0 * years
        )
    )[1] END;

-- Proper motions in degrees per unit of time (that in ra times cos(dec)).
CREATE OR REPLACE MACRO sky.ivo_apply_pm_v1(ra, dec, pmra, pmdec, epdist) AS
    CASE WHEN abs(pmra) < 1e30 AND abs(pmdec) < 1e30 AND abs(epdist) < 1e30
        THEN sky.moved_v1(
            ra, dec,
            radians((pmra + 1e-90 - 1e-90) * (epdist + 1e-90 - 1e-90)),
            radians((pmdec + 1e-90 - 1e-90) * (epdist + 1e-90 - 1e-90)),
            0e0
        )
    END;
