"""What earlier ingests published, asked of the shards: resolve's view of the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from loaders.readers.source import I64
from loaders.staging.convert import arrow_type
from loaders.staging.resolve import index_key
from procedures.director_index import (
    EMPTY,
    KeyMap,
    keys_with_rows,
    lookup,
    read_index_part,
    with_failover,
)
from procedures.parts import part_columns, read_part
from procedures.pools import Pools
from schema.catalog import Catalog, Table
from schema.manifest import Manifest, Part, PartKind
from schema.topology import ShardId


@dataclass(frozen=True, slots=True)
class PublishedRows:
    """One snapshot's director indexes."""

    pools: Pools
    catalog: Catalog
    manifest: Manifest

    def find(self, table: str, keys: I64) -> KeyMap:
        """The keys that the table's director index knows, orphans' keys too."""
        return lookup(self.pools, self.manifest, table, keys)

    def read(self, part: Part, table: Table) -> pa.Table:
        """The own rows of a part, in the table's stored columns, from any of its shards."""
        return read_rows(self, part, table, part.own_name)

    def with_rows(self, table: str, known: KeyMap) -> I64:
        """Those of the known keys that have a row in the table itself (not orphans' keys)."""
        model = self.catalog.table(table)
        key = None if model is None else index_key(self.catalog, model)
        if model is None or key is None:
            return EMPTY.keys
        return keys_with_rows(self.pools, self.manifest, model, key, known)

    def keys(self, table: Table) -> pa.Table:
        """The primary keys of a replicated table's rows."""
        return primary_keys(self.pools, self.manifest.parts_of(table.name, PartKind.WHOLE), table)


def primary_keys(pools: Pools, parts: Iterable[Part], table: Table) -> pa.Table:
    """The primary keys of parts of a replicated table, each asked on one of its shards."""

    def ask(part: Part, shard_id: ShardId) -> pa.Table:
        with pools.arrow(shard_id) as connection:
            return read_part(connection, part.own_name, table.primary_key)

    columns = [column for column in table.columns if column.name in table.primary_key]
    schema = pa.schema([(column.name, arrow_type(column)) for column in columns])
    found = [schema.empty_table()]
    for part in parts:
        rows = with_failover([replica.shard_id for replica in part.replicas], partial(ask, part))
        found.append(rows.select(schema.names).cast(schema))
    return pa.concat_tables(found)


def read_rows(known: PublishedRows, part: Part, table: Table, name: str) -> pa.Table:
    """The rows of one of a part's tables, from any of its shards.

    In the stored columns that `table` has now: those that came after the part are NULL.
    """
    columns = part_columns(part, table)

    def ask(shard_id: ShardId) -> pa.Table:
        with known.pools.arrow(shard_id) as connection:
            return read_part(connection, name, columns)

    rows = with_failover([replica.shard_id for replica in part.replicas], ask)
    for place, column in enumerate(table.stored_columns()):
        if column.name not in rows.schema.names:
            nulls = pa.nulls(rows.num_rows, arrow_type(column))
            rows = rows.add_column(place, column.name, nulls)
    return rows


def read_index(pools: Pools, parts: Iterable[Part]) -> KeyMap:
    """The entries of parts of a director index, the older first; the newest of each key."""
    found = EMPTY
    for part in parts:
        shards = [replica.shard_id for replica in part.replicas]
        found = found.merged(with_failover(shards, partial(_entries, pools, part)))
    return found


def _entries(pools: Pools, part: Part, shard_id: ShardId) -> KeyMap:
    return read_index_part(pools, shard_id, part)
