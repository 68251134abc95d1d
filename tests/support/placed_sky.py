"""The sky of the differential tests as a manifest: who lies in which chunk, with real statistics.

Three ingests, whose parts of one chunk may name pixels of different orders, as after a split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schema.catalog import Role, Table
from schema.healpix import I64, Pixel, pixels_29, separation_arcsec
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind
from schema.statistics import describe
from tests.support import diff_sky
from tests.support.manifests import without_nan

ORDERS = (2, 3, 4)
"""Of the parts of each ingest."""
TABLES = ("Object", "ForcedSource")


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """One table's rows with the pixels of their own positions (-1: none) and of their directors."""

    rows: pa.Table
    own_29: I64
    home_29: I64
    ingest: npt.NDArray[np.int64]


@cache
def placed() -> Mapping[str, Placed]:
    """Objects and their forced sources; orphans lie by their own position."""
    rows = {name: without_nan(diff_sky.rows()[name]) for name in TABLES}
    objects, children = rows["Object"], _one_of_each_orphan(rows["ForcedSource"])
    own = pixels_29(np.asarray(objects["ra"]), np.asarray(objects["dec"]))
    child_own = pixels_29(np.asarray(children["ra"]), np.asarray(children["dec"]))
    keys = np.asarray(children["objectId"].fill_null(0))
    first = int(objects["objectId"][0].as_py())
    is_known = (keys >= first) & (keys < first + len(objects))
    home = np.where(is_known, own[np.where(is_known, keys - first, 0)], child_own)
    return {
        "Object": Placed(objects, own, own, np.arange(len(objects)) % 3),
        "ForcedSource": Placed(children, child_own, home, keys % 3),
    }


def _one_of_each_orphan(children: pa.Table) -> pa.Table:
    """The rows but for further ones of a director that is not there: those lie with the first.

    The sky's orphans are anywhere, so that distances from a director would be as large as the sky.
    """
    keys = np.asarray(children["objectId"].fill_null(0))
    _, first = np.unique(keys, return_index=True)
    is_first = np.zeros(len(keys), np.bool_)
    is_first[first] = True
    return children.filter(pa.array(is_first | (keys < diff_sky.FIRST_ORPHAN)))


@cache
def manifest() -> Manifest:
    """The parts of the placed rows."""
    parts: list[Part] = []
    for name, found in placed().items():
        table = diff_sky.CATALOG.table(name)
        assert table is not None
        for ingest, order in enumerate(ORDERS):
            pixels = found.home_29 >> (2 * (29 - order))
            for number in np.unique(pixels[found.ingest == ingest]):
                chosen = (found.ingest == ingest) & (pixels == number)
                parts.append(_part(len(parts), table, found, chosen, Pixel(order, int(number))))
    chunks = tuple(Pixel(2, number) for number in range(192))
    return Manifest("diff", 1, chunks, tuple(parts))


def _part(
    number: int, table: Table, found: Placed, chosen: npt.NDArray[np.bool_], pixel: Pixel
) -> Part:
    rows = found.rows.filter(pa.array(chosen))
    own = found.own_29[chosen]
    return Part(
        part_id=PartId(number),
        table=table.name,
        kind=PartKind.ROWS,
        pixel=pixel,
        bucket=None,
        ingest_id=IngestId(1),
        rows=len(rows),
        separation_arcsec=0.0 if table.role is Role.DIRECTOR else _separation(),
        low_29=int(own.min()),
        high_29=int(own.max()),
        statistics=describe(rows, table),
    )


@cache
def _separation() -> float:
    """The largest distance of a child from its director, arcsec."""
    objects, children = (diff_sky.rows()[name] for name in TABLES)
    both = children.join(objects, "objectId", right_suffix="_o", join_type="inner")
    apart = separation_arcsec(*(np.asarray(both[n]) for n in ("ra", "dec", "ra_o", "dec_o")))
    return float(apart.max()) + 0.001
