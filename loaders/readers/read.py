"""Open an input file by what its form says, its name's ending, or its first bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from loaders.readers.arrow import open_arrow
from loaders.readers.avro import open_avro
from loaders.readers.compressed import bare_name, open_bytes
from loaders.readers.fits import open_fits
from loaders.readers.form import TEXT_FORMATS, Form, FormRefused, Piece
from loaders.readers.parquet import open_parquet
from loaders.readers.source import Source, UnreadableFile
from loaders.readers.text import open_text
from loaders.readers.votable import open_votable
from schema.catalog import Table

ENDINGS = {
    **dict.fromkeys((".parquet", ".parq", ".pq"), "parquet"),
    **dict.fromkeys((".arrow", ".arrows", ".feather", ".ipc"), "arrow"),
    ".avro": "avro",
    **dict.fromkeys((".csv", ".txt", ".tbl"), "csv"),
    ".tsv": "tsv",
    ".ecsv": "ecsv",
    ".outfile": "outfile",
    **dict.fromkeys((".fits", ".fit", ".fts"), "fits"),
    **dict.fromkeys((".vot", ".votable", ".xml"), "votable"),
}
_MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1\0\0": "arrow",
    b"Obj\x01": "avro",
    b"SIMPLE  =": "fits",
    b"# %ECSV": "ecsv",
}
_START_BYTES = 512
AS_FOUND = Form()


def open_source(
    path: Path, table: Table, form: Form = AS_FOUND, piece: Piece | None = None
) -> Source:
    """Open a file, or a piece of it. All formats but Parquet may be packed (gz, zst, bz2, lz4)."""
    kind = find_format(path, form)
    if form.is_of_text and kind not in TEXT_FORMATS:
        raise FormRefused(f"{path} is {kind}: delimiters, columns and the like are of text files")
    if piece is not None and kind in ("avro", "votable"):
        raise UnreadableFile(path, f"{kind} files have no pieces")
    match kind:
        case "parquet":
            return open_parquet(path, piece)
        case "arrow":
            return open_arrow(path, piece)
        case "avro":
            return open_avro(path)
        case "fits":
            return open_fits(path, piece)
        case "votable":
            return open_votable(path)
        case _:
            return open_text(path, table, replace(form, format=kind), piece)


def find_format(path: Path, form: Form = AS_FOUND) -> str:
    """One of FORMATS. Raises UnreadableFile where neither name nor content says."""
    if not path.is_file():
        raise UnreadableFile(path, "there is no such file")
    if form.format:
        return form.format
    said = ENDINGS.get(bare_name(path).suffix.lower())
    found = said or _by_content(path)
    if found is None:
        known = ", ".join(sorted(ENDINGS))
        raise UnreadableFile(
            path,
            f"its name ends in none of {known}, nor is it told by its first bytes; say --format",
        )
    return found


def _by_content(path: Path) -> str | None:
    """What the first bytes say; None where they could be anything."""
    try:
        with open_bytes(path) as stream:
            start = stream.read(_START_BYTES)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(path, str(error)) from error
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            return kind
    if b"<VOTABLE" in start.upper():
        return "votable"
    return "arrow" if start[:4] == b"\xff\xff\xff\xff" else None
