"""What a user gives an ingest as its contributions: files, patterns, HATS folders, addresses, pushed rows."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from loaders.lifecycle import WrongState, add
from loaders.options import Site
from loaders.readers.form import Form
from loaders.readers.read import AS_FOUND
from loaders.readers.source import UnreadableFile
from loaders.staging.mapping import TableMapping
from loaders.staging.mapping_file import parse_mapping, read_mapping
from loaders.staging.pieces import named, split
from loaders.staging.spool import make_private
from loaders.staging.stage import Contribution
from loaders.staging.target import open_target
from loaders.state import IngestState
from procedures.ingests import read_ingest
from schema.errors import UsageError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
Words = Sequence[tuple[str, str]]
"""Tables, and what goes into each: a path, a pattern, a folder, an address."""


class WrongSize(UsageError):
    """A number of bytes cannot be read."""

    code = "WRONG_SIZE"


@dataclass(frozen=True, slots=True)
class Manner:
    """How given files are to be taken, all alike."""

    form: Form = AS_FOUND
    mapping: Path | str | None = None
    """A mapping file, or the text of one."""
    piece_bytes: int | None = None
    """Larger files are staged in pieces of about so many bytes."""


PLAIN = Manner()


def contributions(
    site: Site, catalog_name: str, words: Words, manner: Manner = PLAIN
) -> list[Contribution]:
    """The contributions that words stand for, not added to any ingest yet.

    Raises UnknownCatalog, UnknownTable, MappingInvalid, UnreadableFile, FormRefused.
    """
    blanks = [Contribution(table, Path(word), manner.form) for table, word in words]
    target = open_target(site.pools, catalog_name, blanks, site.topology)
    mappings: dict[str, TableMapping] = {}
    if isinstance(manner.mapping, Path):
        mappings = read_mapping(manner.mapping, target.catalog)
    elif manner.mapping is not None:
        mappings = parse_mapping(manner.mapping, target.catalog, "the mapping")
    found: list[Contribution] = []
    for table, (_, word) in zip(target.tables, words, strict=True):
        blank = Contribution(table.name, Path(word), manner.form, mapping=mappings.get(table.name))
        for one in named(blank, word):
            is_cut = manner.piece_bytes is not None and one.path.is_file()
            found += split(one, table, manner.piece_bytes or 0) if is_cut else [one]
    return found


def size_of(text: str) -> int:
    """Bytes of a size as people write it: 256MB, 2G, 1048576. Raises WrongSize."""
    found = re.fullmatch(r"(\d+)\s*([kmgt]?)i?b?", text.strip().lower())
    if found is None:
        raise WrongSize(f"{text!r} is no size: say 256MB")
    return int(found[1]) * _UNITS[found[2]]


def push(
    site: Site, ingest_id: int, table: str, rows: Iterable[pa.RecordBatch] | pa.Table
) -> list[int]:
    """Add rows that the caller has (a RecordBatchReader, a Table, batches of one schema) to an open ingest.

    They are written to the spool of this machine, batch by batch. Raises WrongState, UnreadableFile.
    """
    with site.pools.coordinator() as connection:
        row = read_ingest(connection, ingest_id)
    if row.state != IngestState.OPEN:
        raise WrongState(row, "only an open one takes files; begin another")
    folder = site.folder(row.ingest_id) / "pushed"
    make_private(folder)
    path = folder / f"{secrets.token_hex(8)}.arrows"
    try:
        _write(path, rows.to_batches() if isinstance(rows, pa.Table) else rows)
        return add(site, row.ingest_id, [Contribution(table, path)])
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _write(path: Path, batches: Iterable[pa.RecordBatch]) -> None:
    """An Arrow stream; its schema is that of the batches."""
    schema = getattr(batches, "schema", None)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    writer = None
    try:
        with path.open("wb") as sink:
            if schema is not None:
                writer = pa.ipc.new_stream(sink, schema, options=options)
            for batch in batches:
                batch.validate(full=True)
                writer = writer or pa.ipc.new_stream(sink, batch.schema, options=options)
                writer.write_batch(batch)
            if writer is None:
                raise UnreadableFile(path, "the stream has neither a schema nor a batch")
            writer.close()
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(path, f"the stream ends, or is damaged: {error}") from error
