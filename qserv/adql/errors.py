"""What is said of a text that is not ADQL."""

from __future__ import annotations

from schema.errors import QueryError

_WINDOW = 100
"""How many characters of a long line are shown around the place at fault."""
_LONGEST_WORD = 40


class AdqlSyntaxError(QueryError):
    """The text is not ADQL 2.1 (with the declared extensions), or passes a limit of its size."""

    code = "ADQL_SYNTAX"

    def __init__(self, fault: str, *, text: str, line: int, column: int) -> None:
        self.fault = _printable(fault)
        super().__init__(
            f"ADQL syntax error at line {line}, column {column}: {self.fault}\n"
            f"{point_at(text, line, column)}",
            line=line,
            column=column,
        )


def point_at(text: str, line: int, column: int) -> str:
    """The line of the text and below it a caret under the column; both count from 1.

    Of a long line only the part around the column is shown.
    """
    lines = text.split("\n")
    shown = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
    first = max(0, column - 1 - _WINDOW // 2) if len(shown) > _WINDOW else 0
    window = _printable(shown[first : first + _WINDOW])
    lead = "".join("\t" if character == "\t" else " " for character in window[: column - 1 - first])
    return f"{window}\n{lead}^"


def shortened(word: str) -> str:
    """The word, or the beginning of a long one."""
    return word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..."


def _printable(text: str) -> str:
    """The text without control characters and other invisible ones: it goes to terminals."""
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in text)
