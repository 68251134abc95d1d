"""What each function of astronomy gives, for both engines: (function, arguments, expected).

`PUBLISHED` are the examples of the IVOA's Catalogue of ADQL User Defined Functions 1.2; those of the
radial velocity of a star without parallax are of its "approximative" kind. The others come from the
definitions, from astropy, or from Q3C's own tests (`expected/ang2ipix.expected`).
"""

from __future__ import annotations

import math
from datetime import datetime

from astropy import units
from astropy.time import Time

Vector = tuple[str, tuple[object, ...], object]

at = datetime.fromisoformat

STAR = (7.606083572, 11.79044105, 125.0, 300.0, -428.8, 52.51, 2016.0)
"""The catalogue's star: ra, dec, parallax, pmra, pmdec, radial velocity, epoch."""
STILL = (7.606083572, 11.79044105, 125.0, 300.0, 0.0, 0.0, 2016.0)
FAR = (7.606083572, 11.79044105, 0.0, 300.0, -428.8, 52.51, 2016.0)

PUBLISHED: list[Vector] = [
    ("ivo_healpix_index", (0, 1.0, 1.0), 4),
    ("ivo_healpix_index", (17, 1.0, 1.0), 81609757711),
    ("ivo_healpix_index", (17, 359.0, -1.0), 73009064944),
    ("ivo_healpix_center", (0, 6), [180.0, 0.0]),
    ("ivo_healpix_center", (17, 12299567900), [23.399843462947466, 56.70016214363192]),
    ("ivo_epoch_prop_pos", (*STAR, 1992.25), [7.604061404627978, 11.7932703828279]),
    ("ivo_epoch_prop_pos", (*STAR, 1875.0), [7.594068213694308, 11.807251375203935]),
    ("ivo_epoch_prop_pos", (*STILL, 1875.0), [7.594080321498365, 11.790440798509207]),
    ("ivo_to_jd", (at("2000-01-02T12:00:00"),), 2451546.0),
    ("ivo_to_jd", (at("1910-12-31T06:00:00"),), 2419036.75),
    ("ivo_to_jd", (None,), None),
    ("ivo_to_mjd", (at("2000-01-02T12:00:00"),), 51545.5),
    ("ivo_to_mjd", (at("1910-12-31T06:00:00"),), 19036.25),
    ("ivo_to_mjd", (None,), None),
    ("ivo_hasword", ("Miller and Urey have", "miller"), 1),
    ("ivo_hasword", ("shown that a primordial", "show"), 1),
    ("ivo_hasword", ("shown that a primordial", "soup"), 0),
    ("ivo_hasword", ("shown that a primordial", "shown primordial"), 1),
    ("ivo_hasword", ("shown that a primordial", "shown soup"), 0),
    ("ivo_hashlist_has", ("red#green#blue", "red"), 1),
    ("ivo_hashlist_has", ("Red#green#blue", "red"), 1),
    ("ivo_hashlist_has", ("red#green#blue", "re"), 0),
    ("ivo_hashlist_has", ("red#green#blue", "red#green"), 0),
    ("ivo_interval_overlaps", (-2.0, 55.3, 2.0, 3.0), 1),
    ("ivo_interval_overlaps", (-3.0, -2.0, 2.0, 3.0), 0),
    ("ivo_interval_overlaps", (2.0, 3.0, -2.0, 55.3), 1),
    ("ivo_interval_overlaps", (-2.0, 55.3, 3.0, 2.0), 0),
    ("ivo_interval_overlaps", (-2.0, 2.0, 2.0, 3.0), 1),
    ("ivo_hms_to_degrees", ("3:34:45.4",), 53.68916666666667),
    ("ivo_hms_to_degrees", ("3h34m45.4s",), 53.68916666666667),
    ("ivo_hms_to_degrees", ("3H34M45.4S",), 53.68916666666667),
    ("ivo_dms_to_degrees", ("42:9:6.768",), 42.15188),
    ("ivo_dms_to_degrees", ("42d9m6.768s",), 42.15188),
    ("ivo_dms_to_degrees", ("42D9M6.768S",), 42.15188),
    ("ivo_dms_to_degrees", ("-00:15:00",), -0.25),
    ("ivo_dms_to_degrees", ("+00:15:00",), 0.25),
    ("ivo_dms_to_degrees", ("-0d15m0s",), -0.25),
    ("ivo_dms_to_degrees", ("+0d15m0s",), 0.25),
]

TIME = at("2026-11-22T13:14:15.161718")

