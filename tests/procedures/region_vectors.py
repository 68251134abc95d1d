"""What the functions of geometries give: (function, arguments, expected), for both engines.

Areas and centres are those of closed formulas; whether regions lie in each other or meet is also
compared with points all over them, in `test_regions.py`.
"""

from __future__ import annotations

from datetime import datetime
from math import asin, atan, cos, degrees, pi, radians, sin, sqrt, tan

Vector = tuple[str, tuple[object, ...], object]

OCTANT = [0.0, 90.0, 0.0, 0.0, 90.0, 0.0]
SQUARE = [10.0, 0.0, 11.0, 0.0, 11.0, 1.0, 10.0, 1.0]
INNER = [10.25, 0.25, 10.75, 0.25, 10.75, 0.75, 10.25, 0.75]
BAR = [9.0, 0.25, 12.0, 0.25, 12.0, 0.5, 9.0, 0.5]
FAR = [20.0, 0.0, 21.0, 0.0, 21.0, 1.0]
NOTCHED = [10.0, 0.0, 12.0, 0.0, 12.0, 2.0, 11.0, 0.5, 10.0, 2.0]
ACROSS = [10.0, 1.5, 12.0, 1.5, 12.0, 1.75, 10.0, 1.75]
BOX = [10.5, 0.5, 1.0, 1.0]
CAP = [0.0, 90.0, 360.0, 20.0]
SQUARE_DEGREES = degrees(degrees(1.0))
TILE = [0.0, 45.0, 1.0, 45.0, 1.0, 46.0, 0.0, 46.0]
"""North of its parallel in the south, for great circles bend towards the pole."""


def _octagon_area(radius: float) -> float:
    """Square degrees of a regular octagon with corners so far (degrees) from its centre."""
    half = pi / 8
    inner = atan(1 / (tan(half) * cos(radians(radius))))
    return (16 * inner - 6 * pi) * SQUARE_DEGREES


OCTAGON = [number for corner in range(8) for number in (45.0 * corner, 80.0)]

VALUES: list[Vector] = [
    ("point", (10.0, -20.0), [10.0, -20.0]),
    ("circle", (10.0, -20.0, 0.5), [10.0, -20.0, 0.5]),
    ("polygon", (OCTANT,), OCTANT),
    ("box_corners", (0.5, 89.5, 2.0, 2.0), [359.5, 88.5, 1.5, 88.5, 1.5, 90.0, 359.5, 90.0]),
    ("coordinate", ([10.0, -20.0], 2), -20.0),
    ("coordinate", ([10.0, -20.0], 3), None),
    ("circle_area", (180.0,), 4 * pi * SQUARE_DEGREES),
    ("circle_area", (0.001,), 4 * pi * SQUARE_DEGREES * sin(radians(0.0005)) ** 2),
    ("circle_area", (0.0,), 0.0),
    ("box_area", (0.0, 360.0, 180.0), 4 * pi * SQUARE_DEGREES),
    ("box_area", (60.0, 2.0, 1.0), degrees(4.0) * cos(radians(60)) * sin(radians(0.5))),
    ("box_area", (90.0, 360.0, 20.0), 4 * pi * SQUARE_DEGREES * sin(radians(5)) ** 2),
    ("polygon_area", (OCTANT,), pi / 2 * SQUARE_DEGREES),
    ("polygon_area", ([0.0, 0.0, 0.0, 90.0, 90.0, 0.0],), pi / 2 * SQUARE_DEGREES),
    ("polygon_area", (OCTAGON,), _octagon_area(10.0)),
    ("polygon_centroid", (OCTANT,), [45.0, degrees(asin(1 / sqrt(3)))]),
    ("polygon_centroid", ([20.0, -10.0, 40.0, -10.0, 40.0, 10.0, 20.0, 10.0],), [30.0, 0.0]),
]

