"""The merge: what is left of the statement, in DuckDB over the fragments' rows.

A merge runs in a locked-down DuckDB of its own with an admitted share of the czar's memory. Opening
one costs tens of milliseconds, so that idle ones are kept and used again; our functions it gets as
statements call them.
"""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path

import duckdb
import pyarrow as pa

from procedures.functions import FUNCTIONS
from procedures.install import install_called
from qserv.bound import BaseTable, Fetched
from qserv.chunk_sql import CELL
from qserv.dispatch.loop import conform, fragment_schema
from qserv.duckdb_instance import (
    DATA_ERRORS,
    OUT_OF_MEMORY,
    InstanceLimits,
    first_line,
    kind_of,
    open_instance,
)
from qserv.planned import ByCells, Fragment, Plan
from qserv.render import Dialect, render
from qserv.running import Running
from qserv.spool import Rows, table_of
from qserv.traverse import base_relations
from schema.ddl import quote
from schema.errors import LimitExceeded, QueryError, SkyshardError, StoreError
from schema.types import SPELLINGS

ROWS_PER_BATCH = 65_536
_WAIT_S = 0.1


@dataclass(frozen=True, slots=True)
class InstanceBytes:
    """Memory and temporary space of one merge."""

    memory: int
    temp: int


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """What all merges of a czar may use together; sizes in bytes.

    A merge of few rows takes `small_bytes`, so that many run at once.
    """

    budget_bytes: int = 4 * 2**30
    small_bytes: int = 128 * 2**20
    threads: int = 2
    idle_instances: int = 4

    def size_for(self, rows_bytes: int, most: InstanceBytes) -> InstanceBytes:
        """What a merge of so many bytes takes, of a query that may use `most`."""
        if 4 * rows_bytes <= self.small_bytes <= most.memory:
            return InstanceBytes(self.small_bytes, min(most.temp, 4 * self.small_bytes))
        return most


@dataclass(eq=False, slots=True)
class Instance:
    """A DuckDB that one merge at a time uses."""

    connection: duckdb.DuckDBPyConnection
    limits: InstanceLimits


