"""TAP's parameters: what a request says, checked (TAP 1.1 section 2.7, DALI 1.1 section 3.4)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from qserv.as_of import WrongAsOf, parse_as_of
from qserv.formats.registry import FORMATS, Format, find_format
from qserv.http.failures import BadRequest, BodyTooLarge
from qserv.languages import UnknownLanguage, language_of

_SINGLE = ("REQUEST", "LANG", "QUERY", "MAXREC", "RESPONSEFORMAT", "FORMAT", "RUNID", "VERSION")
_MANY = ("UPLOAD", "SNAPSHOT")
MAX_FIELDS = 64
MAX_RUN_ID = 64
MAX_DIGITS = 30
"""Of a number; Python refuses to read thousands of them."""
MOST_ROWS = 2**62
"""What a larger MAXREC means: more rows than there are."""


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


async def read_parameters(request: Request, max_body_bytes: int) -> dict[str, str]:
    """The parameters of the URL and the body, names in upper case; only those TAP knows."""
    pairs = list(request.query_params.multi_items())
    if request.method == "POST":
        pairs += await _form_fields(request, max_body_bytes)
    return _single_values(pairs)


def tap_query(parameters: dict[str, str]) -> TapQuery:
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
    if "UPLOAD" in parameters:
        raise BadRequest("UPLOAD is not offered by this server")
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


def _single_values(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        folded = name.upper()
        if folded in _SINGLE and values.get(folded, value) != value:
            raise BadRequest(f"the parameter {folded} is given twice")
        if folded == "SNAPSHOT" and folded in values:
            values[folded] += f",{value}"
        elif folded in _SINGLE or folded in _MANY:
            values[folded] = value
    return values


async def _form_fields(request: Request, max_body_bytes: int) -> list[tuple[str, str]]:
    body = await _body(request, max_body_bytes)
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type == "multipart/form-data":
        return await _multipart_fields(request, body)
    if content_type not in ("application/x-www-form-urlencoded", ""):
        raise BadRequest(f"Content-Type {content_type!r}: send a form")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise BadRequest("the form in the request's body cannot be read") from error


async def _body(request: Request, max_body_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_body_bytes:
            raise BodyTooLarge(f"the request's body has more than {max_body_bytes} bytes")
    return bytes(body)


async def _multipart_fields(request: Request, body: bytes) -> list[tuple[str, str]]:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = MultiPartParser(
        request.headers, whole(), max_files=0, max_fields=MAX_FIELDS, max_part_size=len(body) + 1
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise BadRequest("the form in the request's body cannot be read") from error
    return [(k, v) for k, v in form.multi_items() if not isinstance(v, UploadFile)]
