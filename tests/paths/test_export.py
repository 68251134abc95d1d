"""Rows out in bulk: whole, the same each time, and back in with equal checksums."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from loaders.exports.export import ExportIncomplete
from loaders.exports.folder import ExportBusy, ExportMismatch, asked_before, open_folder
from loaders.fail_points import VARIABLE
from loaders.ingest import Contribution, ingest
from procedures.catalogs import create_catalog
from qserv.export import ExportReport, Wish, export
from qserv.export_condition import ExportRefused
from qserv.leases import oldest_pins
from qserv.limits import Limits
from qserv.store import Store
from schema.catalog import HEALPIX_29
from schema.checksum import checksum
from schema.errors import QueryError
from tests.support import diff_sky
from tests.support.postgres import Server
from tests.support.sharded import Sharded, rows_of, sharded_store

pytestmark = pytest.mark.postgres
PLACED = ("Object", "Source", "DiaObject")
CHILD = "ForcedSource"
HAS_PLACE = "ra IS NOT NULL AND dec IS NOT NULL"


@pytest.fixture(scope="module")
def sharded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharded]:
    """Two shards, three ingests; only read by the tests."""
    catalog = replace(diff_sky.CATALOG, replicas=1)
    folder = tmp_path_factory.mktemp("export")
    with sharded_store(server, catalog, diff_sky.as_ingests(3), shards=2, folder=folder) as made:
        yield made


@pytest.fixture
def store(sharded: Sharded) -> Store:
    return sharded.store


@pytest.fixture(scope="module")
def home(sharded: Sharded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same servers for the command line."""
    topology = sharded.store.topology
    shards = "".join(
        f'[[shards]]\ndsn = "{one.dsn}"\nscan = "{one.scan}"\ntwins = "{one.twins}"\n'
        for one in topology.shards
    )
    token = f'scan_token = "{topology.scan_token}"\n'
    made = Path(tmp_path_factory.mktemp("home"))
    coordinator = f'[coordinator]\ndsn = "{topology.coordinator}"\n'
    (made / "skyshard.toml").write_text(token + coordinator + shards)
    return made


def exported(
    store: Store, folder: Path, form: str, table: str | None = None, **more: Any
) -> ExportReport:
    return export(Wish("diff", folder, form, table, **more), store, Limits())


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def leaves(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))


def ids(rows: pa.Table, column: str) -> list[int]:
    return sorted(rows[column].to_pylist())


def read(files: Sequence[Path]) -> pa.Table:
    return pa.concat_tables(pq.read_table(file, partitioning=None) for file in files)


def asked(store: Store, text: str) -> list[int]:
    return sorted(row[0] for row in rows_of(text, store)[1])  # type: ignore[type-var]


