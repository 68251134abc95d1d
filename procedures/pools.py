"""Bounded pools of connections to the coordinator and to the shards.

Opening a connection costs 7 ms and more, a statement on an open one 0.13 ms; and a server answers most
queries a second with few in flight. So each server has a few connections, kept, and whoever finds none
free waits for one, but not for ever. A server that is away is an error after seconds.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import adbc_driver_manager
import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn
from typing_extensions import override

from procedures.arrow import ArrowConnection
from schema.errors import Unavailable
from schema.topology import ShardId, Topology

TIMEOUTS: Mapping[str, str] = {
    "connect_timeout": "4",
    "tcp_user_timeout": "4000",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
}
"""libpq's words for "a cut link is an error after about 4 s" (its defaults: minutes)."""
STATEMENT_TIMEOUT_S = 60.0
"""Of psycopg2 connections: bookkeeping and look-ups take milliseconds, a server that hangs for ever.

Long statements (`procedures.parts.write_parts`) lift it in their own transaction.
"""
_NOTICING = (
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=10000"
)
"""The same for the server, which else keeps the session of a cut link, and its locks, for hours."""
READ_SETTINGS = "-c jit=off -c constraint_exclusion=off -c default_transaction_read_only=on"
"""Of Arrow connections: short statements that only read; compiling them costs more than it gains."""

_C = TypeVar("_C")


class ServerUnavailable(Unavailable):
    """A server cannot be reached, or refuses the connection."""

    code = "SERVER_UNAVAILABLE"

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"{server} does not answer: {reason.strip().splitlines()[0]}")
        self.server = server


class PoolBusy(Unavailable):
    """All connections to a server stayed in use for as long as a caller may wait."""

    code = "POOL_BUSY"

    def __init__(self, server: str, size: int, waited_s: float) -> None:
        super().__init__(f"all {size} connections to {server} are in use (waited {waited_s:g} s)")
        self.server, self.size, self.waited_s = server, size, waited_s


@dataclass(frozen=True, slots=True)
class _Use:
    """What a borrower does with a connection: seconds that its statements may take.

    `is_checked`: the server must have answered since the last borrower.
    """

    timeout_s: float | None = None
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class _Kind(Generic[_C]):
    """How connections of one driver are opened, judged and closed."""

    open: Callable[[str], _C]
    prepare: Callable[[_C, _Use], bool]
    """Make ready for a borrower; False where the server has hung up."""
    reset: Callable[[_C], bool]
    """End what the borrower left; False where it is broken."""
    close: Callable[[_C], None]


_ANY_USE = _Use()


class _Pool(Generic[_C]):
    """At most `size` open connections of one kind to one server; the last returned goes first."""

    def __init__(self, kind: _Kind[_C], server: str, dsn: str, *, size: int, wait_s: float) -> None:
        self._kind, self._server, self._dsn = kind, server, dsn
        self._size, self._wait_s = size, wait_s
        self._idle: list[_C] = []
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._is_closed = False

    @contextmanager
    def borrow(self, use: _Use = _ANY_USE) -> Iterator[_C]:
        """One connection, for the length of the block."""
        if not self._slots.acquire(timeout=self._wait_s):
            raise PoolBusy(self._server, self._size, self._wait_s)
        try:
            connection = self._ready(use)
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            self._kind.close(connection)

    def _ready(self, use: _Use) -> _C:
        """An idle connection that still works, or a new one."""
        while (idle := self._pop()) is not None:
            if self._kind.prepare(idle, use):
                return idle
            self._kind.close(idle)
        connection = self._kind.open(self._dsn)
        if not self._kind.prepare(connection, use):
            self._kind.close(connection)
            raise ServerUnavailable(self._server, "it hung up at once")
        return connection

    def _pop(self) -> _C | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: _C) -> None:
        is_kept = self._kind.reset(connection)
        with self._lock:
            is_kept = is_kept and not self._is_closed
            if is_kept:
                self._idle.append(connection)
        if not is_kept:
            self._kind.close(connection)


class Pools:
    """The connections of one process to all servers of a cluster. Thread-safe; close it at the end.

    `size` bounds the connections of each driver to each server, `wait_s` how long a caller waits for a
    free one, `statement_s` how long a statement on a psycopg2 connection may take. Settings in a
    server's DSN win over ours.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        size: int = 4,
        wait_s: float = 30.0,
        application_name: str = "skyshard",
        statement_s: float = STATEMENT_TIMEOUT_S,
    ) -> None:
        self._made_with = (topology, size, wait_s, application_name, statement_s)
        self._name = application_name
        self._dsns = {
            shard.shard_id: _complete(shard.dsn, application_name) for shard in topology.shards
        }

        def pool(kind: _Kind[Any], server: str, dsn: str) -> _Pool[Any]:
            return _Pool(kind, server, dsn, size=size, wait_s=wait_s)

        coordinator = _bounded(_complete(topology.coordinator, application_name), statement_s)
        self._coordinator = pool(_psycopg2("the coordinator"), "the coordinator", coordinator)
        self._shards = {
            shard_id: pool(_psycopg2(_name(shard_id)), _name(shard_id), _bounded(dsn, statement_s))
            for shard_id, dsn in self._dsns.items()
        }
        self._arrow = {
            shard_id: pool(_adbc(_name(shard_id)), _name(shard_id), dsn)
            for shard_id, dsn in self._dsns.items()
        }

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        """In another process, that process's own connections to the same servers."""
        return _of_process, self._made_with

    @contextmanager
    def coordinator(self) -> Iterator[Any]:
        """A psycopg2 connection to the coordinator; what is not committed is rolled back.

        Raises Unavailable where it does not answer or none is free in time.
        """
        with self._coordinator.borrow() as connection:
            yield connection

    @contextmanager
    def shard(self, shard_id: ShardId) -> Iterator[Any]:
        """A psycopg2 connection to a shard; as `coordinator`."""
        with self._shards[shard_id].borrow() as connection:
            yield connection

    @contextmanager
    def arrow(
        self, shard_id: ShardId, *, timeout_s: float | None = None, is_checked: bool = True
    ) -> Iterator[ArrowConnection]:
        """An ADBC connection to a shard, in autocommit, for reading only.

        The server ends each statement after `timeout_s` (None: never) and up to an eighth more;
        settings of the session must be left alone. With `is_checked` false a connection that is
        ready is given as it is, which saves a round trip; its server may have hung up meanwhile.
        Raises as `coordinator`.
        """
        with self._arrow[shard_id].borrow(_Use(timeout_s, is_checked)) as arrow:
            yield arrow.connection

    def cancel(self, shard_id: ShardId, pid: int) -> bool:
        """Cancel what a backend of a shard runs, over a connection of its own; see `backend_pid`."""
        with closing(_connect(_name(shard_id), self._dsns[shard_id])) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_cancel_backend(%s)", (pid,))
                return bool(cursor.fetchone()[0])

    def close(self) -> None:
        """Close all connections; those in use when they come back."""
        for pool in (self._coordinator, *self._shards.values(), *self._arrow.values()):
            pool.close()


