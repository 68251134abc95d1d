"""Clusters of several nodes and processes: a node is lost, ingests share the slots, a driver is killed.

Only in `make nightly`: starting nodes takes most of a minute.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("ray")

from tests.workers.test_cluster import held, rays, wait_until
from workers.cluster import ClusterUnavailable, cluster

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nightly(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--nightly"):
        pytest.skip("only in make nightly")


@pytest.fixture
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster whose head has no slots, and a node with two; the address is `nodes.address`."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        made.add_node(num_cpus=2)
        yield made
    finally:
        made.shutdown()
        wait_until(lambda: not rays(set()))


def test_tasks_of_a_node_that_is_lost_are_done_on_another(nodes: Any, tmp_path: Path) -> None:
    lost = nodes.list_all_nodes()[-1]
    with cluster(nodes.address) as joined, joined.executor() as executor:
        assert joined.slots == 2
        futures = [executor.submit(held, tmp_path, number) for number in range(2)]
        wait_until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
        nodes.add_node(num_cpus=2)
        nodes.remove_node(lost, allow_graceful=False)
        for begun in tmp_path.glob("begun-*"):
            begun.unlink()
        wait_until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
        (tmp_path / "go").touch()
        assert [future.result() for future in futures] == [0, 1]


DRIVER = """
import sys, time
from pathlib import Path
from tests.workers.test_cluster import held
from workers.cluster import cluster

def main(address, folder):
    with cluster(address or None, processors=2) as joined, joined.executor() as executor:
        futures = [executor.submit(held, folder, number) for number in range(8)]
        while not (folder / "go").exists():
            (folder / "in-flight").write_text(str(executor.in_flight))
            time.sleep(0.1)
        [future.result() for future in futures]

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
"""


def driver(folder: Path, address: str = "") -> subprocess.Popen[bytes]:
    """A process with eight tasks that wait; `in-flight` tells how many it has begun."""
    folder.mkdir()
    script = folder / "driver.py"
    script.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, str(script), address, str(folder)], env=environment)


def in_flight(folder: Path) -> int:
    try:
        return int((folder / "in-flight").read_text())
    except (OSError, ValueError):
        return 0


def test_ingests_of_several_processes_share_a_cluster(nodes: Any, tmp_path: Path) -> None:
    nodes.add_node(num_cpus=2)
    first, second = tmp_path / "first", tmp_path / "second"
    one = driver(first, nodes.address)
    wait_until(lambda: in_flight(first) == 4)
    other = driver(second, nodes.address)
    wait_until(lambda: in_flight(second) == 2)
    assert in_flight(first) <= 4
    (first / "go").touch()
    assert one.wait() == 0
    (second / "go").touch()
    assert other.wait() == 0


def test_nothing_is_left_of_a_local_ray_whose_process_is_killed(tmp_path: Path) -> None:
    process = driver(tmp_path / "alone")
    wait_until(lambda: in_flight(tmp_path / "alone") == 2)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) > 3
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    psutil.wait_procs(family, timeout=240)
    assert [one for one in family if one.is_running()] == []


def test_an_address_without_a_cluster_is_told() -> None:
    started = time.monotonic()
    with pytest.raises(ClusterUnavailable, match=r"127\.0\.0\.1:1 cannot be used") as caught:
        cluster("127.0.0.1:1").__enter__()
    assert json.dumps(caught.value.fields())
    assert time.monotonic() - started < 60