PAIRS: list[Vector] = [
    ("circle_in_circle", ([0.25, 0.0, 0.5], [359.75, 0.0, 1.0]), True),
    ("circle_in_circle", ([0.25, 0.0, 0.6], [359.75, 0.0, 1.0]), False),
    ("circle_in_circle", ([0.0, 0.0, 170.0], [180.0, 0.0, 180.0]), True),
    ("circle_in_polygon", ([10.5, 0.5, 0.4999], SQUARE), True),
    ("circle_in_polygon", ([10.5, 0.5, 0.5001], SQUARE), False),
    ("circle_in_polygon", ([20.5, 0.5, 0.1], SQUARE), False),
    ("circle_in_box", ([10.5, 0.5, 0.4999], BOX), True),
    ("circle_in_box", ([10.5, 0.5, 0.5001], BOX), False),
    ("circle_in_box", ([123.0, 85.0, 5.0], CAP), True),
    ("circle_in_box", ([123.0, 85.0, 5.1], CAP), False),
    ("polygon_in_circle", (SQUARE, [10.5, 0.5, 0.7072]), True),
    ("polygon_in_circle", (SQUARE, [10.5, 0.5, 0.7]), False),
    ("polygon_in_circle", (SQUARE, [100.0, 0.0, 90.1]), True),
    ("polygon_in_circle", (SQUARE, [100.0, 0.0, 89.9]), False),
    ("polygon_in_polygon", (INNER, SQUARE), True),
    ("polygon_in_polygon", (SQUARE, SQUARE), True),
    ("polygon_in_polygon", (SQUARE, INNER), False),
    ("polygon_in_polygon", (BAR, SQUARE), False),
    ("polygon_in_polygon", (ACROSS, NOTCHED), False),
    ("polygon_in_box", (INNER, BOX), True),
    ("polygon_in_box", (BAR, BOX), False),
    ("polygon_in_box", (TILE, [0.5, 45.5, 1.0, 1.0]), False),
    ("polygon_in_box", (OCTAGON, CAP), True),
    ("polygon_in_box", (OCTAGON, [0.0, 90.0, 360.0, 19.0]), False),
    ("box_in_circle", (BOX, [10.5, 0.5, 0.7072]), True),
    ("box_in_circle", (BOX, [10.5, 0.5, 0.7]), False),
    ("box_in_circle", (CAP, [77.0, 90.0, 10.0]), True),
    ("box_in_circle", (CAP, [77.0, 89.0, 10.5]), False),
    ("box_in_polygon", ([10.5, 0.5, 0.5, 0.5], SQUARE), True),
    ("box_in_polygon", (BOX, INNER), False),
    ("box_in_polygon", ([0.5, 45.5, 1.0, 1.0], TILE), False),
    ("box_in_polygon", ([11.0, 0.75, 1.0, 1.0], NOTCHED), False),
    ("box_in_polygon", ([0.0, 90.0, 360.0, 2.0], OCTAGON), True),
    ("box_in_box", ([10.5, 0.5, 0.5, 0.5], BOX), True),
    ("box_in_box", (BOX, [10.5, 0.5, 0.5, 0.5]), False),
    ("box_in_box", (BOX, [200.0, 0.0, 360.0, 4.0]), True),
    ("box_in_box", ([359.9, 0.0, 0.2, 0.2], [0.0, 0.0, 1.0, 1.0]), True),
    ("circle_meets_circle", ([359.5, 0.0, 0.5], [0.5, 0.0, 0.5]), True),
    ("circle_meets_circle", ([359.5, 0.0, 0.5], [0.5, 0.0, 0.4999]), False),
    ("circle_meets_polygon", ([10.5, 0.5, 0.0], SQUARE), True),
    ("circle_meets_polygon", ([10.5, 1.5, 0.5], SQUARE), True),
    ("circle_meets_polygon", ([10.5, 1.5, 0.4999], SQUARE), False),
    ("circle_meets_polygon", ([190.5, -0.5, 178.0], SQUARE), False),
    ("circle_meets_box", ([10.5, 1.5, 0.5], BOX), True),
    ("circle_meets_box", ([10.5, 1.5, 0.4999], BOX), False),
    ("circle_meets_box", ([11.5, 0.5, 0.5001], BOX), True),
    ("circle_meets_box", ([200.0, 70.0, 10.0], CAP), True),
    ("circle_meets_box", ([200.0, 70.0, 9.9], CAP), False),
    ("polygon_meets_polygon", (BAR, SQUARE), True),
    ("polygon_meets_polygon", (INNER, SQUARE), True),
    ("polygon_meets_polygon", (SQUARE, INNER), True),
    ("polygon_meets_polygon", (FAR, SQUARE), False),
    ("polygon_meets_polygon", ([190.0, 0.0, 191.0, 0.0, 191.0, -1.0], SQUARE), False),
    ("polygon_meets_polygon", (ACROSS, NOTCHED), True),
    ("polygon_meets_box", (BAR, BOX), True),
    ("polygon_meets_box", (SQUARE, [10.5, 0.5, 0.1, 0.1]), True),
    ("polygon_meets_box", (FAR, BOX), False),
    # An edge bends over the parallel of 60 degrees and comes back: only its middle is in the box.
    ("polygon_meets_box", ([0.0, 59.95, 10.0, 59.95, 5.0, 50.0], [5.0, 60.5, 4.0, 1.0]), True),
    ("polygon_meets_box", ([0.0, 59.7, 10.0, 59.7, 5.0, 50.0], [5.0, 60.5, 4.0, 1.0]), False),
    ("box_meets_box", (BOX, [11.25, 1.25, 0.5, 0.5]), True),
    ("box_meets_box", (BOX, [11.75, 0.5, 1.0, 1.0]), False),
    ("box_meets_box", (CAP, [200.0, 79.0, 1.0, 2.0]), True),
]