@lru_cache(maxsize=4)
def _of_process(
    topology: Topology, size: int, wait_s: float, application_name: str, statement_s: float
) -> Pools:
    """The pools of a process that works off others' tasks; they live as long as it does."""
    return Pools(
        topology,
        size=size,
        wait_s=wait_s,
        application_name=application_name,
        statement_s=statement_s,
    )


def backend_pid(connection: Any) -> int:
    """The server's process behind a borrowed connection of either driver."""
    if isinstance(connection, ArrowConnection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetch_arrow_table()[0][0].as_py())
    return int(connection.info.backend_pid)


def to_uri(dsn: str) -> str:
    """A DSN of either libpq form as a URI, which is all that ADBC reads."""
    return f"postgresql://?{urlencode(parse_dsn(dsn))}".replace("+", "%20")


def _name(shard_id: ShardId) -> str:
    return f"shard {shard_id}"


def _complete(dsn: str, application_name: str) -> str:
    """The DSN with our time limits where it says nothing of them."""
    words = {**TIMEOUTS, "application_name": application_name, **parse_dsn(dsn)}
    return str(make_dsn(**words))


def _bounded(dsn: str, statement_s: float) -> str:
    """The DSN with a bound for each statement and for cut links, unless its own options set one."""
    words = parse_dsn(dsn)
    ours = f"-c statement_timeout={ceil(statement_s * 1000)} {_NOTICING}"
    words["options"] = f"{ours} {words.get('options', '')}".strip()
    return str(make_dsn(**words))


# ------------------------------------------------------------------ psycopg2


def _connect(server: str, dsn: str) -> Any:
    try:
        return psycopg2.connect(dsn)
    except psycopg2.OperationalError as error:
        raise ServerUnavailable(server, str(error)) from error


def _psycopg2(server: str) -> _Kind[Any]:
    return _Kind(
        open=lambda dsn: _connect(server, dsn),
        prepare=_is_quiet,
        reset=_roll_back,
        close=lambda connection: connection.close(),
    )


def _is_quiet(connection: Any, _: _Use) -> bool:
    """Whether the server has not hung up: an idle connection's socket has nothing to read."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not poll.poll(0)


def _roll_back(connection: Any) -> bool:
    try:
        connection.rollback()
        connection.autocommit = False
    except psycopg2.Error:
        return False
    return not connection.closed


# ------------------------------------------------------------------ ADBC


@dataclass(slots=True)
class _Arrow:
    """An ADBC connection, and its session's bound for statements as it was set last, ms."""

    connection: ArrowConnection
    bound_ms: int | None = None


def _adbc(server: str) -> _Kind[_Arrow]:
    return _Kind(
        open=lambda dsn: _connect_arrow(server, dsn),
        prepare=_set_use,
        reset=lambda _: True,
        close=_close_arrow,
    )


def _connect_arrow(server: str, dsn: str) -> _Arrow:
    words = parse_dsn(dsn)
    words["options"] = f"{words.get('options', '')} {READ_SETTINGS}".strip()
    try:
        return _Arrow(ArrowConnection(to_uri(make_dsn(**words))))
    except (adbc_driver_manager.Error, OSError) as error:
        raise ServerUnavailable(server, str(error)) from error


def _set_use(arrow: _Arrow, use: _Use) -> bool:
    """Bound the session's statements where the bound is another; that it answers is the check."""
    bound_ms = _bound_ms(use.timeout_s)
    if not use.is_checked and arrow.bound_ms == bound_ms:
        return True
    try:
        with arrow.connection.cursor() as cursor:
            sql = f"SELECT set_config('statement_timeout', '{bound_ms}', false)"
            cursor.execute(sql, in_one_trip=True)
    except (adbc_driver_manager.Error, OSError):
        return False
    arrow.bound_ms = bound_ms
    return True


def _bound_ms(timeout_s: float | None) -> int:
    """Milliseconds, at most an eighth too long: time limits of one length, less what the queries
    have run already, are one bound, so that it is seldom set. 0 is none."""
    if timeout_s is None:
        return 0
    wanted = max(1, ceil(timeout_s * 1000))
    step = 1 << max(0, wanted.bit_length() - 4)
    return -(-wanted // step) * step


def _close_arrow(arrow: _Arrow) -> None:
    try:
        arrow.connection.close()
    except (adbc_driver_manager.Error, OSError):
        return
