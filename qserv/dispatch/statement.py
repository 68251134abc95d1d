"""The SQL text of one batch of chunks, for the engine that will run it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from qserv.chunk_sql import dialect_of, source_sql
from qserv.dispatch.assign import Batch
from qserv.parts import PartIndex
from qserv.planned import Engine, Reading
from qserv.render import render
from schema.topology import Shard


def statement(
    batch: Batch, parts: Mapping[str, PartIndex], shard: Shard, *, is_careful: bool = False
) -> str:
    """What the batch's shard is asked, its columns c0, c1...; `is_careful` as in `render`."""
    twins = shard.twins if batch.engine is Engine.SCAN else None
    sources = {}
    for source in batch.fragment.sources:
        index = parts[source.catalog.name]
        if source.reading is Reading.WHOLE:
            read = index.whole(source.table.name)
        else:
            read = index.in_chunks(source.table.name, batch.pixels)
        sources[source.relation] = source_sql(source, read, batch.pixels, twins=twins)
    return render(batch.fragment.query, dialect_of(twins), sources, is_careful=is_careful)
