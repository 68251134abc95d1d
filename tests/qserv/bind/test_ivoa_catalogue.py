"""The examples of the IVOA's Catalogue of ADQL User Defined Functions 1.2, as ADQL, in both engines.

Left out are those whose value depends on a service's tables, on chance or on Simbad.
"""

from __future__ import annotations

import pytest

from qserv.bind.errors import BindError
from qserv.render import Dialect, render
from tests.procedures.conftest import _duckdb, _postgres, engine
from tests.procedures.engines import Engine
from tests.qserv.bind.binding import bound

__all__ = ["_duckdb", "_postgres", "engine"]

STAR = "7.606083572, 11.79044105"
EXAMPLES = [
    ("ivo_healpix_index(0, 1, 1)", 4),
    ("ivo_healpix_index(17, 1, 1)", 81609757711),
    ("ivo_healpix_index(17, 359, -1)", 73009064944),
    ("ivo_healpix_index(0, POINT(1, 1))", 4),
    ("ivo_healpix_index(17, POINT('ICRS', 1, 1))", 81609757711),
    ("ivo_healpix_index(17, CENTROID(CIRCLE(359, -1, 3)))", 73009064944),
    ("ivo_healpix_center(0, 6)", [180.0, 0.0]),
    (
        "ivo_healpix_center(17, ivo_healpix_index(17, 23.4, 56.7))",
        [23.399843462947466, 56.70016214363192],
    ),
    (
        f"ivo_epoch_prop_pos({STAR}, 125, 300, -428.8, 52.51, 2016.0, 1992.25)",
        [7.604061404627978, 11.7932703828279],
    ),
    (
        f"ivo_epoch_prop_pos({STAR}, 125, 300, -428.8, 52.51, 2016.0, 1875.0)",
        [7.594068213694308, 11.807251375203935],
    ),
    (
        f"ivo_epoch_prop_pos({STAR}, 125, 300, -428.8, NULL, 2016.0, 1875.0)",
        [7.594079587029898, 11.807235464326332],
    ),
    (
        f"ivo_epoch_prop_pos({STAR}, 125, 300, NULL, NULL, 2016.0, 1875.0)",
        [7.594080321498365, 11.790440798509207],
    ),
    # "Approximative": the catalogue does not say how small the parallax is.
    (
        f"ivo_epoch_prop_pos({STAR}, NULL, 300, -428.8, 52.51, 2016.0, 1875.0)",
        [7.594079587020846, 11.807235464339055],
    ),
    ("ivo_geom_transform('ICRS', 'GALACTIC', POINT(120, -23))", [241.121831182, 3.62785788087]),
    (
        "ivo_geom_transform('FK4', 'GALACTIC', CIRCLE(189.70303055, 22.96240006, 3))",
        [275.00025405, 84.99996154, 3.0],
    ),
    (
        "ivo_geom_transform('GALACTIC', 'FK5', POLYGON(5, 3, 4, 4, 4.5, 2))",
        [266.44721, -23.107310, 264.95088, -23.434037, 267.09936, -24.051919],
    ),
    ("ivo_to_jd(CAST('2000-01-02T12:00:00' AS TIMESTAMP))", 2451546.0),
    ("ivo_to_jd('1910-12-31T06:00:00')", 2419036.75),
    ("ivo_to_jd(NULL)", None),
    ("ivo_to_mjd(CAST('2000-01-02T12:00:00' AS TIMESTAMP))", 51545.5),
    ("ivo_to_mjd('1910-12-31T06:00:00')", 19036.25),
    ("ivo_to_mjd(NULL)", None),
    ("ivo_nocasematch('abcabc', 'ab%')", 1),
    ("ivo_nocasematch('ABcabc', 'ab__bc')", 1),
    ("ivo_nocasematch('abcabc', '%BC')", 1),
    ("ivo_nocasematch('abcabc', 'ABCABC')", 1),
    ("ivo_nocasematch('abcabc', 'abcab')", 0),
    ("ivo_hasword('Miller and Urey have', 'miller')", 1),
    ("ivo_hasword('shown that a primordial', 'show')", 1),
    ("ivo_hasword('shown that a primordial', 'soup')", 0),
    ("ivo_hasword('shown that a primordial', 'shown primordial')", 1),
    ("ivo_hasword('shown that a primordial', 'shown soup')", 0),
    ("ivo_hashlist_has('red#green#blue', 'red')", 1),
    ("ivo_hashlist_has('Red#green#blue', 'red')", 1),
    ("ivo_hashlist_has('red#green#blue', 're')", 0),
    ("ivo_hashlist_has('red#green#blue', 'red#green')", 0),
    ("ivo_interval_overlaps(-3, -2, 2, 3)", 0),
    ("ivo_interval_overlaps(-2, 55.3, 2, 3)", 1),
    ("ivo_interval_overlaps(2, 3, -2, 55.3)", 1),
    ("ivo_interval_overlaps(-2, 55.3, 3, 2)", 0),
    ("ivo_interval_overlaps(-2, 2, 2, 3)", 1),
    ("ivo_hms_to_degrees('3:34:45.4')", 53.6891667),
    ("ivo_hms_to_degrees('3h34m45.4s')", 53.6891667),
    ("ivo_hms_to_degrees('3H34M45.4S')", 53.6891667),
    ("ivo_dms_to_degrees('42:9:6.768')", 42.15188),
    ("ivo_dms_to_degrees('42d9m6.768s')", 42.15188),
    ("ivo_dms_to_degrees('42D9M6.768S')", 42.15188),
    ("ivo_dms_to_degrees('-00:15:00')", -0.25),
    ("ivo_dms_to_degrees('+00:15:00')", 0.25),
    ("ivo_dms_to_degrees('-0d15m0s')", -0.25),
    ("ivo_dms_to_degrees('+0d15m0s')", 0.25),
]
ERRORS = [
    "ivo_healpix_center(17, 23.2)",
    "ivo_epoch_prop_pos(NULL, 11.79044105, 125, 300, NULL, NULL, 2016.0, 1875.0)",
    f"ivo_epoch_prop_pos({STAR}, 125, 300, -428.8, 52.51, NULL, 1875.0)",
    "ivo_simbadpoint('an invalid identifier')",
]


def agrees(found: object, expected: object) -> bool:
    """Equal; numbers as far as the catalogue prints them: to 5e-6 or, of more than 7 digits, 1e-9."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(agrees, found, expected))
    if isinstance(found, float) and isinstance(expected, float):
        decimals = len(repr(expected).partition(".")[2])
        return abs(found - expected) <= (5e-6 if decimals <= 7 else 1e-8 if decimals == 8 else 1e-9)
    return found == expected


@pytest.mark.parametrize(("text", "expected"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_an_example_gives_what_the_catalogue_says(
    engine: Engine, text: str, expected: object
) -> None:
    sql = render(bound(f"SELECT {text}"), Dialect(engine.name), {})
    ((found,),) = engine.run(sql)
    assert agrees(found, expected), found


@pytest.mark.parametrize("text", ERRORS)
def test_what_the_catalogue_calls_an_error_is_one(text: str) -> None:
    with pytest.raises(BindError):
        bound(f"SELECT {text}")