IVOA: list[Vector] = [
    ("ivo_healpix_index", (0, 45.0, 60.0), 0),
    ("ivo_healpix_index", (30, 45.0, 60.0), None),
    ("ivo_healpix_index", (0, 45.0, 90.1), None),
    ("ivo_healpix_index", (0, None, 0.0), None),
    ("ivo_healpix_center", (0, 12), None),
    ("ivo_healpix_center", (0, -1), None),
    ("ivo_healpix_center", (30, 0), None),
    ("ivo_epoch_prop_pos", (*STAR[:6], 2016.0, 2016.0), [7.606083572, 11.79044105]),
    ("ivo_epoch_prop_pos", (7.0, 91.0, *STAR[2:], 2000.0), None),
    ("ivo_epoch_prop_pos", (7.0, 91.0, 1e300, *STAR[3:], 2000.0), None),
    ("ivo_epoch_prop_pos", (7.0, 5e-324, 0.0, 1e-200, 1e-200, 1e-200, 0.0, 1e-200), [7.0, 0.0]),
    (
        "ivo_apply_pm",
        (30.0, 15.0, 0.0, 0.1, 20.0),
        [30.0, 15 + math.degrees(math.atan(math.pi / 90))],
    ),
    (
        "ivo_apply_pm",
        (0.0, 0.0, -0.1, 0.0, 20.0),
        [360 - math.degrees(math.atan(math.pi / 90)), 0.0],
    ),
    ("ivo_apply_pm", (30.0, 15.0, 1e300, 0.1, 20.0), None),
    ("ivo_to_mjd", (TIME,), float(Time(TIME, scale="tai").mjd)),
    ("ivo_to_jd", (TIME,), float(Time(TIME, scale="tai").jd)),
    ("ivo_to_mjd", (at("1700-03-01"),), float(Time("1700-03-01", scale="tai").mjd)),
    ("ivo_hasword", ("Ein Maß für Größe", "größe, EIN!"), 1),
    ("ivo_hasword", ("reshown", "shown"), 0),
    ("ivo_hasword", ("anything", " .,- "), 1),
    ("ivo_hasword", ("", "x"), 0),
    ("ivo_hashlist_has", ("red#green#blue", "GREEN"), 1),
    ("ivo_hashlist_has", ("red", ""), 0),
    ("ivo_interval_overlaps", (3.0, 2.0, -1.0, 9.0), 0),
    ("ivo_hms_to_degrees", ("033445.4",), 53.68916666666667),
    ("ivo_hms_to_degrees", (" 23:59:59 ",), 359.9958333333333),
    *(
        ("ivo_hms_to_degrees", (text,), None)
        for text in ("", "x", "24:0:0", "3:60:0", "3d4m5s", "3:4")
    ),
    *(("ivo_hms_to_degrees", (text,), None) for text in ("-3:4:5", "3:4:60", "3:4:5:6", "1e1:0:0")),
    ("ivo_dms_to_degrees", ("-421506",), -42.251666666666665),
    ("ivo_dms_to_degrees", ("359:0:0.",), 359.0),
    *(
        ("ivo_dms_to_degrees", (text,), None)
        for text in ("360:0:0", "--1:0:0", "1h2m3s", "1:2:3.4.5")
    ),
    ("gavo_ipix", (0.0, 0.0), 2017612633061982208),
    ("gavo_ipix", (0.0, 91.0), 480383960252852906),
    ("gavo_ipix", (0.0, 90.0), 480383960252852906),
    ("gavo_ipix", (-1.0, 0.0), 1825388318008017157),
    ("gavo_ipix", (359.0, 0.0), 1825388318008017157),
    ("gavo_ipix", (math.nan, 0.0), None),
    ("interval_has", (1.0, 1.0, 2.0), 1),
    ("interval_has", (2.0, 1.0, 2.0), 1),
    ("interval_has", (2.5, 1.0, 2.0), 0),
    ("histogram_bin", (0.5, 0.5, 3.5, 8), 1),
    ("histogram_bin", (0.4, 0.5, 3.5, 8), 0),
    ("histogram_bin", (3.5, 0.5, 3.5, 8), 9),
    ("histogram_bin", (3.4999999999999996, 0.5, 3.5, 8), 8),
    ("histogram_bin", (1.625, 0.5, 3.5, 8), 4),
    ("histogram_bin", (math.inf, 0.5, 3.5, 8), 9),
]

TURN = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
"""Axes turned by 90 degrees around the pole: longitudes are 90 degrees less."""

