"""What the reserved functions accept: the count and the form of their arguments."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from qserv.adql.words import ARGUMENT_COUNTS

_WITH_COORDINATE_SYSTEM = frozenset({"POINT", "CIRCLE", "BOX", "POLYGON"})
_GEOMETRY_FIRST = {("CIRCLE", 2): 1, ("BOX", 3): 1, ("DISTANCE", 2): 2}
_GEOMETRIES_ONLY = {
    "AREA": 1,
    "CENTROID": 1,
    "CONTAINS": 2,
    "COORD1": 1,
    "COORD2": 1,
    "COORDSYS": 1,
}
_FORMS = {
    "POINT": "POINT(ra, dec)",
    "CIRCLE": "CIRCLE(point, radius) or CIRCLE(ra, dec, radius)",
    "BOX": "BOX(point, width, height) or BOX(ra, dec, width, height)",
    "POLYGON": "POLYGON of three or more points, or of three or more pairs ra, dec",
    "DISTANCE": "DISTANCE(point, point) or DISTANCE(ra1, dec1, ra2, dec2)",
    "CONTAINS": "CONTAINS(geometry, geometry)",
    "INTERSECTS": "INTERSECTS(geometry, geometry)",
    "REGION": "REGION('text')",
    "IN_UNIT": "IN_UNIT(value, 'unit')",
}
_NUMBERS = (
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.Literal,
    exp.Null,
    exp.Boolean,
)


def fault_of_call(name: str, arguments: Sequence[exp.Expression]) -> str | None:
    """What is wrong with a call of a reserved function (upper-case `name`); None if nothing."""
    if name in _WITH_COORDINATE_SYSTEM and arguments and arguments[0].is_string:
        arguments = arguments[1:]
    if not _is_well_formed(name, arguments):
        return f"wrong arguments: {name} is written {_FORMS.get(name) or _counts(name)}"
    return None


def _is_well_formed(name: str, arguments: Sequence[exp.Expression]) -> bool:
    if name == "POLYGON":
        return _are_vertices(arguments)
    if len(arguments) not in ARGUMENT_COUNTS[name]:
        return False
    if name == "REGION":
        return bool(arguments[0].is_string)
    if name == "IN_UNIT":
        return bool(arguments[1].is_string)
    geometries = _GEOMETRIES_ONLY.get(name) or _GEOMETRY_FIRST.get((name, len(arguments)), 0)
    return not any(isinstance(argument, _NUMBERS) for argument in arguments[:geometries])


def _are_vertices(arguments: Sequence[exp.Expression]) -> bool:
    """Three points or more, or three pairs or more: what is plainly a number belongs to a pair."""
    has_numbers = any(isinstance(argument, _NUMBERS) for argument in arguments)
    are_pairs = len(arguments) >= 6 and len(arguments) % 2 == 0
    return are_pairs or (len(arguments) >= 3 and not has_numbers)


def _counts(name: str) -> str:
    counts = " or ".join(str(count) for count in ARGUMENT_COUNTS[name])
    return f"with {counts} argument{'' if counts == '1' else 's'}"
