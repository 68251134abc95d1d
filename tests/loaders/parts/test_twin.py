"""Columnar twins."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.parts.twin import ROW_GROUP, drop_twin, write_twins
from tests.loaders.skies import objects


def test_a_twin_is_lz4_in_row_groups_of_a_hundred_thousand(tmp_path: Path) -> None:
    rows = pa.table({"a": range(ROW_GROUP + 1)})
    write_twins(tmp_path / "twins", {"p1": rows})
    footer = pq.read_metadata(tmp_path / "twins" / "p1.parquet")
    assert [footer.row_group(k).num_rows for k in range(2)] == [ROW_GROUP, 1]
    assert footer.row_group(0).column(0).compression == "LZ4"


def test_only_its_owner_reads_the_folder(tmp_path: Path) -> None:
    write_twins(tmp_path / "twins", {"p1": objects(1)})
    assert (tmp_path / "twins").stat().st_mode & 0o777 == 0o700


def test_an_unfinished_twin_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "p1.partial").write_bytes(b"half")
    write_twins(tmp_path, {"p1": objects(10)})
    assert [path.name for path in tmp_path.iterdir()] == ["p1.parquet"]
    assert pq.read_table(tmp_path / "p1.parquet").equals(objects(10))


def test_twins_are_dropped_complete_or_not(tmp_path: Path) -> None:
    write_twins(tmp_path, {"p1": objects(1)})
    (tmp_path / "p2.partial").write_bytes(b"half")
    for name in ("p1", "p2", "p3"):
        drop_twin(tmp_path, name)
    assert list(tmp_path.iterdir()) == []
