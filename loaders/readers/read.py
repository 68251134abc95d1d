"""Open an input file by its name's ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loaders.readers.dump import open_dump
from loaders.readers.fits import open_fits
from loaders.readers.parquet import open_parquet
from loaders.readers.source import Source, UnreadableFile
from loaders.readers.text import open_text
from loaders.readers.votable import open_votable
from schema.catalog import Table

_PARQUET = {".parquet", ".parq", ".pq"}
_TEXT = {".csv", ".tsv", ".txt", ".tbl", ".ecsv"}
_DUMP = {".outfile"}
_FITS = {".fits", ".fit", ".fts"}
_VOTABLE = {".vot", ".votable", ".xml"}


def open_source(path: Path, table: Table, columns: Sequence[str] = ()) -> Source:
    """Open a Parquet, CSV, TSV, ECSV, FITS, VOTable or dumped file; text and FITS also `.gz`."""
    if not path.is_file():
        raise UnreadableFile(path, "there is no such file")
    ending = Path(path.stem).suffix.lower() if path.suffix == ".gz" else path.suffix.lower()
    if ending in _PARQUET:
        return open_parquet(path)
    if ending in _TEXT:
        return open_text(path, table, columns)
    if ending in _DUMP:
        return open_dump(path, table, columns)
    if ending in _FITS:
        return open_fits(path)
    if ending in _VOTABLE:
        return open_votable(path)
    known = ", ".join(sorted(_PARQUET | _TEXT | _DUMP | _FITS | _VOTABLE))
    raise UnreadableFile(path, f"its name ends in none of {known}")
