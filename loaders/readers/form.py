r"""How an input file is written, where its name and content do not say it, and which piece of it is meant.

A dialect of text is that of CSV (RFC 4180) unless it says otherwise; `LOAD DATA`'s words are
`delimiter` (FIELDS TERMINATED BY), `quote` (ENCLOSED BY), `escape` (ESCAPED BY), `line_end` (LINES
TERMINATED BY), `skip` (IGNORE n LINES). Names may be given for signs that shells and forms eat: `tab`,
`space`, `none`, and backslash escapes (`\t`, `\x01`).
"""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from schema.errors import InputError

FORMATS = ("parquet", "arrow", "avro", "csv", "tsv", "ecsv", "outfile", "fits", "votable")
TEXT_FORMATS = frozenset({"csv", "tsv", "ecsv", "outfile"})
MAX_SIGN = 8
"""Characters of a delimiter or of an end of line."""
_NAMED = {"tab": "\t", "space": " ", "comma": ",", "none": ""}


class FormRefused(InputError):
    """What was said of how a file is written cannot be, or does not go together."""

    code = "FORM_REFUSED"


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written; what is None or empty is as its format has it, or is found out."""

    format: str = ""
    """One of FORMATS; empty: by the file's name, else by its first bytes."""
    columns: tuple[str, ...] = ()
    """The columns of a text file without a header, in its order."""
    delimiter: str = ""
    quote: str | None = None
    """Empty: nothing is quoted."""
    escape: str | None = None
    """Empty: nothing is escaped."""
    line_end: str = ""
    """Empty: each of the three ends of lines that there are."""
    comment: str = ""
    """Lines that begin so are left out."""
    header: bool | None = None
    """Whether the first line names the columns."""
    skip: int = 0
    """Lines before the header, or before the first row."""
    nulls: tuple[str, ...] | None = None
    r"""Texts that mean NULL where they are not quoted; None: `\N` and, in CSV, nothing at all."""
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if self.format and self.format not in FORMATS:
            raise FormRefused(f"format {self.format!r} is none of {', '.join(FORMATS)}")
        for name in ("quote", "escape", "comment"):
            if len((getattr(self, name) or "").encode()) > 1:
                raise FormRefused(f"{name} {getattr(self, name)!r} is more than one ASCII sign")
        for name in ("delimiter", "line_end"):
            if len(getattr(self, name).encode()) > MAX_SIGN:
                raise FormRefused(f"{name} {getattr(self, name)!r} is longer than {MAX_SIGN} bytes")
        if self.skip < 0:
            raise FormRefused("skip is a number of lines")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise FormRefused(f"there is no encoding {self.encoding!r}") from None
        signs = [s for s in (self.delimiter, self.quote, self.escape, self.line_end) if s]
        if len(set(signs)) < len(signs):
            raise FormRefused("delimiter, quote, escape and line_end differ from each other")
        if self.quote and (len(self.delimiter) > 1 or self.has_own_line_end):
            raise FormRefused(
                "where values are quoted, the delimiter is one sign and lines end as text's do;"
                " write the file without quotes, with escapes"
            )

    @property
    def has_own_line_end(self) -> bool:
        """Whether lines end otherwise than those of texts do."""
        return self.line_end not in ("", "\n", "\r\n", "\r")

    @property
    def is_of_text(self) -> bool:
        """Whether it says something that only text files have."""
        plain = Form(format=self.format)
        return self != plain

    def to_document(self) -> dict[str, object]:
        """What it says, for the coordinator; nothing of what it leaves open."""
        found: dict[str, object] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                found[field.name] = list(value) if isinstance(value, tuple) else value
        return found


def form_of(said: Mapping[str, Any]) -> Form:
    """A form from its document, or from what a user said. Raises FormRefused."""
    fields = {field.name: field for field in dataclasses.fields(Form)}
    if unknown := sorted(said.keys() - fields.keys()):
        raise FormRefused(f"unknown: {', '.join(unknown)}; there are {', '.join(fields)}")
    given = {name: _checked(name, value) for name, value in said.items()}
    return Form(**given)


def _checked(name: str, value: Any) -> Any:
    match name, value:
        case ("columns" | "nulls", list() | tuple()) if all(isinstance(v, str) for v in value):
            return tuple(value)
        case "header", bool():
            return value
        case "skip", int() if not isinstance(value, bool):
            return value
        case (
            "format" | "delimiter" | "quote" | "escape" | "line_end" | "comment" | "encoding",
            str(),
        ):
            return value
        case _:
            raise FormRefused(f"{name} cannot be {value!r}")


def sign(text: str) -> str:
    r"""A sign as it was meant: `tab`, `space`, `comma`, `none`, `\t`, `\x01`, or itself."""
    if text.lower() in _NAMED:
        return _NAMED[text.lower()]
    if text == "\\" or "\\" not in text:
        return text
    try:
        return re.sub(
            r"\\(x[0-9a-fA-F]{2}|.)",
            lambda found: found[0].encode().decode("unicode_escape"),
            text,
        )
    except UnicodeDecodeError:
        raise FormRefused(f"{text!r} is no sign") from None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file that is a contribution of its own: units `first` to before `end`.

    Units are row groups of Parquet, record batches of Arrow files, rows of FITS, bytes of text.
    """

    first: int
    end: int
    rows_before: int = 0
    """Of text: the rows of the file that stand before it."""

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.end:
            raise FormRefused(f"there is no piece {self}")

    @override
    def __str__(self) -> str:
        return f"[{self.first},{self.end})"


def piece_of(text: str | None, rows_before: int = 0) -> Piece | None:
    """A piece as it writes itself; None for none."""
    if text is None:
        return None
    found = re.fullmatch(r"\[(\d+),(\d+)\)", text)
    if found is None:
        raise FormRefused(f"{text!r} is no piece of a file: say [first,end)")
    return Piece(int(found[1]), int(found[2]), rows_before)
