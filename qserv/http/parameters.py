"""The parameters of a request: of its URL and of its body, names in any case (DALI 1.1, section 3.1)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from qserv.http.failures import BodyTooLarge
from qserv.tap_query import BadRequest

_SINGLE = ("REQUEST", "LANG", "QUERY", "MAXREC", "RESPONSEFORMAT", "FORMAT", "RUNID", "VERSION")
_MANY = ("UPLOAD", "SNAPSHOT")
MAX_FIELDS = 64


async def read_parameters(request: Request, max_body_bytes: int) -> dict[str, str]:
    """The parameters of the URL and the body, names in upper case; only those TAP knows."""
    return tap_parameters(await read_fields(request, max_body_bytes))


async def read_fields(request: Request, max_body_bytes: int) -> list[tuple[str, str]]:
    """All fields of the URL and the body, in order, names in upper case."""
    pairs = list(request.query_params.multi_items())
    if request.method in ("POST", "PUT"):
        pairs += await _form_fields(request, max_body_bytes)
    return [(name.upper(), value) for name, value in pairs]


def tap_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """TAP's parameters among the fields; raises BadRequest where one is given twice."""
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
