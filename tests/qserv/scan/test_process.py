"""The engine as the process that `up` starts: it is there within seconds, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qserv.scan.client import ScanClient
from schema.errors import Unavailable
from tests.qserv.scan.conftest import TOKEN
from tests.support.postgres import free_port

PROGRAM = """
import sys
from pathlib import Path
from qserv.scan.server import serve
serve(shard_id=1, host="127.0.0.1", port=int(sys.argv[1]), token=sys.argv[2],
      twins=Path(sys.argv[3]), memory_bytes=2**27, threads=1)
"""


def started(twins: Path) -> subprocess.Popen[bytes]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(port), TOKEN, str(twins)])
    client = ScanClient(f"grpc://127.0.0.1:{port}", TOKEN)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            client.status()
        except Unavailable:
            time.sleep(0.02)
        else:
            client.close()
            return process
    process.kill()
    process.wait(10)
    pytest.fail("the engine did not start")


def test_it_ends_cleanly_and_takes_away_what_a_killed_one_left(tmp_path: Path) -> None:
    twins = tmp_path / "twins"
    killed = started(twins)
    killed.kill()
    killed.wait(10)
    assert len(list(tmp_path.glob(".scan-temp-*"))) == 1
    process = started(twins)
    assert [path.name.split("-")[2] for path in tmp_path.glob(".scan-temp-*")] == [str(process.pid)]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not list(tmp_path.glob(".scan-temp-*"))
