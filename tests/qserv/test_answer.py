"""The whole path over real servers: answers, row limits, cancels, what goes on without a coordinator."""

from __future__ import annotations

import threading
from contextlib import closing

import psycopg2
import pytest

from procedures.catalogs import drop_catalog
from qserv.answer import answer, cancel, explain
from qserv.languages import UnknownLanguage
from qserv.limits import Limits
from qserv.merge import MergeTooLarge
from qserv.result import Answer
from qserv.running import QueryCancelled, QueryTimeout
from qserv.spool import SpoolFull
from qserv.store import Store
from schema.errors import QueryError
from tests.qserv.conftest import SmallStore

pytestmark = pytest.mark.postgres
ALL = "SELECT id, flux FROM tiny.Object"
ENDLESS = (
    "SELECT COUNT(*) AS n FROM "
    + ", ".join(f"tiny.Object AS o{number}" for number in range(7))
    + " WHERE "
    + " + ".join(f"o{number}.id" for number in range(7))
    + " = -1"
)
"""The rows combined with themselves, seven times."""


def rows_of(given: Answer) -> list[tuple[object, ...]]:
    """All rows of an answer, which is closed then."""
    try:
        return [
            row
            for batch in given.batches
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
    finally:
        given.close()


@pytest.fixture
def store(small_store: SmallStore) -> Store:
    return small_store.store


def test_rows_of_all_shards_come_once(store: Store) -> None:
    assert sorted(rows_of(answer(ALL, store))) == [(i, float(i)) for i in range(80)]


def test_an_answer_tells_its_columns_and_snapshots(store: Store) -> None:
    given = answer("SELECT id AS number, flux * 2 AS twice FROM tiny.Object", store)
    assert [column.name for column in given.columns] == ["number", "twice"]
    assert given.snapshots == (("tiny", 1),)
    assert next(given.batches).schema == given.arrow_schema()
    given.close()


@pytest.mark.parametrize(
    ("adql", "expected"),
    [
        ("SELECT COUNT(*) AS n FROM tiny.Object", [(80,)]),
        ("SELECT COUNT(*) AS n, AVG(flux) AS f FROM tiny.Object WHERE id < 40", [(40, 19.5)]),
        ("SELECT TOP 3 id FROM tiny.Object ORDER BY flux DESC", [(79,), (78,), (77,)]),
        ("SELECT id FROM tiny.Object ORDER BY id OFFSET 78", [(78,), (79,)]),
        ("SELECT name FROM tiny.Band ORDER BY name", [("g",), ("i",), ("r",)]),
        ("SELECT COUNT(*) AS n FROM tiny.Object WHERE id < 0", [(0,)]),
        ("SELECT 1 AS one", [(1,)]),
        (
            "SELECT table_name FROM TAP_SCHEMA.tables WHERE schema_name = 'tiny' ORDER BY table_name",
            [("tiny.Band",), ("tiny.Object",)],
        ),
        (
            "SELECT o.id, p.id FROM tiny.Object AS o JOIN tiny.Object AS p ON o.id = p.id + 79",
            [(79, 0)],
        ),
    ],
)
def test_answers_are_right(store: Store, adql: str, expected: list[tuple[object, ...]]) -> None:
    assert rows_of(answer(adql, store)) == expected


def test_a_row_limit_cuts_and_says_so(store: Store) -> None:
    given = answer(ALL, store, maxrec=5)
    assert len(rows_of(given)) == 5
    assert given.overflowed


@pytest.mark.parametrize("maxrec", [80, 81, None])
def test_an_answer_within_its_row_limit_does_not_overflow(store: Store, maxrec: int | None) -> None:
    given = answer(ALL, store, maxrec=maxrec, limits=Limits(max_rows=100))
    assert len(rows_of(given)) == 80
    assert not given.overflowed


def test_a_row_limit_keeps_the_order(store: Store) -> None:
    given = answer("SELECT id FROM tiny.Object ORDER BY id DESC", store, maxrec=2)
    assert rows_of(given) == [(79,), (78,)]
    assert given.overflowed


def test_no_rows_wanted_are_no_rows(store: Store) -> None:
    given = answer(ALL, store, maxrec=0)
    assert rows_of(given) == []
    assert given.overflowed


def test_mysql_is_shown_what_there_is(store: Store) -> None:
    given = answer("SHOW DATABASES LIKE 'ti%'", store, language="mysql")
    assert rows_of(given) == [("tiny",)]
    described = rows_of(answer("DESCRIBE tiny.Object", store, language="MySQL"))
    assert [row[0] for row in described] == ["id", "ra", "dec", "flux"]


def test_the_processes_hold_the_texts_of_running_queries(store: Store) -> None:
    with closing(answer(ALL, store)):
        shown = rows_of(answer("SHOW FULL PROCESSLIST", store, language="MySQL"))
    assert [row[7] for row in shown] == [" ".join(ALL.split())]


@pytest.mark.parametrize("language", ["PostgreSQL", "sql", "MYSQL"])
def test_other_languages_are_answered(store: Store, language: str) -> None:
    given = answer("SELECT count(*) AS n FROM tiny.Object LIMIT 1", store, language=language)
    wanted = answer("SELECT COUNT(*) AS n FROM tiny.Object", store)
    assert rows_of(given) == rows_of(wanted)


def test_what_is_wrong_with_a_query_is_told_before_shards_are_asked(store: Store) -> None:
    with pytest.raises(QueryError, match="flix"):
        answer("SELECT flix FROM tiny.Object", store)
    with pytest.raises(UnknownLanguage):
        answer(ALL, store, language="Fortran")
    assert len(store.watch) == 0


def test_a_plan_can_be_explained(store: Store) -> None:
    explained = explain("SELECT id FROM tiny.Object WHERE flux > 3", store)
    assert explained.fragments[0].chunks == 8


def test_a_cancelled_query_ends(store: Store) -> None:
    given = answer(ALL, store)
    assert cancel(given.query_id, store)
    with pytest.raises(QueryCancelled):
        rows_of(given)
    assert not cancel(given.query_id, store)


def test_a_merge_meets_the_deadline(store: Store) -> None:
    with pytest.raises(QueryTimeout):
        rows_of(answer(ENDLESS, store, limits=Limits(timeout_s=1.0)))


def test_a_merge_can_be_cancelled_from_another_thread(store: Store) -> None:
    given = answer(ENDLESS, store)
    threading.Timer(0.5, given.close).start()
    with pytest.raises(QueryCancelled):
        rows_of(given)


def test_a_full_spool_is_the_query_s_end(store: Store) -> None:
    with pytest.raises(SpoolFull):
        rows_of(answer(ALL, store, limits=Limits(max_spool_bytes=100)))
    assert rows_of(answer("SELECT 1 AS one", store)) == [(1,)]


def test_a_closed_answer_leaves_nothing_behind(small_store: SmallStore) -> None:
    given = answer(ALL, small_store.store, limits=Limits(spool_memory_bytes=0))
    next(given.batches)
    assert list(small_store.spool.glob("czar-*/*/*.arrow"))
    given.close()
    assert not list(small_store.spool.glob("czar-*/*/*.arrow"))
    assert len(small_store.store.watch) == 0


def test_queries_at_once_do_not_mix(store: Store) -> None:
    found: dict[int, list[tuple[object, ...]]] = {}

    def ask(number: int) -> None:
        adql = f"SELECT id FROM tiny.Object WHERE id = {number} OR flux < -1 ORDER BY id"
        found[number] = rows_of(answer(adql, store))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [(number,)] for number in range(12)}


