"""Laws of all readers: what was written is read, and damaged files are told, whatever is wrong with them."""

from __future__ import annotations

import gzip
import random
import string
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.readers.read import open_source
from loaders.staging.matching import match_columns
from loaders.staging.validate import Conformer
from schema.catalog import Column, Role, Table
from schema.errors import SkyshardError
from schema.types import Type
from tests.loaders.readers.test_forms import WRITERS

KINDS = {
    "a": Type.SHORT,
    "b": Type.INT,
    "c": Type.LONG,
    "d": Type.FLOAT,
    "e": Type.DOUBLE,
    "f": Type.TEXT,
    "g": Type.BOOLEAN,
    "h": Type.TIMESTAMP,
}
TABLE = Table("Any", tuple(Column(name, kind) for name, kind in KINDS.items()), Role.REPLICATED)
SCHEMA = pa.schema(
    [
        *(("a", pa.int16()), ("b", pa.int32()), ("c", pa.int64()), ("d", pa.float32())),
        *(("e", pa.float64()), ("f", pa.string()), ("g", pa.bool_()), ("h", pa.timestamp("us"))),
    ]
)
EARLY, LATE = datetime.fromisoformat("1700-01-01"), datetime.fromisoformat("2200-01-01")
TEXTS = st.text(string.printable + "éß日", max_size=8).filter(lambda text: text == text.strip())
CELLS = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-(2**15), 2**15 - 1),
        "b": st.none() | st.integers(-(2**31), 2**31 - 1),
        "c": st.none() | st.integers(-(2**63), 2**63 - 1),
        "d": st.none() | st.floats(width=32, allow_nan=False),
        "e": st.none() | st.floats(allow_nan=False),
        "f": st.none() | TEXTS,
        "g": st.none() | st.booleans(),
        "h": st.none() | st.datetimes(EARLY, LATE),
    }
)


def write_parquet(path: Path, rows: pa.Table) -> None:
    pq.write_table(rows, path)


def write_arrow(path: Path, rows: pa.Table) -> None:
    with pa.ipc.new_file(path, rows.schema) as writer:
        writer.write_table(rows)


def write_avro(path: Path, rows: pa.Table) -> None:
    time: Any = {"type": "long", "logicalType": "local-timestamp-micros"}
    kinds = ["int", "int", "long", "float", "double", "string", "boolean", time]
    fields = [
        {"name": n, "type": ["null", k]} for n, k in zip(rows.column_names, kinds, strict=True)
    ]
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, rows.to_pylist())


def write_csv(path: Path, rows: pa.Table) -> None:
    texts = rows.set_column(7, "h", rows["h"].cast(pa.string()))
    pc_csv.write_csv(texts, path)


def write_dump(path: Path, rows: pa.Table) -> None:
    signs = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}

    def cell(value: object) -> str:
        if value is None:
            return "\\N"
        text = str(int(value)) if isinstance(value, bool) else str(value)
        return "".join(signs.get(sign, sign) for sign in text)

    lines = ("\t".join(map(cell, row.values())) + "\n" for row in rows.to_pylist())
    path.write_text("".join(lines), encoding="utf-8", newline="")


WRITE: dict[str, Callable[[Path, pa.Table], None]] = {
    "x.parquet": write_parquet,
    "x.arrow": write_arrow,
    "x.avro": write_avro,
    "x.csv": write_csv,
    "x.outfile": write_dump,
}


def taken(path: Path, table: Table = TABLE) -> pa.Table:
    """The rows of a file as an ingest takes them; none of them may be a reject."""
    source = open_source(path, table)
    matching = match_columns(table, source.names)
    with Conformer(table, matching) as conformer:
        found = [conformer.conform(batch) for batch in source.batches(matching.wanted)]
    assert [reject for one in found for reject in one.rejects] == []
    return pa.concat_tables(one.rows for one in found)


@pytest.mark.parametrize("name", WRITE)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(CELLS, min_size=1, max_size=5))
def test_what_is_written_is_read(name: str, tmp_path: Path, rows: list[dict[str, object]]) -> None:
    given_rows = pa.Table.from_pylist(rows, SCHEMA)
    WRITE[name](tmp_path / name, given_rows)
    assert taken(tmp_path / name).to_pylist() == given_rows.to_pylist()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(CELLS, min_size=1, max_size=5))
def test_what_fits_holds_is_read(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    names = ("a", "b", "c", "d", "e")
    given_rows = pa.Table.from_pylist(rows, SCHEMA).select(list(names))
    filled = [given_rows[n].fill_null(0).to_numpy() for n in names]
    formats = dict(zip(names, ("I", "J", "K", "E", "D"), strict=True))
    columns = [
        fits.Column(n, formats[n], array=values) for n, values in zip(names, filled, strict=True)
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "x.fits", overwrite=True)
    table = Table("Any", TABLE.columns[:5], Role.REPLICATED)
    found = taken(tmp_path / "x.fits", table)
    for name, values in zip(names, filled, strict=True):
        assert np.array_equal(found[name].to_numpy(), values)


def outcome(path: Path) -> str:
    """How reading a file ends: `rows`, or the code of the error. Anything else is a bug."""
    try:
        source = open_source(path, TABLE)
        for batch in source.batches(source.names):
            assert len(batch.numbers) == batch.rows.num_rows
    except SkyshardError as error:
        return error.code if str(path) in str(error) else f"{error} names no file"
    return "rows"


DAMAGED = ["x.parquet", "x.arrow", "x.arrows", "x.avro", "x.fits", "x.vot", "x.csv", "x.outfile"]


def undamaged(path: Path) -> bytes:
    """A small file of a format."""
    if path.name in WRITE:
        row = {"a": 1, "b": 2, "c": 3, "d": 0.5, "e": 0.5, "f": "text", "g": True, "h": None}
        WRITE[path.name](path, pa.Table.from_pylist([row] * 20, SCHEMA))
    else:
        WRITERS[path.name](path)
    return path.read_bytes()


@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")
@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_was_cut_off_is_told(name: str, packing: str, tmp_path: Path) -> None:
    content = undamaged(tmp_path / name)
    if packing and name != "x.parquet":
        content = gzip.compress(content)
    path = tmp_path / f"{name}{packing}"
    ends = set(range(0, len(content), max(1, len(content) // 12)))
    outcomes = {}
    for end in ends:
        path.write_bytes(content[:end])
        outcomes[end] = outcome(path)
    assert set(outcomes.values()) <= {"rows", "UNREADABLE_FILE"}
    if packing or not name.endswith(("csv", "outfile")):
        halves = [found for end, found in outcomes.items() if 0 < end < len(content) * 0.6]
        assert set(halves) == {"UNREADABLE_FILE"}


@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")
@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_whose_bytes_are_damaged_is_read_or_told(name: str, tmp_path: Path) -> None:
    rng, path = random.Random(name), tmp_path / name
    content = undamaged(path)
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 1, 4, 16])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged)
        assert outcome(path) in {"rows", "UNREADABLE_FILE"}
