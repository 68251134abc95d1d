"""The formats by name: what TAP's RESPONSEFORMAT, `--format` and a file's ending choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import PurePath

from qserv.formats.arrow_files import write_arrow, write_parquet
from qserv.formats.compressed import Coding
from qserv.formats.delimited import write_csv, write_tsv
from qserv.formats.fits import write_fits
from qserv.formats.html import write_html
from qserv.formats.json_rows import write_json
from qserv.formats.plain import write_text
from qserv.formats.votable import write_binary, write_binary2, write_tabledata
from qserv.result import Answer
from schema.errors import UsageError


class UnknownFormat(UsageError):
    """No format has the name or MIME type that was asked for."""

    code = "UNKNOWN_FORMAT"

    def __init__(self, name: str) -> None:
        nearest = get_close_matches(name.lower(), FORMATS, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        super().__init__(f"no format {name!r}{hint} (there are {', '.join(FORMATS)})")


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write rows. `mime` is sent as Content-Type unless one of `types`, its other media
    types, was asked for; `aliases` are other names. All in lower case.

    `ends_with_error`: a failure after the first byte is written into the document; elsewhere it
    leaves the writer as an exception, and whoever sends the bytes must cut them off. `codings`:
    gzip only where it makes several times less of the bytes, as it is slower than the writers.
    """

    name: str
    mime: str
    extension: str
    types: tuple[str, ...]
    aliases: tuple[str, ...]
    write: Callable[[Answer], Iterator[bytes]]
    ends_with_error: bool = False
    codings: tuple[Coding, ...] = (Coding.ZSTD,)
    ivo_id: str | None = None


_TEXT = tuple(Coding)
_VOTABLE_MIME = "application/x-votable+xml"

FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        Format(
            "votable",
            _VOTABLE_MIME,
            "vot",
            ("text/xml", "application/xml", f"{_VOTABLE_MIME};serialization=binary2"),
            ("votable/b2", "votable-b2"),
            write_binary2,
            ends_with_error=True,
            ivo_id="ivo://ivoa.net/std/TAPRegExt#output-votable-binary2",
        ),
        Format(
            "votable-td",
            f"{_VOTABLE_MIME};serialization=tabledata",
            "xml",
            (),
            ("votable/td", "tabledata"),
            write_tabledata,
            ends_with_error=True,
            codings=_TEXT,
            ivo_id="ivo://ivoa.net/std/TAPRegExt#output-votable-td",
        ),
        Format(
            "votable-b1",
            f"{_VOTABLE_MIME};serialization=binary",
            "vot1",
            (),
            ("votable/b", "votable/binary"),
            write_binary,
            ends_with_error=True,
            ivo_id="ivo://ivoa.net/std/TAPRegExt#output-votable-binary",
        ),
        Format(
            "csv", "text/csv;header=present", "csv", ("text/csv",), (), write_csv, codings=_TEXT
        ),
        Format("tsv", "text/tab-separated-values", "tsv", (), (), write_tsv, codings=_TEXT),
        Format("json", "application/json", "json", (), (), write_json, codings=_TEXT),
        Format(
            "parquet",
            "application/vnd.apache.parquet",
            "parquet",
            ("application/x-parquet", "application/parquet"),
            (),
            write_parquet,
            codings=(),
        ),
        Format(
            "arrow",
            "application/vnd.apache.arrow.stream",
            "arrow",
            ("application/vnd.apache.arrow",),
            ("ipc",),
            write_arrow,
        ),
        Format("fits", "application/fits", "fits", ("image/fits",), (), write_fits),
        Format("text", "text/plain", "txt", (), ("plain",), write_text, codings=_TEXT),
        Format("html", "text/html", "html", (), ("htm",), write_html, codings=_TEXT),
    )
}
"""Every format by its name; the first is the default of TAP."""


def find_format(name: str) -> Format:
    """The format of a name or media type, in any case, blanks aside; what is asked for by another of
    its types is served as that (DALI 1.1, section 3.4.3).

    Raises
    ------
    UnknownFormat
        Where there is none.
    """
    wanted = "".join(name.lower().split())
    for form in FORMATS.values():
        if wanted in form.types:
            return replace(form, mime=wanted)
        if wanted in (form.name, form.mime, *form.aliases):
            return form
    raise UnknownFormat(name)


def format_of_file(path: PurePath) -> Format | None:
    """The format that a file's name ends in; None where its ending says nothing."""
    ending = path.suffix.lstrip(".").lower()
    endings = {form.extension: form for form in FORMATS.values()}
    return endings.get(ending) or FORMATS.get(ending)
