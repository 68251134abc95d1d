"""What the doctor finds, and what it says to do."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from workers import doctor
from workers.config import load
from workers.doctor import Finding, Verdict, examine
from workers.local.ports import free_port


def found(home: Path, **flags: object) -> dict[str, Finding]:
    return {f.subject: f for f in examine(load(home, flags, environ={}))}


def test_a_fit_machine_has_nothing_missing(tmp_path: Path) -> None:
    findings = found(tmp_path, port=free_port(()))
    assert {"python", "packages", "postgresql", "memory", "disk", "http port"} <= set(findings)
    assert [f for f in findings.values() if f.verdict is Verdict.MISSING] == []


def test_looking_changes_nothing(tmp_path: Path) -> None:
    examine(load(tmp_path / "none", environ={}))
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_missing_and_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        finding = found(tmp_path, port=listener.getsockname()[1])["http port"]
    assert finding.verdict is Verdict.MISSING
    assert "taken by process" in finding.fact
    assert "--port" in finding.remedy


def test_wrong_binaries_are_missing(tmp_path: Path) -> None:
    finding = found(tmp_path, pg_bin=tmp_path)["postgresql"]
    assert (finding.verdict, "--pg-bin" in finding.fact) == (Verdict.MISSING, True)


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_DISK", 2**62)
    assert found(tmp_path)["disk"].verdict is Verdict.WARNING


def test_misspelt_variables_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYSHARD_PROT", "1")
    assert "SKYSHARD_PROT" in found(tmp_path)["environment"].fact


def test_a_silent_server_is_missing(tmp_path: Path) -> None:
    shard = '[[shards]]\ndsn = "host=127.0.0.1 port=1"\n'
    file = '[coordinator]\ndsn = "host=127.0.0.1 port=1"\n' + shard
    (tmp_path / "skyshard.toml").write_text(file)
    findings = found(tmp_path)
    assert findings["shard-1"].verdict is Verdict.MISSING
    assert findings["scan engines"].verdict is Verdict.WARNING


def test_exit_code_3_tells_a_script_that_something_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workers.cli.main", "doctor", "--json"]
    file = tmp_path / "skyshard.toml"
    file.write_text(f'pg_bin = "{tmp_path}"')
    shown = subprocess.run(
        [*command, "--home", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 3
    assert "missing" in {finding["verdict"] for finding in json.loads(shown.stdout)}
