"""The spool: memory first, then disk; what is not complete never counts; bounds are errors."""

from __future__ import annotations

import stat
from pathlib import Path

import pyarrow as pa
import pytest

from qserv.spool import (
    FragmentTooLong,
    Rows,
    Spool,
    SpoolFull,
    SpoolLimits,
    SpoolMemory,
    SpoolUnwritable,
    table_of,
)

SCHEMA = pa.schema([("c0", pa.int64())])
LIMITS = SpoolLimits(memory_bytes=1000, max_bytes=100_000, max_fragment_rows=1000)


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=SCHEMA)


def numbers_of(rows: Rows) -> list[int]:
    return [number for part in rows.batches() for number in part["c0"].to_pylist()]


def test_rows_come_back_in_order_from_memory_and_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", LIMITS)
    writer = spool.writer("f0", SCHEMA)
    for start in range(0, 500, 50):
        writer.write(batch(*range(start, start + 50)))
    rows = writer.complete()
    assert rows.path is not None
    assert len(rows.held) == 2
    assert numbers_of(rows) == list(range(500)) == numbers_of(rows)
    assert table_of([rows, rows], SCHEMA).num_rows == 1000


def test_few_rows_touch_no_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", LIMITS)
    writer = spool.writer("f0", SCHEMA)
    writer.write(batch(1, 2))
    assert numbers_of(writer.complete()) == [1, 2]
    assert not (tmp_path / "query").exists()


def test_a_discarded_attempt_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", LIMITS)
    for _ in range(5):
        writer = spool.writer("f0", SCHEMA)
        writer.write(batch(*range(900)))
        writer.discard()
    assert spool.total_bytes == 0
    assert list((tmp_path / "query").iterdir()) == []


def test_its_folder_is_private_and_goes_with_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", LIMITS)
    writer = spool.writer("f0", SCHEMA)
    writer.write(batch(*range(900)))
    assert stat.S_IMODE((tmp_path / "query").stat().st_mode) == 0o700
    spool.close()
    assert not (tmp_path / "query").exists()


def test_too_many_bytes_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", SpoolLimits(100, 1000, 10_000))
    with pytest.raises(SpoolFull, match=r"max_spool_bytes.*aggregate"):
        spool.writer("f0", SCHEMA).write(batch(*range(200)))


def test_too_many_rows_of_one_fragment_are_an_error(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", LIMITS)
    spool.writer("f0", SCHEMA).write(batch(*range(600)))
    spool.writer("f1", SCHEMA).write(batch(*range(600)))
    with pytest.raises(FragmentTooLong, match="max_fragment_rows"):
        spool.writer("f0", SCHEMA).write(batch(*range(600)))


def test_spools_share_memory_and_give_it_back(tmp_path: Path) -> None:
    memory = SpoolMemory(1000)
    first, second = (Spool(tmp_path / name, LIMITS, memory) for name in "ab")
    first.writer("f0", SCHEMA).write(batch(*range(100)))
    second.writer("f0", SCHEMA).write(batch(*range(100)))
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "b").exists()
    first.close()
    assert memory.take(1000)


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "query", SpoolLimits(0, 1000, 1000))
    with pytest.raises(SpoolUnwritable):
        spool.writer("f0", SCHEMA).write(batch(1))


def test_writing_after_the_end_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", LIMITS)
    writer = spool.writer("f0", SCHEMA)
    spool.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(batch(1))
    writer.discard()


def test_rows_that_were_passed_on_make_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "query", SpoolLimits(1000, 10_000, 10**6))
    for _ in range(20):
        writer = spool.writer("f0", SCHEMA)
        writer.write(batch(*range(100)))
        writer.write(batch(*range(900)))
        spool.release(writer.complete())
    assert spool.total_bytes == 0
    assert list((tmp_path / "query").iterdir()) == []
