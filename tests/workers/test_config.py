"""Where configuration comes from, and what is said of wrong ones."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from qserv.limits import ANONYMOUS, Limits
from schema.errors import ConfigError
from workers.config import load, topology
from workers.config.keys import KEYS
from workers.config.servers import NoCluster
from workers.config.show import facts
from workers.config.sources import unknown_variables
from workers.local.state import ClusterState, make_secrets, write_state

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"

EXTERNAL = """
[coordinator]
dsn = "postgresql://sky:secret1@db0/skyshard"

[[shards]]
dsn = "host=db1 password=secret2 dbname=skyshard"
scan = "grpc://db1:9001"
twins = "twins/1"

[[shards]]
dsn = "postgresql://db2/skyshard"
weight = 2.0
"""


def write(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    (home / "skyshard.toml").write_text(text, encoding="utf-8")
    return home


def test_defaults_serve_four_shards_on_loopback(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={})
    assert (settings.shards, settings.host, settings.port) == (4, "127.0.0.1", 8080)
    assert settings.limits == Limits()
    assert settings.anonymous == ANONYMOUS


def test_the_home_is_the_users_data_folder_by_default() -> None:
    settings = load(environ={"XDG_DATA_HOME": "/data"})
    assert settings.home == Path("/data/skyshard")


def test_home_comes_from_the_flag_before_the_environment(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={"SKYSHARD_HOME": "/elsewhere"})
    assert (settings.home, settings.origins["home"]) == (tmp_path, "--home")


@pytest.mark.parametrize(
    ("flags", "environ", "port", "origin"),
    [
        ({"port": 3}, {"SKYSHARD_PORT": "2"}, 3, "--port"),
        ({"port": None}, {"SKYSHARD_PORT": "2"}, 2, "environment SKYSHARD_PORT"),
        ({}, {}, 1, "skyshard.toml"),
        ({}, {"SKYSHARD_PORT": ""}, 1, "skyshard.toml"),
    ],
)
def test_flags_win_over_environment_over_file(
    tmp_path: Path, flags: dict[str, object], environ: dict[str, str], port: int, origin: str
) -> None:
    settings = load(write(tmp_path, "port = 1"), flags, environ)
    assert settings.port == port
    assert settings.origins["port"].endswith(origin)


def test_what_up_chose_is_remembered_below_the_file(tmp_path: Path) -> None:
    write_state(tmp_path, ClusterState(shards=7, host="::1", port=99))
    settings = load(write(tmp_path, "port = 1"), environ={})
    assert (settings.shards, settings.host, settings.port) == (7, "::1", 1)
    assert "remembered" in settings.origins["shards"]


def test_limits_come_from_file_and_environment(tmp_path: Path) -> None:
    home = write(
        tmp_path, '[limits]\nmax_rows = 5\ntimeout_s = "none"\n[limits.anonymous]\nmax_rows = 2\n'
    )
    settings = load(home, environ={"SKYSHARD_LIMITS_ANONYMOUS_TIMEOUT_S": "1.5"})
    assert (settings.limits.max_rows, settings.limits.timeout_s) == (5, None)
    assert (settings.anonymous.max_rows, settings.anonymous.timeout_s) == (2, 1.5)


def test_servers_by_dsn_make_a_topology(tmp_path: Path) -> None:
    found = topology(load(write(tmp_path, EXTERNAL), environ={}))
    assert found.coordinator == "postgresql://sky:secret1@db0/skyshard"
    assert [int(shard.shard_id) for shard in found.shards] == [1, 2]
    assert found.shards[0].twins == tmp_path / "twins" / "1"
    assert (found.shards[0].scan, found.shards[1].weight) == ("grpc://db1:9001", 2.0)


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    settings = load(write(tmp_path, EXTERNAL + "\n"), {"scan_token": "secret3"}, environ={})
    assert "secret" not in str(facts(settings)) + repr(settings) + repr(topology(settings))


def test_an_embedded_cluster_is_found_by_its_notes(tmp_path: Path) -> None:
    ports = {"coordinator": 1, "shard-1": 2, "scan-1": 3}
    write_state(tmp_path, ClusterState(shards=1, host="127.0.0.1", port=8080, ports=ports))
    secrets = make_secrets(tmp_path)
    found = topology(load(tmp_path, environ={}))
    assert f":{secrets.role}@127.0.0.1:2/skyshard" in found.shards[0].dsn
    assert found.shards[0].scan == "grpc://127.0.0.1:3"


def test_before_the_first_up_there_is_no_topology(tmp_path: Path) -> None:
    with pytest.raises(NoCluster, match="skyshard up"):
        topology(load(tmp_path, environ={}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "unknown key 'prot'; did you mean 'port'"),
        ("port = 99999", r"port \(.*skyshard.toml\): .*less than or equal to 65535, got 99999"),
        ("port = 'x'", "port .*: .*integer"),
        ("port = ", "not valid TOML"),
        ("shards = 0", "shards .*greater than or equal to 1"),
        ("shards = []", "at least one shard"),
        ("log_level = 'LOUD'", "log_level .*'DEBUG'"),
        ("home = '/x'", "cannot set `home`"),
        ("[limits]\nmax_rows = 0", "limits.max_rows .*above 0"),
        ("[limits]\nmax_rows = 'many'", "limits.max_rows .*integer"),
        ("[limits]\nmax_row = 1", "unknown key 'limits.max_row'; did you mean 'limits.max_rows'"),
        ("[[shards]]\ndsn = 'host=a'", r"coordinator.dsn .*need a coordinator"),
        ("[coordinator]\ndsn = 'host=a'", r"needs its shards"),
        (EXTERNAL + "wieght = 1", "number 2 .*unknown key 'wieght'; did you mean 'weight'"),
        (EXTERNAL + "scan = 'db2:1'", "number 2, scan .*pattern"),
        ("[coordinator]\ndsn='host=a'\n[[shards]]\nweight=1", "number 1, dsn .*required"),
    ],
)
def test_a_wrong_file_is_refused_by_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(write(tmp_path, text), environ={})


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="environment SKYSHARD_PORT"):
        load(tmp_path, environ={"SKYSHARD_PORT": "http"})


def test_a_config_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path, environ={"SKYSHARD_CONFIG": str(tmp_path / "none.toml")})


def test_a_broken_state_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text("{")
    with pytest.raises(ConfigError, match=r"cluster\.json cannot be read"):
        load(tmp_path, environ={})


def test_misspelt_variables_are_found() -> None:
    assert unknown_variables({"SKYSHARD_PROT": "1", "SKYSHARD_PORT": "1"}) == ("SKYSHARD_PROT",)


def test_every_limit_is_a_key() -> None:
    known = {key.path for key in KEYS}
    assert {f"limits.{field.name}" for field in fields(Limits)} <= known


@pytest.mark.parametrize("key", [key.path for key in KEYS])
def test_every_key_is_documented(key: str) -> None:
    name = key.replace("limits.anonymous.", "limits.")
    assert re.search(rf"^\| `{re.escape(name)}` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
