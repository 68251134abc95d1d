"""A whole cluster of processes, as an operator and an accident treat it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from migrations.environment import VERSION_TABLE
from schema.coordinator import SCHEMA
from tests.support.postgres import Server
from workers.config import load
from workers.doctor import examine
from workers.local.ports import free_port
from workers.local.status import MemberStatus, status

pytestmark = pytest.mark.cluster


def skyshard(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a home, with no other configuration."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKYSHARD_")}
    command = [sys.executable, "-m", "workers.cli.main", *words, "--home", str(home)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=clean, timeout=120
    )


def members(home: Path) -> dict[str, MemberStatus]:
    """What `skyshard status` says of each process."""
    return {member.name: member for member in status(load(home, environ={})).members}


def pids(home: Path) -> dict[str, int | None]:
    return {name: member.pid for name, member in members(home).items()}


def notes(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "cluster.json").read_text())
    return found


def processes_of(home: Path) -> list[str]:
    """Every process that has to do with a home: by its arguments or its working folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "pid"]):
        words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if process.pid != os.getpid() and any(str(home) in word for word in words):
            found.append(str(process.info))
    return found


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the servers' account may enter; pytest's own are closed."""
    made = Path(tempfile.mkdtemp(prefix="skyshard-cluster-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[Path]:
    """A cluster of two shards; each test but the last leaves it up."""
    place = folder / "home"
    try:
        made = skyshard(place, "up", "--shards", "2", "--port", str(free_port(())))
        assert made.returncode == 0, made.stderr
        yield place
    finally:
        skyshard(place, "down")


EVERYTHING = {"coordinator", "shard-1", "shard-2", "scan-1", "scan-2", "czar"}


def test_up_starts_a_coordinator_shards_scan_engines_and_the_czar(home: Path) -> None:
    shown = skyshard(home, "status", "--json")
    found = json.loads(shown.stdout)
    assert (shown.returncode, found["condition"]) == (0, "up")
    assert {member["name"] for member in found["members"]} == EVERYTHING
    with urllib.request.urlopen(found["url"] + "/health", timeout=5) as answer:
        assert answer.status == 200


def test_shards_are_registered_and_locked(home: Path) -> None:
    secrets = json.loads((home / "secrets.json").read_text())
    port = notes(home)["ports"]["coordinator"]
    dsn = f"host=127.0.0.1 port={port} user=skyshard dbname=skyshard password="
    with closing(psycopg2.connect(dsn + secrets["role"])) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT shard_id FROM skyshard.shard ORDER BY 1")
        assert cursor.fetchall() == [(1,), (2,)]
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchall() == [(False,)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(dsn + "wrong")


def test_no_secret_stands_in_a_command_line(home: Path) -> None:
    secrets = json.loads((home / "secrets.json").read_text()).values()
    shown = " ".join(processes_of(home))
    assert not any(secret in shown for secret in secrets)


def test_up_again_leaves_what_runs_alone(home: Path) -> None:
    before = pids(home)
    assert skyshard(home, "up").returncode == 0
    assert pids(home) == before


def test_up_drops_what_a_crash_left_of_an_aborted_ingest(home: Path) -> None:
    secrets = json.loads((home / "secrets.json").read_text())
    ports = notes(home)["ports"]
    coordinator, shard = (
        f"host=127.0.0.1 port={ports[name]} user=skyshard dbname=skyshard"
        f" password={secrets['role']}"
        for name in ("coordinator", "shard-1")
    )
    (ingest_id,) = sql(coordinator, LEFT_INGEST)[0]
    sql(shard, LEFT_PART, ingest_id)
    shown = skyshard(home, "up")
    assert "dropped what was left of 1 of 1 ended ingests" in shown.stderr
    assert sql(shard, "SELECT to_regclass('parts.p77'), count(*) FROM skyshard.part") == [(None, 0)]
    assert sql(coordinator, "DELETE FROM skyshard.catalog RETURNING name") == [("left",)]


LEFT_INGEST = """
WITH c AS (INSERT INTO skyshard.catalog (name, family, model) VALUES ('left', 'sky', '{}')
           RETURNING catalog_id),
     i AS (INSERT INTO skyshard.ingest (catalog_id, state) SELECT catalog_id, 'aborted' FROM c
           RETURNING ingest_id)
