"""A dry run: what would become of files, without changing anything anywhere."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from loaders.options import IngestOptions, Site
from loaders.readers.read import find_format, open_source
from loaders.readers.source import I64, SourceBatch
from loaders.staging.convert import arrow_type
from loaders.staging.download import fetch
from loaders.staging.known import PublishedRows
from loaders.staging.matching import Matching, match_columns
from loaders.staging.rejects import Reject
from loaders.staging.stage import Contribution, place_rows
from loaders.staging.target import Target, open_target
from loaders.staging.validate import Conformer
from schema.catalog import HEALPIX_29, Role, Table
from schema.errors import InputError
from schema.partition import Tiling

_SHOWN = 10
"""Reasons, and examples of rejects, that a report has of each file."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would become of one file. `rows` were read, `is_whole` if that is all of them."""

    source: str
    table: str
    format: str = ""
    rows: int = 0
    is_whole: bool = True
    filled: tuple[str, ...] = ()
    """`column <- what fills it`, with the types where they differ."""
    ignored: tuple[str, ...] = ()
    """Columns of the file that nothing is made of."""
    null: tuple[str, ...] = ()
    """Columns of the table that the file has not."""
    rejects: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    examples: tuple[tuple[int, str], ...] = ()
    """Row numbers with reasons."""
    size_bytes: int = 0
    """Of one copy of the rows that were read, in memory."""
    error: str | None = None
    """Why the file cannot be taken at all."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would become of an ingest."""

    catalog: str
    files: tuple[Rehearsed, ...]
    chunks: tuple[str, ...]
    """Chunks that the rows lie in by their own positions; none where they are yet to be chosen."""
    are_chunks_new: bool
    keys: tuple[tuple[str, int, int], ...]
    """Of each director: its table, keys that come twice, keys that are published already."""
    copies: int

    @property
    def size_bytes(self) -> int:
        """What the rows that were read take on all shards, about."""
        return self.copies * sum(one.size_bytes for one in self.files)

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against the ingest, as far as it was read."""
        return not any(one.error or one.rejects for one in self.files) and not any(
            twice or known for _, twice, known in self.keys
        )

    def to_document(self) -> dict[str, object]:
        """All of it, for JSON."""
        return {**asdict(self), "size_bytes": self.size_bytes, "is_good": self.is_good}


@dataclass(slots=True)
class _Tally:
    """What the rows of one file come to."""

    rows: int = 0
    size_bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[Reject] = field(default_factory=list)
    pixels: list[I64] = field(default_factory=list)
    keys: list[I64] = field(default_factory=list)

    def add(self, rows: pa.Table, rejects: Sequence[Reject], table: Table) -> None:
        self.rows += rows.num_rows + len(rejects)
        self.size_bytes += rows.nbytes
        self.reasons.update(reject.reason for reject in rejects)
        self.examples += rejects[: _SHOWN - len(self.examples)]
        placed = place_rows(rows, table)
        if HEALPIX_29 in placed.schema.names:
            own = np.asarray(placed.column(HEALPIX_29).drop_null(), dtype=np.int64)
            self.pixels.append(own)
        if table.role is Role.DIRECTOR and table.key is not None and table.is_key_unique:
            self.keys.append(np.asarray(rows.column(table.key).cast(pa.int64())))


def rehearse(
    site: Site,
    catalog_name: str,
    given: Sequence[Contribution],
    *,
    options: IngestOptions,
    most_rows: int | None = None,
) -> Rehearsal:
    """Read files, at most `most_rows` of each, and say what would become of them.

    Raises UnknownCatalog and UnknownTable; what is wrong with files is in the report.
    """
    target = open_target(site.pools, catalog_name, given, site.topology)
    files: list[Rehearsed] = []
    pixels: list[I64] = []
    keys: dict[str, list[I64]] = {}
    for one, table in zip(given, target.tables, strict=True):
        tally = _Tally()
        try:
            files.append(_read(one, table, options, most_rows, tally))
        except InputError as error:
            told = f"{error} [{error.code}]"
            files.append(Rehearsed(one.url or str(one.path), table.name, error=told))
            continue
        pixels += tally.pixels if table.is_partitioned else []
        if tally.keys:
            keys.setdefault(table.name, []).extend(tally.keys)
    has_tiling = bool(target.manifest.chunks)
    return Rehearsal(
        target.catalog.name,
        tuple(files),
        _chunks(target, pixels) if has_tiling else (),
        not has_tiling,
        tuple(_repeated(site, target, name, found) for name, found in sorted(keys.items())),
        target.replicas,
    )


def _read(
    given: Contribution,
    table: Table,
    options: IngestOptions,
    most_rows: int | None,
    tally: _Tally,
) -> Rehearsed:
    """Read one file as it would be staged."""
    folder = Path(tempfile.mkdtemp(prefix="skyshard-")) if given.url else None
    try:
        path = fetch(given.url, folder, options.remote) if given.url and folder else given.path
        source = open_source(path, table, given.form, given.piece)
        name = given.url or str(given.path)
        matching = match_columns(table, source.names, name, given.mapping)
        is_whole, types = True, dict[str, pa.DataType]()
        with Conformer(table, matching) as conformer:
            for batch in source.batches(matching.wanted):
                left = None if most_rows is None else most_rows - tally.rows
                if left is not None and left <= 0:
                    is_whole = False
                    break
                types.update(zip(batch.rows.schema.names, batch.rows.schema.types, strict=True))
                part = batch if left is None else _first(batch, left)
                is_whole = len(part.numbers) == len(batch.numbers)
                found = conformer.conform(part)
                tally.add(found.rows, found.rejects, table)
                if not is_whole:
                    break
        told = _told(matching, table, types, tally)
        return replace(told, source=name, format=find_format(path, given.form), is_whole=is_whole)
    finally:
        if folder is not None:
            shutil.rmtree(folder)


def _first(batch: SourceBatch, rows: int) -> SourceBatch:
    """The first rows of a batch."""
    return SourceBatch(batch.rows.slice(0, rows), batch.numbers[:rows], batch.bad)


def _told(
    matching: Matching, table: Table, types: dict[str, pa.DataType], tally: _Tally
) -> Rehearsed:
    """What the matching and the rows of a file come to."""
    filled, null = [], []
    for column, name in zip(table.columns, matching.names, strict=True):
        said = matching.mapping.of(column.name)
        own = arrow_type(column)
        words = []
        if said is not None and said.compute is not None:
            words.append(said.compute)
        elif name is not None:
            given = types.get(name)
            is_same = given is None or given == own
            words.append(name if is_same else f"{name} ({given} to {own})")
            if said is not None and said.unit is not None:
                words.append(f"{said.unit} to {column.unit}")
        if said is not None and said.default is not None:
            words.append(f"default {said.default!r}")
        if words:
            filled.append(f"{column.name} <- {', '.join(words)}")
        else:
            null.append(column.name)
    return Rehearsed(
        source=matching.file,
        table=table.name,
        rows=tally.rows,
        filled=tuple(filled),
        ignored=(*matching.unknown, *matching.ignored),
        null=tuple(null),
        rejects=sum(tally.reasons.values()),
        reasons=tuple(tally.reasons.most_common(_SHOWN)),
        examples=tuple((one.number, one.reason) for one in tally.examples),
        size_bytes=tally.size_bytes,
    )


def _chunks(target: Target, pixels: Sequence[I64]) -> tuple[str, ...]:
    """The chunks that hold some of the pixels."""
    tiling = Tiling(target.manifest.chunks)
    found = np.unique(np.concatenate([np.empty(0, np.int64), *map(tiling.chunk_of, pixels)]))
    chosen = (tiling.chunks[int(place)] for place in found)
    return tuple(f"{chunk.order}/{chunk.number}" for chunk in chosen)


def _repeated(site: Site, target: Target, name: str, found: Sequence[I64]) -> tuple[str, int, int]:
    """How many of a director's keys come again, and how many are published already."""
    keys = np.concatenate(found)
    distinct = np.unique(keys)
    known = PublishedRows(site.pools, target.catalog, target.manifest)
    published = known.find(name, distinct)
    taken = known.with_rows(name, published) if len(published) else ()
    return name, len(keys) - len(distinct), len(taken)
