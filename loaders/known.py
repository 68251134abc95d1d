"""What earlier ingests published, asked of the shards: resolve's view of the store."""

from __future__ import annotations

from dataclasses import dataclass

from procedures.pools import Pools

from loaders.resolve import index_key
from loaders.source import I64
from procedures.director_index import EMPTY, KeyMap, keys_with_rows, lookup
from schema.catalog import Catalog
from schema.manifest import Manifest


@dataclass(frozen=True, slots=True)
class PublishedRows:
    """One snapshot's director indexes."""

    pools: Pools
    catalog: Catalog
    manifest: Manifest

    def find(self, table: str, keys: I64) -> KeyMap:
        """The keys that the table's director index knows, orphans' keys too."""
        return lookup(self.pools, self.manifest, table, keys)

    def with_rows(self, table: str, known: KeyMap) -> I64:
        """Those of the known keys that have a row in the table itself (not orphans' keys)."""
        model = self.catalog.table(table)
        key = None if model is None else index_key(self.catalog, model)
        if model is None or key is None:
            return EMPTY.keys
        return keys_with_rows(self.pools, self.manifest, model, key, known)