INSERT INTO skyshard.planned_part (part_id, ingest_id, table_name, kind, rows, overlap_rows, shards)
SELECT 77, ingest_id, 'Object', 'rows', 1, 0, '{1}' FROM i RETURNING ingest_id
"""
LEFT_PART = """
CREATE TABLE parts.p77 (n integer);
INSERT INTO skyshard.part (part_id, catalog, table_name, kind, ingest_id, rows, overlap_rows, checksum)
VALUES (77, 'left', 'Object', 'rows', %s, 1, 0, 0)
"""


def sql(dsn: str, statement: str, *values: object) -> list[Any]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def test_up_heals_what_was_killed_and_takes_another_port_for_a_taken_one(home: Path) -> None:
    victims = ("coordinator", "shard-2", "scan-1", "czar")
    before, port = pids(home), notes(home)["ports"]["shard-2"]
    for victim in victims:
        kill(before[victim])
    assert status(load(home, environ={})).condition == "degraded"
    with socket.create_server(("127.0.0.1", port)):
        healed = skyshard(home, "up")
    assert healed.returncode == 0, healed.stderr
    assert f"port {port} of shard-2 is taken by process {os.getpid()}" in healed.stderr
    assert {member.condition for member in members(home).values()} == {"up"}
    after = pids(home)
    assert {name for name in after if after[name] != before[name]} == set(victims)


def kill(pid: int | None) -> None:
    """Kill a process as an accident does, and wait until it is gone."""
    assert pid is not None
    process = psutil.Process(pid)
    process.kill()
    psutil.wait_procs([process], timeout=10)


def test_processes_whose_start_was_not_noted_are_found(home: Path) -> None:
    before, kept = pids(home), notes(home)
    (home / "cluster.json").write_text(json.dumps({**kept, "running": {}}))
    assert pids(home) == before
    (home / "cluster.json").write_text(json.dumps(kept))


def test_a_catalog_of_more_replicas_than_shards_is_refused(home: Path) -> None:
    words = ("catalog", "create", "dp1", "--schema", "dp1", "--replicas", "3")
    refused = skyshard(home, *words)
    assert refused.returncode == 2
    assert "3 replicas need as many shards; 2 take data" in refused.stderr


def test_doctor_finds_a_healthy_cluster(home: Path) -> None:
    found = {finding.subject: finding.verdict for finding in examine(load(home, environ={}))}
    assert EVERYTHING | {"postgresql", "http port"} <= set(found)
    assert "missing" not in found.values()


def test_down_leaves_nothing_neither_of_the_living_nor_of_the_killed(home: Path) -> None:
    before = pids(home)
    for victim in ("coordinator", "scan-2"):
        kill(before[victim])
    assert skyshard(home, "down").returncode == 0
    assert processes_of(home) == []
    assert status(load(home, environ={})).condition == "down"


def test_a_taken_http_port_is_named_before_anything_starts(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = skyshard(folder / "other", "up", "--port", str(port))
    assert refused.returncode == 1
    assert f"port {port} on 127.0.0.1, meant for the HTTP server, is taken by" in refused.stderr
    assert "--port" in refused.stderr
    assert processes_of(folder / "other") == []


@pytest.fixture(scope="module")
def external(folder: Path, server: Server) -> Iterator[tuple[Path, str]]:
    """A home whose file names databases of a server that the test runs; the coordinator's DSN."""
    place = folder / "external"
    place.mkdir()
    coordinator = server.new_database("coordinator")
    file = (
        f'port = {free_port(())}\n[coordinator]\ndsn = "{coordinator}"\n'
        f'[[shards]]\ndsn = "{server.new_database("shard")}"\n'
        f'[[shards]]\ndsn = "{server.new_database("shard")}"\nweight = 2.0\n'
    )
    (place / "skyshard.toml").write_text(file)
    try:
        yield place, coordinator
    finally:
        skyshard(place, "down")


def test_servers_given_by_dsn_are_upgraded_not_started(external: tuple[Path, str]) -> None:
    place, coordinator = external
    started = skyshard(place, "up")
    assert started.returncode == 0, started.stderr
    found = pids(place)
    assert {name for name, pid in found.items() if pid} == {"czar"}
    assert set(found) == {"coordinator", "shard-1", "shard-2", "czar"}
    with closing(psycopg2.connect(coordinator)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT shard_id, weight FROM skyshard.shard ORDER BY 1")
        assert cursor.fetchall() == [(1, 1.0), (2, 2.0)]


def test_a_file_with_fewer_shards_than_the_coordinator_knows_is_refused(
    external: tuple[Path, str],
) -> None:
    file = external[0] / "skyshard.toml"
    text = file.read_text()
    file.write_text(text[: text.rindex("[[shards]]")])
    refused = skyshard(external[0], "migrate")
    file.write_text(text)
    assert refused.returncode == 1
    assert "knows shard 2" in refused.stderr


def test_down_leaves_servers_given_by_dsn_alone(external: tuple[Path, str]) -> None:
    assert skyshard(external[0], "down").returncode == 0
    with closing(psycopg2.connect(external[1])) as connection:
        assert connection.status


def test_up_refuses_a_newer_schema(external: tuple[Path, str]) -> None:
    place, coordinator = external
    with closing(psycopg2.connect(coordinator)) as connection, connection:
        connection.cursor().execute(f"UPDATE {SCHEMA}.{VERSION_TABLE} SET version_num = '9999'")
    refused = skyshard(place, "up")
    assert refused.returncode == 1
    assert "[SCHEMA_TOO_NEW]" in refused.stderr
