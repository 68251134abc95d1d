"""A request for rows by TAP's parameters, checked (TAP 1.1 section 2.7, DALI 1.1 section 3.4).

The same for a query that is answered at once and for one that becomes a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qserv.answer import answer
from qserv.as_of import WrongAsOf, parse_as_of
from qserv.formats.registry import FORMATS, Format, find_format
from qserv.languages import UnknownLanguage, language_of
from qserv.limits import Limits
from qserv.result import Answer
from qserv.rights.caller import Caller
from qserv.running import Running
from qserv.store import Store
from qserv.uploads.files import UploadFiles, parse_upload
from schema.errors import UsageError

MAX_RUN_ID = 64
MAX_DIGITS = 30
"""Of a number; Python refuses to read thousands of them."""
MOST_ROWS = 2**62
"""What a larger MAXREC means: more rows than there are."""


class BadRequest(UsageError):
    """A parameter of the request is missing, unknown or wrong."""

    code = "BAD_REQUEST"


@dataclass(frozen=True, slots=True)
class TapQuery:
    """A well-formed request for rows. `max_rows` None: as many as the server's limit allows."""

    text: str
    form: Format
    max_rows: int | None = None
    run_id: str | None = None
    language: str = "ADQL"
    as_of: tuple[str, ...] = ()
    """Snapshots to read in place of the newest, `CATALOG@NUMBER` or `CATALOG@TAG`."""
    uploads: tuple[tuple[str, str], ...] = ()
    """(name, address) of each table that came with it."""


def answer_tap(
    query: TapQuery,
    store: Store,
    files: UploadFiles,
    *,
    limits: Limits,
    caller: Caller,
    running: Running | None = None,
) -> Answer:
    """The answer to a request, whose uploads are among the files."""
    return answer(
        query.text,
        store,
        limits=limits,
        maxrec=query.max_rows,
        language=query.language,
        as_of=query.as_of,
        caller=caller,
        running=running,
        uploads=files.read(query.uploads),
    )


def tap_query(parameters: Mapping[str, str]) -> TapQuery:
    """The query that the parameters ask for.

    Raises
    ------
    BadRequest
        Where a parameter is missing or not understood.
    UnknownFormat
        Where the response format is not one of ours.
    """
    if parameters.get("REQUEST", "doQuery").lower() != "doquery":
        raise BadRequest(f"REQUEST={parameters['REQUEST']!r}: only doQuery is known")
    try:
        language = language_of(parameters.get("LANG", "ADQL"))
    except UnknownLanguage as error:
        raise BadRequest(f"LANG={parameters['LANG']!r}: {error}") from error
    text = parameters.get("QUERY", "")
    if not text.strip():
        raise BadRequest("the parameter QUERY is missing")
    form = parameters.get("RESPONSEFORMAT") or parameters.get("FORMAT")
    return TapQuery(
        text=text,
        form=find_format(form) if form else next(iter(FORMATS.values())),
        max_rows=_max_rows(parameters.get("MAXREC")),
        run_id=parameters.get("RUNID", "")[:MAX_RUN_ID] or None,
        language=language,
        as_of=_as_of(parameters.get("SNAPSHOT", "")),
        uploads=parse_upload(parameters.get("UPLOAD", "")),
    )


def _as_of(value: str) -> tuple[str, ...]:
    """The snapshots that are asked for; Skyshard's own parameter, which may be repeated."""
    try:
        parse_as_of(value)
    except WrongAsOf as error:
        raise BadRequest(f"SNAPSHOT: {error}") from error
    return (value,) if value else ()


def _max_rows(value: str | None) -> int | None:
    digits = "" if value is None else value.strip()
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()):
        raise BadRequest(f"MAXREC={_shortened(digits)!r} is not a whole number >= 0")
    if len(digits) > MAX_DIGITS:
        raise BadRequest(f"MAXREC={_shortened(digits)!r} has more than {MAX_DIGITS} digits")
    return min(int(digits), MOST_ROWS)


def _shortened(value: str) -> str:
    """The start of what was sent, for a message."""
    return value if len(value) <= MAX_DIGITS else f"{value[:MAX_DIGITS]}..."
