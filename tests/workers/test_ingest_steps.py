"""`skyshard ingest`, step by step and all at once, on real servers given by DSN."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def sky(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two shards, and a home whose configuration names them."""
    with lab(server, SKY, tmp_path_factory.mktemp("steps")) as made:
        shards = "".join(
            f"[[shards]]\ndsn = {json.dumps(shard.dsn)}\ntwins = {json.dumps(str(shard.twins))}\n"
            for shard in made.topology.shards
        )
        coordinator = f"[coordinator]\ndsn = {json.dumps(made.topology.coordinator)}\n"
        (made.folder / "skyshard.toml").write_text(coordinator + shards)
        yield made


def skyshard(sky: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKYSHARD_")}
    return subprocess.run(
        [sys.executable, "-m", "workers.cli.main", "ingest", *words, "--home", str(sky.folder)],
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )


def file_of(sky: Lab, name: str, first: int) -> Path:
    path = sky.folder / name
    pq.write_table(objects(30, first=first), path)
    return path


def test_an_ingest_goes_step_by_step(sky: Lab) -> None:
    number = skyshard(sky, "begin", "lab", "--label", "night 1").stdout.strip()
    one, other = file_of(sky, "a.parquet", 1), file_of(sky, "b.parquet", 101)
    assert skyshard(sky, "add", number, f"Object={one}", str(other)).returncode == 0
    assert "is committed" in skyshard(sky, "commit", number).stderr
    assert "2 files staged (0 before)" in skyshard(sky, "run", number).stderr
    loaded = json.loads(skyshard(sky, "status", number, "--json").stdout)
    assert (loaded["state"], loaded["label"], loaded["snapshot"]) == ("loaded", "night 1", None)
    assert loaded["tables"] == {"Object": 60}
    assert [(p["done"], p["total"]) for p in loaded["progress"]][1] == (60, 60)
    assert [c["rows"] for c in loaded["contributions"]] == [30, 30]
    assert "as snapshot 1" in skyshard(sky, "publish", number).stderr
    shown = skyshard(sky, "status", number, "--all")
    assert shown.returncode == 0
    assert {"published", "planned", "begun"} <= {
        line.split(" ")[2].rstrip(":") for line in shown.stderr.splitlines()
    }
    assert number in skyshard(sky, "list", "lab").stdout
    again = skyshard(sky, "run", number, "--publish")
    assert (again.returncode, "0 parts loaded" in again.stderr) == (0, True)


def test_what_is_not_possible_says_so_and_exits_2(sky: Lab) -> None:
    assert "[UNKNOWN_INGEST]" in skyshard(sky, "status", "987654").stderr
    number = skyshard(sky, "begin", "lab").stdout.strip()
    refused = skyshard(sky, "publish", number)
    assert (refused.returncode, "[INGEST_STATE]" in refused.stderr) == (2, True)
    assert "nothing of it is left" in skyshard(sky, "abort", number).stderr


def test_rejects_are_printed_and_may_be_allowed(sky: Lab) -> None:
    path = sky.folder / "bad.csv"
    path.write_text("objectId,ra,dec\n7001,10,20\n7002,,20\n")
    number = skyshard(sky, "begin", "lab").stdout.strip()
    skyshard(sky, "add", number, f"Object={path}")
    skyshard(sky, "commit", number)
    failed = skyshard(sky, "run", number)
    assert (failed.returncode, "[TOO_MANY_REJECTS]" in failed.stderr) == (2, True)
    assert "column 'ra' is NULL" in skyshard(sky, "rejects", number).stdout
    assert skyshard(sky, "retry", number, "--max-rejects", "1").returncode == 0
    assert "published" in skyshard(sky, "run", number, "--publish").stderr


def test_the_one_line_form_needs_no_word(sky: Lab) -> None:
    done = skyshard(sky, "lab.Object", str(file_of(sky, "c.parquet", 301)), "--json")
    assert json.loads(done.stdout)["tables"] == {"Object": 30}
