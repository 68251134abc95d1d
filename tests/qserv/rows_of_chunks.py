"""A tiny sky for what happens below the planner: chunks, parts, tables and twins made by hand.

Eight chunks of order 2 in a row; chunk n has the rows id = 10 n + k, k < 10, of table Object, of which
the first and the last also lie in the overlap of the chunk before and after. Table Band is replicated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq

from procedures.install import install
from qserv.bound import BaseTable, Column, Expression, Output, RelationId, Select
from qserv.planned import ChunkSource, Engine, Fragment, Reading
from schema.catalog import HEALPIX_29, INGEST, Catalog, Role, Table
from schema.catalog import Column as CatalogColumn
from schema.cover import Ranges
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind, Replica
from schema.topology import ShardId
from schema.types import Type

PIXELS = tuple(Pixel(2, number) for number in range(8))
OBJECT = Table(
    "Object",
    (
        CatalogColumn("id", Type.LONG, nullable=False),
        CatalogColumn("ra", Type.DOUBLE),
        CatalogColumn("dec", Type.DOUBLE),
        CatalogColumn("flux", Type.FLOAT),
    ),
    Role.DIRECTOR,
    primary_key=("id",),
    key="id",
    ra="ra",
    dec="dec",
)
BAND = Table("Band", (CatalogColumn("name", Type.TEXT),), Role.REPLICATED)
CATALOG = Catalog("tiny", (OBJECT, BAND))
OBJECT_ROW, BAND_ROW = RelationId("r0"), RelationId("r1")


def healpix_of(ids: Iterable[int]) -> list[int]:
    """Where the rows lie: ten equal steps through their chunk."""
    step = (PIXELS[0].last_29 + 1) // 10
    return [PIXELS[i // 10].first_29 + i % 10 * step for i in ids]


def object_rows(ids: Sequence[int]) -> pa.Table:
    """Rows of Object with the hidden columns."""
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "ra": pa.array([i / 10 for i in ids], pa.float64()),
            "dec": pa.array([0.0 for _ in ids], pa.float64()),
            "flux": pa.array([float(i) for i in ids], pa.float32()),
            HEALPIX_29: pa.array(healpix_of(ids), pa.int64()),
            INGEST: pa.array([1 for _ in ids], pa.int64()),
        }
    )


def own_ids(number: int) -> list[int]:
    return list(range(10 * number, 10 * number + 10))


def overlap_ids(number: int) -> list[int]:
    """The last row of the chunk before and the first of the chunk after."""
    beside = (10 * number - 1, 10 * number + 10)
    return [i for i in beside if 0 <= i < 80]


def manifest(placed: Sequence[Sequence[int]], *, has_twin: bool = True) -> Manifest:
    """The parts, with chunk n on the shards `placed[n]`."""
    parts = [
        Part(
            PartId(number + 1),
            "Object",
            PartKind.ROWS,
            PIXELS[number],
            None,
            IngestId(1),
            rows=10,
            overlap_rows=len(overlap_ids(number)),
            low_29=healpix_of(own_ids(number))[0],
            high_29=healpix_of(own_ids(number))[-1],
            replicas=_replicas(shards, has_twin),
        )
        for number, shards in enumerate(placed)
    ]
    everywhere = sorted({shard for shards in placed for shard in shards})
    whole = Part(
        PartId(100),
        "Band",
        PartKind.WHOLE,
        None,
        None,
        IngestId(1),
        rows=3,
        replicas=_replicas(everywhere, has_twin),
    )
    return Manifest("tiny", 1, PIXELS, (*parts, whole))


def _replicas(shards: Iterable[int], has_twin: bool) -> tuple[Replica, ...]:
    return tuple(Replica(ShardId(shard), has_twin) for shard in shards)


def column(name: str, type_: Type, relation: RelationId = OBJECT_ROW) -> Column:
    return Column(relation, name, type_)


def source(
    reading: Reading = Reading.OWN,
    columns: Sequence[str] = ("id",),
    ranges: Ranges | None = None,
    cells_radius: float | None = None,
) -> ChunkSource:
    return ChunkSource(
        OBJECT_ROW,
        CATALOG,
        OBJECT,
        reading,
        tuple(columns),
        ranges,
        cells_radius=cells_radius,
    )


def fragment(
    outputs: Sequence[Expression] = (Column(OBJECT_ROW, "id", Type.LONG),),
    *,
    engine: Engine = Engine.POSTGRES,
    pixels: Sequence[Pixel] = PIXELS,
    reading: Reading = Reading.OWN,
    where: Expression | None = None,
    limit_total: int | None = None,
) -> Fragment:
    """A fragment over Object."""
    return Fragment(
        "f0",
        Select(
            tuple(Output(expression, "x") for expression in outputs),
            BaseTable(OBJECT_ROW, CATALOG, OBJECT),
            where=where,
        ),
        (source(reading, ("id", "flux")),),
        tuple(pixels),
        len(PIXELS),
        engine,
        tuple(expression.type for expression in outputs),
        limit_total=limit_total,
    )


def bands_fragment() -> Fragment:
    """A fragment over Band, that any shard answers."""
    name = column("name", Type.TEXT, BAND_ROW)
    block = Select((Output(name, "name"),), BaseTable(BAND_ROW, CATALOG, BAND))
    read = ChunkSource(BAND_ROW, CATALOG, BAND, Reading.WHOLE, ("name",))
    return Fragment("f1", block, (read,), (), 0, Engine.POSTGRES, (Type.TEXT,), any_shard=True)


def fill_postgres(dsn: str, numbers: Iterable[int]) -> None:
    """Make a shard's tables for some chunks, and the replicated one."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        install(connection)
        cursor.execute("CREATE SCHEMA parts")
        for number in numbers:
            for name, ids in ((f"p{number + 1}", own_ids), (f"o{number + 1}", overlap_ids)):
                cursor.execute(
                    f'CREATE TABLE parts.{name} (id bigint, ra float8, "dec" float8, flux real,'
                    " _healpix_29 bigint, _ingest bigint)"
                )
                rows = object_rows(ids(number)).to_pydict()
                cursor.executemany(
                    f"INSERT INTO parts.{name} VALUES (%s, %s, %s, %s, %s, %s)",
                    list(zip(*rows.values(), strict=True)),
                )
        cursor.execute("CREATE TABLE parts.p100 (name text, _ingest bigint)")
        cursor.execute("INSERT INTO parts.p100 VALUES ('g', 1), ('r', 1), ('i', 1)")
    connection.close()


def fill_twins(folder: Path, numbers: Iterable[int]) -> None:
    """Write the twins of some chunks and of the replicated table."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        pq.write_table(object_rows(own_ids(number)), folder / f"p{number + 1}.parquet")
        pq.write_table(object_rows(overlap_ids(number)), folder / f"o{number + 1}.parquet")
    bands = pa.table({"name": ["g", "r", "i"], INGEST: pa.array([1, 1, 1], pa.int64())})
    pq.write_table(bands, folder / "p100.parquet")
