"""SQL's functions on texts and times, of PostgreSQL's and MySQL's languages."""

from __future__ import annotations

from procedures.function import Function
from schema.types import Type

_INT, _LONG, _DOUBLE, _TEXT = Type.INT, Type.LONG, Type.DOUBLE, Type.TEXT
_BOOLEAN, _TIMESTAMP = Type.BOOLEAN, Type.TIMESTAMP


MAX_MADE_CHARACTERS = 16_384
"""More than this `text_repeated` and `text_padded_...` do not make: NULL. A vector of such is 32 MB."""


def _sql(
    name: str, parameters: tuple[Type, ...], result: Type, description: str, version: int = 1
) -> Function:
    """A function that SQL's languages call by a name of their own."""
    return Function(name, parameters, result, description, is_public=False, version=version)


TEXTS_AND_TIMES: tuple[Function, ...] = (
    _sql("text_length", (_TEXT,), _INT, "how many characters a text has"),
    _sql("text_part", (_TEXT, _LONG, _LONG), _TEXT, "n characters of a text from the first one on"),
    _sql("text_place", (_TEXT, _TEXT), _INT, "where a part first stands in a text; 0 for nowhere"),
    _sql("text_replaced", (_TEXT, _TEXT, _TEXT), _TEXT, "a text with each of its parts replaced"),
    _sql("text_trimmed", (_TEXT, _TEXT), _TEXT, "a text without such characters at its ends"),
    _sql("text_trimmed_left", (_TEXT, _TEXT), _TEXT, "likewise at its beginning"),
    _sql("text_trimmed_right", (_TEXT, _TEXT), _TEXT, "likewise at its end"),
    _sql("text_field", (_TEXT, _TEXT, _INT), _TEXT, "the n-th field between separators"),
    _sql("text_begins", (_TEXT, _TEXT), _BOOLEAN, "whether a text begins with a part"),
    _sql("text_repeated", (_TEXT, _INT), _TEXT, "a text n times", 2),
    _sql(
        "text_padded_left", (_TEXT, _INT, _TEXT), _TEXT, "n characters, filled before the text", 2
    ),
    _sql(
        "text_padded_right", (_TEXT, _INT, _TEXT), _TEXT, "n characters, filled after the text", 2
    ),
    _sql("text_reversed", (_TEXT,), _TEXT, "the characters from the last to the first"),
    _sql("text_capitalised", (_TEXT,), _TEXT, "a capital at the beginning of each word"),
    _sql("text_matches", (_TEXT, _TEXT), _BOOLEAN, "whether a part matches a regular expression"),
    _sql("time_field", (_TEXT, _TIMESTAMP), _DOUBLE, "a field of a time: its year, month..."),
    _sql("time_floor", (_TEXT, _TIMESTAMP), _TIMESTAMP, "the beginning of a time's year, month..."),
    _sql("time_moved", (_TIMESTAMP, _INT, _LONG), _TIMESTAMP, "a time some months and us later"),
    _sql("time_between", (_TIMESTAMP, _TIMESTAMP), _DOUBLE, "seconds from the second to the first"),
)
"""Every one is called through a name of `qserv.bind.sql_functions`."""
OLDER_TEXTS = frozenset({"text_repeated_v1", "text_padded_left_v1", "text_padded_right_v1"})
"""Versions that nothing calls any more: they made a million characters."""