class Merges:
    """DuckDB instances for merges: admitted by memory, kept warm. Thread-safe."""

    def __init__(self, settings: MergeSettings, temp: Path) -> None:
        self.settings, self._temp = settings, temp / "merges"
        self._temp.mkdir(mode=0o700, parents=True)
        self._free_bytes = settings.budget_bytes
        self._idle: dict[InstanceLimits, list[Instance]] = defaultdict(list)
        self._numbers = count(1)
        self._changed = threading.Condition()

    @contextmanager
    def instance(
        self, memory_bytes: int, temp_bytes: int, running: Running
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB with so much memory and temporary space, once the budget allows."""
        limits = InstanceLimits(memory_bytes, temp_bytes, self.settings.threads)
        self._admit(memory_bytes, running)
        instance = None
        try:
            instance = self._take(limits)
            yield instance.connection
        except BaseException:
            if instance is not None:  # it may hold half a statement
                instance.connection.close()
                instance = None
            raise
        finally:
            self._give(memory_bytes, instance)

    def warm(self) -> None:
        """Open a small instance before anyone waits for it."""
        small = self.settings.size_for(0, InstanceBytes(self.settings.small_bytes, 2**62))
        instance = self._open(InstanceLimits(small.memory, small.temp, self.settings.threads))
        with self._changed:
            self._idle[instance.limits].append(instance)

    def close(self) -> None:
        """Close what is idle. Merges in use fail."""
        with self._changed:
            idle = [instance for kept in self._idle.values() for instance in kept]
            self._idle.clear()
        for instance in idle:
            instance.connection.close()
        shutil.rmtree(self._temp, ignore_errors=True)

    def _admit(self, memory: int, running: Running) -> None:
        with self._changed:
            while self._free_bytes < memory:
                running.check()
                self._changed.wait(_WAIT_S)
            self._free_bytes -= memory

    def _take(self, limits: InstanceLimits) -> Instance:
        with self._changed:
            if self._idle[limits]:
                return self._idle[limits].pop()
        return self._open(limits)

    def _open(self, limits: InstanceLimits) -> Instance:
        temp = self._temp / str(next(self._numbers))
        temp.mkdir(mode=0o700)
        return Instance(open_instance(limits, temp=temp), limits)

    def _give(self, memory: int, instance: Instance | None) -> None:
        """Give the memory back, and keep the instance where few are kept."""
        with self._changed:
            self._free_bytes += memory
            self._changed.notify()
            kept = sum(map(len, self._idle.values()))
            if instance is not None and kept < self.settings.idle_instances:
                self._idle[instance.limits].append(instance)
                instance = None
        if instance is not None:
            instance.connection.close()


@dataclass(frozen=True, slots=True)
class MergeInput:
    """All that a merge reads: complete rows, of the fragments and of the tables it reads itself.

    `base_rows` gives TAP_SCHEMA's, by table name.
    """

    plan: Plan
    rows: Sequence[Rows]
    """Of the fragments, and of the uploaded tables."""
    base_rows: Callable[[], Mapping[str, pa.Table]]
    bytes: int


def merged(
    given: MergeInput, merges: Merges, running: Running, *, memory_bytes: int, temp_bytes: int
) -> Iterator[pa.RecordBatch]:
    """The answer's rows, of the types of `plan.outputs`, their columns c0, c1...

    Starts with little memory where few rows came, and once more with all that the query may use
    where that was not enough.
    """
    most = InstanceBytes(min(memory_bytes, merges.settings.budget_bytes), temp_bytes)
    size = merges.settings.size_for(given.bytes, most)
    is_begun = False
    try:
        for batch in _in_instance(given, merges, running, size):
            is_begun = True
            yield batch
    except MergeOutOfMemory:
        if is_begun or size == most:
            raise
        yield from _in_instance(given, merges, running, most)


def _in_instance(
    given: MergeInput, merges: Merges, running: Running, size: InstanceBytes
) -> Iterator[pa.RecordBatch]:
    """The merge's rows; a short answer's reader does not hold the instance."""
    with merges.instance(size.memory, size.temp, running) as connection:
        batches = merge(given, connection, running)
        ahead = list(islice(batches, 2))
        if len(ahead) == 2:
            yield from chain(ahead, batches)
            return
    yield from ahead


def merge(
    given: MergeInput, connection: duckdb.DuckDBPyConnection, running: Running
) -> Iterator[pa.RecordBatch]:
    """The merge's rows, from one DuckDB; stopping the query interrupts it."""
    plan = given.plan
    relations = {leaf.relation: leaf for leaf in base_relations(plan.merge)}
    sources = {relation: quote(f"relation_{relation}") for relation in relations}
    fetched = _fetched(plan, given.rows)
    try:
        with running.stoppable(connection.interrupt):
            for relation, leaf in relations.items():
                match leaf:
                    case Fetched():
                        table = fetched[leaf.fragment]
                    case BaseTable():
                        table = given.base_rows()[leaf.table.name]
                connection.register(f"relation_{relation}", table)
            sources |= {
                side.relation: _by_cells(side, sources[side.relation]) for side in plan.by_cells
            }
            sql = render(plan.merge, Dialect.DUCKDB, sources)
            install_called(connection, sql)
            running.check()
            reader = connection.sql(sql).to_arrow_reader(ROWS_PER_BATCH)
            schema = output_schema(plan)
            for batch in reader:
                running.check()
                if batch.num_rows:
                    yield conform(batch, schema)
            running.check()
            for relation in relations:
                connection.unregister(f"relation_{relation}")
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        running.check()
        raise _translated(error) from error


def _by_cells(side: ByCells, rows: str) -> str:
    """A fetched relation, each row once for every cell around its position."""
    cells = FUNCTIONS["cells_around"].sql_name
    position = f"{quote(side.ra)}, {quote(side.dec)}, {side.radius!r}::DOUBLE"
    return f"(SELECT *, unnest({cells}({position})) AS {quote(CELL)} FROM {rows})"


class MergeTooLarge(LimitExceeded):
    """A query would bring more rows to the merge than it may."""

    code = "MERGE_TOO_LARGE"

    def __init__(self, plan: Plan, max_rows: int) -> None:
        largest = max(plan.fragments, key=lambda fragment: fragment.estimated_sent)
        super().__init__(
            f"about {plan.rows_to_merge:,} rows would be fetched to be joined in one place, more than"
            f" {max_rows:,} (max_merge_rows); most are of {_tables_of(largest)}, because"
            f" {largest.why}. Add a region, a condition on a key, or join within the chunks:"
            " by a director's key, or within the margin"
        )


def _tables_of(fragment: Fragment) -> str:
    return ", ".join(source.table.name for source in fragment.sources)


def check_size(plan: Plan, max_rows: int) -> None:
    """Raise MergeTooLarge before any shard is asked; what aggregates in its chunks is not counted."""
    if plan.rows_to_merge > max_rows and not plan.is_concatenation:
        raise MergeTooLarge(plan, max_rows)


def output_schema(plan: Plan) -> pa.Schema:
    """The columns c0, c1... of the answer."""
    types = (SPELLINGS[output.type].arrow for output in plan.outputs)
    return pa.schema([(f"c{i}", type_) for i, type_ in enumerate(types)])


def _fetched(plan: Plan, rows: Sequence[Rows]) -> dict[str, pa.Table]:
    """Each fragment's rows as one table."""
    by_name: dict[str, list[Rows]] = defaultdict(list)
    for complete in rows:
        by_name[complete.fragment].append(complete)
    schemas = {fragment.name: fragment_schema(fragment) for fragment in plan.fragments}
    schemas |= {name: by_name[name][0].schema for name, _ in plan.uploaded}
    return {name: table_of(by_name[name], schema) for name, schema in schemas.items()}


class MergeOutOfMemory(LimitExceeded):
    """The merge of the shards' rows needs more memory or temporary space than it may use."""

    code = "MERGE_OUT_OF_MEMORY"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "merging the shards' rows needs more memory or temporary space than one query may use"
            f" (merge_memory_bytes, merge_temp_bytes): {reason};"
            " narrow the region, aggregate, or select fewer columns"
        )


def _translated(error: BaseException) -> SkyshardError:
    """DuckDB's error as ours."""
    kind = kind_of(error)
    if kind == OUT_OF_MEMORY:
        return MergeOutOfMemory(first_line(error))
    if kind in DATA_ERRORS:
        return QueryError(first_line(error))
    if isinstance(error, pa.ArrowInvalid) and "out of bounds" in str(error):
        # DuckDB reckons constants beyond 64 bits, which fit no column of the answer
        return QueryError("Out of Range Error: a whole number does not fit its type")
    return StoreError(f"the merge failed: {first_line(error)}")
