"""The link to a shard breaks in mid-COPY: the loader notices in seconds, and nothing is lost or doubled."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.arena import Arena
from tests.faults.links import Break, Link
from tests.faults.readers import reading, settle
from tests.faults.strike import look, new_catalog
from tests.faults.works import begun, brought
from tests.faults.worlds import CROWD, FIRST, joined

pytestmark = pytest.mark.cluster
MID_COPY = 2_000
"""Bytes of a COPY, of some thousands."""
NOTICED_S = 30.0
"""A hole is found after 4 s by the loader, after 11 s by the server, which holds locks till then."""


def linked(cluster: Arena, link: Link, number: int, folder: Path) -> dict[str, str]:
    """The environment of commands that reach one shard by the link."""
    direct = f"port={cluster.servers[f'shard-{number}'].port} "
    text = (cluster.home / "skyshard.toml").read_text()
    assert text.count(direct) == 1, text
    path = folder / "linked.toml"
    path.write_text(text.replace(direct, f"port={link.port} "))
    return {"SKYSHARD_CONFIG": str(path)}


@pytest.mark.parametrize(
    ("how", "breaks"), [(Break.CUT, 3), (Break.HOLE, 1)], ids=["CUT-3", "HOLE-1"]
)
def test_a_link_that_breaks_in_mid_copy_is_tried_again(
    cluster: Arena, how: Break, breaks: int, tmp_path: Path
) -> None:
    link = Link(cluster.servers["shard-2"].port, how, after=MID_COPY, breaks=breaks)
    with closing(link), new_catalog(cluster, f"link_{how.name.lower()}") as catalog:
        brought(cluster, catalog, FIRST, tmp_path / "first")
        number = begun(cluster, catalog, CROWD, tmp_path / "crowd")
        worlds = (FIRST, joined(FIRST, CROWD))
        with reading(cluster, catalog, worlds) as readers:
            started = time.monotonic()
            run = cluster.command(
                *("ingest", "run", str(number), "--publish"),
                environment=linked(cluster, link, 2, tmp_path),
            )
            code = run.wait(NOTICED_S * 2)
            took_s = time.monotonic() - started
            assert code == 0, run.said
            settle(cluster, catalog, worlds[-1])
        assert link.broken == breaks
        assert took_s < NOTICED_S
        look(cluster, catalog, worlds[-1], readers)
