"""Uploaded tables joined with sharded ones: the answers are those of one PostgreSQL that has both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qserv.answer import plan_text
from qserv.bind.errors import UnknownTable
from qserv.limits import Limits
from qserv.store import Store
from qserv.uploads.tables import Upload, Uploads
from schema.catalog import Column, Role, Table
from schema.types import Type
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.postgres import Server
from tests.support.sharded import Oracle, bound, oracle, rows_of, sharded_store

pytestmark = pytest.mark.postgres


def uploads() -> Uploads:
    """Positions near every twentieth object, some of them doubled and displaced; keys, some unknown."""
    objects = diff_sky.rows()["Object"]
    objects = objects.take(list(range(0, len(objects), 20)))
    random = np.random.default_rng(5)
    ra, dec, ids = (objects[name].to_numpy() for name in ("ra", "dec", "objectId"))
    ra, dec = np.tile(ra, 2), np.tile(dec, 2)
    moved = random.normal(0, 1.0 / 3600, (2, len(ra)))
    keys = [None if n % 7 == 0 else int(i) + (n % 5 == 0) * 10**12 for n, i in enumerate(ids)]
    positions = pa.table(
        {
            "name": [f"star {n}" for n in range(len(ra))],
            "RA": (ra + moved[0]) % 360,
            "DEC": np.clip(dec + moved[1], -90, 90),
        }
    )
    return Uploads(
        (
            _upload("near", positions, (Type.TEXT, Type.DOUBLE, Type.DOUBLE)),
            _upload("keys", pa.table({"id": pa.array(keys, pa.int64())}), (Type.LONG,)),
            _upload("nobody", pa.table({"id": pa.array([], pa.int64())}), (Type.LONG,)),
        )
    )


def _upload(name: str, rows: pa.Table, types: tuple[Type, ...]) -> Upload:
    columns = tuple(Column(*pair) for pair in zip(rows.column_names, types, strict=True))
    return Upload(Table(name, columns, Role.REPLICATED), rows)


UPLOADS = uploads()


@pytest.fixture(scope="module")
def store(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = Path(tmp_path_factory.mktemp("uploads"))
    with sharded_store(
        server, diff_sky.CATALOG, diff_sky.as_ingests(2), shards=2, folder=folder
    ) as sharded:
        yield sharded.store


@pytest.fixture(scope="module")
def the_oracle(server: Server) -> Oracle:
    tables = tuple(upload.table for upload in UPLOADS.tables)
    catalog = dataclasses.replace(diff_sky.CATALOG, tables=(*diff_sky.CATALOG.tables, *tables))
    rows = {upload.table.name: upload.rows for upload in UPLOADS.tables}
    return oracle(server, catalog, {**diff_sky.rows(), **rows})


NEAR = "DISTANCE(u.ra, u.dec, o.ra, o.dec) < 2.0/3600"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM TAP_UPLOAD.near",
        "SELECT COUNT(*), MIN(ra) FROM tap_upload.near",
        "SELECT TOP 5 u.name FROM tap_upload.near AS u ORDER BY u.name DESC",
        "SELECT u.id, o.ra FROM tap_upload.keys AS u JOIN Object AS o ON o.objectId = u.id",
        "SELECT u.id, o.ra FROM tap_upload.keys AS u LEFT JOIN Object AS o ON o.objectId = u.id",
        "SELECT objectId FROM Object AS o WHERE objectId IN (SELECT id FROM tap_upload.keys)",
        (
            "SELECT COUNT(*) FROM Object WHERE objectId NOT IN"
            " (SELECT id FROM tap_upload.keys WHERE id IS NOT NULL)"
        ),
        (
            "SELECT u.id, COUNT(*) AS n FROM tap_upload.keys AS u"
            " JOIN ObjectSource AS m ON m.objectId = u.id GROUP BY u.id"
        ),
        f"SELECT u.name, o.objectId FROM tap_upload.near AS u JOIN Object AS o ON {NEAR}",
        f"SELECT u.name, o.objectId FROM Object AS o JOIN tap_upload.near AS u ON {NEAR}",
        f"SELECT u.name, o.objectId FROM tap_upload.near AS u LEFT JOIN Object AS o ON {NEAR}",
        (
            "SELECT u.name, o.objectId FROM tap_upload.near AS u, Object AS o"
            " WHERE 1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(u.ra, u.dec, 2.0/3600))"
        ),
        (
            "SELECT u.name FROM tap_upload.near AS u WHERE NOT EXISTS"
            f" (SELECT 1 FROM Object AS o WHERE {NEAR})"
        ),
        f"SELECT COUNT(DISTINCT o.objectId) FROM Object AS o, tap_upload.near AS u WHERE {NEAR}",
        (
            "SELECT a.name, b.name FROM tap_upload.near AS a JOIN tap_upload.near AS b"
            " ON a.name < b.name AND DISTANCE(a.ra, a.dec, b.ra, b.dec) < 2.0/3600"
        ),
        (
            f"SELECT u.name, f.mjd FROM tap_upload.near AS u JOIN Object AS o ON {NEAR}"
            " JOIN ForcedSource AS f ON f.objectId = o.objectId"
        ),
        "SELECT n.id, o.objectId FROM tap_upload.nobody AS n JOIN Object AS o ON o.objectId = n.id",
        "SELECT COUNT(*) FROM tap_upload.nobody",
        "SELECT id FROM tap_upload.keys UNION SELECT objectId FROM Object WHERE objectId < 0",
        (
            "WITH k AS (SELECT id FROM tap_upload.keys WHERE id IS NOT NULL)"
            " SELECT o.objectId FROM k JOIN Object AS o ON k.id = o.objectId"
        ),
    ],
)
def test_the_answer_is_that_of_one_database(text: str, store: Store, the_oracle: Oracle) -> None:
    query = bound(text, store, uploads=UPLOADS)
    _, found = rows_of(text, store, uploads=UPLOADS)
    expected = the_oracle.rows(query)
    assert expected or "nobody" in text
    assert_agrees(query, found, expected)


def test_an_upload_chooses_the_chunks_that_are_read(store: Store) -> None:
    """Its keys and positions are sent ahead, as those of a finished fragment."""
    pinned = store.pin().with_uploads(UPLOADS)
    for text in (
        "SELECT u.id, o.ra FROM tap_upload.keys AS u JOIN Object AS o ON o.objectId = u.id",
        f"SELECT u.name FROM tap_upload.near AS u JOIN Object AS o ON {NEAR}",
    ):
        plan = plan_text(text, pinned, store, limits=Limits(), language="ADQL")
        ((name, _),) = plan.uploaded
        assert [feed.source for fragment in plan.fragments for feed in fragment.feeds] == [name]


def test_tap_schema_does_not_tell_of_uploads(store: Store) -> None:
    text = "SELECT COUNT(*) FROM tap_schema.tables WHERE schema_name = 'tap_upload'"
    assert rows_of(text, store, uploads=UPLOADS)[1] == [(0,)]


def test_uploads_are_of_one_query_only(store: Store) -> None:
    rows_of("SELECT id FROM tap_upload.keys", store, uploads=UPLOADS)
    with pytest.raises(UnknownTable, match="tap_upload"):
        rows_of("SELECT id FROM tap_upload.keys", store)
    other = Uploads((_upload("keys", pa.table({"id": [1]}), (Type.LONG,)),))
    assert rows_of("SELECT id FROM tap_upload.keys", store, uploads=other)[1] == [(1,)]
