"""What each function gives, for both engines: (function, arguments, expected).

Expected values are constants of the definition, or come from numpy and astropy. They are compared to
1e-12 relative.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from tests.procedures.astronomy_vectors import ASTRONOMY
from tests.procedures.region_vectors import REGIONS
from tests.procedures.text_vectors import TEXTS_AND_TIMES

Vector = tuple[str, tuple[object, ...], object]
BIG = 1e300
MAX = sys.float_info.max


def _all(name: str, *pairs: tuple[object, object]) -> list[Vector]:
    """Vectors of a function of one argument."""
    return [(name, (argument,), expected) for argument, expected in pairs]


ARITHMETIC: list[Vector] = [
    ("idiv", (7, 2), 3),
    ("idiv", (-7, 2), -3),
    ("idiv", (7, -2), -3),
    ("idiv", (7, 0), None),
    ("idiv", (None, 2), None),
    ("imod", (7, 2), 1),
    ("imod", (-7, 2), -1),
    ("imod", (7, -2), 1),
    ("imod", (7, 0), None),
    ("div", (1.0, 3.0), 1 / 3),
    ("div", (1.0, 0.0), None),
    ("div", (0.0, 0.0), None),
    ("div", (None, 1.0), None),
    *_all("finite", (MAX, MAX), (-MAX, -MAX), (math.inf, None), (-math.inf, None), (None, None)),
    ("plus", (1.5, 2.0), 3.5),
    ("plus", (MAX, -MAX), 0.0),
    ("plus", (MAX, 5e-324), MAX),
    ("plus", (MAX, MAX / 2**60), MAX),
    ("plus", (MAX, MAX / 2**53), None),
    ("plus", (-1e308, -1e308), None),
    ("plus", (math.inf, 1.0), None),
    ("minus", (1.5, 2.0), -0.5),
    ("minus", (1e308, -1e308), None),
    ("minus", (MAX, MAX), 0.0),
    ("times", (1.5, -2.0), -3.0),
    ("times", (0.0, 1e308), 0.0),
    ("times", (1e200, 1e200), None),
    ("times", (1e200, -1e200), None),
    ("times", (MAX, 1.0), MAX),
    ("times", (MAX / 2, 2.0000000000000004), None),
    ("times", (2.0**600, 2.0**423), 2.0**1023),
    ("times", (2.0**600, 2.0**424), None),
    ("times", (1e-200, 1e-200), 0.0),
    ("times", (1e-160, 1e-160), 1e-160 * 1e-160),
    ("times", (5e-324, 1e308), 5e-324 * 1e308),
    ("times", (math.inf, 0.0), None),
    ("over", (1.0, 3.0), 1 / 3),
    ("over", (1.0, 0.0), None),
    ("over", (0.0, 5e-324), 0.0),
    ("over", (1e200, 1e-200), None),
    ("over", (1e-200, 1e200), 0.0),
    ("over", (MAX, 0.9999999999999999), None),
    ("over", (MAX, -1.0), -MAX),
    ("over", (2.0**1000, 2.0**-23), 2.0**1023),
    ("over", (2.0**1000, 2.0**-24), None),
    ("mod", (10.5, 3.0), 1.5),
    ("mod", (-10.5, 3.0), -1.5),
    ("mod", (10.5, -3.0), 1.5),
    ("mod", (2.0, 3.0), 2.0),
    ("mod", (5.0, 0.0), None),
    ("mod", (5.0, None), None),
    ("mod", (BIG, 1e-300), None),
    ("mod", (math.inf, 2.0), None),
    *_all("ln", (math.e, 1.0), (2.0, math.log(2)), (0.0, None), (-1.0, None), (None, None)),
    *_all("log10", (1000.0, 3.0), (2.0, math.log10(2)), (0.0, None), (-1.0, None), (None, None)),
    *_all("sqrt", (2.0, math.sqrt(2)), (0.0, 0.0), (-1.0, None), (math.nan, None), (None, None)),
    *_all("exp", (1.0, math.e), (-1000.0, 0.0), (1000.0, None), (math.inf, None), (None, None)),
    ("power", (2.0, 10.0), 1024.0),
    ("power", (2.0, -1.0), 0.5),
    ("power", (-8.0, 3.0), -512.0),
    ("power", (-8.0, 0.5), None),
    ("power", (0.0, 0.0), 1.0),
    ("power", (0.0, 2.0), 0.0),
    ("power", (0.0, -1.0), None),
    ("power", (10.0, 400.0), None),
    ("power", (10.0, -400.0), 0.0),
    ("power", (math.nan, 2.0), None),
    ("power", (None, 2.0), None),
    *_all("sign", (2.5, 1.0), (-2.5, -1.0), (0.0, 0.0), (None, None)),
    *_all("abs", (-2.5, 2.5), (None, None)),
]

TRIGONOMETRY: list[Vector] = [
    *_all("degrees", (math.pi, 180.0), (None, None)),
    *_all("radians", (180.0, math.pi), (None, None)),
    *_all("sin", (1.0, math.sin(1)), (math.inf, None), (math.nan, None), (None, None)),
    *_all("cos", (1.0, math.cos(1)), (math.inf, None), (None, None)),
    *_all("tan", (1.0, math.tan(1)), (math.inf, None), (None, None)),
    *_all("cot", (1.0, 1 / math.tan(1)), (0.0, None), (None, None)),
    *_all("asin", (1.0, math.pi / 2), (1.1, None), (math.nan, None), (None, None)),
    *_all("acos", (-1.0, math.pi), (-1.1, None), (None, None)),
    *_all("atan", (1.0, math.pi / 4), (None, None)),
    ("atan2", (1.0, -1.0), 3 * math.pi / 4),
    ("atan2", (None, 1.0), None),
]

ROUNDING: list[Vector] = [
    *_all("ceiling", (1.2, 2.0), (-1.2, -1.0), (None, None)),
    *_all("floor", (1.8, 1.0), (-1.2, -2.0), (None, None)),
    ("round", (2.5, 0), 3.0),
    ("round", (-2.5, 0), -3.0),
    ("round", (0.49999999999999994, 0), 0.0),
    ("round", (1.25, 1), 1.3),
    ("round", (1250.0, -2), 1300.0),
    ("round", (-1249.0, -2), -1200.0),
    ("round", (0.4, -2), 0.0),
    ("round", (1e17 + 16, 2), 1e17 + 16),
    ("round", (BIG, 300), BIG),
    ("round", (None, 1), None),
    ("round", (1.5, None), None),
    ("truncate", (1.29, 1), 1.2),
    ("truncate", (-1.29, 1), -1.2),
    ("truncate", (1299.0, -2), 1200.0),
    ("truncate", (None, 1), None),
]

TEXTS: list[Vector] = [
    *_all("lower", ("ABC xyz ÀÉ", "abc xyz ÀÉ"), (None, None)),
    *_all("upper", ("abc XYZ é", "ABC XYZ é"), (None, None)),
    *_all("text_to_short", ("-12", -12), (None, None)),
    *_all("text_to_int", (" 12 ", 12), ("+7", 7)),
    *_all("text_to_long", ("9223372036854775807", 2**63 - 1)),
    *_all("text_to_float", ("1.5", 1.5), ("nan", None)),
    *_all("text_to_double", (" 1e-3 ", 1e-3), (".5", 0.5), ("NaN", None), (None, None)),
]


def _separation(ra1: float, dec1: float, ra2: float, dec2: float) -> Vector:
    """By the chord, in extended precision; from the antipode where that is nearer."""
    near, far = _chord(ra1, dec1, ra2, dec2), _chord(ra1, dec1, ra2 + 180, -dec2)
    degrees = 2 * np.degrees(np.arcsin(near))
    if far < near:
        degrees = 180 - 2 * np.degrees(np.arcsin(far))
    return ("separation", (ra1, dec1, ra2, dec2), float(degrees))


def _chord(*numbers: float) -> Any:
    ra1, dec1, ra2, dec2 = np.radians(np.array(numbers, np.longdouble))
    span = np.cos(dec1) * np.cos(dec2) * np.sin((ra2 - ra1) / 2) ** 2
    return np.sqrt(np.sin((dec2 - dec1) / 2) ** 2 + span)


TRIANGLE = [350.0, -5.0, 10.0, -5.0, 0.0, 15.0]
ARROW = [0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 5.0, 2.0, 0.0, 10.0]
OCTANT = [0.0, 90.0, 0.0, 0.0, 90.0, 0.0]

GEOMETRY: list[Vector] = [
    _separation(10.0, 20.0, 10.0001, 20.0001),
    _separation(359.75, 0.0, 0.25, 0.0),
    _separation(0.0, 90.0, 123.0, -90.0),
    _separation(10.0, 20.0, 189.9, -20.1),
    ("separation", (10.0, 20.0, 10.0, 20.0), 0.0),
    ("separation", (10.0, None, 10.0, 20.0), None),
    ("separation", (0.0, 5e-324, 0.0, 0.0), 0.0),
    ("within", (0.0, 0.0, 0.0, 1.0, 1.0), True),
    ("within", (0.0, 0.0, 0.0, 1.0, 0.999999), False),
    ("within", (1.0, 2.0, 1.0, 2.0, 0.0), True),
    ("within", (0.0, 0.0, 180.0, 0.0, 180.0), True),
    ("within", (0.0, 0.0, 0.0, 1.0, -1.0), False),
    ("within", (0.0, 0.0, 0.0, 1.0, None), None),
    ("within_strict", (0.0, 0.0, 0.0, 0.0, 0.0), False),
    ("within_strict", (0.0, 0.0, 0.0, 1.0, 1.000001), True),
    ("in_circle", (359.9, 0.0, 0.1, 0.0, 0.2000001), True),
    ("in_circle", (12.0, 89.9, 192.0, 89.9, 0.2000001), True),
    ("in_circle", (12.0, 89.9, 192.0, 89.9, 0.1999), False),
    ("in_circle", (None, 0.0, 0.0, 0.0, 1.0), None),
    ("in_box", (359.75, 0.0, 0.0, 0.0, 0.5, 0.5), True),
    ("in_box", (0.25, 0.25, 0.0, 0.0, 0.5, 0.5), True),
    ("in_box", (0.26, 0.0, 0.0, 0.0, 0.5, 0.5), False),
    ("in_box", (200.0, 89.0, 0.0, 85.0, 360.0, 10.0), True),
    ("in_box", (200.0, None, 0.0, 85.0, 360.0, 10.0), None),
    ("in_polygon", (0.0, 0.0, TRIANGLE), True),
    ("in_polygon", (350.0, -5.0, TRIANGLE), True),
    ("in_polygon", (180.0, 0.0, TRIANGLE), False),
    ("in_polygon", (11.0, 0.0, TRIANGLE), False),
    ("in_polygon", (None, 0.0, TRIANGLE), None),
    ("in_polygon", (5.0, 1.0, ARROW), True),
    ("in_polygon", (5.0, 5.0, ARROW), False),
    ("in_polygon", (45.0, 89.0, OCTANT), True),
    ("in_polygon", (200.0, 89.0, OCTANT), False),
    ("in_polygon", (45.0, 0.0, OCTANT), True),
    ("in_half_space", (0.0, 10.0, 0.0, 0.0, 1.0), True),
    ("in_half_space", (0.0, -10.0, 0.0, 0.0, 1.0), False),
    ("in_half_space", (None, -10.0, 0.0, 0.0, 1.0), None),
    ("cell", (1.0, None, 0.1), None),
    ("cells_around", (None, 1.0, 0.1), None),
]

VECTORS = [
    *ARITHMETIC,
    *TRIGONOMETRY,
    *ROUNDING,
    *TEXTS,
    *GEOMETRY,
    *ASTRONOMY,
    *REGIONS,
    *TEXTS_AND_TIMES,
]
