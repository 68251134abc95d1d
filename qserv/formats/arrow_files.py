"""Parquet files and Arrow streams, written as rows come."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from pyarrow import parquet

from qserv.formats.outbox import Outbox
from qserv.formats.slices import described_schema, slices
from qserv.formats.votable_frame import describing_document
from qserv.result import Answer

ROW_GROUP_ROWS = 131_072
"""Rows of a Parquet row group; what is held before any of it can be written."""
ROW_GROUP_BYTES = 64 * 2**20


def write_arrow(answer: Answer) -> Iterator[bytes]:
    """Arrow's IPC stream format; units and descriptions are metadata of its fields."""
    outbox = Outbox()
    schema = described_schema(answer.columns)
    with pa.ipc.new_stream(outbox, schema) as writer:
        for batch in slices(answer):
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
            yield outbox.collect()
    yield outbox.collect()


def write_parquet(answer: Answer) -> Iterator[bytes]:
    """Parquet (zstd), with the VOTable that describes it as VOParquet 1.0 has it."""
    outbox = Outbox()
    document = describing_document(answer).decode()
    schema = described_schema(answer.columns).with_metadata(
        {"IVOA.VOTable-Parquet.version": "1.0", "IVOA.VOTable-Parquet.content": document}
    )
    writer = parquet.ParquetWriter(outbox, schema, compression="zstd")
    for group in _row_groups(answer):
        table = pa.Table.from_batches(
            [pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in group], schema
        )
        writer.write_table(table, row_group_size=max(1, table.num_rows))
        yield outbox.collect()
    writer.close()
    yield outbox.collect()


def _row_groups(answer: Answer) -> Iterator[list[pa.RecordBatch]]:
    """Batches that together fill a row group."""
    group: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in slices(answer):
        group.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group
