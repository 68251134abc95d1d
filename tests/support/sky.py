"""What a generator of queries knows of a catalog: its tables, how they join, what values lie where.

The values come from a sample of the rows, so that cuts and regions drawn from them find rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from qserv.adql.words import RESERVED
from schema.catalog import Catalog, Role, Table
from schema.types import Type

_FEW = 20
"""A column of so many different values at most is one to group by."""
_QUANTILES = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)


@dataclass(frozen=True, slots=True)
class Measure:
    """A numeric column and some of its values, ascending, never NULL."""

    name: str
    values: tuple[float, ...]
    is_integer: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A column of few values: integers or texts, as SQL literals."""

    name: str
    values: tuple[str, ...]
    is_text: bool


@dataclass(frozen=True, slots=True)
class Link:
    """`column` of a table refers to `target_column` of table `target`."""

    column: str
    target: str
    target_column: str
    is_child: bool
    """The row lies with its target; else the target is replicated."""


@dataclass(frozen=True, slots=True)
class SkyTable:
    """One table. Column names are quoted where ADQL needs it."""

    name: str
    role: Role
    key: str | None
    ra: str | None
    dec: str | None
    measures: tuple[Measure, ...]
    labels: tuple[Label, ...]
    flags: tuple[str, ...]
    links: tuple[Link, ...]
    positions: tuple[tuple[float, float], ...]
    """Where some rows lie, degrees."""
    keys: tuple[int, ...]
    """Some rows' keys."""
    ids: tuple[str, ...]
    """Columns that identify rows, its own or others': to select, not to reckon with."""
    pairs: tuple[Link, ...] = ()
    """Of a match table: to its first and to its second director."""
    geometries: tuple[tuple[str, str], ...] = ()
    """Columns of points, circles and polygons, and which of these they are."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a select list may have."""
        names = list(self.ids)
        names += [measure.name for measure in self.measures]
        names += [label.name for label in self.labels]
        return tuple(dict.fromkeys([*names, *self.flags]))


@dataclass(frozen=True, slots=True)
class Sky:
    """A catalog's tables by their qualified names; `margin_arcsec` bounds neighbours' radii."""

    tables: Mapping[str, SkyTable]
    margin_arcsec: float

    def with_role(self, role: Role) -> list[SkyTable]:
        return [table for table in self.tables.values() if table.role is role]


def sky_of(catalog: Catalog, samples: Mapping[str, pa.Table]) -> Sky:
    """The sky of a catalog, from a sample of the rows of each table that queries shall name."""
    tables = [_table(catalog, catalog.table(name), rows) for name, rows in samples.items()]
    return Sky({table.name: table for table in tables}, catalog.margin_arcsec)


def quoted(name: str) -> str:
    """The name as ADQL wants it: in double quotes where it must be."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) and name.upper() not in RESERVED
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def _table(catalog: Catalog, table: Table | None, rows: pa.Table) -> SkyTable:
    assert table is not None, "the sample is of a table of the catalog"
    keys = _some(rows, table.key) if table.role is Role.DIRECTOR else []
    positions = zip(_some(rows, table.ra), _some(rows, table.dec), strict=True)
    return SkyTable(
        name=f"{quoted(catalog.name)}.{quoted(table.name)}",
        role=table.role,
        key=quoted(table.key) if table.key else None,
        ra=quoted(table.ra) if table.ra else None,
        dec=quoted(table.dec) if table.dec else None,
        measures=_measures(table, rows),
        labels=_labels(table, rows),
        flags=tuple(quoted(c.name) for c in table.columns if c.type is Type.BOOLEAN),
        links=_links(catalog, table),
        positions=tuple(pair for pair in positions if None not in pair),
        keys=tuple(key for key in keys if key is not None),
        ids=tuple(quoted(column.name) for column in table.columns if column.name in _ids(table)),
        pairs=_pairs(catalog, table),
        geometries=tuple(
            (quoted(column.name), str(column.type))
            for column in table.columns
            if column.type.is_geometry
        ),
    )


def _some(rows: pa.Table, column: str | None) -> list[float | None]:
    """The column's values of a few rows from all over the sample; none of no column."""
    if column is None or rows.num_rows == 0:
        return []
    step = max(1, rows.num_rows // 50)
    return rows[column].to_pylist()[::step]


def _distinct(rows: pa.Table, column: str) -> list[object]:
    return sorted(value for value in rows[column].unique().to_pylist() if value is not None)


def _ids(table: Table) -> set[str | None]:
    foreign = (name for key in table.foreign_keys for name in key.columns)
    return {table.key, *table.primary_key, *foreign, *((table.match or ())[1:])}


def _measures(table: Table, rows: pa.Table) -> tuple[Measure, ...]:
    """The numeric columns that are neither keys nor positions."""
    others = {table.ra, table.dec, *_ids(table)}
    found = []
    for column in table.columns:
        if column.type.is_numeric and column.name not in others:
            values = [v for v in _distinct(rows, column.name) if v == v]  # noqa: PLR0124 (not NaN)
            chosen = tuple(values[int(q * (len(values) - 1))] for q in _QUANTILES) if values else ()
            if chosen:
                found.append(Measure(quoted(column.name), chosen, column.type.is_integer))
    return tuple(found)


def _labels(table: Table, rows: pa.Table) -> tuple[Label, ...]:
    found = []
    for column in table.columns:
        is_text = column.type is Type.TEXT
        if is_text or column.type.is_integer:
            values = _distinct(rows, column.name)
            if 0 < len(values) <= _FEW:
                literals = [_literal(value) for value in values]
                found.append(Label(quoted(column.name), tuple(literals), is_text))
    return tuple(found)


def _literal(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _links(catalog: Catalog, table: Table) -> tuple[Link, ...]:
    """To the parent, and to replicated tables by a column of the name of their key."""
    links = []
    if table.role is Role.CHILD and table.key and table.parent and table.parent_key:
        parent = f"{quoted(catalog.name)}.{quoted(table.parent)}"
        links.append(Link(quoted(table.key), parent, quoted(table.parent_key), is_child=True))
    for target in catalog.tables if table.is_partitioned else ():
        key = target.primary_key[0] if len(target.primary_key) == 1 else target.key
        if target.role is Role.REPLICATED and key and table.column(key):
            name = f"{quoted(catalog.name)}.{quoted(target.name)}"
            links.append(Link(quoted(key), name, quoted(key), is_child=False))
    return tuple(links)


def _pairs(catalog: Catalog, table: Table) -> tuple[Link, ...]:
    """To both directors of a match table; none of other tables."""
    if table.role is not Role.MATCH or not (table.match and table.key and table.parent):
        return ()
    second, column = table.match
    first = quoted(table.parent_key or table.key)
    director = catalog.table(second)
    assert director is not None
    assert director.key is not None
    name = quoted(catalog.name)
    return (
        Link(quoted(table.key), f"{name}.{quoted(table.parent)}", first, is_child=False),
        Link(quoted(column), f"{name}.{quoted(second)}", quoted(director.key), is_child=False),
    )
