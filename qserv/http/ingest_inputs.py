"""What a request names as input of an ingest: files below the open folders, and allowed addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loaders.inputs import Manner, contributions, size_of
from loaders.options import Site
from loaders.readers.form import form_of
from loaders.staging.download import Remote, is_url
from loaders.staging.stage import Contribution
from qserv.tap_query import BadRequest
from schema.errors import UsageError

INPUT_KEYS = ("table", "files", "columns", "form", "mapping", "split", "dry_run", "rows")
_PATTERNS = "*?["


class FolderRefused(UsageError):
    """A file lies outside the folders that the configuration opens to ingests by HTTP."""

    code = "FOLDER_REFUSED"


def asked(
    site: Site, catalog: str, given: Mapping[str, Any], folders: Sequence[Path], remote: Remote
) -> list[Contribution]:
    """The contributions that a request names. Raises BadRequest, FolderRefused, UrlRefused, InputError."""
    table, files = given.get("table"), _texts(given, "files")
    if not isinstance(table, str) or not table:
        raise BadRequest("table is a text")
    for file in files:
        if is_url(file):
            remote.check(file)
        else:
            _check(_fixed(file), file, folders)
    found = contributions(site, catalog, [(table, _place(file)) for file in files], _manner(given))
    for one in found:
        if one.url is None:
            _check(one.path, str(one.path), folders)
    return found


def _place(file: str) -> str:
    return file if is_url(file) else str(Path(file).absolute())


def _fixed(file: str) -> Path:
    """The part of a pattern before its first sign."""
    parts = Path(file).parts
    first = next((n for n, part in enumerate(parts) if set(part) & set(_PATTERNS)), len(parts))
    return Path(*parts[:first])


def _check(path: Path, file: str, folders: Sequence[Path]) -> None:
    """See that a file is below one of the folders, wherever its links lead."""
    place = path.resolve()
    if not any(place.is_relative_to(folder.resolve()) for folder in folders):
        raise FolderRefused(f"{file} lies in none of the folders of `ingest.folders`")


def _manner(given: Mapping[str, Any]) -> Manner:
    form, mapping, piece = given.get("form", {}), given.get("mapping"), given.get("split")
    if not isinstance(form, dict):
        raise BadRequest("form is an object")
    if mapping is not None and not isinstance(mapping, str):
        raise BadRequest("mapping is a text, the content of a mapping file")
    if columns := _texts(given, "columns"):
        form = {**form, "columns": columns}
    is_number = isinstance(piece, int) and not isinstance(piece, bool)
    piece_bytes = None if piece is None else piece if is_number else size_of(str(piece))
    return Manner(form_of(form), mapping, piece_bytes)


def _texts(given: Mapping[str, Any], name: str) -> list[str]:
    value = given.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRequest(f"{name} is an array of texts")
    return value
