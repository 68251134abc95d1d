"""CHECK conditions of a schema: read as PostgreSQL, held to what is harmless, written anew.

A schema's text never reaches a database as it stands: only columns of the table, literals and the
operators and functions listed here pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from schema.errors import CatalogError
from schema.names import hint

_ALLOWED: tuple[type[exp.Expression], ...] = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple),
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
    *(exp.In, exp.Between, exp.Is, exp.Like, exp.ILike, exp.Neg),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod),
    *(exp.Abs, exp.Length, exp.Lower, exp.Upper, exp.Coalesce),
)
MAX_CONDITION_LENGTH = 2_000


class ConditionInvalid(CatalogError):
    """A CHECK condition cannot be read or uses more than it may."""

    code = "CONDITION_INVALID"

    def __init__(self, condition: str, reason: str) -> None:
        super().__init__(f"check condition {condition[:200]!r}: {reason}")
        self.condition = condition


def parse_condition(text: str, columns: Sequence[str]) -> str:
    """The PostgreSQL text of a CHECK condition over a table's columns, every name quoted."""
    if len(text) > MAX_CONDITION_LENGTH:
        raise ConditionInvalid(text, f"is longer than {MAX_CONDITION_LENGTH} characters")
    try:
        tree = sqlglot.parse_one(text, dialect="postgres")
    except SqlglotError as error:
        raise ConditionInvalid(text, "is no SQL condition") from error
    spelled = {column.casefold(): column for column in columns}
    for node in tree.walk():
        if type(node) not in _ALLOWED:
            raise ConditionInvalid(text, f"may not use {type(node).__name__}")
        if isinstance(node, exp.Column):
            _resolve(node, spelled, text)
    return str(tree.sql(dialect="postgres", identify=True))


def condition_columns(condition: str) -> set[str]:
    """The columns that a condition made by `parse_condition` names."""
    tree = sqlglot.parse_one(condition, dialect="postgres")
    return {column.name for column in tree.find_all(exp.Column)}


def _resolve(node: exp.Column, spelled: dict[str, str], text: str) -> None:
    """Give a column the schema's spelling."""
    if node.table or node.name.casefold() not in spelled:
        raise ConditionInvalid(text, f"no column {node.name!r}{hint(node.name, spelled)}")
    node.set("this", exp.to_identifier(spelled[node.name.casefold()], quoted=True))
