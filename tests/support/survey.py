"""Real surveys beside the checkout: their tables, their files, and the oracle that holds them.

The oracle reads MySQL's dumps by PostgreSQL's own COPY, and Parquet and ECSV by their libraries, so
that no loader stands on both sides of a comparison.
"""

from __future__ import annotations

import gzip
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg2
import pyarrow as pa
import pytest

from loaders.ingest import Contribution
from loaders.readers.form import Form
from procedures.install import install
from schema.catalog import Catalog, Column, Table
from schema.ddl import quote
from schema.felis import read_catalog
from schema.types import SPELLINGS, Type
from tests.support.mysql_schema import column_names, to_felis
from tests.support.postgres import Server
from tests.support.sharded import Oracle

_ODD_BYTES = re.compile(rb"\\.|[\r\x00\x01]", re.DOTALL)
_SPELLED = {b"\\0": b"", b"\r": b"", b"\x00": b"f", b"\x01": b"t"}
"""What COPY refuses, written otherwise: MySQL's BIT as a truth value; the rest is in binary columns."""


def survey_folder(name: str) -> Path:
    """The folder of a survey's files; skips the test where there is none."""
    beside = Path(__file__).parents[2].parent / "shared"
    folder = Path(os.environ.get("SKYSHARD_SHARED", beside)) / "data" / name
    if not folder.is_dir():
        pytest.skip(f"no survey data in {folder}")
    return folder


def dumped_catalog(survey: Path, layout: str, folder: Path) -> Catalog:
    """The catalog of a folder of MySQL statements (`<table>.schema`), laid out."""
    statements = [path.read_text("utf-8") for path in sorted(survey.glob("*.schema"))]
    schema_file, layout_file = folder / "schema.yaml", folder / "layout.yaml"
    schema_file.write_text(to_felis(survey.name, statements), "utf-8")
    layout_file.write_text(layout, "utf-8")
    return read_catalog(survey.name, schema_file, layout_file)


def dumps(survey: Path, catalog: Catalog, folder: Path) -> list[Contribution]:
    """A contribution for each table: its dump, under a name that says that it is one."""
    found = []
    for table in catalog.tables:
        link = folder / f"{table.name}.outfile.gz"
        link.symlink_to(survey / f"{table.name}.csv.gz")
        form = Form(columns=_dumped_columns(survey, table))
        found.append(Contribution(table.name, link, form))
    return found


def dump_oracle(server: Server, survey: Path, catalog: Catalog) -> Oracle:
    """An unsharded PostgreSQL that read the dumps itself."""
    filled = _with_tables(server, catalog)
    with psycopg2.connect(filled.dsn) as connection, connection.cursor() as cursor:
        for table in catalog.tables:
            names = _dumped_columns(survey, table)
            text = gzip.decompress((survey / f"{table.name}.csv.gz").read_bytes())
            fields = _ODD_BYTES.sub(lambda m: _SPELLED.get(m[0], m[0]), text)
            extra = [f"field {n}" for n in range(len(names), _fields(fields))]
            all_fields = ", ".join(f"{quote(name)} text" for name in [*names, *extra])
            cursor.execute(f"CREATE TEMP TABLE dump ({all_fields}) ON COMMIT DROP")
            cursor.copy_expert(
                r"COPY dump FROM STDIN WITH (DELIMITER ',', NULL '\N', ENCODING 'LATIN1')",
                io.BytesIO(fields),
            )
            columns = ", ".join(quote(column.name) for column in table.columns)
            values = ", ".join(map(_cast, table.columns))
            cursor.execute(f"INSERT INTO {quote(table.name)} ({columns}) SELECT {values} FROM dump")
            cursor.execute("DROP TABLE dump")
        cursor.execute("ANALYZE")
    return filled


def _cast(column: Column) -> str:
    return f"{quote(column.name)}::{SPELLINGS[column.type].postgres}"


def _fields(text: bytes) -> int:
    return re.sub(rb"\\.", b"", text, flags=re.DOTALL).partition(b"\n")[0].count(b",") + 1


def _dumped_columns(survey: Path, table: Table) -> tuple[str, ...]:
    """All columns of a table in the order of its dump."""
    return column_names((survey / f"{table.name}.schema").read_text("utf-8"))


def _with_tables(server: Server, catalog: Catalog) -> Oracle:
    """An unsharded PostgreSQL with the catalog's empty tables."""
    dsn = server.new_database("oracle")
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        install(connection)
        for table in catalog.tables:
            columns = ", ".join(
                f"{quote(c.name)} {SPELLINGS[c.type].postgres}"
                + (' COLLATE "C"' if c.type is Type.TEXT else "")
                for c in table.columns
            )
            cursor.execute(f"CREATE TABLE {quote(table.name)} ({columns})")
    return Oracle(dsn, catalog)


def fitted(tables: Mapping[str, Sequence[pa.Table]], catalog: Catalog) -> dict[str, pa.Table]:
    """Each table's files as one Arrow table with exactly the catalog's columns; missing are NULL."""
    found = {}
    for table in catalog.tables:
        schema = pa.schema([(c.name, SPELLINGS[c.type].arrow) for c in table.columns])
        pieces = [_fit(rows, schema) for rows in tables.get(table.name, ())]
        found[table.name] = pa.concat_tables([schema.empty_table(), *pieces])
    return found


def _fit(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        rows[field.name].cast(field.type, safe=False)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
