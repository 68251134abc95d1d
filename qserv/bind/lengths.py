"""How long the texts of a statement can become: what doubles a text again and again is refused.

A text that is made in one step is not interrupted while it is made, so that no deadline ends it.
"""

from __future__ import annotations

from procedures.texts import MAX_MADE_CHARACTERS
from qserv.bound import (
    Call,
    Case,
    Column,
    Derived,
    Expression,
    Literal,
    Query,
    Scalar,
    SetOperation,
    Values,
)
from qserv.traverse import leaves, query_nodes
from schema.errors import LimitExceeded
from schema.types import Type

MAX_TEXT_CHARACTERS = 1_048_576
"""More characters than `||` and REPLACE may make of what they are given."""
COLUMN_CHARACTERS = 256
"""What a stored text, or one that an aggregate makes, counts for."""
_GROWING = ("||", "text_replaced")
_MADE = ("text_repeated", "text_padded_left", "text_padded_right")
_Widths = dict[tuple[str, str], int]


def check_lengths(query: Query) -> None:
    """LimitExceeded where texts are put together to longer ones than may be."""
    if not any(isinstance(node, Call) and node.name in _GROWING for node in query_nodes(query)):
        return
    _note(query, {})


def _note(query: Query, widths: _Widths) -> list[int]:
    """The lengths of a query's outputs; those of the relations it reads are kept in `widths`."""
    if isinstance(query, SetOperation):
        sides = zip(_note(query.left, widths), _note(query.right, widths), strict=True)
        found = [max(pair) for pair in sides]
        _keep(query.relation, found, widths)
        return found
    for leaf in leaves(query.source):
        if isinstance(leaf, Derived):
            _keep(leaf.relation, _note(leaf.query, widths), widths)
        elif isinstance(leaf, Values):
            columns = zip(*leaf.rows, strict=True)
            found = [max(_width(cell, widths) for cell in column) for column in columns]
            _keep(leaf.relation, found, widths)
    return [_width(output.expression, widths) for output in query.outputs]


def _keep(relation: str, found: list[int], widths: _Widths) -> None:
    widths.update({(relation, f"c{place}"): size for place, size in enumerate(found)})


def _width(expression: Expression, widths: _Widths) -> int:
    """The most characters of a value; 0 of one that is no text."""
    if expression.type is not Type.TEXT:
        return 0
    match expression:
        case Literal():
            return len(expression.value) if isinstance(expression.value, str) else 0
        case Column():
            return widths.get((expression.relation, expression.name), COLUMN_CHARACTERS)
        case Case():
            results = [result for _, result in expression.branches]
            results += [] if expression.otherwise is None else [expression.otherwise]
            return max(_width(item, widths) for item in results)
        case Scalar():
            return max(_note(expression.query, widths))
        case Call():
            return _call_width(expression, [_width(item, widths) for item in expression.arguments])
        case _:
            return COLUMN_CHARACTERS


def _call_width(call: Call, sizes: list[int]) -> int:
    """The most characters of a call's text, of arguments of such sizes."""
    match call.name:
        case "||":
            return _checked(sum(sizes), "||")
        case "text_replaced":
            text, part, by = sizes
            shortest = part if isinstance(call.arguments[1], Literal) else 1
            return text if by <= shortest else _checked(text * by // max(shortest, 1), "REPLACE")
        case name if name in _MADE:
            return MAX_MADE_CHARACTERS
        case _:
            return max(sizes, default=COLUMN_CHARACTERS) or COLUMN_CHARACTERS


def _checked(size: int, function: str) -> int:
    if size > MAX_TEXT_CHARACTERS:
        raise LimitExceeded(
            f"{function} might make a text of {size:,} characters, more than"
            f" {MAX_TEXT_CHARACTERS:,} (a column counts for {COLUMN_CHARACTERS}):"
            " put fewer texts together"
        )
    return size
