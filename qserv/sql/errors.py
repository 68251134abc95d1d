"""What is said of a text that is no SQL, or SQL that is not answered here."""

from __future__ import annotations

from qserv.adql.errors import point_at
from schema.errors import QueryError


class SqlSyntaxError(QueryError):
    """The text is no query of its language, or passes a limit of its size."""

    code = "SQL_SYNTAX"

    def __init__(self, fault: str, *, language: str, text: str, line: int, column: int) -> None:
        self.fault = "".join(c if c.isprintable() else "\ufffd" for c in fault)
        super().__init__(
            f"{language} syntax error at line {line}, column {column}: {self.fault}\n"
            f"{point_at(text, line, column)}",
            line=line,
            column=column,
        )


class SqlNotAnswered(QueryError):
    """The text is well formed, but has a construct that is not answered here."""

    code = "SQL_NOT_ANSWERED"

    def __init__(self, fault: str, *, language: str, text: str, line: int, column: int) -> None:
        self.fault = fault
        super().__init__(
            f"{language} at line {line}, column {column}: {fault}\n{point_at(text, line, column)}",
            line=line,
            column=column,
        )
