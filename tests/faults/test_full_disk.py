"""A shard's disk is full in mid-load: the ingest waits or stops, and goes on when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from tests.faults.arena import Arena
from tests.faults.processes import Run
from tests.faults.readers import reading, settle
from tests.faults.strike import look, new_catalog
from tests.faults.works import begun, brought
from tests.faults.worlds import FIRST, LATE, joined
from tests.support.postgres import unprivileged_user

pytestmark = pytest.mark.cluster
SIZE = 24 * 2**20
LEFT = 200_000
"""Bytes that are left on the disk: some parts fit, not all."""


@contextmanager
def small_disk(cluster: Arena) -> Iterator[Path | None]:
    """Shard 2 puts new tables on a small tmpfs; None where this account may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="skyshard-full-", dir="/tmp"))
    if not is_mounted(folder):
        shutil.rmtree(folder)
        yield None
        return
    server = cluster.servers["shard-2"]
    try:
        place = folder / "space"
        place.mkdir(mode=0o700)
        shutil.chown(place, unprivileged_user() or os.getuid())
        tell(cluster, f"CREATE TABLESPACE small LOCATION '{place}'")
        tell(cluster, "ALTER DATABASE shard_1 SET default_tablespace = small")
        server.stop()
        server.start()
        yield folder
    finally:
        tell(cluster, "ALTER DATABASE shard_1 RESET default_tablespace")
        tell(cluster, "DROP TABLESPACE small")
        server.stop()
        server.start()
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def is_mounted(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0


def tell(cluster: Arena, statement: str) -> None:
    with closing(psycopg2.connect(cluster.servers["shard-2"].dsn("shard_1"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def fill(folder: Path) -> Path:
    """A file that takes the disk's room but for LEFT bytes."""
    path = folder / "filler"
    free = shutil.disk_usage(folder).free
    path.write_bytes(b"\0" * max(0, free - LEFT))
    return path


def test_a_full_disk_stops_an_ingest_until_there_is_room(cluster: Arena, tmp_path: Path) -> None:
    with small_disk(cluster) as disk, new_catalog(cluster, "full") as catalog:
        brought(cluster, catalog, FIRST, tmp_path / "first")
        number = begun(cluster, catalog, LATE, tmp_path / "late")
        worlds = (FIRST, joined(FIRST, LATE))
        words = ("ingest", "run", str(number), "--publish")
        with reading(cluster, catalog, worlds) as readers:
            if disk is None:
                stopped = failed_at_a_point(cluster, words)
                cluster.done("ingest", "retry", str(number))
            else:
                filler = fill(disk)
                stopped = cluster.command(*words, environment={"SKYSHARD_INGEST_WAIT_S": "1"})
                assert stopped.wait(60) == 1
                assert "No space left on device" in stopped.said
                filler.unlink()
            again = cluster.done(*words)
            assert again.code == 0, again.said
            settle(cluster, catalog, worlds[-1])
        assert readers.errors == []
        look(cluster, catalog, worlds[-1], readers)


def failed_at_a_point(cluster: Arena, words: tuple[str, ...]) -> Run:
    """No small disk could be mounted here: an error is raised where a full disk would raise one."""
    stopped = cluster.command(*words, fail="load.copied=error@3")
    assert stopped.wait(60) == 1
    assert "fail point" in stopped.said
    return stopped
