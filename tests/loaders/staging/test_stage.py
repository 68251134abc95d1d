"""Staging one contribution."""

from __future__ import annotations

import csv
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.readers.form import Form
from loaders.staging import stage as stage_module
from loaders.staging.convert import WrongType
from loaders.staging.matching import MissingColumn
from loaders.staging.rejects import HEADER, first_reasons, join_rejects
from loaders.staging.stage import ROW_NUMBER, Staged, StageTask, open_run, reject_path, stage
from loaders.staging.target import UNNAMED_ROWS, Target, UnnamedTableGrew, check_growth
from schema.catalog import HEALPIX_29, Catalog, Column, Role, Table
from schema.manifest import Manifest
from schema.placement import Family
from schema.topology import Topology
from schema.types import Type
from tests.loaders.skies import OBJECT, objects


def task(folder: Path, rows: pa.Table, *, reject_limit: int = 1000) -> StageTask:
    path = folder / "in.parquet"
    pq.write_table(rows, path)
    return StageTask(7, OBJECT, path, Form(), folder, reject_limit)


def test_a_run_is_sorted_and_numbered_as_in_the_file(tmp_path: Path) -> None:
    given = objects(1000)
    staged = stage(task(tmp_path, given))
    (run,) = staged.runs
    content = (tmp_path / "in.parquet").read_bytes()
    assert staged.sha256 == hashlib.sha256(content).hexdigest()
    rows = open_run(run)
    pixels = np.asarray(rows[HEALPIX_29])
    assert np.all(pixels[:-1] <= pixels[1:])
    restored = rows.sort_by(ROW_NUMBER).select(given.column_names)
    assert restored.to_pydict() == given.to_pydict()
    assert rows.sort_by(ROW_NUMBER)[ROW_NUMBER].to_pylist() == list(range(1, 1001))


def test_runs_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "RUN_BYTES", 1)
    monkeypatch.setattr("loaders.readers.source.BATCH_BYTES", 1)
    staged = stage(task(tmp_path, objects(10_000)))
    assert [run.rows for run in staged.runs] == [4096, 4096, 1808]


def test_the_density_counts_every_row(tmp_path: Path) -> None:
    staged = stage(task(tmp_path, objects(1000)))
    assert staged.counts.sum() == staged.rows == 1000
    assert np.all(staged.pixels[:-1] < staged.pixels[1:])


def test_a_task_and_its_result_can_travel(tmp_path: Path) -> None:
    sent = pickle.loads(pickle.dumps(task(tmp_path, objects(100))))
    back = pickle.loads(pickle.dumps(stage(sent)))
    assert (back.rows, back.rejects, back.unknown) == (100, 0, ())
    assert len(pickle.dumps(back)) < 20_000


def test_reading_ends_at_the_limit_of_rejects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.readers.source.BATCH_BYTES", 1)
    rows = objects(20_000).set_column(1, "ra", pa.nulls(20_000, pa.float64()))
    staged = stage(task(tmp_path, rows, reject_limit=5000))
    assert staged.rejects == 2 * 4096


def test_rejects_are_joined_with_a_header(tmp_path: Path) -> None:
    rows = objects(3).set_column(1, "ra", pa.array([None, 1.0, 400.0]))
    staged = stage(task(tmp_path, rows))
    joined = join_rejects([reject_path(staged.task), tmp_path / "none"], tmp_path / "out" / "r.csv")
    assert joined is not None
    with joined.open() as file:
        assert tuple(next(csv.reader(file))) == HEADER
    assert first_reasons(joined) == [
        "in.parquet row 1: column 'ra' is NULL",
        "in.parquet row 3: position 'ra' is outside 0..360 degrees",
    ]


def test_no_rejects_no_file(tmp_path: Path) -> None:
    staged = stage(task(tmp_path, objects(3)))
    assert join_rejects([reject_path(staged.task)], tmp_path / "r.csv") is None
    assert not (tmp_path / "r.csv").exists()


@pytest.mark.parametrize("is_named", [True, False])
def test_a_large_table_needs_a_line_in_the_layout(*, is_named: bool, tmp_path: Path) -> None:
    table = Table("Big", (Column("n", Type.LONG),), Role.REPLICATED, is_named=is_named)
    none = np.empty(0, np.int64)
    sent = StageTask(0, table, tmp_path, Form(), tmp_path, 1)
    staged = Staged(sent, (), UNNAMED_ROWS + 1, 0, (), "", none, none)
    manifest = Manifest("x", 0, (), ())
    catalog = Catalog("x", (table,))
    target = Target(catalog, manifest, (table,), Topology("", ()), 1, Family("sky", 1))
    if is_named:
        check_growth(target, [staged])
        return
    with pytest.raises(UnnamedTableGrew, match="Big would have 1000001 rows; above 1000000 the"):
        check_growth(target, [staged])


def test_a_file_that_cannot_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingColumn, match=r"in.parquet has no column 'ra', which Object needs"):
        stage(task(tmp_path, objects(3).drop_columns(["ra"])))
    with pytest.raises(WrongType, match=r"'seen' is int64 in .*in.parquet; timestamp is needed"):
        stage(task(tmp_path, objects(3).set_column(6, "seen", pa.array([1, 2, 3]))))
