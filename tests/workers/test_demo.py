"""The demo from end to end, then `skyshard query` and a stock TAP client over its sky."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from schema.healpix import centers, pixels
from tests.support.adql_page import Feature, features
from tests.support.postgres import free_port
from workers.cli.main import main
from workers.config import Settings, load
from workers.demo import run as demo_run
from workers.demo.sky_map import DensityMap, in_characters, round_ticks
from workers.demo.stops import density_map, stops
from workers.simulate.population import CLUSTERS
from workers.simulate.sky import SURVEY
from workers.simulate.survey import Survey

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyvo.dal import DALQueryError, TAPService

OBJECTS = 1000


@dataclass(frozen=True)
class Demo:
    """A demo that has run: its folder, its port, what it said."""

    home: Path
    port: int
    told: str

    def skyshard(
        self, *arguments: str, text: str | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """The command, as a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "workers.cli.main", *arguments, "--home", str(self.home)],
            input=None if text is None else text.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    folder = Path(tempfile.mkdtemp(prefix="skyshard-demo-"))
    folder.chmod(0o711)  # the servers' account may enter it, so the data lie in the home
    home = folder / "home"
    port = free_port()
    made = Demo(home, port, "")
    try:
        ran = made.skyshard(
            "demo", "--scale", str(OBJECTS / 1e6), "--shards", "2", "--port", str(port)
        )
        assert ran.returncode == 0, ran.stderr.decode()
        yield Demo(home, port, ran.stdout.decode())
    finally:
        assert made.skyshard("down").returncode == 0
        shutil.rmtree(folder)


@pytest.mark.cluster
def test_the_tour_shows_each_query_its_plan_its_answer_and_its_time(demo: Demo) -> None:
    assert demo.told.count("plan: ") == 6
    assert demo.told.count(" ms\n") == 6
    assert "chunks by scan" in demo.told
    assert "chunks by postgres" in demo.told


@pytest.mark.cluster
def test_the_demo_says_how_to_connect_and_how_to_stop(demo: Demo) -> None:
    assert f"http://127.0.0.1:{demo.port}/tap" in demo.told
    assert f"skyshard down --home {demo.home}" in demo.told


@pytest.mark.cluster
def test_the_demo_leaves_a_picture_and_the_truth(demo: Demo) -> None:
    assert (demo.home / "demo" / "density.png").read_bytes().startswith(b"\x89PNG")
    assert pq.read_metadata(demo.home / "demo" / "truth.parquet").num_rows == OBJECTS


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


Run = Callable[..., Ran]


