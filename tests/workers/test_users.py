"""`skyshard user`, `group`, `token`, `grant`, `revoke`, `grants` and `queries`, on a real coordinator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from procedures.rights import NotGranted, UnknownPrincipal, UnknownTableOfCatalog
from procedures.tokens import ScopeRefused, UnknownToken, find_holder
from procedures.users import PrincipalExists, find_login
from qserv.answer import answer
from qserv.bind.errors import UnknownTable
from qserv.rights.caller import ANONYMOUS_CALLER, Caller
from qserv.rights.passwords import is_password
from qserv.store import Store, open_store
from schema.rights import Scope, WrongName
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY
from tests.support.postgres import Server
from workers.cli.books import WrongOption
from workers.cli.main import app

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def sky(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A home whose configuration names a coordinator and a shard."""
    with lab(server, SKY, tmp_path_factory.mktemp("users"), shards=1) as made:
        coordinator = f"[coordinator]\ndsn = {json.dumps(made.topology.coordinator)}\n"
        shards = f"[[shards]]\ndsn = {json.dumps(made.topology.shards[0].dsn)}\n"
        (made.folder / "skyshard.toml").write_text(coordinator + shards)
        yield made


@pytest.fixture(scope="module")
def store(sky: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(sky.topology, spool=tmp_path_factory.mktemp("czar")) as made:
        yield made


def skyshard(sky: Lab, *words: str, given: str = "") -> str:
    """What a command prints on stdout; its error is raised."""
    done = CliRunner().invoke(app, [*words, "--home", str(sky.folder)], input=given)
    if done.exception is not None:
        raise done.exception
    return done.stdout


def reads(store: Store, caller: Caller) -> bool:
    try:
        answer("SELECT COUNT(*) FROM lab.Object", store, caller=caller).close()
    except UnknownTable:
        return False
    return True


def from_books(sky: Lab, look: Any, word: str) -> Any:
    with sky.pools.coordinator() as connection:
        return look(connection, word)


def test_a_user_a_group_and_a_token_from_the_command_line(sky: Lab, store: Store) -> None:
    skyshard(sky, "group", "add", "Survey")
    skyshard(sky, "user", "add", "Alice", "--group", "survey", given="correct horse\n")
    assert is_password("correct horse", from_books(sky, find_login, "alice").password)
    skyshard(sky, "user", "passwd", "alice", given="another horse\n")
    assert is_password("another horse", from_books(sky, find_login, "alice").password)
    token = skyshard(sky, "token", "create", "alice", "--label", "notebook").split()[0]
    assert from_books(sky, find_holder, token).user == "alice"
    (listed,) = json.loads(skyshard(sky, "token", "list", "alice", "--json"))
    skyshard(sky, "token", "revoke", str(listed["token"]))
    assert from_books(sky, find_holder, token) is None
    assert json.loads(skyshard(sky, "token", "list", "--json")) == []
    shown = json.loads(skyshard(sky, "user", "show", "alice"))
    assert (shown["groups"], shown["scopes"]) == (["survey"], ["read:tap", "write:tables"])
    assert "alice" in skyshard(sky, "group", "list")


def test_grants_close_and_open_a_catalog(sky: Lab, store: Store) -> None:
    skyshard(sky, "user", "add", "bob", "--no-password")
    skyshard(sky, "group", "add", "team")
    skyshard(sky, "group", "join", "team", "bob")
    bob = Caller("bob", scopes=frozenset({Scope.READ_TAP}))
    assert reads(store, ANONYMOUS_CALLER)
    skyshard(sky, "revoke", "lab", "public")
    assert (reads(store, ANONYMOUS_CALLER), reads(store, bob)) == (False, False)
    skyshard(sky, "grant", "lab", "team")
    assert (reads(store, ANONYMOUS_CALLER), reads(store, bob)) == (False, True)
    skyshard(sky, "group", "leave", "team", "bob")
    assert not reads(store, bob)
    skyshard(sky, "grant", "LAB.object", "BOB")
    assert reads(store, bob)
    skyshard(sky, "grant", "lab", "public", "--from", "2999-01-01")
    assert not reads(store, ANONYMOUS_CALLER)
    skyshard(sky, "grant", "lab", "public", "--from", "2001-01-01")
    assert reads(store, ANONYMOUS_CALLER)
    told = json.loads(skyshard(sky, "grants", "lab", "--json"))
    assert ("Object", "bob") in {(one["table"], one["to"]) for one in told}


def test_one_table_of_a_granted_catalog_is_revoked(sky: Lab, store: Store) -> None:
    skyshard(sky, "user", "add", "dora", "--no-password")
    skyshard(sky, "grant", "lab", "dora")
    skyshard(sky, "revoke", "lab.Object", "dora")
    told = json.loads(skyshard(sky, "grants", "lab", "--json"))
    hers = {one["table"] for one in told if one["to"] == "dora"}
    assert hers == {"Source", "Note", "Star", "Pair", "Filter"}


def test_quotas_are_set_and_taken_back(sky: Lab, store: Store) -> None:
    skyshard(sky, "user", "add", "carol", "--no-password")
    skyshard(sky, "user", "quota", "carol", "rows_per_day=10", "max_running=none")
    carol = Caller("carol", scopes=frozenset({Scope.READ_TAP}))
    store.pin()
    assert store.quota(carol).rows_per_day == 10
    skyshard(sky, "user", "quota", "carol", "rows_per_day=")
    store.pin()
    assert store.quota(carol).rows_per_day is None


def test_queries_are_listed_shown_and_ended(sky: Lab, store: Store) -> None:
    found = answer("SELECT COUNT(*) AS listed FROM lab.Star", store)
    found.close()
    store.log.write()
    told = json.loads(skyshard(sky, "queries", "list", "--user", "operator", "--json"))
    assert found.query_id in [one["query"] for one in told]
    assert json.loads(skyshard(sky, "queries", "show", found.query_id))["user"] == "operator"
    skyshard(sky, "queries", "cancel", found.query_id)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("user", "add", "public"), WrongName),
        (("group", "add", "twice"), PrincipalExists),
        (("user", "show", "nobody"), UnknownPrincipal),
        (("user", "add", "eve", "--scope", "everything"), WrongOption),
        (("user", "quota", "twice", "rows=1"), UnknownPrincipal),
        (("group", "quota", "twice", "rows=1"), WrongOption),
        (("grant", "lab", "nobody"), UnknownPrincipal),
        (("grant", "lab.Objekt", "twice"), UnknownTableOfCatalog),
        (("grant", "lab", "twice", "--from", "soon"), WrongOption),
        (("revoke", "lab", "twice"), NotGranted),
        (("token", "revoke", "999999"), UnknownToken),
        (("token", "create", "weak", "--scope", "admin"), ScopeRefused),
    ],
)
def test_what_is_wrong_says_so(sky: Lab, words: tuple[str, ...], fault: type[Exception]) -> None:
    for setup in (("group", "add", "twice"), ("user", "add", "weak", "--no-password")):
        try:
            skyshard(sky, *setup)
        except PrincipalExists:
            continue
    with pytest.raises(fault):
        skyshard(sky, *words, given="long enough\n")