def command(home: Path, *words: str, fail_at: str = "") -> subprocess.CompletedProcess[str]:
    """`skyshard export` on the same servers."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKYSHARD_")}
    line = [sys.executable, "-m", "workers.cli.main", "export", *words]
    return subprocess.run(
        [*line, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        env={**clean, VARIABLE: fail_at},
        timeout=120,
    )


# ------------------------------------------------------------------ what is in the files


def test_every_table_goes_out_once_and_the_manifest_says_so(store: Store, tmp_path: Path) -> None:
    report = exported(store, tmp_path / "out", "parquet")
    given = diff_sky.rows()
    assert {one.table: one.rows for one in report.tables} == {
        table: rows.num_rows for table, rows in given.items()
    }
    told = manifest(tmp_path / "out")
    assert (told["state"], told["catalog"], told["snapshot"]) == ("finished", "diff", 3)
    for file in told["files"]:
        content = (tmp_path / "out" / file["path"]).read_bytes()
        rows = pq.read_table(tmp_path / "out" / file["path"], partitioning=None)
        assert (file["bytes"], file["rows"]) == (len(content), rows.num_rows)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert int(file["checksum"]) == checksum(rows, rows.column_names)
        assert not any(name.startswith("_") for name in rows.column_names)
    files = {path.relative_to(tmp_path / "out").as_posix() for path in leaves(tmp_path / "out")}
    assert files == {file["path"] for file in told["files"]}


def test_checksums_are_those_of_the_input(store: Store, tmp_path: Path) -> None:
    report = exported(store, tmp_path / "out", "parquet", "Source")
    given = diff_sky.rows()["Source"]
    assert report.tables[0].checksum == checksum(given, given.column_names)


def test_the_same_export_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    for form in ("hats", "fits"):
        told = []
        for run in ("first", "second"):
            exported(store, tmp_path / form / run, form, "Object", workers=3)
            told.append({f["path"]: f["sha256"] for f in manifest(tmp_path / form / run)["files"]})
        assert told[0] == told[1]


def test_csv_and_fits_hold_the_rows_too(store: Store, tmp_path: Path) -> None:
    expected = asked(store, "SELECT objectId FROM diff.Object")
    exported(store, tmp_path / "csv", "csv", "Object")
    exported(store, tmp_path / "fits", "fits", "Object")
    in_csv: list[int] = []
    for file in (tmp_path / "csv").rglob("*.csv"):
        with file.open(newline="") as lines:
            in_csv += [int(row["objectId"]) for row in csv.DictReader(lines)]
    in_fits: list[int] = []
    for file in (tmp_path / "fits").rglob("*.fits"):
        with fits.open(file) as found:
            in_fits += found[1].data["objectId"].tolist()
    assert sorted(in_csv) == sorted(in_fits) == expected


# ------------------------------------------------------------------ which rows


@pytest.mark.parametrize(
    ("where", "adql"),
    [
        ("circle 0 0 20", "1 = CONTAINS(POINT(ra, dec), CIRCLE(0, 0, 20))"),
        ("Circle 0,89.0, 12.5", "1 = CONTAINS(POINT(ra, dec), CIRCLE(0, 89, 12.5))"),
        (
            "polygon 350 -20 20 -20 20 20 350 20",
            "1 = CONTAINS(POINT(ra, dec), POLYGON(350, -20, 20, -20, 20, 20, 350, 20))",
        ),
        ("gFlux > 100 OR kind = 'star' -- bright ones", "gFlux > 100 OR kind = 'star'"),
        ("objectId IN (1017, 1004, 3900)", "objectId IN (1017, 1004, 3900)"),
        (
            "objectId IN (SELECT objectId FROM diff.ForcedSource WHERE psfFlux > 10)",
            "objectId IN (SELECT objectId FROM diff.ForcedSource WHERE psfFlux > 10)",
        ),
    ],
)
def test_a_condition_takes_the_rows_that_a_query_takes(
    where: str, adql: str, store: Store, tmp_path: Path
) -> None:
    expected = asked(store, f"SELECT objectId FROM diff.Object WHERE {adql}")
    report = exported(store, tmp_path / "out", "hats", "Object", condition=where)
    assert report.tables[0].rows == len(expected) > 0
    assert ids(read(leaves(tmp_path / "out")), "objectId") == expected


def test_a_region_of_a_whole_catalog_takes_what_lies_in_it_and_with_it(
    store: Store, tmp_path: Path
) -> None:
    report = exported(store, tmp_path / "out", "csv", condition="circle 0 0 25")
    rows = {one.table: one.rows for one in report.tables}
    inside = "1 = CONTAINS(POINT(ra, dec), CIRCLE(0, 0, 25))"
    tables = ("Object", "ForcedSource", "Source", "DiaObject", "DiaSource")
    texts = {table: f"SELECT COUNT(*) FROM diff.{table} WHERE {inside}" for table in tables}
    for table, parent, key in (
        ("ObjectSource", "Object", "objectId"),
        ("ObjectDia", "Object", "objectId"),
        ("SSSource", "DiaSource", "diaSourceId"),
    ):
        texts[table] = (
            f"SELECT COUNT(*) FROM diff.{table}"
            f" WHERE {key} IN (SELECT {key} FROM diff.{parent} WHERE {inside})"
        )
    assert rows == {
        **{table: asked(store, text)[0] for table, text in texts.items()},
        "Visit": diff_sky.rows()["Visit"].num_rows,
        "Filter": diff_sky.rows()["Filter"].num_rows,
    }


def test_what_no_row_fulfils_is_a_finished_export_without_files(
    store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path / "out", "hats", "Object", condition="objectId = -5")
    told = manifest(tmp_path / "out")
    assert (told["state"], told["files"], told["totals"]["Object"]["rows"]) == ("finished", [], 0)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (("Object", "csv", "circle 10 20"), "a region is"),
        (("Object", "csv", "1 = 1) ORDER BY (objectId"), "nothing behind it"),
        (("Object", "csv", "1 = 1) UNION (SELECT * FROM diff.Object"), "nothing behind it"),
        (("Object", "csv", "gFlux > (SELECT AVG(gFlux) FROM diff.Object)"), "cannot judge this"),
        (("Object", "csv", "noSuchColumn > 5"), "noSuchColumn"),
        ((None, "csv", "gFlux > 5"), "say CATALOG.TABLE"),
        (("Objekt", "csv", None), "did you mean 'Object'"),
        (("Object", "xlsx", None), "no format"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_a_file_is_written(
    wish: tuple[str | None, str, str | None], message: str, store: Store, tmp_path: Path
) -> None:
    table, form, where = wish
    with pytest.raises((ExportRefused, QueryError), match=message):
        exported(store, tmp_path / "out", form, table, condition=where)
    assert not (tmp_path / "out" / str(table)).exists()


def test_rows_without_a_position_are_refused_in_hats_and_go_out_in_parquet(
    server: Server, tmp_path: Path
) -> None:
    objects = diff_sky.rows()["Object"]
    key = objects["objectId"][0].as_py()
    forced = diff_sky.rows()[CHILD].slice(0, 40)
    nowhere = forced.slice(0, 3).set_column(
        forced.column_names.index("ra"), "ra", pa.nulls(3, pa.float64())
    )
    nowhere = nowhere.set_column(1, "objectId", pa.array([key] * 3, pa.int64()))
    rows = {"Object": objects, CHILD: pa.concat_tables([nowhere, forced.slice(3)])}
    with sharded_store(
        server, diff_sky.CATALOG, [rows], shards=1, folder=tmp_path / "sky", engines=False
    ) as one:
        with pytest.raises(ExportRefused, match="3 of these rows of ForcedSource have no position"):
            exported(one.store, tmp_path / "hats", "hats", CHILD)
        assert leaves(tmp_path / "hats") == []
        assert exported(one.store, tmp_path / "out", "parquet", CHILD).tables[0].rows == 40


def test_a_hats_export_gives_tables_without_a_place_as_parquet(
    store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path / "out", "hats", "Visit")
    assert leaves(tmp_path / "out") == [tmp_path / "out" / "Visit" / "Visit.parquet"]


def test_a_snapshot_is_exported_as_it_was(store: Store, tmp_path: Path) -> None:
    first = diff_sky.as_ingests(3)[0]["Object"]
    report = exported(store, tmp_path / "out", "parquet", "Object", snapshot="1")
    assert report.tables[0].checksum == checksum(first, first.column_names)


# ------------------------------------------------------------------ HATS


def test_each_leaf_holds_the_rows_of_its_own_pixel(store: Store, tmp_path: Path) -> None:
    hats = pytest.importorskip("hats")
    from hats.io.validation import is_valid_catalog

    exported(store, tmp_path / "out", "hats", CHILD, condition=HAS_PLACE)
    folder = tmp_path / "out" / CHILD
    assert is_valid_catalog(folder, strict=True)
    found = hats.read_hats(folder)
    expected = asked(store, f"SELECT forcedSourceId FROM diff.{CHILD} WHERE {HAS_PLACE}")
    assert found.catalog_info.total_rows == len(expected)
    for pixel in found.get_healpix_pixels():
        rows = pq.read_table(hats.io.pixel_catalog_file(folder, pixel), partitioning=None)
        shift = 2 * (29 - pixel.order)
        places = rows[HEALPIX_29].to_pylist()
        assert places == sorted(places)
        assert {place >> shift for place in places} == {pixel.pixel}
        assert [name for name in rows.column_names if name.startswith("_")] == [HEALPIX_29]
    assert ids(read(leaves(folder)), "forcedSourceId") == expected


@pytest.mark.parametrize("table", PLACED)
def test_a_directors_hats_catalog_is_valid(table: str, store: Store, tmp_path: Path) -> None:
    pytest.importorskip("hats")
    from hats.io.validation import is_valid_catalog

    report = exported(store, tmp_path / "out", "hats", table)
    assert is_valid_catalog(tmp_path / "out" / table, strict=True)
    assert report.tables[0].rows == diff_sky.rows()[table].num_rows


def test_lsdb_opens_it(store: Store, tmp_path: Path) -> None:
    lsdb = pytest.importorskip("lsdb")
    exported(store, tmp_path / "out", "hats", "Object")
    catalog = lsdb.open_catalog(tmp_path / "out" / "Object")
    assert len(catalog.compute()) == diff_sky.rows()["Object"].num_rows


def test_what_goes_out_comes_in_again_with_equal_checksums(store: Store, tmp_path: Path) -> None:
    names = ("Object", "Source", "DiaObject", "DiaSource", "Visit")
    first = {
        name: exported(store, tmp_path / "first" / name, "hats", name, condition=condition)
        for name in names
        for condition in [HAS_PLACE if name == "DiaSource" else None]
    }
    with store.pools.coordinator() as connection:
        create_catalog(connection, replace(diff_sky.CATALOG, name="again", replicas=1))
        connection.commit()
    files = [Contribution(n, file) for n in names for file in leaves(tmp_path / "first" / n)]
    ingest(
        "again",
        files,
        pools=store.pools,
        topology=store.topology,
        spool=tmp_path / "spool",
    )
    second = export(Wish("again", tmp_path / "second", "parquet"), store, Limits())
    found = {one.table: (one.rows, one.checksum) for one in second.tables}
    for name in names:
        told = first[name].tables[0]
        assert found[name] == (told.rows, told.checksum)


# ------------------------------------------------------------------ interrupted


@pytest.mark.parametrize("place", ["export.written", "export.recorded"])
def test_a_killed_export_goes_on_with_what_is_not_finished(
    place: str, store: Store, home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    words = ("diff.Object", "--to", str(folder), "--format", "hats", "--workers", "1")
    killed = command(home, *words, fail_at=f"{place}=kill@4")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert manifest(folder)["state"] == "unfinished"
    before = {path: path.stat().st_mtime_ns for path in leaves(folder)}
    assert len(before) == 4
    (folder / "Object" / "dataset" / "half.parquet.part").write_bytes(b"PAR1")
    resumed = command(home, *words, "--json")
    assert resumed.returncode == 0, resumed.stderr
    after = {path: path.stat().st_mtime_ns for path in leaves(folder)}
    redone = [path for path in before if before[path] != after[path]]
    assert len(redone) == (1 if place == "export.written" else 0)
    assert json.loads(resumed.stdout)["written"] == len(after) - 4 + len(redone)
    assert list(folder.rglob("*.part")) == []
    whole = exported(store, tmp_path / "whole", "hats", "Object")
    assert manifest(folder)["files"] == manifest(tmp_path / "whole")["files"]
    assert whole.tables[0].rows == diff_sky.rows()["Object"].num_rows


def test_a_finished_export_is_left_alone_and_a_lost_file_written_anew(
    store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path, "csv", "Object")
    files = manifest(tmp_path)["files"]
    assert exported(store, tmp_path, "csv", "Object").written == 0
    (tmp_path / files[0]["path"]).unlink()
    (tmp_path / files[1]["path"]).write_bytes(b"objectId")
    assert exported(store, tmp_path, "csv", "Object").written == 2
    assert manifest(tmp_path)["files"] == files


def test_a_damaged_file_is_written_anew_where_files_are_checked(
    store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path, "csv", "Object")
    before = manifest(tmp_path)
    path = tmp_path / before["files"][0]["path"]
    whole = path.read_bytes()
    path.write_bytes(whole[:-2] + b"7\n")
    assert exported(store, tmp_path, "csv", "Object").written == 0
    assert exported(store, tmp_path, "csv", "Object", is_checked=True).written == 1
    assert path.read_bytes() == whole
    assert manifest(tmp_path) == before


@pytest.mark.parametrize(
    "other",
    [
        {"condition": "objectId > 5"},
        {"snapshot": "2"},
        {"form": "csv"},
        {"table": "Source"},
    ],
)
def test_a_folder_takes_one_export_only(
    other: dict[str, str], store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path, "parquet", "Object")
    words = {"form": "parquet", "table": "Object", **other}
    with pytest.raises(ExportMismatch, match="holds another export"):
        exported(store, tmp_path, words.pop("form"), words.pop("table"), **words)


def test_a_folder_of_other_files_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ExportMismatch, match="other files"):
        exported(store, tmp_path, "csv", "Object")


def test_the_snapshot_is_leased_as_long_as_it_is_read(store: Store, tmp_path: Path) -> None:
    leased: list[dict[int, int]] = []
    wish = Wish("diff", tmp_path, "csv", "Filter", snapshot="2")
    export(wish, store, Limits(), lambda _: leased.append(oldest_pins(store.watch.running())))
    assert leased
    assert all(list(pins.values()) == [2] for pins in leased)
    assert store.watch.running() == []


def test_a_folder_at_work_is_refused(store: Store, tmp_path: Path) -> None:
    exported(store, tmp_path, "csv", "Filter")
    request = asked_before(tmp_path)
    assert request is not None
    with open_folder(tmp_path, request), pytest.raises(ExportBusy):
        exported(store, tmp_path, "csv", "Filter")


def test_an_export_that_began_in_an_older_snapshot_goes_on_in_it(
    store: Store, home: Path, tmp_path: Path
) -> None:
    failed = command(
        home,
        "diff.Object",
        "--to",
        str(tmp_path),
        "--as-of",
        "1",
        fail_at="export.recorded=error@2",
    )
    assert "[FAIL_POINT]" in failed.stderr
    assert manifest(tmp_path)["state"] == "unfinished"
    assert len(manifest(tmp_path)["files"]) >= 2
    report = exported(store, tmp_path, "parquet", "Object")
    assert report.request.snapshot == 1
    assert report.tables[0].rows == diff_sky.as_ingests(3)[0]["Object"].num_rows


def test_rows_that_do_not_add_up_leave_it_unfinished(
    store: Store, home: Path, tmp_path: Path
) -> None:
    failed = command(home, "diff.Object", "--to", str(tmp_path), fail_at="export.recorded=error@2")
    assert failed.returncode == 1
    journal = tmp_path / ".export.jsonl"
    header, first, *rest = [json.loads(line) for line in journal.read_text().splitlines()]
    first["rows"] += 1
    journal.write_text("".join(json.dumps(line) + "\n" for line in (header, first, *rest)))
    with pytest.raises(ExportIncomplete):
        exported(store, tmp_path, "parquet", "Object")
    assert manifest(tmp_path)["state"] == "unfinished"


def test_no_key_is_written_twice(store: Store, tmp_path: Path) -> None:
    exported(store, tmp_path, "parquet", CHILD)
    counted = Counter(read(leaves(tmp_path))["forcedSourceId"].to_pylist())
    assert max(counted.values()) == 1
