"""A manifest made up from rows, for planning without a server: one part per table and chunk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from schema.catalog import Catalog, Role
from schema.healpix import Pixel, pixels_29
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind
from schema.statistics import describe

ORDER = 2


def manifest_of(
    catalog: Catalog,
    rows: Mapping[str, pa.Table],
    *,
    separations: Mapping[str, float] = MappingProxyType({}),
    times: int = 1,
) -> Manifest:
    """Parts of the catalog's tables over the tiling of order 2; children by their own position.

    Rows lie 3 arcsec from their directors, but for the tables in `separations`. `times` multiplies
    the row counts, so that plans see a big catalog.
    """
    chunks = tuple(Pixel(ORDER, number) for number in range(12 * 4**ORDER))
    parts: list[Part] = []
    for table in catalog.tables:
        data = rows[table.name]
        if table.role is Role.REPLICATED:
            parts.append(_part(len(parts), table.name, PartKind.WHOLE, None, rows=len(data)))
            continue
        shown = data if table.ra else rows["DiaSource"]
        ra, dec = (np.asarray(shown[name].drop_null()) for name in ("ra", "dec"))
        homes = pixels_29(ra, dec) >> (2 * (29 - ORDER))
        apart = 0.0 if table.role is Role.DIRECTOR else separations.get(table.name, 3.0)
        for number, count in zip(*np.unique(homes, return_counts=True), strict=True):
            pixel = Pixel(ORDER, int(number))
            size = int(count) * times
            made = _part(len(parts), table.name, PartKind.ROWS, pixel, rows=size, apart=apart)
            if len(homes) == len(data):
                inside = without_nan(data.filter(pa.array(homes == number)))
                made = replace(made, statistics=_times(describe(inside, table), times))
            parts.append(made)
    return Manifest(catalog.name, 1, chunks, tuple(parts))


def without_nan(rows: pa.Table) -> pa.Table:
    """NaN as NULL: what ingest stores."""
    columns = [
        pa.chunked_array([pa.array(column.to_numpy(), column.type, from_pandas=True)])
        if pa.types.is_floating(column.type)
        else column
        for column in rows.columns
    ]
    return pa.table(columns, names=rows.column_names)


def _times(statistics: str, times: int) -> str:
    """The statistics of so many copies of the rows."""
    entries = json.loads(statistics).items()
    many = {name: [low, high, nulls * times] for name, (low, high, nulls) in entries}
    return json.dumps(many, separators=(",", ":"))


def _part(
    number: int, table: str, kind: PartKind, pixel: Pixel | None, *, rows: int, apart: float = 0.0
) -> Part:
    return Part(
        part_id=PartId(number),
        table=table,
        kind=kind,
        pixel=pixel,
        bucket=None,
        ingest_id=IngestId(1),
        rows=rows,
        separation_arcsec=apart,
        low_29=None if pixel is None else pixel.first_29,
        high_29=None if pixel is None else pixel.last_29,
    )
