"""Every query is logged, seen by its user alone, ended from anywhere; quotas are held to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from procedures.query_log import ask_cancel, get_query, list_queries
from procedures.users import set_quota
from qserv.answer import answer
from qserv.rights.caller import Caller, Scope
from qserv.running import QueryCancelled
from schema.rights import Quota
from tests.support.guarded import Guarded, guarded
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres
ALICE = Caller("alice", scopes=frozenset({Scope.READ_TAP}), trace_id="ab" * 16)
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = Path(tmp_path_factory.mktemp("log"))
    with guarded(server, folder, quota=Quota(max_running=1, max_queued=0)) as made:
        yield made


@pytest.fixture(scope="module")
def client(world: Guarded) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=world.url, timeout=60) as made:
        yield made


def bearer(world: Guarded, who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.tokens[who]}"}


def run(world: Guarded, text: str, caller: Caller = ALICE) -> str:
    """Answer a query to its end; its id."""
    found = answer(text, world.store, caller=caller)
    for _ in found.batches:
        pass
    found.close()
    return found.query_id


def logged(world: Guarded, query_id: str) -> Any:
    """The query in the log, once it has ended there."""
    world.store.log.write()
    return await_it(lambda: _ended(world, query_id))


def _ended(world: Guarded, query_id: str) -> Any:
    rows = [one for one in world.change(list_queries, None, limit=50) if one.query_id == query_id]
    return next((one for one in rows if one.outcome != "running"), None)


def await_it(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_a_query_is_logged_with_what_it_took(world: Guarded) -> None:
    found = logged(world, run(world, "SELECT objectId FROM plain.Object"))
    assert (found.user, found.language, found.outcome, found.code) == ("alice", "ADQL", "ok", None)
    assert (found.rows, found.size_bytes, found.text) == (
        60,
        480,
        "SELECT objectId FROM plain.Object",
    )
    assert found.chunks >= 1
    assert 0 < found.elapsed_s < 60
    assert found.trace_id == "ab" * 16


def test_a_query_that_is_wrong_is_logged_with_its_code(world: Guarded) -> None:
    with pytest.raises(Exception, match="Unknown table"):
        run(world, "SELECT nothing FROM nowhere.atAll")
    world.store.log.write()
    found = await_it(
        lambda: [q for q in world.change(list_queries, "alice", limit=9) if "atAll" in q.text]
    )
    assert (found[0].outcome, found[0].code) == ("failed", "UNKNOWN_TABLE")


def test_one_that_is_left_is_logged_as_cancelled(world: Guarded) -> None:
    found = answer("SELECT objectId FROM plain.Object", world.store, caller=ALICE)
    found.close()
    assert logged(world, found.query_id).code == "QUERY_CANCELLED"


def test_users_see_their_own_queries_and_administrators_all(
    world: Guarded, client: httpx.Client
) -> None:
    query_id = logged(world, run(world, "SELECT ra FROM plain.Object")).query_id
    place = f"/queries/{query_id}"
    statuses = [
        client.get(place, headers=headers).status_code
        for headers in (bearer(world, "alice"), bearer(world, "bob"), bearer(world, "root"), {})
    ]
    assert statuses == [200, 404, 200, 401]
    assert client.get("/queries", headers=bearer(world, "bob")).json() == []
    assert client.get("/queries?limit=x", headers=bearer(world, "bob")).status_code == 400
    mine = client.get("/queries?limit=1", headers=bearer(world, "alice")).json()
    assert [one["user"] for one in mine] == ["alice"]


def test_a_running_query_is_ended_through_the_log(world: Guarded) -> None:
    running = world.store.watch.begin(60, caller=ALICE)
    found = answer("SELECT objectId FROM plain.Object", world.store, caller=ALICE, running=running)
    await_it(lambda: list(world.change(list_queries, "alice", limit=5, is_running=True)))
    assert world.change(get_query, found.query_id, "alice").outcome == "running"
    world.change(ask_cancel, found.query_id, "root", None)
    await_it(lambda: isinstance(running.error, QueryCancelled))
    found.close()
    assert logged(world, found.query_id).code == "QUERY_CANCELLED"


def test_nobody_ends_another_user_s_query(world: Guarded, client: httpx.Client) -> None:
    query_id = logged(world, run(world, "SELECT dec FROM plain.Object")).query_id
    for place in (f"/queries/{query_id}", f"/queries/{NOBODY}", "/queries/nonsense"):
        assert client.delete(place, headers=bearer(world, "bob")).status_code == 404


def test_more_queries_at_once_than_allowed_are_put_off(world: Guarded) -> None:
    """Two of one user race for one place, and none may wait."""
    statuses: list[int] = []
    start = threading.Barrier(6)

    def ask() -> None:
        fields = {
            "LANG": "ADQL",
            "QUERY": "SELECT COUNT(*) FROM plain.Source AS a, plain.Source AS b",
        }
        start.wait()
        found = httpx.post(
            f"{world.url}/tap/sync", data=fields, headers=bearer(world, "bob"), timeout=60
        )
        statuses.append(found.status_code)
        if found.status_code == 429:
            assert "TOO_MANY_OF_YOURS" in found.text
            assert int(found.headers["retry-after"]) > 0

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 200 in statuses
    assert 429 in statuses
    assert set(statuses) == {200, 429}


def test_a_day_s_rows_are_bounded(world: Guarded, client: httpx.Client) -> None:
    logged(world, run(world, "SELECT objectId FROM plain.Object"))
    world.change(set_quota, "user", "alice", {"rows_per_day": 10, "max_running": None})
    fields = {"LANG": "ADQL", "QUERY": "SELECT objectId FROM plain.Object"}
    refused = client.post("/tap/sync", data=fields, headers=bearer(world, "alice"))
    world.change(set_quota, "user", "alice", {})
    assert refused.status_code == 429
    assert "QUOTA_USED" in refused.text
    assert int(refused.headers["retry-after"]) > 0
    assert client.post("/tap/sync", data=fields, headers=bearer(world, "alice")).status_code == 200
