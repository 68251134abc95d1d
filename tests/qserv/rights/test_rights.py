"""What follows from permissions, memberships and quotas; passwords; guesses; credentials."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from procedures.query_log import Usage
from qserv.rights.caller import ANONYMOUS_CALLER, OPERATOR, Caller, Scope
from qserv.rights.credentials import AccessSettings, Bearer, Password, Vouched, read_asker
from qserv.rights.errors import NotLoggedIn, QuotaUsed, TooManyGuesses
from qserv.rights.guesses import PER_ADDRESS, PER_PAIR, WINDOW_S, Guesses
from qserv.rights.passwords import PasswordRefused, hash_password, is_password
from qserv.rights.quotas import Quotas, check_daily
from schema.rights import Permission, Quota, Rights, WrongName, principal_name

NOW = datetime(2027, 1, 1, tzinfo=UTC)
RIGHTS = Rights(
    1,
    (
        Permission(1, None, "public"),
        Permission(2, None, "survey"),
        Permission(2, "Visit", "bob"),
        Permission(3, None, "public", NOW + timedelta(days=1)),
    ),
    {"alice": frozenset({"survey"})},
    {"survey": {"rows_per_day": 100}, "deep": {"rows_per_day": None}, "alice": {"max_running": 9}},
)


def sees(name: str, catalog: int, table: str, now: datetime = NOW, *groups: str) -> bool:
    return RIGHTS.sight(RIGHTS.grantees(name, groups), now).sees(catalog, table)


def test_everybody_sees_what_is_public() -> None:
    assert sees("anonymous", 1, "Object")


def test_what_nobody_was_granted_nobody_sees() -> None:
    assert not sees("alice", 4, "Object")


def test_a_member_sees_what_her_group_sees() -> None:
    assert sees("alice", 2, "Object")
    assert sees("carol", 2, "Object", NOW, "survey")
    assert not sees("bob", 2, "Object")


def test_one_table_may_be_granted_in_any_case() -> None:
    assert sees("bob", 2, "visit")


def test_an_embargo_ends_at_its_time() -> None:
    assert not sees("alice", 3, "Object")
    assert sees("alice", 3, "Object", NOW + timedelta(days=1))


def test_a_sight_tells_when_it_may_grow() -> None:
    assert RIGHTS.sight(frozenset({"public"}), NOW).until == NOW + timedelta(days=1)


def test_her_own_quota_goes_before_her_groups_and_theirs_before_the_configured() -> None:
    quotas = Quotas(user=Quota(max_running=2, rows_per_day=7, seconds_per_day=5))
    alice = Caller("alice", scopes=frozenset({Scope.READ_TAP}))
    assert quotas.of(alice, RIGHTS) == Quota(9, None, 100, None, 5)


def test_of_several_groups_the_widest_bound_holds() -> None:
    quotas = Quotas(user=Quota(rows_per_day=7))
    both = Caller("carol", groups=frozenset({"survey", "deep"}))
    assert quotas.of(both, RIGHTS).rows_per_day is None


def test_administrators_have_no_bounds() -> None:
    assert Quotas(user=Quota(max_running=1)).of(OPERATOR, RIGHTS) == Quota()


def test_those_who_did_not_log_in_have_a_quota_of_their_own() -> None:
    quotas = Quotas(user=Quota(max_running=9), anonymous=Quota(max_running=1))
    assert quotas.of(ANONYMOUS_CALLER, RIGHTS) == Quota(max_running=1)


def test_a_quota_that_is_used_up_says_so() -> None:
    check_daily(Quota(rows_per_day=10), Usage(rows=9))
    with pytest.raises(QuotaUsed, match="10 of 10 rows"):
        check_daily(Quota(rows_per_day=10), Usage(rows=10))


@pytest.mark.parametrize("name", ["public", "Operator", "1a", "a b", "", "x" * 64, "a;b", "é"])
def test_names_that_nobody_may_have_are_refused(name: str) -> None:
    with pytest.raises(WrongName):
        principal_name(name)


def test_names_are_kept_in_lower_case() -> None:
    assert principal_name(" Alice.B@uni-c.org ") == "alice.b@uni-c.org"


def test_a_password_is_known_again_and_no_other() -> None:
    kept = hash_password("correct horse")
    assert is_password("correct horse", kept)
    assert not is_password("correct horsf", kept)
    assert not is_password("correct horse", None)
    assert "correct" not in kept


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("correct horse") != hash_password("correct horse")


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_passwords_have_a_length(password: str) -> None:
    with pytest.raises(PasswordRefused):
        hash_password(password)


def test_guesses_are_bounded_by_name_and_by_address_for_a_while() -> None:
    now = 0.0
    guesses = Guesses(clock=lambda: now)
    for _ in range(PER_PAIR):
        guesses.check("alice", "a")
        guesses.count("alice", "a")
    with pytest.raises(TooManyGuesses):
        guesses.check("alice", "a")
    guesses.check("alice", "b")
    guesses.check("bob", "a")
    for number in range(PER_ADDRESS):
        guesses.count(f"user{number}", "a")
    with pytest.raises(TooManyGuesses):
        guesses.check("bob", "a")
    now = WINDOW_S + 1
    guesses.check("alice", "a")


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "proof"),
    [
        ({}, None),
        (basic("Alice:pass:word"), Password("alice", "pass:word")),
        (basic("any:sky-token"), Bearer("sky-token")),
        (basic("sky-token:"), Bearer("sky-token")),
        ({"authorization": "bearer  sky-token"}, Bearer("sky-token")),
        ({"x-auth-request-user": "root"}, None),
    ],
)
def test_credentials_are_read_as_clients_send_them(
    headers: dict[str, str], proof: Password | Bearer | None
) -> None:
    assert read_asker(headers, "10.0.0.1", AccessSettings()).proof == proof


@pytest.mark.parametrize("value", ["Basic %%%", "Basic", "Digest x", "Bearer " + "x" * 5000])
def test_what_is_no_credential_is_refused(value: str) -> None:
    with pytest.raises(NotLoggedIn):
        read_asker({"authorization": value}, "10.0.0.1", AccessSettings())


def test_a_proxy_is_believed_by_its_address_alone() -> None:
    settings = AccessSettings(proxies=("10.1.0.0/16",))
    headers = {
        "x-auth-request-user": "Carol",
        "x-auth-request-groups": "Survey, deep",
        "x-forwarded-for": "1.1.1.1, 2.2.2.2",
    }
    found = read_asker(headers, "10.1.2.3", settings)
    assert found.proof == Vouched("carol", frozenset({"survey", "deep"}))
    assert found.address == "2.2.2.2"
    assert read_asker(headers, "10.2.0.1", settings).proof is None
    assert read_asker(headers, "10.2.0.1", settings).address == "10.2.0.1"
