"""A real HTTP server over hand-made answers: the seam is `Service.answer`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pytest
import uvicorn

from qserv.http.serve import make_server
from qserv.http.service import HttpLimits, Service
from qserv.limits import ANONYMOUS, Limits
from qserv.result import Answer, ResultColumn
from qserv.rights.caller import Caller
from qserv.tap_query import TapQuery
from schema.catalog import Catalog, Column, ForeignKey, Role, Table
from schema.errors import LimitExceeded, QueryError, StoreError, Unavailable
from schema.types import Type

COLUMNS = (
    ResultColumn("objectId", Type.LONG, ucd="meta.id;meta.main", description="Unique id"),
    ResultColumn("ra", Type.DOUBLE, unit="deg", ucd="pos.eq.ra"),
    ResultColumn("band", Type.TEXT),
)
OBJECT = Table(
    "Object",
    (
        Column("objectId", Type.LONG, nullable=False, description="Unique id"),
        Column("ra", Type.DOUBLE, unit="deg", ucd="pos.eq.ra"),
        Column("band", Type.TEXT),
    ),
    Role.DIRECTOR,
    primary_key=("objectId",),
    key="objectId",
    ra="ra",
    dec="ra",
    description="Objects <of> the survey",
)
CHILD = Table(
    "ForcedSource",
    (Column("objectId", Type.LONG),),
    Role.CHILD,
    key="objectId",
    parent="Object",
    foreign_keys=(ForeignKey("fk", ("objectId",), "Object", ("objectId",)),),
)
CATALOG = Catalog("dp1", (OBJECT, CHILD), description="A survey")


def rows(count: int) -> pa.RecordBatch:
    ids = pa.array(range(count), pa.int64())
    ra = pa.array([None if i % 7 == 3 else i / 3 for i in range(count)], pa.float64())
    band = pa.array(["ugrizy"[i % 6] for i in range(count)], pa.string())
    return pa.RecordBatch.from_arrays([ids, ra, band], names=["objectId", "ra", "band"])


@dataclass
class HandMade:
    """Answers by the text asked; remembers what it was asked and what was closed."""

    asked: list[tuple[str, Limits, int | None]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    is_away: bool = False
    language: str = ""
    as_of: tuple[str, ...] = ()
    """That of the last query."""

    def answer(self, text: str, limits: Limits, max_rows: int | None) -> Answer:
        self.asked.append((text, limits, max_rows))
        match text:
            case "bad":
                raise QueryError("no column 'rra'; did you mean 'ra'?", line=1, column=8)
            case "big":
                raise LimitExceeded("more than 10 rows")
            case "away":
                raise Unavailable("shard s2 does not answer")
            case "broken":
                raise RuntimeError("a bug")
        made = Answer("q-17", COLUMNS, iter(()), snapshots=(("dp1", 3),))
        made.batches = self._batches(text, made, limits.max_rows if max_rows is None else max_rows)
        made.on_close.append(self.closed.set)
        return made

    def _batches(self, text: str, made: Answer, max_rows: int | None) -> Iterator[pa.RecordBatch]:
        if text.startswith("late failure"):
            yield from [rows(10_000)] * (15 if "long" in text else 1)
            raise StoreError("part 5 is gone")
        if text == "early failure":
            raise StoreError("part 4 is gone")
        if text == "endless":
            while not self.closed.wait(0.001):
                yield rows(10_000)
            return
        if text == "slow":
            self.closed.wait(30)
            return
        count = int(text.removeprefix("SELECT "))
        made.overflowed = max_rows is not None and count > max_rows
        yield rows(count).slice(0, max_rows)

    def check(self) -> None:
        if self.is_away:
            raise Unavailable("the coordinator does not answer")


@dataclass
class Stage:
    """Hands each test's own HandMade to a server that outlives the tests."""

    current: HandMade = field(default_factory=HandMade)

    def service(self) -> Service:
        return Service(
            answer=self._answer,
            catalogs=lambda _: (CATALOG,),
            check=self._check,
            limits=replace(ANONYMOUS, max_rows=20_000),
            http=HttpLimits(max_running=2, max_body_bytes=10_000),
        )

    def _answer(self, query: TapQuery, limits: Limits, _caller: Caller) -> Answer:
        self.current.language, self.current.as_of = query.language, query.as_of
        return self.current.answer(query.text, limits, query.max_rows)

    def _check(self) -> None:
        self.current.check()


@contextmanager
def served(service: Service) -> Iterator[str]:
    """A running server's TAP address."""
    server = make_server(service, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started)
    yield f"http://127.0.0.1:{_port(server)}/tap"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def stage_and_url() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with served(stage.service()) as url:
        yield stage, url


@pytest.fixture
def hand_made(stage_and_url: tuple[Stage, str]) -> HandMade:
    stage_and_url[0].current = HandMade()
    return stage_and_url[0].current


@pytest.fixture
def base_url(stage_and_url: tuple[Stage, str], hand_made: HandMade) -> str:
    """The TAP address of a running server over `hand_made`."""
    assert stage_and_url[0].current is hand_made
    return stage_and_url[1]


@pytest.fixture
def fresh_url() -> Iterator[str]:
    """A server of the test's own."""
    with served(Stage().service()) as url:
        yield url


def _port(server: uvicorn.Server) -> int:
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


def wait_for(condition: object, timeout_s: float = 5.0) -> None:
    """Returns once `condition` holds; fails where it does not in time."""
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)
