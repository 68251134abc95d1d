"""What a user's words mean as contributions: files, patterns, HATS folders, addresses; and pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from glob import glob
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.readers.arrow import count_batches, is_arrow_file
from loaders.readers.compressed import packing
from loaders.readers.encoding import is_utf8
from loaders.readers.fits import open_fits
from loaders.readers.form import TEXT_FORMATS, Form, Piece
from loaders.readers.parquet import group_bytes
from loaders.readers.read import find_format
from loaders.readers.source import UnreadableFile
from loaders.readers.text import TextSource, open_text
from loaders.staging.download import is_url, name_of
from loaders.staging.stage import Contribution
from schema.catalog import Table

_PROPERTIES = ("hats.properties", "properties")
_LEAVES = ("dataset/Norder=*/Dir=*/Npix=*.parquet", "dataset/Norder=*/Dir=*/Npix=*/*.parquet")
_CATALOGS = {"object", "source"}
_BLOCK_BYTES = 2**20
_LEAST_PIECE = 2**20
"""Bytes; smaller pieces cost more than they bring."""


def named(given: Contribution, word: str) -> list[Contribution]:
    """The contributions that a word stands for: a path, a pattern, a HATS folder, an address.

    `given` says everything but the file. Raises UnreadableFile.
    """
    if is_url(word):
        return [replace(given, path=Path(name_of(word)), url=word)]
    path = Path(word)
    if path.is_dir():
        return [replace(given, path=leaf) for leaf in hats_leaves(path)]
    if path.exists() or not any(sign in word for sign in "*?["):
        return [replace(given, path=path)]
    found = sorted(glob(word, recursive=True))  # noqa: PTH207  (patterns may be absolute)
    if not found:
        raise UnreadableFile(path, "no file is named so")
    return [one for file in found for one in named(given, file)]


def hats_leaves(folder: Path) -> list[Path]:
    """The Parquet leaves of a HATS catalog. Raises UnreadableFile where it is none."""
    properties = next((folder / n for n in _PROPERTIES if (folder / n).is_file()), None)
    if properties is None:
        raise UnreadableFile(
            folder, "it is a folder, and no HATS catalog (it has no `properties`); name its files"
        )
    said = _properties(properties)
    kind = said.get("dataproduct_type", "object")
    if kind not in _CATALOGS:
        raise UnreadableFile(
            properties, f"dataproduct_type={kind}: catalogs of type object or source are ingested"
        )
    leaves = sorted(path for pattern in _LEAVES for path in folder.glob(pattern))
    if not leaves:
        raise UnreadableFile(folder, "it has no leaves (dataset/Norder=*/Dir=*/Npix=*.parquet)")
    rows, wanted = sum(map(_rows_of, leaves)), said.get("hats_nrows")
    if wanted is not None and wanted != str(rows):
        raise UnreadableFile(
            properties, f"hats_nrows={wanted}, but its leaves have {rows}: the catalog is not whole"
        )
    return leaves


def _properties(path: Path) -> dict[str, str]:
    """Keys and values of a properties file."""
    found = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(path, str(error)) from error
    for line in text.splitlines():
        key, sign, value = line.partition("=")
        if sign and not key.lstrip().startswith(("#", "!")):
            found[key.strip()] = value.strip()
    return found


def _rows_of(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(path, str(error)) from error


def split(given: Contribution, table: Table, piece_bytes: int) -> list[Contribution]:
    """A file as pieces of about so many bytes; itself where it is small, or its format has none."""
    if given.url is not None or given.piece is not None:
        return [given]
    size = max(piece_bytes, _LEAST_PIECE)
    path, kind = given.path, find_format(given.path, given.form)
    if path.stat().st_size <= size or (packing(path) is not None):
        return [given]
    if kind == "parquet":
        pieces = _by_weight(group_bytes(path), size)
    elif kind == "arrow" and is_arrow_file(path):
        count = count_batches(path)
        pieces = _by_weight([path.stat().st_size // max(count, 1)] * count, size)
    elif kind == "fits":
        source = open_fits(path)
        step = max(1, size // max(1, int(source.header["NAXIS1"])))
        pieces = _between([*range(0, source.rows, step), source.rows])
    elif kind in TEXT_FORMATS:
        pieces = list(_text_pieces(path, table, given.form, size))
    else:
        return [given]
    return [replace(given, piece=piece) for piece in pieces] if len(pieces) > 1 else [given]


def size_of_piece(given: Contribution) -> int:
    """The bytes of its file that a contribution reads, about."""
    path, piece = given.path, given.piece
    size = path.stat().st_size
    if piece is None:
        return size
    match find_format(path, given.form):
        case "parquet":
            return sum(group_bytes(path)[piece.first : piece.end])
        case "fits":
            return (piece.end - piece.first) * int(open_fits(path).header["NAXIS1"])
        case "arrow":
            return size * (piece.end - piece.first) // max(1, count_batches(path))
        case _:
            return piece.end - piece.first


def _by_weight(weights: list[int], size: int) -> list[Piece]:
    """Neighbours together up to a weight."""
    ends, held = [0], 0
    for number, weight in enumerate(weights):
        if held and held + weight > size:
            ends.append(number)
            held = 0
        held += weight
    return _between([*ends, len(weights)])


def _between(ends: list[int]) -> list[Piece]:
    return [Piece(first, end) for first, end in pairwise(ends) if first < end]


def _text_pieces(path: Path, table: Table, form: Form, size: int) -> Iterator[Piece]:
    """Bytes of whole records. The file is read once, to know quotes and rows."""
    source = open_text(path, table, replace(form, format=find_format(path, form)))
    if form.comment or not is_utf8(form.encoding) or source.form.has_own_line_end:
        yield Piece(0, path.stat().st_size)
        return
    first, rows, seen, wanted = 0, 0, -source.skip, size
    for end, count in _records(path, source):
        seen += count
        if end >= wanted:
            yield Piece(first, end, rows)
            first, rows, wanted = end, seen, end + size
    last = path.stat().st_size
    if first < last:
        yield Piece(first, last, rows)


def _records(path: Path, source: TextSource) -> Iterator[tuple[int, int]]:
    """Places behind a record, one in each block of the file, and how many records end since the last."""
    quote, escape = (source.form.quote or "").encode(), (source.form.escape or "").encode()
    place, is_open, carry = 0, 0, b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            text = carry + block
            whole, carry = (text, b"") if not escape else _whole(text, escape)
            plain = (
                re.sub(re.escape(escape) + b".", b"..", whole, flags=re.DOTALL) if escape else whole
            )
            signs = np.frombuffer(plain, np.uint8)
            ends = np.flatnonzero(signs == ord("\n"))
            if quote:
                quotes = np.flatnonzero(signs == quote[0])
                before = np.searchsorted(quotes, ends)
                ends = ends[(before + is_open) % 2 == 0]
                is_open = (is_open + len(quotes)) % 2
            if len(ends):
                yield place + int(ends[-1]) + 1, len(ends)
            place += len(whole)


def _whole(text: bytes, escape: bytes) -> tuple[bytes, bytes]:
    """A text without an escape that is cut off at its end, and that."""
    run = len(text) - len(text.rstrip(escape))
    return (text[:-1], text[-1:]) if run % 2 else (text, b"")