@pytest.fixture
def run(
    demo: Demo, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a command in this process, which has imported already what a new one would."""

    def call(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["skyshard", *arguments, "--home", str(demo.home)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(code, *capsysbinary.readouterr())

    return call


@pytest.mark.cluster
def test_query_writes_what_a_file_s_ending_says(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    ran = run("query", "SELECT objectId, coord_ra FROM dp1.Object", "-o", str(path))
    assert (ran.returncode, ran.stdout) == (0, b"")
    assert pq.read_table(path).num_rows == OBJECTS
    assert pq.read_schema(path).field("coord_ra").metadata[b"unit"] == b"deg"


@pytest.mark.cluster
def test_query_writes_csv_into_a_pipe(demo: Demo) -> None:
    ran = demo.skyshard("query", "-", text="SELECT COUNT(*) AS n FROM dp1.Object")
    assert (ran.returncode, ran.stdout) == (0, b"n\n1000\n")


@pytest.mark.cluster
def test_query_reads_its_text_from_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q.adql").write_text("SELECT COUNT(*) AS n FROM dp1.Object")
    ran = run("query", f"@{tmp_path / 'q.adql'}", "--format", "table")
    assert ran.stdout.split() == [b"n", b"1000"]


@pytest.mark.cluster
def test_query_says_where_rows_were_cut(run: Run) -> None:
    ran = run("query", "SELECT objectId FROM dp1.Object", "--maxrec", "3", "--format", "json")
    document = json.loads(ran.stdout)
    assert (len(document["data"]), document["status"]) == (3, "OVERFLOW")
    assert b"there are more rows" in ran.stderr


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["SELECT objectIdd FROM dp1.Object"], b"objectId"),
        (["SELECT 1 AS one", "--format", "fist"], b"did you mean 'fits'"),
        (["SELECT 1 AS one", "-o", "rows.unknown"], b"names no format"),
        (["@/does/not/exist"], b"cannot be read"),
    ],
)
def test_a_wrong_query_is_exit_code_2(run: Run, arguments: list[str], told: bytes) -> None:
    ran = run("query", *arguments)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert told in ran.stderr


@pytest.mark.cluster
def test_explain_shows_the_plan_as_text_and_as_json(run: Run) -> None:
    query = "SELECT COUNT(*) FROM dp1.Object WHERE g_psfMag < 20"
    assert b"fragment f0" in run("explain", query).stdout
    facts = json.loads(run("explain", query, "--json").stdout)
    assert facts["fragments"][0]["all_chunks"] > 1
    analyzed = json.loads(run("explain", "--analyze", query, "--json").stdout)
    assert analyzed["actual"]["rows"] == 1
    assert sum(one["chunks"] for one in analyzed["fragments"][0]["actual"]) > 1


@pytest.mark.cluster
def test_pyvo_asks_the_real_store(demo: Demo) -> None:
    service = TAPService(f"http://127.0.0.1:{demo.port}/tap")
    found = service.search("SELECT TOP 5 objectId, coord_ra FROM dp1.Object ORDER BY coord_ra")
    assert len(found) == 5
    assert found.fielddescs[1].unit == "deg"
    assert "dp1.ForcedSource" in service.tables
    names = service.search("SELECT table_name FROM tap_schema.tables")["table_name"]
    assert "dp1.Object" in list(names)
    with pytest.raises(DALQueryError, match="objectId"):
        service.search("SELECT objectIdd FROM dp1.Object")


@pytest.mark.cluster
@pytest.mark.parametrize("feature", features(), ids=lambda feature: feature.name)
def test_the_examples_of_the_documentation_run(feature: Feature, demo: Demo) -> None:
    service = TAPService(f"http://127.0.0.1:{demo.port}/tap")
    assert service.search(feature.example).fieldnames


@pytest.mark.cluster
def test_the_examples_of_the_service_run_as_they_stand(demo: Demo) -> None:
    service = TAPService(f"http://127.0.0.1:{demo.port}/tap")
    found = [example.execute() for example in service.examples]
    assert len(found) >= 12
    assert all(rows.fieldnames for rows in found)
    assert sum(len(rows) > 0 for rows in found) >= len(found) - 1  # close pairs are rare


# -------------------------------------------------------------------- without a cluster


@pytest.mark.cluster
def test_a_demo_that_is_cut_short_before_it_publishes_has_its_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(settings: Settings, survey: Survey) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_run, "_create", lambda settings, catalog: None)
    monkeypatch.setattr(demo_run, "_ingest", cut)
    settings, wish = load(tmp_path, environ={}), demo_run.Wish(OBJECTS / 1e6, seed=1, replicas=1)
    with pytest.raises(KeyboardInterrupt):
        demo_run._fill(settings, wish, tmp_path / "demo", Console(file=io.StringIO()))
    assert pq.read_metadata(tmp_path / "demo" / "truth.parquet").num_rows == OBJECTS


@pytest.fixture
def density() -> DensityMap:
    """A sky of 10 objects a pixel within the footprint, and a heap at the first cluster."""
    ra, dec = centers(5, np.arange(12 * 4**5))
    inside = np.flatnonzero(SURVEY.contains(ra, dec))
    heap = int(pixels(5, np.array([CLUSTERS[0].ra]), np.array([CLUSTERS[0].dec]))[0])
    return DensityMap(5, inside, np.where(inside == heap, 5000, 10))


def test_the_map_in_characters_is_dark_at_the_heap_only(density: DensityMap) -> None:
    lines = in_characters(density, columns=60)
    drawn = "".join(lines[:-2])
    assert 1 <= drawn.count("█") <= 12
    assert drawn.count("·") > 0.8 * len(drawn)
    assert "objects a square degree" in lines[-1]


def test_density_is_counts_over_area(density: DensityMap) -> None:
    sampled = density.at(np.array([330.0, 100.0]), np.array([-10.0, 60.0]))
    assert sampled == pytest.approx([10 / (41252.96 / 12288), 0.0], rel=1e-4)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.3, 5.1, [0.3, 1.0, 3.0]),
        (2.0, 40.0, [3.0, 10.0, 30.0]),
        (40.0, 20_000.0, [100.0, 1000.0, 10_000.0]),
        (2.0, 3.0, [2.0, 2.4, 3.0]),
    ],
)
def test_the_scale_of_the_map_has_a_few_round_numbers(
    low: float, high: float, wanted: list[float]
) -> None:
    assert round_ticks(low, high) == wanted


def test_the_tour_has_all_kinds_of_queries() -> None:
    asked = [stop.adql for stop in stops(17, density_map(6))]
    assert len(asked) == 6
    assert "objectId = 17" in asked[1]
    assert "IVO_HEALPIX_INDEX(6" in asked[3]
