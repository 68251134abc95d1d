"""All kinds of input on real servers: mappings, pieces, addresses, pushed rows, dry runs, rejects."""

from __future__ import annotations

import csv
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders import lifecycle
from loaders.ingest import IngestOptions, IngestReport, ingest
from loaders.inputs import Manner, WrongSize, contributions, push, size_of
from loaders.options import Site
from loaders.parts.publish import AlreadyIngested
from loaders.readers.source import UnreadableFile
from loaders.rehearsal import Rehearsal, rehearse
from loaders.staging import pieces
from loaders.staging.download import Remote
from loaders.staging.rejects import TooManyRejects
from loaders.staging.stage import Contribution
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def base(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(server, SKY, tmp_path_factory.mktemp("inputs")) as made:
        yield made


@pytest.fixture
def sky(base: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Lab:
    """An empty catalog of its own."""
    return base.with_catalog(f"c{abs(hash(request.node.name)) % 10**8}", tmp_path)


def site_of(sky: Lab) -> Site:
    return Site(sky.pools, sky.topology, sky.folder / "spool")


def given(
    sky: Lab, word: str, manner: Manner | None = None, table: str = "Object"
) -> list[Contribution]:
    return contributions(site_of(sky), sky.catalog.name, [(table, word)], manner or Manner())


def load(sky: Lab, files: list[Contribution], options: IngestOptions | None = None) -> IngestReport:
    return ingest(
        sky.catalog.name,
        files,
        pools=sky.pools,
        topology=sky.topology,
        spool=sky.folder / "spool",
        options=options or IngestOptions(workers=2),
    )


def dry(sky: Lab, files: list[Contribution], most_rows: int | None = None) -> Rehearsal:
    options = IngestOptions(remote=Remote())
    name = sky.catalog.name
    return rehearse(site_of(sky), name, files, options=options, most_rows=most_rows)


MAPPING = """
tables:
  Object:
    columns: {objectId: ID, gMag: {compute: "mag + 1"}, band: {default: r}}
    types: {mag: double}
"""


def mapped_file(sky: Lab, name: str = "old.txt") -> Path:
    path = sky.folder / name
    path.write_text("ID|ra|dec|mag\n1|10|20|17.5\n2|11|20|18\n")
    return path


def test_a_mapping_is_kept_with_the_ingest(sky: Lab) -> None:
    site, path = site_of(sky), mapped_file(sky)
    (sky.folder / "m.yaml").write_text(MAPPING)
    number = lifecycle.begin(site, sky.catalog.name)
    lifecycle.add(site, number, given(sky, str(path), Manner(mapping=sky.folder / "m.yaml")))
    (sky.folder / "m.yaml").write_text("tables: {Object: {columns: {objectId: nothing}}}")
    lifecycle.commit(site, number)
    lifecycle.run_ingest(site, number, and_publish=True)
    assert sky.column("Object", "gMag") == [18.5, 19.0]
    assert sky.column("Object", "band") == ["r", "r"]


def test_a_big_file_in_pieces_is_all_of_it_once(sky: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_LEAST_PIECE", 1)
    path = sky.folder / "o.parquet"
    pq.write_table(objects(1000), path, row_group_size=100)
    cut = given(sky, str(path), Manner(piece_bytes=path.stat().st_size // 4))
    assert len(cut) >= 4
    load(sky, cut)
    assert sky.column("Object", "objectId") == list(range(1, 1001))
    with pytest.raises(AlreadyIngested, match="brought it"):
        load(sky, cut[:1])
    with pytest.raises(AlreadyIngested, match="brought it"):
        load(sky, given(sky, str(path)))


def test_rows_are_pushed_as_they_come(sky: Lab) -> None:
    site, rows = site_of(sky), objects(100)
    number = lifecycle.begin(site, sky.catalog.name)
    reader = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches(max_chunksize=7))
    assert push(site, number, "Object", reader) == [0]
    assert push(site, number, "Object", objects(50, first=1000)) == [1]
    with pytest.raises(UnreadableFile, match="neither a schema nor a batch"):
        push(site, number, "Object", iter([]))
    lifecycle.commit(site, number)
    lifecycle.run_ingest(site, number, and_publish=True)
    assert sky.rows("Object").num_rows == 150
    with pytest.raises(lifecycle.WrongState):
        push(site, number, "Object", rows)


@pytest.fixture
def files_by_http(sky: Lab) -> Iterator[str]:
    """A server of the catalog's folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:  # type: ignore[override]
            """Silence."""

    handler = functools.partial(Quiet, directory=str(sky.folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_files_come_from_addresses_that_are_allowed(sky: Lab, files_by_http: str) -> None:
    pq.write_table(objects(20), sky.folder / "o.parquet")
    named = given(sky, f"{files_by_http}/o.parquet")
    allowed = IngestOptions(workers=2, remote=Remote((files_by_http,)))
    load(sky, named, allowed)
    assert sky.rows("Object").num_rows == 20
    assert not list((sky.folder / "spool").glob("ingest-*"))
    pq.write_table(objects(20, first=100), sky.folder / "p.parquet")
    report = dry(sky, given(sky, f"{files_by_http}/p.parquet"))
    assert "[URL_REFUSED]" in (report.files[0].error or "")


def hats(folder: Path, rows: pa.Table, kind: str = "object") -> Path:
    leaf = folder / "dataset" / "Norder=0" / "Dir=0" / "Npix=4.parquet"
    leaf.parent.mkdir(parents=True)
    pq.write_table(rows, leaf)
    text = f"dataproduct_type={kind}\nhats_nrows={rows.num_rows}\n# a comment\n"
    (folder / "hats.properties").write_text(text)
    return folder


def test_a_hats_catalog_is_a_contribution_for_each_leaf(sky: Lab) -> None:
    folder = hats(sky.folder / "h", objects(30))
    (leaf,) = given(sky, str(folder))
    assert leaf.path.name == "Npix=4.parquet"
    load(sky, [leaf])
    assert sky.rows("Object").num_rows == 30
    with pytest.raises(UnreadableFile, match="dataproduct_type=margin"):
        given(sky, str(hats(sky.folder / "m", objects(3), "margin")))
    (sky.folder / "h" / "hats.properties").write_text("hats_nrows=31\n")
    with pytest.raises(UnreadableFile, match="hats_nrows=31, but its leaves have 30"):
        given(sky, str(folder))
    with pytest.raises(UnreadableFile, match="no HATS catalog"):
        given(sky, str(sky.folder))


def test_patterns_stand_for_files(sky: Lab) -> None:
    for name in ("b.csv", "a.csv"):
        (sky.folder / name).write_text("objectId,ra,dec\n")
    assert [one.path.name for one in given(sky, f"{sky.folder}/*.csv")] == ["a.csv", "b.csv"]
    with pytest.raises(UnreadableFile, match="no file is named so"):
        given(sky, f"{sky.folder}/*.none")
    assert [size_of(text) for text in ("10", "1k", "256MB", "2GiB")] == [
        *(10, 1000, 256_000_000, 2 * 10**9),
    ]
    with pytest.raises(WrongSize):
        size_of("big")


def test_a_dry_run_tells_all_and_changes_nothing(sky: Lab) -> None:
    load(sky, given(sky, str(sky._file("Object", objects(300)))))
    before = (sky.snapshot(), sky.part_tables(), sorted(sky.folder.rglob("*")))
    path = sky.folder / "d.csv"
    path.write_text(
        "objectId,ra,dec,zz\n1,10,20,\n900,10.5,20,\n900,x,20,\n901,10,95,\n900,10,20,\n"
    )
    files = [*given(sky, str(path)), *given(sky, "nothing.csv")]
    (sky.folder / "d.csv").touch()
    report = dry(sky, files)
    file = report.files[0]
    assert (file.format, file.rows, file.rejects, file.is_whole) == ("csv", 5, 2, True)
    assert file.filled[:2] == (
        "objectId <- objectId (string to int64)",
        "ra <- ra (string to double)",
    )
    assert (file.ignored, file.null) == (("zz",), ("gMag", "band", "isStar", "seen"))
    assert file.examples == (
        (3, "column 'ra': 'x' is not a value of type double"),
        (4, "position 'dec' is outside -90..90 degrees"),
    )
    assert "there is no such file [UNREADABLE_FILE]" in (report.files[1].error or "")
    assert report.keys == (("Object", 1, 1),)
    assert (report.are_chunks_new, len(report.chunks) > 0, report.is_good) == (False, True, False)
    assert report.size_bytes > 0
    after = sorted(one for one in sky.folder.rglob("*") if one != path)
    assert (sky.snapshot(), sky.part_tables(), after) == before
    short = dry(sky, files[:1], most_rows=2).files[0]
    assert (short.rows, short.is_whole, short.rejects) == (2, False, 0)


RULES = [
    ("objectId,ra,dec,gMag\n1,1,1,1e39\n", "column 'gMag': '1e39' is not a value of type float"),
    ("objectId,ra,dec\n9223372036854775808,1,1\n", "is not a value of type long"),
    ("objectId,ra,dec,band\n1,1,1,long\n", "column 'band': 'long' is longer than 2"),
    ("objectId,ra,dec,isStar\n1,1,1,perhaps\n", "is not a value of type boolean"),
    ("objectId,ra,dec,seen\n1,1,1,yesterday\n", "is not a value of type timestamp"),
    ("objectId,ra,dec\n,1,1\n", "column 'objectId' is NULL"),
    ("objectId,ra,dec\n0,1,1\n", "key 'objectId' is a value that means no row"),
    ("objectId,ra,dec\n1,nan,1\n", "column 'ra' is NULL"),
    ("objectId,ra,dec\n1,361,1\n", "position 'ra' is outside 0..360 degrees"),
    ("objectId,ra,dec\n1,1,1,1\n", "4 fields, 3 expected"),
    ("objectId,ra,dec\n7,1,1\n7,1,1\n", "objectId comes twice in this ingest"),
]


def test_every_rule_rejects_with_file_row_and_reason(sky: Lab) -> None:
    """One ingest of many files, each of which breaks a rule."""
    files = []
    for number, (text, _) in enumerate(RULES):
        path = sky.folder / f"{number:02}.csv"
        path.write_text(text)
        files += given(sky, str(path))
    (sky.folder / "s.csv").write_text("sourceId,objectId,ra,dec\n1,5,,\n")
    files += given(sky, str(sky.folder / "s.csv"), table="Source")
    with pytest.raises(TooManyRejects) as told:
        load(sky, files, IngestOptions(workers=2, keep_going=True))
    with told.value.path.open(newline="") as file:
        rows = {Path(row["source"]).name: row for row in csv.DictReader(file)}
    for number, (text, reason) in enumerate(RULES):
        row = rows[f"{number:02}.csv"]
        assert reason in row["reason"]
        assert row["row"] == str(text.count("\n") - 1)
    assert (
        rows["s.csv"]["reason"] == "no Object with this objectId, and it has no position of its own"
    )


def test_a_key_that_is_published_already_is_a_reject(sky: Lab) -> None:
    load(sky, given(sky, str(sky._file("Object", objects(10)))))
    (sky.folder / "n.csv").write_text("objectId,ra,dec\n99,1,1\n5,1,1\n")
    report = load(sky, given(sky, str(sky.folder / "n.csv")), IngestOptions(max_rejects=1))
    assert report.reject_file is not None
    (row,) = csv.DictReader(report.reject_file.read_text().splitlines())
    assert (row["row"], row["reason"]) == ("2", "objectId is published already")
    assert np.array_equal(sky.column("Object", "objectId"), [*range(1, 11), 99])