def test_the_last_snapshot_is_read_on_without_the_coordinator(
    own_store: SmallStore, own_coordinator_dsn: str
) -> None:
    assert len(rows_of(answer(ALL, own_store.store))) == 80
    _lose(own_coordinator_dsn)
    given = answer(ALL, own_store.store)
    assert len(rows_of(given)) == 80
    assert "coordinator" in given.warnings[0]


def test_a_catalog_made_again_under_its_name_is_another(
    own_store: SmallStore, own_coordinator_dsn: str
) -> None:
    assert len(rows_of(answer(ALL, own_store.store))) == 80
    connection = psycopg2.connect(own_coordinator_dsn)
    with connection:
        drop_catalog(connection, "tiny")
    connection.close()
    with pytest.raises(QueryError, match="Object"):
        answer(ALL, own_store.store)


def test_leftovers_go_with_the_store(small_store: SmallStore) -> None:
    small_store.store.close()
    assert not list(small_store.spool.iterdir())


def _lose(dsn: str) -> None:
    """Make a database refuse everyone, and end its sessions."""
    words = psycopg2.extensions.parse_dsn(dsn)
    other = psycopg2.extensions.make_dsn(**{**words, "dbname": "postgres"})
    connection = psycopg2.connect(other)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {words['dbname']} ALLOW_CONNECTIONS false")
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (words["dbname"],),
        )
    connection.close()


def test_a_join_of_too_many_rows_in_one_place_is_refused_before_any_shard_is_asked(
    store: Store,
) -> None:
    text = "SELECT a.id FROM tiny.Object a JOIN tiny.Object b ON a.flux = b.flux"
    with pytest.raises(MergeTooLarge, match=r"about 160 rows .* more than 159 \(max_merge_rows\)"):
        answer(text, store, limits=Limits(max_merge_rows=159))
    assert len(rows_of(answer(text, store, limits=Limits(max_merge_rows=160)))) == 80
    whole = "SELECT COUNT(*) FROM tiny.Object WHERE flux > 3"
    assert rows_of(answer(whole, store, limits=Limits(max_merge_rows=1))) == [(76,)]
