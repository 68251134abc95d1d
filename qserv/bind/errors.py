"""What can be wrong with a statement's names, types and shape; each error says where.

QueryError
├── UnknownTable, UnknownColumn, UnknownFunction    no such name, with the nearest ones
├── AmbiguousTable, AmbiguousColumn                 several things have that name
├── DuplicateName                                   two relations of one FROM have the same name
├── TypeMismatch                                    the operands' types do not go together
├── BadRegion                                       a region's numbers are out of range
├── NotGrouped                                      a column is neither grouped nor aggregated
├── MisplacedAggregate                              an aggregate where there are no groups
├── TextTooLong                                     a function is asked for more characters than it makes
├── BadPosition                                     ORDER BY 7 with six output columns
└── Unsupported                                     valid, but nothing here can answer it
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from qserv.adql.errors import point_at
from schema.errors import QueryError

Node = Any
"""A node of sqlglot's tree (its compiled classes carry no types that mypy can read)."""


def place(node: Node) -> tuple[int | None, int | None]:
    """Line and column of a node, from 1: its own, else its first descendant's, else its parent's."""
    while node is not None:
        for candidate in node.walk():
            meta = candidate.meta
            if "line" in meta:
                return meta["line"], meta["col"]
        node = node.parent
    return None, None


def nearest(name: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The names that look most like `name`, best first."""
    by_folded = {known.casefold(): known for known in names}
    found = get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.6)
    return tuple(by_folded[folded] for folded in found)


class BindError(QueryError):
    """A statement that parses and yet means nothing; the message says the place."""

    code = "BIND_ERROR"

    def __init__(self, message: str, node: Node, *, hint: str = "") -> None:
        line, column = place(node)
        where = "" if line is None else f" at line {line}, column {column}"
        super().__init__(f"{message}{where}{f': {hint}' if hint else ''}", line=line, column=column)
        self.place = None if line is None or column is None else (line, column)

    def show(self, text: str) -> None:
        """Add the line of the text that is at fault, with a caret below the place. Once."""
        if self.place is not None:
            self.args = (f"{self.args[0]}\n{point_at(text, *self.place)}", *self.args[1:])
            self.place = None


class UnknownName(BindError):
    """A name that nothing has; `nearest` are those that look like it."""

    code = "UNKNOWN_NAME"
    kind = "name"

    def __init__(
        self,
        name: str,
        node: Node,
        *,
        known: Iterable[str] = (),
        nearest_names: Iterable[str] | None = None,
        advice: str = "",
    ) -> None:
        if nearest_names is None:
            nearest_names = nearest(name.rpartition(".")[2], known)
        self.name, self.nearest = name, tuple(nearest_names)
        hint = f"nearest names are {', '.join(self.nearest)}" if self.nearest else ""
        hint = advice or hint
        super().__init__(f"Unknown {self.kind} {name}", node, hint=hint)


class UnknownTable(UnknownName):
    """The statement reads a table, or names an alias or a catalog, that is not there."""

    code = "UNKNOWN_TABLE"
    kind = "table"


class UnknownColumn(UnknownName):
    """The statement names a column that none of its tables has."""

    code = "UNKNOWN_COLUMN"
    kind = "column"


class UnknownFunction(UnknownName):
    """The statement calls a function that is not on the list."""

    code = "UNKNOWN_FUNCTION"
    kind = "function"


class AmbiguousTable(BindError):
    """A table name without its catalog, where several catalogs have such a table."""

    code = "AMBIGUOUS_TABLE"

    def __init__(self, name: str, node: Node, *, catalogs: Iterable[str]) -> None:
        hint = f"say {' or '.join(f'{catalog}.{name}' for catalog in catalogs)}"
        super().__init__(f"Ambiguous table {name}", node, hint=hint)


class AmbiguousColumn(BindError):
    """A column name that more than one relation in sight has."""

    code = "AMBIGUOUS_COLUMN"

    def __init__(self, name: str, node: Node, *, relations: Iterable[str]) -> None:
        spellings = [f"{relation}.{name}" for relation in relations]
        hint = f"say {' or '.join(spellings)}" if spellings else "say which table's"
        super().__init__(f"Ambiguous column {name}", node, hint=hint)


class DuplicateName(BindError):
    """Two relations of one FROM clause, or two common table expressions, share a name."""

    code = "DUPLICATE_NAME"


class TypeMismatch(BindError):
    """The types of an operator's or a function's arguments do not go together."""

    code = "TYPE_MISMATCH"


class BadRegion(BindError):
    """A constant region is out of range or degenerate."""

    code = "BAD_REGION"


class NotGrouped(BindError):
    """A column of a grouped block stands outside aggregates and is not grouped by."""

    code = "NOT_GROUPED"


class MisplacedAggregate(BindError):
    """An aggregate in WHERE, GROUP BY, a join's condition or another aggregate."""

    code = "MISPLACED_AGGREGATE"


class BadPosition(BindError):
    """A position in ORDER BY or GROUP BY that no output column has."""

    code = "BAD_POSITION"


class Unsupported(BindError):
    """A construct that is well formed but cannot be answered here."""

    code = "UNSUPPORTED"


class TextTooLong(BindError):
    """A function is asked for a text of more characters than it makes."""

    code = "TEXT_TOO_LONG"

    def __init__(self, function: str, count: int, most: int, node: Node) -> None:
        super().__init__(
            f"{function} would make a text of {count:,} characters, more than {most:,}", node
        )