REGIONS: list[Vector] = [
    ("rotated", ([10.0, 20.0], *TURN), [280.0, 20.0]),
    ("rotated", ([100.0, -20.0, 3.0], *TURN), [10.0, -20.0, 3.0]),
    ("rotated", ([91.0, 0.0, 92.0, 0.0, 91.5, 1.0], *TURN), [1.0, 0.0, 2.0, 0.0, 1.5, 1.0]),
    ("rotated", ([91.0, 95.0], *TURN), None),
    ("in_range", (0.1, 0.0, 0.1, 0.0, 0.3, 1.0), True),
    ("in_range", (5.0, 0.5, 350.0, 0.0, 10.0, 1.0), True),
    ("in_range", (355.0, 0.5, 350.0, 0.0, 10.0, 1.0), True),
    ("in_range", (360.0, 0.5, 350.0, 0.0, 10.0, 1.0), True),
    ("in_range", (720.0, 0.5, 350.0, 0.0, 10.0, 1.0), True),
    ("in_range", (10.1, 0.5, 350.0, 0.0, 10.0, 1.0), False),
    ("in_range", (0.0, 1.1, 350.0, 0.0, 10.0, 1.0), False),
    ("in_range", (0.3, 1.0, 0.1, 0.0, 0.3, 1.0), True),
    ("in_range", (5e-324, 0.0, 0.0, 0.0, 360.0, 1.0), True),
    ("in_ellipse", (0.0, 0.19, 0.0, 0.0, 0.2, 0.1, 0.0), True),
    ("in_ellipse", (0.0, 0.21, 0.0, 0.0, 0.2, 0.1, 0.0), False),
    ("in_ellipse", (0.11, 0.0, 0.0, 0.0, 0.2, 0.1, 0.0), False),
    ("in_ellipse", (0.19, 0.0, 0.0, 0.0, 0.2, 0.1, 90.0), True),
    ("in_ellipse", (0.13, 0.13, 0.0, 0.0, 0.2, 0.1, 45.0), True),
    ("in_ellipse", (359.87, 0.13, 0.0, 0.0, 0.2, 0.1, 45.0), False),
    ("in_ellipse", (180.0, 0.0, 0.0, 0.0, 0.2, 0.1, 0.0), False),
    ("in_ellipse", (0.0, 89.9, 180.0, 89.95, 0.2, 0.1, 0.0), True),
    ("in_ellipse", (5e-324, 5e-324, 0.0, 0.0, 1e-19, 1e-20, 45.0), True),
    ("in_ellipse", (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 45.0), False),
]


def _ab(flux: float, unit: units.UnitBase) -> float:
    return float((flux * unit).to_value(units.ABmag))


def _flux(mag: float, unit: units.UnitBase) -> float:
    return float((mag * units.ABmag).to_value(unit))


CGS = units.erg / units.s / units.cm**2 / units.Hz
KEPT = 2.5 / math.log(10)
"""Magnitudes per relative error."""
ZERO = 10 ** (-0.4 * 48.6)
"""The flux of magnitude 0, erg/s/cm2/Hz."""

PHOTOMETRY: list[Vector] = [
    ("nanojansky_to_abmag", (1e9,), _ab(1e9, units.nJy)),
    ("nanojansky_to_abmag", (250.0,), _ab(250.0, units.nJy)),
    ("nanojansky_to_abmag", (0.0,), None),
    ("nanojansky_to_abmag", (-5.0,), None),
    ("nanojansky_to_abmag_sigma", (100.0, 5.0), KEPT * 0.05),
    ("nanojansky_to_abmag_sigma", (1 / math.log(10), 2.0), 5.0),
    ("nanojansky_to_abmag_sigma", (-100.0, 5.0), None),
    ("nanojansky_to_abmag_sigma", (100.0, -5.0), None),
    ("abmag_to_nanojansky", (25.0,), _flux(25.0, units.nJy)),
    ("abmag_to_nanojansky", (1000.0,), None),
    ("abmag_to_nanojansky_sigma", (31.4, 5 / math.log(10)), 2.0),
    ("abmag_to_nanojansky_sigma", (31.4, -1.0), None),
    ("flux_to_abmag", (1.0,), -48.6),
    ("flux_to_abmag", (3e-29,), _ab(3e-29, CGS)),
    ("flux_to_abmag", (0.0,), None),
    ("flux_to_abmag", (-1.0,), None),
    ("flux_to_abmag_sigma", (1 / math.log(10), 2.0), 5.0),
    ("flux_to_abmag_sigma", (0.0, 1.0), None),
    ("abmag_to_flux", (-53.6,), 100.0),
    ("abmag_to_flux", (22.5,), _flux(22.5, CGS)),
    ("abmag_to_flux_sigma", (-48.6, 5 / math.log(10)), 2.0),
    ("dn_to_abmag", (100.0, 1e12), 25.0),
    ("dn_to_abmag", (0.0, 1e12), None),
    ("dn_to_abmag", (100.0, 0.0), None),
    ("dn_to_abmag_sigma", (100.0, 3.0, 1000.0, 40.0), KEPT * 0.05),
    ("dn_to_abmag_sigma", (100.0, -3.0, 1000.0, 40.0), None),
    ("dn_to_flux", (100.0, 1e12), ZERO * 1e-10),
    ("dn_to_flux", (-100.0, 1e12), -ZERO * 1e-10),
    ("dn_to_flux", (100.0, -1.0), None),
    ("dn_to_flux_sigma", (100.0, 3.0, 1000.0, 40.0), ZERO * 0.005),
    ("flux_to_dn", (ZERO * 1e-10, 1e12), 100.0),
    ("flux_to_dn_sigma", (ZERO * 0.1, ZERO * 0.003, 1000.0, 40.0), 5.0),
    ("abmag_to_dn", (25.0, 1e12), 100.0),
    ("abmag_to_dn", (25.0, 0.0), None),
    ("abmag_to_dn_sigma", (2.5, 0.03 * KEPT, 1000.0, 40.0), 5.0),
    ("abmag_to_dn_sigma", (2.5, 5e-324, 1000.0, 5e-324), 0.0),
]

ASTRONOMY: list[Vector] = [*PUBLISHED, *IVOA, *REGIONS, *PHOTOMETRY]
