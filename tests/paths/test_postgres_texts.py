"""PostgreSQL itself is asked the texts: they must mean there what they are bound to here.

The names of the differential sky are folded, as PostgreSQL folds what stands without quotes. Texts
that it refuses (mutants of the corpus) must be refused by the front too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import psycopg2
import psycopg2.extensions
import pytest
from sqlglot.dialects.dialect import Dialect

from qserv.bind import Catalogs, bind
from qserv.sql import parse_postgres
from schema.errors import QueryError, SkyshardError
from tests.support import diff_sky
from tests.support.compare import assert_same_rows
from tests.support.corpus import CORPORA, Case, corpus
from tests.support.sharded import NOW, Oracle

pytestmark = pytest.mark.postgres

CASES = [case for case in corpus(CORPORA["PostgreSQL"]) if not case.name.startswith("ours: ")]
CATALOGS = Catalogs((diff_sky.CATALOG,))
MUTANTS = 600
SYNTAX_ERROR = "42601"
_AS_POSTGRES_ONLY = ("non-integer constant", 'or near "day"')
"""Syntax errors of PostgreSQL's that are none here: constants to sort by, `day` as a bare alias."""


@pytest.fixture(scope="module")
def folded(the_oracle: Oracle) -> Iterator[psycopg2.extensions.connection]:
    """A connection that finds the tables by folded names."""
    connection = psycopg2.connect(the_oracle.dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS folded")
        cursor.execute("SET search_path = folded, public, sky")
        cursor.execute("SET statement_timeout = '20s'")
        for table in diff_sky.CATALOG.tables:
            columns = ", ".join(f'"{c.name}" AS {c.name.lower()}' for c in table.columns)
            view = f'SELECT {columns} FROM public."{table.name}"'
            cursor.execute(f"CREATE OR REPLACE VIEW folded.{table.name.lower()} AS {view}")
    yield connection
    connection.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_text_means_what_postgresql_says(
    case: Case, the_oracle: Oracle, folded: psycopg2.extensions.connection
) -> None:
    query = bind(parse_postgres(case.text), CATALOGS, now=NOW, random=0.5)
    with folded.cursor() as cursor:
        cursor.execute(case.text)
        wanted = [tuple(map(_plain, row)) for row in cursor.fetchall()]
    assert_same_rows(the_oracle.rows(query), wanted, ordered=False)


def _plain(value: object) -> object:
    """NUMERIC as DOUBLE, a span of time as its seconds, a DATE as its midnight: what they are here."""
    match value:
        case Decimal():
            return float(value)
        case timedelta():
            return value.total_seconds()
        case datetime():
            return value
        case date():
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001
        case _:
            return value


def test_what_postgresql_calls_a_syntax_error_is_refused(
    folded: psycopg2.extensions.connection,
) -> None:
    accepted = [text for text in _mutants() if _is_accepted(text) and _is_wrong(text, folded)]
    assert accepted == []


def _mutants() -> list[str]:
    """Texts of the corpus with a word left out, doubled, put in or exchanged; the same each time."""
    rng = random.Random(20261122)
    texts = [_words(case.text) for case in CASES]
    words = [word for text in texts for word in text]
    return [_mutant(rng.choice(texts), words, rng) for _ in range(MUTANTS)]


def _words(text: str) -> list[str]:
    tokens = Dialect.get_or_raise("postgres").tokenize(text)
    return [text[token.start : token.end + 1] for token in tokens]


def _mutant(text: list[str], words: list[str], rng: random.Random) -> str:
    place, replaced = rng.randrange(len(text)), rng.choice([0, 1])
    put = rng.choice([[], [text[place]] * 2, [rng.choice(words)]])
    mutant = " ".join([*text[:place], *put, *text[place + replaced :]])
    return mutant.replace("! ~", "!~").replace("< <", "<<")


def _is_accepted(text: str) -> bool:
    try:
        bind(parse_postgres(text), CATALOGS, now=NOW, random=0.5)
    except (QueryError, SkyshardError):
        return False
    return True


def _is_wrong(text: str, folded: psycopg2.extensions.connection) -> bool:
    """Whether PostgreSQL finds a syntax error."""
    with folded.cursor() as cursor:
        try:
            cursor.execute(f"EXPLAIN {text}")
        except psycopg2.Error as error:
            known = any(part in str(error) for part in _AS_POSTGRES_ONLY)
            return error.pgcode == SYNTAX_ERROR and not known
    return False
