"""The command line as a user and a script meet it: help, errors, exit codes, streams."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from workers.cli.ingest_files import pairs as pairs_of
from workers.cli.main import COMMANDS, Later, app
from workers.cli.output import size_in_words
from workers.local import lock
from workers.local.state import ClusterState, write_state

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
HEAVY = ("pydantic", "psycopg2", "pyarrow", "duckdb", "numpy", "sqlalchemy", "rich", "psutil")


def skyshard(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "100", **environment},
    )


def test_help_shows_every_command_and_a_first_session() -> None:
    shown = skyshard("--help")
    assert shown.returncode == 0
    assert all(re.search(rf"^  {name} +\w", shown.stdout, re.MULTILINE) for name in COMMANDS)
    assert "A first session:" in shown.stdout


def test_help_takes_less_than_300_ms_of_cpu() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    skyshard("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, workers.cli.main; print([m for m in {HEAVY} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["statu"], "Did you mean 'status'"),
        (["up", "--shard", "3"], "No such option"),
        (["up", "--shards", "many"], "Invalid value for '--shards'"),
        (["ingest", "dp1", "file.parquet"], "CATALOG TABLE=FILE"),
        (["scan", "--home", "/nonexistent/none"], "--shard"),
        (["catalog", "create", "x"], "--schema"),
    ],
)
def test_wrong_usage_is_exit_2_on_stderr(words: list[str], told: str) -> None:
    shown = skyshard(*words)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert told in shown.stderr


@pytest.mark.parametrize(
    "words",
    [["status"], ["migrate"], ["catalog", "list"], ["ingest", "a.b", "c.csv"], ["serve"]],
)
def test_without_a_cluster_the_message_says_how_to_start_one(
    words: list[str], tmp_path: Path
) -> None:
    shown = skyshard(*words, "--home", str(tmp_path))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "`skyshard up`" in shown.stderr
    assert "[NO_CLUSTER]" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_down_without_a_cluster_is_fine(tmp_path: Path) -> None:
    assert skyshard("down", "--home", str(tmp_path)).returncode == 0


def test_an_absent_server_is_exit_1(tmp_path: Path) -> None:
    ports = {"coordinator": 1, "shard-1": 1, "scan-1": 1}
    write_state(
        tmp_path, ClusterState(1, "127.0.0.1", 8080, str(tmp_path), "/x", "15.1", "", ports)
    )
    (tmp_path / "secrets.json").write_text('{"admin": "a", "role": "b", "scan_token": "c"}')
    shown = skyshard("catalog", "list", "--home", str(tmp_path))
    assert shown.returncode == 1
    assert "[UNAVAILABLE]" in shown.stderr


def test_another_number_of_shards_is_refused(tmp_path: Path) -> None:
    write_state(tmp_path, ClusterState(shards=2, host="127.0.0.1", port=8080))
    shown = skyshard("up", "--shards", "3", "--home", str(tmp_path))
    assert shown.returncode == 2
    assert "has 2 shards and is asked for 3 shards (--shards)" in shown.stderr


def test_config_show_is_json_on_stdout(tmp_path: Path) -> None:
    shown = skyshard("config", "show", "--json", "--home", str(tmp_path), SKYSHARD_PORT="8099")
    facts = {entry["key"]: entry for entry in json.loads(shown.stdout)}
    assert facts["port"] == {
        "key": "port",
        "value": 8099,
        "origin": "environment SKYSHARD_PORT",
    }


def test_home_comes_from_the_environment(tmp_path: Path) -> None:
    shown = skyshard("config", "show", SKYSHARD_HOME=str(tmp_path / "elsewhere"))
    assert str(tmp_path / "elsewhere") in shown.stdout


def test_no_colour_where_nobody_looks(tmp_path: Path) -> None:
    assert "\x1b[" not in skyshard("config", "show", "--home", str(tmp_path)).stdout


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"skyshard \d+\.\d+\.\d+\n", skyshard("--version").stdout)


def test_a_closed_pipe_is_not_a_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m workers.cli.main config show --home {tmp_path} | head -1"
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("size", "words"), [(None, None), (0, "0 B"), (1536, "1.5 KiB"), (3 * 2**40, "3.0 TiB")]
)
def test_sizes_are_written_as_people_do(size: int | None, words: str | None) -> None:
    assert size_in_words(size) == words


def options() -> Iterator[tuple[str, str]]:
    """Every command with each of its long options."""
    root = get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        loaded = command.now() if isinstance(command, Later) else command
        for words, leaf in leaves(name, loaded):
            for parameter in leaf.params:  # type: ignore[attr-defined]
                for option in parameter.opts:
                    if option.startswith("--") and option != "--help":
                        yield words, option


def leaves(name: str, command: object) -> Iterator[tuple[str, object]]:
    """The commands below a group, or the command itself."""
    for child, leaf in getattr(command, "commands", {}).items():
        yield f"{name} {child}", leaf
    if not hasattr(command, "commands"):
        yield name, command


def test_every_option_has_its_line_in_the_docs() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    missing = [(c, o) for c, o in options() if f"`{o}" not in lines.get(f"skyshard {c}", "")]
    assert missing == []


def test_every_command_teaches_by_example() -> None:
    root = get_command(app)
    silent = [
        words
        for name, command in root.commands.items()  # type: ignore[attr-defined]
        for words, leaf in leaves(name, command.now())
        if "Example" not in (leaf.help or "") and words != "migrate"  # type: ignore[attr-defined]
    ]
    assert silent == []


def test_a_typer_group_is_loaded_when_it_is_called() -> None:
    command = Later("config", "workers.cli.config:app", "x").now()
    assert isinstance(command, typer.core.TyperGroup)


def test_an_interrupted_command_is_exit_130(tmp_path: Path) -> None:
    with lock.locked(tmp_path):
        words = [sys.executable, "-m", "workers.cli.main", "up", "--home", str(tmp_path)]
        waiting = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not (tmp_path / "spool").exists():
            time.sleep(0.02)
        time.sleep(0.2)
        waiting.send_signal(signal.SIGINT)
        shown, told = waiting.communicate(timeout=30)
    assert (waiting.returncode, shown) == (130, b"")
    assert b"Traceback" not in told


@pytest.mark.parametrize(
    ("target", "files", "pairs"),
    [
        ("dp1.Object", ["a", "b=c"], [("Object", "a"), ("Object", "b=c")]),
        ("dp1", ["Object=a", "Visit=b"], [("Object", "a"), ("Visit", "b")]),
        ("dp1", ["Object=a", "b", "c"], [("Object", "a"), ("Object", "b"), ("Object", "c")]),
        ("dp1", ["Object=x/order=3/a"], [("Object", "x/order=3/a")]),
        ("dp1", ["Object=none-*.csv"], [("Object", "none-*.csv")]),
    ],
)
def test_files_name_their_tables(
    target: str, files: list[str], pairs: list[tuple[str, str]]
) -> None:
    table = target.partition(".")[2]
    assert pairs_of(table, files) == pairs
