"""The parameters of a request: of its URL and of its body, names in any case (DALI 1.1, section 3.1)."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from qserv.http.failures import BodyTooLarge
from qserv.tap_query import BadRequest
from qserv.uploads.files import Part, UploadFiles

_SINGLE = ("REQUEST", "LANG", "QUERY", "MAXREC", "RESPONSEFORMAT", "FORMAT", "RUNID", "VERSION")
_MANY = {"UPLOAD": ";", "SNAPSHOT": ","}
"""Those that may be repeated, and what stands between their values."""
MAX_FIELDS = 64
MAX_FILES = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a request's body may be, bytes; of a multipart one, its files included."""

    body: int
    with_files: int


@dataclass(frozen=True, slots=True)
class Fields:
    """A request's fields in order, names in upper case; its files, and fields, by their own names."""

    pairs: list[tuple[str, str]]
    parts: Mapping[str, Part] = field(default_factory=dict)

    def closed(self) -> Fields:
        """The same; its files are not read again."""
        for part in self.parts.values():
            part.content.close()
        return self


async def read_parameters(
    request: Request, bounds: Bounds, uploads: UploadFiles | None
) -> dict[str, str]:
    """The parameters of the URL and the body, names in upper case; only those TAP knows."""
    return await with_uploads(await read_fields(request, bounds), uploads)


async def with_uploads(fields: Fields, uploads: UploadFiles | None) -> dict[str, str]:
    """TAP's parameters; the files that UPLOAD names are kept, and it says where. Closes all files."""
    try:
        parameters = tap_parameters(fields.pairs)
        said = parameters.get("UPLOAD")
        if said is not None:
            if uploads is None:
                raise BadRequest("UPLOAD is not offered by this server")
            keep = partial(uploads.keep_all, said, fields.parts)
            parameters["UPLOAD"] = await to_thread.run_sync(keep)
        return parameters
    finally:
        fields.closed()


async def read_fields(request: Request, bounds: Bounds) -> Fields:
    """All fields of the URL and the body."""
    pairs = list(request.query_params.multi_items())
    parts: Mapping[str, Part] = {}
    if request.method in ("POST", "PUT"):
        found, parts = await _form_fields(request, bounds)
        pairs += found
    return Fields([(name.upper(), value) for name, value in pairs], parts)


def tap_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """TAP's parameters among the fields; raises BadRequest where one is given twice."""
    values: dict[str, str] = {}
    for name, value in pairs:
        folded = name.upper()
        if folded in _SINGLE and values.get(folded, value) != value:
            raise BadRequest(f"the parameter {folded} is given twice")
        if folded in _MANY and folded in values:
            values[folded] += f"{_MANY[folded]}{value}"
        elif folded in _SINGLE or folded in _MANY:
            values[folded] = value
    return values


Read = tuple[list[tuple[str, str]], Mapping[str, Part]]


async def _form_fields(request: Request, bounds: Bounds) -> Read:
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type == "multipart/form-data":
        return await _multipart_fields(request, bounds)
    body = b"".join([chunk async for chunk in _bounded(request, bounds.body)])
    if content_type not in ("application/x-www-form-urlencoded", ""):
        raise BadRequest(f"Content-Type {content_type!r}: send a form")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS), {}
    except ValueError as error:
        raise BadRequest("the form in the request's body cannot be read") from error


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise BodyTooLarge(f"the request's body has more than {most} bytes")
        yield chunk


async def _multipart_fields(request: Request, bounds: Bounds) -> Read:
    """Files go to disk beyond a megabyte. A field may be a table, too."""
    parser = MultiPartParser(
        request.headers,
        _bounded(request, bounds.with_files),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=bounds.body,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise BadRequest("the form in the request's body cannot be read") from error
    pairs, parts = [], {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            parts[name] = Part(value.file, value.filename or "", value.content_type or "")
        else:
            pairs.append((name, value))
            parts.setdefault(name, Part(io.BytesIO(value.encode())))
    return pairs, parts
