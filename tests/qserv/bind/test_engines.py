"""Both engines take the bound SQL of every case, and give columns of the types that bind said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import duckdb
import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from procedures.install import install, install_macros
from qserv.bound import BaseTable, Query
from qserv.render import Dialect, render
from qserv.traverse import blocks, leaves
from schema.ddl import quote
from schema.types import SPELLINGS
from tests.qserv.bind.binding import bound
from tests.support.cases import Case, cases_in
from tests.support.postgres import Server
from tests.support.skies import DP1_FIRST

BOUND = [case for case in cases_in("bind") if "bound" in case.sections]


def _tables(dialect: Dialect) -> Iterator[str]:
    """DDL of every table, empty."""
    for catalog in DP1_FIRST.catalogs:
        for table in catalog.tables:
            columns = ", ".join(
                f"{quote(c.name)} {getattr(SPELLINGS[c.type], str(dialect))}" for c in table.columns
            )
            yield f"CREATE TABLE {quote(f'{catalog.name}_{table.name}')} ({columns})"


def _sql(query: Query, dialect: Dialect) -> str:
    bases = [leaf for block in blocks(query) for leaf in leaves(block.source)]
    sources = {
        base.relation: quote(f"{base.catalog.name}_{base.table.name}")
        for base in bases
        if isinstance(base, BaseTable)
    }
    return render(query, dialect, sources)


@pytest.fixture(scope="module")
def postgres(server: Server) -> Iterator[Connection]:
    with closing(psycopg2.connect(server.new_database())) as connection:
        install(connection)
        with connection.cursor() as cursor:
            for statement in _tables(Dialect.POSTGRES):
                cursor.execute(statement)
        connection.commit()
        yield connection


@pytest.fixture(scope="module")
def scanner() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        install_macros(connection)
        for statement in _tables(Dialect.DUCKDB):
            connection.execute(statement)
        yield connection


@pytest.mark.postgres
@pytest.mark.parametrize("case", BOUND, ids=str)
def test_postgres_gives_the_types_that_bind_said(case: Case, postgres: Connection) -> None:
    query = bound(case.text)
    text = _sql(query, Dialect.POSTGRES)
    with postgres, postgres.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE answer ON COMMIT DROP AS {text}")
        cursor.execute(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = 'answer'::regclass AND attnum > 0 ORDER BY attnum"
        )
        found = [row[0].removesuffix(" without time zone") for row in cursor.fetchall()]
    assert found == [SPELLINGS[output.type].postgres for output in query.outputs]


@pytest.mark.parametrize("case", BOUND, ids=str)
def test_duckdb_gives_the_types_that_bind_said(
    case: Case, scanner: duckdb.DuckDBPyConnection
) -> None:
    query = bound(case.text)
    found = scanner.sql(_sql(query, Dialect.DUCKDB)).to_arrow_table()
    assert found.schema.types == [SPELLINGS[output.type].arrow for output in query.outputs]
