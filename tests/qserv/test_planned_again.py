"""Texts that are asked again: what is kept of them, and what is never kept."""

from __future__ import annotations

import pytest

from qserv.answer import answer, plan_text
from qserv.limits import Limits
from qserv.planned import Plan
from qserv.recent import KEPT_TEXT
from qserv.store import Store
from tests.qserv.conftest import SmallStore
from tests.qserv.test_answer import rows_of
from tests.qserv.test_pinned import publish_nothing

pytestmark = pytest.mark.postgres
ONE = "SELECT id, flux FROM tiny.Object WHERE flux = 3"
MANY = f"SELECT id FROM tiny.Object WHERE id IN ({', '.join(map(str, range(3000)))})"


@pytest.fixture
def store(small_store: SmallStore) -> Store:
    return small_store.store


def planned(text: str, store: Store, limits: Limits | None = None) -> Plan:
    return plan_text(text, store.pin(), store, limits=limits or Limits(), language="ADQL")


def test_a_text_asked_again_is_planned_once(store: Store) -> None:
    assert planned(ONE, store) is planned(ONE, store)
    assert rows_of(answer(ONE, store)) == rows_of(answer(ONE, store)) == [(3, 3.0)]


def test_a_kept_plan_serves_every_maxrec(store: Store) -> None:
    text = "SELECT id FROM tiny.Object WHERE id < 5"
    assert len(rows_of(answer(text, store, maxrec=2))) == 2
    assert len(rows_of(answer(text, store))) == 5


def test_other_limits_of_a_text_are_looked_at_again(store: Store) -> None:
    kept = planned(ONE, store)
    assert planned(ONE, store, Limits(max_tokens=1000)) is not kept


def test_long_texts_are_not_kept(store: Store) -> None:
    assert len(MANY) > KEPT_TEXT
    assert planned(MANY, store) is not planned(MANY, store)


def test_a_new_snapshot_is_planned_for_itself(
    own_store: SmallStore, own_coordinator_dsn: str
) -> None:
    before = planned(ONE, own_store.store)
    publish_nothing(own_coordinator_dsn)
    after = planned(ONE, own_store.store)
    assert (before.snapshots, after.snapshots) == ((("tiny", 1),), (("tiny", 2),))


@pytest.mark.parametrize(
    "value", ["NOW()", "RAND()", "1 + RAND()", "(SELECT MAX(RAND()) FROM tiny.Band)"]
)
def test_time_and_chance_are_those_of_each_asking(store: Store, value: str) -> None:
    text = f"SELECT {value} AS moment FROM tiny.Object WHERE id < 9"
    first, second = ({row[0] for row in rows_of(answer(text, store))} for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second


def test_a_name_that_only_looks_like_a_time_is_kept(store: Store) -> None:
    text = 'SELECT id AS "now" FROM tiny.Object WHERE flux = 3'
    assert planned(text, store) is planned(text, store)
