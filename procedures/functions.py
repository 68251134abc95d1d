"""The functions that both engines have, by one name: what bind may call and render writes.

Each is versioned, `sky.<name>_v1`: an SQL function in PostgreSQL, a macro of the same name in DuckDB
(`postgres/*.sql`, `duckdb/*.sql`). A released version is never edited; a new meaning is a new version.
All are immutable; NULL in gives NULL out; domain errors are NULL; no function yields NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from procedures.astronomy import ASTRONOMY
from procedures.function import SCHEMA, Function
from procedures.regions import REGION_HELPERS, REGIONS
from procedures.texts import OLDER_TEXTS, TEXTS_AND_TIMES
from schema.types import Type

__all__ = ["FUNCTIONS", "HELPERS", "SCHEMA", "Function"]

_LONG, _INT, _DOUBLE, _TEXT, _BOOLEAN = Type.LONG, Type.INT, Type.DOUBLE, Type.TEXT, Type.BOOLEAN
_SMALLER = (Type.SHORT, Type.INT)


def _doubles(name: str, count: int, description: str, *, result: Type = _DOUBLE) -> Function:
    return Function(name, (_DOUBLE,) * count, result, description)


_ARITHMETIC = (
    Function(
        "idiv",
        (_LONG, _LONG),
        _LONG,
        "a / b of integers, towards zero; NULL where b is 0",
        overloads=_SMALLER,
        is_public=False,
    ),
    Function(
        "imod",
        (_LONG, _LONG),
        _LONG,
        "a - b * (a / b) of integers, with the sign of a; NULL where b is 0",
        overloads=_SMALLER,
        is_public=False,
    ),
    Function("div", (_DOUBLE, _DOUBLE), _DOUBLE, "x / y; NULL where y is 0", is_public=False),
    Function("finite", (_DOUBLE,), _DOUBLE, "x; NULL where it is infinite", is_public=False),
    *(
        Function(name, (_DOUBLE, _DOUBLE), _DOUBLE, description, is_public=False)
        for name, description in (
            ("plus", "x + y; NULL where that is too large"),
            ("minus", "x - y; NULL where that is too large"),
            ("times", "x * y; NULL where that is too large, 0 where too small"),
            ("over", "x / y; NULL where y is 0 or that is too large, 0 where too small"),
        )
    ),
    _doubles("mod", 2, "the remainder of x / y, with the sign of x; NULL where y is 0"),
    _doubles("ln", 1, "natural logarithm; NULL where x <= 0"),
    _doubles("log10", 1, "decimal logarithm; NULL where x <= 0"),
    _doubles("sqrt", 1, "square root; NULL where x < 0"),
    _doubles("exp", 1, "e to the power of x; NULL where that is too large"),
    _doubles("power", 2, "x to the power of y; NULL where that is no finite real number"),
    Function("sign", (_DOUBLE,), _DOUBLE, "-1, 0 or 1", names="x"),
    _doubles("abs", 1, "absolute value"),
)

_TRIGONOMETRY = (
    _doubles("degrees", 1, "radians as degrees"),
    _doubles("radians", 1, "degrees as radians"),
    _doubles("sin", 1, "sine of radians"),
    _doubles("cos", 1, "cosine of radians"),
    _doubles("tan", 1, "tangent of radians"),
    _doubles("cot", 1, "cotangent of radians; NULL at 0"),
    _doubles("asin", 1, "arc sine, radians; NULL outside -1..1"),
    _doubles("acos", 1, "arc cosine, radians; NULL outside -1..1"),
    _doubles("atan", 1, "arc tangent, radians"),
    _doubles("atan2", 2, "arc tangent of y / x in the right quadrant, radians"),
)

_ROUNDING = (
    _doubles("ceiling", 1, "the least whole number not below x"),
    _doubles("floor", 1, "the largest whole number not above x"),
    Function(
        "round",
        (_DOUBLE, _INT),
        _DOUBLE,
        "x to n decimal digits, halves away from zero",
        defaults=(0,),
    ),
    Function("truncate", (_DOUBLE, _INT), _DOUBLE, "x cut to n decimal digits", defaults=(0,)),
)

_TEXTS = (
    Function("lower", (_TEXT,), _TEXT, "A..Z as a..z"),
    Function("upper", (_TEXT,), _TEXT, "a..z as A..Z"),
    *(
        Function(f"text_to_{kind}", (_TEXT,), kind, f"text read as {kind}", is_public=False)
        for kind in (Type.SHORT, Type.INT, Type.LONG, Type.FLOAT, Type.DOUBLE)
    ),
)

_GEOMETRY = (
    Function(
        "separation",
        (_DOUBLE,) * 4,
        _DOUBLE,
        "degrees between (ra1, dec1) and (ra2, dec2)",
        names="ra1 dec1 ra2 dec2",
    ),
    Function(
        "within",
        (_DOUBLE,) * 5,
        _BOOLEAN,
        "whether (ra1, dec1) and (ra2, dec2) are at most radius apart",
        is_public=False,
    ),
    Function(
        "within_strict",
        (_DOUBLE,) * 5,
        _BOOLEAN,
        "whether (ra1, dec1) and (ra2, dec2) are less than radius apart",
        is_public=False,
    ),
    Function(
        "in_circle",
        (_DOUBLE,) * 5,
        _BOOLEAN,
        "whether (ra, dec) lies in the circle (ra0, dec0, radius)",
        is_public=False,
    ),
    Function(
        "in_box",
        (_DOUBLE,) * 6,
        _BOOLEAN,
        "whether (ra, dec) lies in the box (ra0, dec0, width, height)",
        is_public=False,
    ),
    Function(
        "in_half_space",
        (_DOUBLE,) * 5,
        _BOOLEAN,
        "whether (ra, dec) lies on the side of a great circle that the vector (x, y, z) points to",
        is_public=False,
    ),
    Function(
        "in_polygon",
        (_DOUBLE,) * 3,
        _BOOLEAN,
        "whether (ra, dec) lies in the polygon of the vertices (ra1, dec1, ra2, dec2...)",
        arrays=frozenset({2}),
        is_public=False,
    ),
    Function(
        "cell", (_DOUBLE,) * 3, _LONG, "the cell of (ra, dec) for a join by radius", is_public=False
    ),
    Function(
        "cells_around",
        (_DOUBLE,) * 3,
        _LONG,
        "the cells of all points within radius of (ra, dec)",
        gives_array=True,
        is_public=False,
    ),
)


def _by_name(functions: Iterable[Function]) -> Mapping[str, Function]:
    return MappingProxyType({function.name: function for function in functions})


FUNCTIONS: Mapping[str, Function] = _by_name(
    (
        *_ARITHMETIC,
        *_TRIGONOMETRY,
        *_ROUNDING,
        *_TEXTS,
        *_GEOMETRY,
        *ASTRONOMY,
        *REGIONS,
        *TEXTS_AND_TIMES,
    )
)
"""The newest version of each function, by its logical name."""

HELPERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "postgres": frozenset(
            {
                "colons_v1",
                "east_v1",
                "gather_bits_v1",
                "half_up_v1",
                "half_v1",
                "histogram_step_v1",
                "histogram_v1",
                "in_frame_v1",
                "moved_v1",
                "nanojansky_to_abmag_sigma_v1",
                "north_v1",
                "polygon_frame_v1",
                "position_v1",
                "power_of_ten_v1",
                "sixties_v1",
                "spread_bits_v1",
                "unit_vector_v1",
                "words_v1",
                "zone_cell_v1",
                "zone_cells_v1",
                "zone_v1",
            }
            | REGION_HELPERS["postgres"]
            | OLDER_TEXTS
        ),
        "duckdb": frozenset(
            {
                "along_v1",
                "belt_place_v1",
                "cap_place_v1",
                "colons_v1",
                "cross_product_v1",
                "crosses_v1",
                "east_v1",
                "gather_bits_v1",
                "half_up_v1",
                "in_frame_v1",
                "in_plane_v1",
                "inner_product_v1",
                "integer_text_v1",
                "moved_v1",
                "nanojansky_to_abmag_sigma_v1",
                "normalised_v1",
                "north_v1",
                "number_text_v1",
                "polygon_frame_v1",
                "position_v1",
                "power_of_ten_v1",
                "ring_place_v1",
                "sixties_v1",
                "spread_bits_v1",
                "trimmed_v1",
                "unit_vector_v1",
                "words_v1",
                "zone_cell_v1",
                "zone_cells_v1",
                "zone_v1",
            }
            | REGION_HELPERS["duckdb"]
            | OLDER_TEXTS
        ),
    }
)
"""What the functions of an engine are made of beside each other; for nobody else to call."""
