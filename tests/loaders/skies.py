"""The tables that the loaders' tests fill: two directors, children of children, a match, a list."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schema.catalog import Catalog, Column, Role, Table
from schema.types import Type

OBJECT = Table(
    "Object",
    (
        Column("objectId", Type.LONG, nullable=False),
        Column("ra", Type.DOUBLE, nullable=False),
        Column("dec", Type.DOUBLE, nullable=False),
        Column("gMag", Type.FLOAT),
        Column("band", Type.TEXT, length=2),
        Column("isStar", Type.BOOLEAN),
        Column("seen", Type.TIMESTAMP),
    ),
    Role.DIRECTOR,
    primary_key=("objectId",),
    key="objectId",
    ra="ra",
    dec="dec",
    sentinels=(0,),
)
SOURCE = Table(
    "Source",
    (
        Column("sourceId", Type.LONG, nullable=False),
        Column("objectId", Type.LONG),
        Column("ra", Type.DOUBLE),
        Column("dec", Type.DOUBLE),
        Column("flux", Type.DOUBLE),
    ),
    Role.CHILD,
    primary_key=("sourceId",),
    key="objectId",
    ra="ra",
    dec="dec",
    parent="Object",
    parent_key="objectId",
    sentinels=(0,),
)
NOTE = Table(
    "Note",
    (
        Column("noteId", Type.LONG, nullable=False),
        Column("sourceId", Type.LONG),
        Column("text", Type.TEXT),
    ),
    Role.CHILD,
    primary_key=("noteId",),
    key="sourceId",
    parent="Source",
    parent_key="sourceId",
)
STAR = Table(
    "Star",
    (
        Column("starId", Type.INT, nullable=False),
        Column("ra", Type.DOUBLE),
        Column("dec", Type.DOUBLE),
    ),
    Role.DIRECTOR,
    primary_key=("starId",),
    key="starId",
    ra="ra",
    dec="dec",
)
PAIR = Table(
    "Pair",
    (Column("objectId", Type.LONG), Column("starId", Type.INT), Column("sep", Type.DOUBLE)),
    Role.MATCH,
    key="objectId",
    parent="Object",
    parent_key="objectId",
    match=("Star", "starId"),
)
FILTER = Table(
    "Filter",
    (Column("filterId", Type.SHORT, nullable=False), Column("name", Type.TEXT)),
    Role.REPLICATED,
    primary_key=("filterId",),
    unique=(("name",),),
)
SKY = Catalog(
    "lab",
    (OBJECT, SOURCE, NOTE, STAR, PAIR, FILTER),
    margin_arcsec=120.0,
    chunk_rows=200,
    replicas=1,
)


def write(path: Path, **columns: object) -> Path:
    """A Parquet file of the given columns."""
    pq.write_table(pa.table(columns), path)
    return path


def objects(count: int, *, first: int = 1, seed: int = 1) -> pa.Table:
    """Objects around (10, 20), two degrees wide, dense enough for several chunks."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "objectId": np.arange(first, first + count),
            "ra": rng.uniform(9.0, 11.0, count),
            "dec": rng.uniform(19.0, 21.0, count),
            "gMag": rng.uniform(15, 25, count).astype(np.float32),
            "band": ["g", None] * (count // 2) + ["r"] * (count % 2),
            "isStar": rng.random(count) < 0.5,
            "seen": pa.array(rng.integers(0, 10**15, count)).cast(pa.timestamp("us")),
        }
    )


def sources_of(objects: pa.Table, each: int, *, first: int = 1, seed: int = 2) -> pa.Table:
    """Some sources of each object, a few arcsec around it."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(objects.num_rows), each)
    ra, dec = (np.asarray(objects[name])[of] for name in ("ra", "dec"))
    return pa.table(
        {
            "sourceId": np.arange(first, first + len(of)),
            "objectId": np.asarray(objects["objectId"])[of],
            "ra": ra + rng.normal(0, 2e-3, len(of)),
            "dec": dec + rng.normal(0, 2e-3, len(of)),
            "flux": rng.normal(size=len(of)),
        }
    )
