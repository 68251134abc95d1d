"""Who may do what, over HTTP: every kind of caller at every kind of resource, with real requests."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pyvo.auth import AuthSession
from pyvo.dal import DALQueryError, TAPService

from procedures.rights import grant, revoke
from procedures.tokens import create_token, list_tokens, revoke_token
from procedures.users import join_group, leave_group
from qserv.rights.credentials import AccessSettings
from qserv.rights.guesses import Guesses
from schema.rights import Scope
from tests.support.guarded import MARKER, PASSWORD, Guarded, guarded
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    settings = AccessSettings(proxies=("127.0.0.2/32",))
    with guarded(server, Path(tmp_path_factory.mktemp("rights")), settings) as made:
        yield made


@pytest.fixture(scope="module")
def client(world: Guarded) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=world.url, timeout=60) as made:
        yield made


def headers_of(world: Guarded, who: str) -> dict[str, str]:
    """What a caller of that kind sends."""
    match who:
        case "anonymous":
            return {}
        case "wrong token":
            return {"Authorization": "Bearer sky-nonsense"}
        case "garbage":
            return {"Authorization": "Basic %%%"}
        case "forged proxy":
            return {"X-Auth-Request-User": "root", "X-Auth-Request-Groups": "survey"}
        case _ if who.endswith(" by password"):
            name = who.removesuffix(" by password")
            return basic(name, PASSWORD)
        case "wrong password":
            return basic("alice", "correct horsf")
        case _:
            return {"Authorization": f"Bearer {world.tokens[who]}"}


def basic(user: str, password: str) -> dict[str, str]:
    word = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {word}"}


def query(text: str, **more: str) -> tuple[str, str, dict[str, str]]:
    fields = {"LANG": "ADQL", "RESPONSEFORMAT": "csv", "QUERY": text, **more}
    return "POST", "/tap/sync", fields


RESOURCES = {
    "open": query("SELECT COUNT(*) FROM plain.Object"),
    "vault": query("SELECT COUNT(*) FROM vault.Object"),
    "vault by key": query("SELECT * FROM vault.Object WHERE objectId = 7"),
    "vault replicated": query("SELECT name FROM vault.Filter"),
    "vault in a sub-query": query(
        "SELECT COUNT(*) FROM plain.Object WHERE objectId IN (SELECT objectId FROM vault.Object)"
    ),
    "vault in PostgreSQL": query('SELECT count(*) FROM "vault"."Object"', LANG="PostgreSQL"),
    "vault in MySQL": query("SELECT count(*) FROM `vault`.`Object`", LANG="MySQL"),
    "vault explained": query("EXPLAIN SELECT * FROM vault.Object"),
    "vault explained and run": query("EXPLAIN ANALYZE SELECT * FROM vault.Object"),
    "vault described": query("DESCRIBE vault.Object", LANG="MySQL"),
    "vault as of": query("SELECT COUNT(*) FROM plain.Object", SNAPSHOT="vault@1"),
    "mixed": query("SELECT COUNT(*) FROM mixed.Source"),
    "mixed note": query("SELECT text FROM mixed.Note"),
    "tables": ("GET", "/tap/tables", {}),
    "vault's table": ("GET", "/tap/tables/vault.Object", {}),
    "queries": ("GET", "/queries", {}),
    "ingests": ("GET", "/ingest", {}),
    "capabilities": ("GET", "/tap/capabilities", {}),
    "health": ("GET", "/health", {}),
}
CLOSED = [name for name in RESOURCES if name.startswith("vault")]
_EVERYBODY = {"open": 200, "mixed": 200, "tables": 200, "capabilities": 200, "health": 200}
_OUTSIDER = _EVERYBODY | dict.fromkeys(CLOSED, 400) | {"vault's table": 404, "mixed note": 400}
_MEMBER = _EVERYBODY | dict.fromkeys(CLOSED, 200) | {"mixed note": 400}
_NOBODY = dict.fromkeys(RESOURCES, 401) | {"health": 200}
MATRIX = {
    "anonymous": _OUTSIDER | {"queries": 401, "ingests": 401},
    "forged proxy": _OUTSIDER | {"queries": 401, "ingests": 401},
    "bob": _OUTSIDER | {"queries": 200, "ingests": 403},
    "bob by password": _OUTSIDER | {"queries": 200, "ingests": 403},
    "alice": _MEMBER | {"queries": 200, "ingests": 403},
    "alice by password": _MEMBER | {"queries": 200, "ingests": 403},
    "loader": dict.fromkeys(RESOURCES, 403) | {"ingests": 200, "capabilities": 200, "health": 200},
    "root": dict.fromkeys(RESOURCES, 200),
    "expired": _NOBODY,
    "revoked": _NOBODY,
    "gone": _NOBODY,
    "wrong token": _NOBODY,
    "wrong password": _NOBODY,
    "garbage": _NOBODY,
}


@pytest.mark.parametrize("who", MATRIX)
def test_every_caller_gets_what_is_hers(who: str, world: Guarded, client: httpx.Client) -> None:
    found = {}
    for name in RESOURCES:
        found[name] = ask(client, name, headers_of(world, who))
        world.authority.guesses = Guesses()
    assert {name: answer.status_code for name, answer in found.items()} == MATRIX[who]


@pytest.mark.parametrize("who", ["anonymous", "bob", "loader", "forged proxy", "expired"])
def test_nothing_tells_outsiders_of_what_is_closed(
    who: str, world: Guarded, client: httpx.Client
) -> None:
    asked = {**RESOURCES, "shown": query("SHOW DATABASES", LANG="MySQL")}
    asked["told"] = query("SELECT table_name, description FROM tap_schema.tables")
    asked["keys"] = query("SELECT * FROM tap_schema.columns", MAXREC="5000")
    asked["front"] = ("GET", "/", {})
    for name in asked:
        if name not in (*CLOSED, "queries", "ingests"):  # her own texts; a loader's whole store
            answer = ask(client, name, headers_of(world, who), asked)
            assert "vault" not in answer.text, name
            assert MARKER not in answer.text, name
            assert name == "mixed note" or "mixed.Note" not in answer.text, name


def ask(
    client: httpx.Client,
    name: str,
    headers: dict[str, str],
    among: dict[str, tuple[str, str, dict[str, str]]] = RESOURCES,
) -> httpx.Response:
    method, path, fields = among[name]
    return client.request(method, path, data=fields or None, headers=headers)


@pytest.mark.parametrize("name", [name for name in CLOSED if name != "vault's table"])
def test_a_closed_table_is_an_unknown_table(
    name: str, world: Guarded, client: httpx.Client
) -> None:
    method, path, fields = RESOURCES[name]
    unknown = {key: value.replace("vault", "zzzzz") for key, value in fields.items()}
    of_closed = client.request(method, path, data=fields).text
    of_unknown = client.request(method, path, data=unknown).text
    assert of_closed.replace("vault", "zzzzz") == of_unknown


def test_no_name_near_a_closed_one_is_suggested(client: httpx.Client) -> None:
    answer = client.post("/tap/sync", data=query("SELECT * FROM vaul.Object")[2])
    assert answer.status_code == 400
    assert "vault" not in answer.text


def test_a_plan_of_who_may_is_no_plan_for_who_may_not(world: Guarded, client: httpx.Client) -> None:
    text = query("SELECT COUNT(*) FROM vault.Source WHERE flux > -0.125")[2]
    statuses = [
        client.post("/tap/sync", data=text, headers=headers_of(world, who)).status_code
        for who in ("bob", "alice", "bob", "root", "anonymous", "alice")
    ]
    assert statuses == [400, 200, 400, 200, 400, 200]


def count(client: httpx.Client, world: Guarded, who: str, table: str = "vault.Object") -> int:
    fields = query(f"SELECT COUNT(*) FROM {table}")[2]
    return client.post("/tap/sync", data=fields, headers=headers_of(world, who)).status_code


def test_a_grant_and_its_end_hold_from_the_next_query_on(
    world: Guarded, client: httpx.Client
) -> None:
    assert count(client, world, "bob") == 400
    world.change(grant, "vault", "bob")
    assert count(client, world, "bob") == 200
    world.change(revoke, "vault", "bob")
    assert count(client, world, "bob") == 400


def test_a_group_s_rights_come_and_go_with_membership(world: Guarded, client: httpx.Client) -> None:
    world.change(join_group, "survey", "bob")
    assert count(client, world, "bob") == 200
    world.change(leave_group, "survey", "bob")
    assert count(client, world, "bob") == 400


def test_an_embargo_ends_by_itself(world: Guarded, client: httpx.Client) -> None:
    world.change(grant, "vault", "public", from_time=datetime.now(UTC) + timedelta(seconds=1.5))
    assert count(client, world, "anonymous") == 400
    time.sleep(1.6)
    assert count(client, world, "anonymous") == 200
    world.change(revoke, "vault", "public")
    assert count(client, world, "anonymous") == 400


def test_a_child_may_be_read_where_its_parent_may_not(world: Guarded, client: httpx.Client) -> None:
    world.change(grant, "vault.Source", "bob")
    try:
        text = "SELECT COUNT(*) AS n FROM vault.Source WHERE objectId = 3"
        found = client.post("/tap/sync", data=query(text)[2], headers=headers_of(world, "bob"))
        assert found.text.splitlines() == ["n", "2"]
        assert count(client, world, "bob", "vault.Object") == 400
        listed = client.get("/tap/tables", headers=headers_of(world, "bob")).text
        assert "vault.Source" in listed
        assert "vault.Object" not in listed
    finally:
        world.change(revoke, "vault.Source", "bob")


def test_a_revoked_token_ends_soon(world: Guarded, client: httpx.Client) -> None:
    number, token = world.change(create_token, "bob", scopes=[Scope.READ_TAP], days=1)
    mine = {"Authorization": f"Bearer {token}"}
    assert client.get("/tap/tables", headers=mine).status_code == 200
    world.change(revoke_token, number)
    client.get("/tap/tables")  # any request meets the new version of the rights
    assert client.get("/tap/tables", headers=mine).status_code == 401
    assert number not in [t.token_id for t in world.change(list_tokens, "bob") if not t.revoked_at]


def test_tokens_are_kept_as_digests_only(world: Guarded) -> None:
    def whole(connection: object) -> str:
        with connection.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute("SELECT string_agg(token::text, ' ') FROM skyshard.token")
            return str(cursor.fetchone()[0])

    kept = world.change(whole)
    assert not [token for token in world.tokens.values() if token in kept]


def test_refusals_say_how_to_log_in(world: Guarded, client: httpx.Client) -> None:
    refused = client.get("/tap/tables", headers=headers_of(world, "expired"))
    told = refused.headers.get_list("www-authenticate")
    assert any(one.startswith("Basic realm=") for one in told)
    assert any(one.startswith("Bearer") for one in told)
    assert any(one.startswith("ivoa_bearer") and "/login" in one for one in told)


def test_a_password_buys_a_token_as_topcat_asks_for_it(
    world: Guarded, client: httpx.Client
) -> None:
    fields = {"username": "alice", "password": PASSWORD}
    answer = client.post("/login", data=fields)
    token = answer.headers["x-vo-bearer"]
    who = client.get("/login", headers={"Authorization": f"Bearer {token}"})
    assert who.json()["user"] == "alice"
    assert who.headers["x-vo-authenticated"] == "alice"
    assert client.post("/login", data={**fields, "password": "nonsense"}).status_code == 401


def test_guessing_passwords_is_slow_and_harms_nobody_else(
    world: Guarded, client: httpx.Client
) -> None:
    tries = [client.get("/tap/tables", headers=basic("root", f"guess {n}")) for n in range(12)]
    right = client.get("/tap/tables", headers=basic("root", PASSWORD))
    others = client.get("/tap/tables", headers=basic("alice", PASSWORD))
    world.authority.guesses = Guesses()
    assert [answer.status_code for answer in tries] == [401] * 10 + [429] * 2
    assert 0 < int(tries[-1].headers["retry-after"]) <= 60
    assert (right.status_code, others.status_code) == (429, 200)


def test_a_token_may_stand_for_a_password(world: Guarded, client: httpx.Client) -> None:
    token = world.tokens["alice"]
    for user, password in (("alice", token), (token, ""), ("x-token", token)):
        answer = client.get("/tap/tables", headers=basic(user, password))
        assert answer.headers["x-vo-authenticated"] == "alice"


def test_a_trusted_proxy_names_the_user(world: Guarded) -> None:
    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    named = {"X-Auth-Request-User": "carol", "X-Auth-Request-Groups": "survey, others"}
    with httpx.Client(base_url=world.url, transport=transport, timeout=60) as proxy:
        fields = query("SELECT COUNT(*) FROM vault.Object")[2]
        assert proxy.post("/tap/sync", data=fields, headers=named).status_code == 200
        named["X-Auth-Request-Groups"] = "alice"  # a user's name is no group's
        assert proxy.post("/tap/sync", data=fields, headers=named).status_code == 400
        named["X-Auth-Request-User"] = "survey"
        assert proxy.post("/tap/sync", data=fields, headers=named).status_code == 401


def test_pyvo_logs_in_as_the_capabilities_say(world: Guarded) -> None:
    session = AuthSession()
    session.credentials.set_password("alice", PASSWORD)
    service = TAPService(f"{world.url}/tap", session=session)
    session.update_from_capabilities(service.capabilities)
    assert service.search("SELECT COUNT(*) AS n FROM vault.Object")["n"][0] == 60
    assert "vault.Object" in service.tables
    with pytest.raises(DALQueryError, match="Unknown table"):
        TAPService(f"{world.url}/tap").search("SELECT COUNT(*) AS n FROM vault.Object")