CASTS: list[Vector] = [
    ("text_to_doubles", (" 10.5  -3 ",), [10.5, -3.0]),
    ("text_to_doubles", ("NaN NaN",), None),
    ("text_to_doubles", ("",), None),
    ("doubles_to_text", ([10.5, -3.0, 1000.0],), "10.5 -3 1000"),
    ("float_to_text", (0.1,), "0.1"),
    ("float_to_text", (1234567.0,), "1.234567e+06"),
    ("float_to_text", (-0.00001,), "-1e-05"),
    ("double_to_text", (0.1,), "0.1"),
    ("double_to_text", (-3.0,), "-3"),
    ("double_to_text", (1e15,), "1e+15"),
    ("double_to_text", (123456789012345.0,), "123456789012345"),
    ("double_to_text", (-1234567890123456.0,), "-1.234567890123456e+15"),
    ("double_to_text", (1e-7,), "1e-07"),
    ("double_to_text", (1.5e300,), "1.5e+300"),
    ("timestamp_to_text", (datetime(2026, 1, 2, 3, 4, 5),), "2026-01-02 03:04:05"),  # noqa: DTZ001
    (
        "timestamp_to_text",
        (datetime(2026, 1, 2, 3, 4, 5, 120000),),  # noqa: DTZ001
        "2026-01-02 03:04:05.12",
    ),
    ("text_to_timestamp", ("2026-01-02T03:04:05.5Z",), datetime(2026, 1, 2, 3, 4, 5, 500000)),  # noqa: DTZ001
    ("text_to_timestamp", (" 2026-01-02 ",), datetime(2026, 1, 2)),  # noqa: DTZ001
    ("text_to_boolean", (" TRUE ",), True),
    ("text_to_boolean", ("off",), False),
    ("cut", ("äbc", 2), "äb"),
    ("cut", ("a", 2), "a"),
]

REGIONS = [*VALUES, *PAIRS, *CASTS]
