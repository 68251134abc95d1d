"""Files written into a live table, batch by batch, in one unit."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from loaders.live.unit import Changed, Unit
from loaders.readers.read import open_source
from loaders.staging.matching import match_columns
from procedures.live_tables import RowsRefused


def write_file(unit: Unit, table: str, path: Path, *, is_insert: bool = False) -> Changed:
    """Upsert (or insert) a file's rows. Raises RowsRefused where a line cannot be read."""
    found = unit.target.table(table)
    source = open_source(path, found)
    matching = match_columns(found, source.names, str(path))
    came = went = 0
    for batch in source.batches(matching.wanted):
        if batch.bad:
            line = batch.bad[0]
            raise RowsRefused(f"{path}: row {line.number}: {line.reason}; nothing was changed")
        rows = pa.Table.from_batches([batch.rows])
        done = unit.insert(table, rows) if is_insert else unit.upsert(table, rows)
        came, went = came + done.came, went + done.went
    return Changed(came, went, matching.unknown)
