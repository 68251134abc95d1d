"""Regions as text, what REGION takes: STC-S's simple shapes (TAP 1.0, section 6) and DALI's.

`CIRCLE ICRS GEOCENTER 10 20 0.5`, `Position FK5 10 20`, `circle 10 20 0.5`. Only frames that are ICRS,
or differ from it by less than a tenth of an arcsecond (FK5, J2000), are known.
"""

from __future__ import annotations

_SHAPES = {
    "POSITION": "POINT",
    "POINT": "POINT",
    "CIRCLE": "CIRCLE",
    "BOX": "BOX",
    "POLYGON": "POLYGON",
}
_COUNTS = {"POINT": 2, "CIRCLE": 3, "BOX": 4}
_FRAMES = frozenset({"ICRS", "FK5", "J2000", "UNKNOWNFRAME", "UNKNOWN"})
_OTHER_FRAMES = frozenset(
    {"FK4", "B1950", "GALACTIC", "GALACTIC_II", "SUPER_GALACTIC", "ECLIPTIC", "GEO_C", "GEO_D"}
)
_VOCABULARY = {"B1950": "FK4", "GALACTIC_II": "GALACTIC"}
"""Frames by the IVOA vocabulary's identifiers, where those differ."""
_REFERENCE_POSITIONS = frozenset(
    {"BARYCENTER", "GEOCENTER", "HELIOCENTER", "LSR", "TOPOCENTER", "RELOCATABLE", "UNKNOWNREFPOS"}
)
_FLAVORS = frozenset({"SPHERICAL2", "CARTESIAN2", "CARTESIAN3"})


def fault_of_frame(text: str) -> str | None:
    """What is wrong with a coordinate system in front of a geometry; None where it is ICRS."""
    for word in text.upper().split():
        if word in _OTHER_FRAMES:
            return (
                f"{word} is not ICRS, and nothing is turned silently; positions are ICRS: turn a point by"
                f" ivo_geom_transform('{_VOCABULARY.get(word, word)}', 'ICRS', POINT(...))"
            )
        if word not in _FRAMES | _REFERENCE_POSITIONS | _FLAVORS:
            return f"{word} is no coordinate system; leave it out, or write 'ICRS'"
    return None


def read_region(text: str) -> tuple[str, tuple[float, ...]]:
    """The shape's name (POINT, CIRCLE, BOX, POLYGON) and its numbers, degrees.

    Raises ValueError, in words for the query's author.
    """
    words = text.replace(",", " ").replace("(", " ").replace(")", " ").split()
    name = _SHAPES.get(words[0].upper()) if words else None
    if name is None:
        raise ValueError(
            f"{words[0] if words else 'an empty text'} is no POSITION, CIRCLE, BOX or POLYGON"
        )
    first = next((n for n, word in enumerate(words) if _is_number(word)), len(words))
    fault = fault_of_frame(" ".join(words[1:first]))
    if fault is not None:
        raise ValueError(fault)
    numbers = tuple(float(word) for word in words[first:] if _is_number(word))
    wanted = _COUNTS.get(name, max(6, len(numbers)))
    if len(numbers) != wanted or len(words) - first != wanted or (wanted % 2 and name == "POLYGON"):
        raise ValueError(f"{name} has {_COUNTS.get(name, 'six or more')} numbers, in degrees")
    return name, numbers


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return word.upper() not in ("INF", "NAN", "INFINITY")
