"""A schema's tables and a layout -> a catalog: roles, columns kept, references checked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.catalog import Catalog, Column, ForeignKey, Kind, Role, Table
from schema.conditions import condition_columns
from schema.layout import Layout, LayoutError, TableLayout, matching
from schema.names import check_catalog_name, check_distinct, check_name, hint
from schema.statistics import has_statistics
from schema.types import Type

MAX_COLUMNS = 1_590
"""PostgreSQL's 1,600 columns a table, less the hidden ones."""
_POSITION_NAMES = (("ra", "dec"), ("ra", "decl"), ("coord_ra", "coord_dec"), ("s_ra", "s_dec"))


def lay_out(name: str, declared: Catalog, layout: Layout) -> Catalog:
    """The catalog `name`: the declared tables with the roles that the layout gives them."""
    check_catalog_name(name)
    kept = _kept_tables(declared, layout)
    catalog = Catalog(
        name=name,
        tables=kept,
        family=layout.family,
        kind=layout.kind,
        margin_arcsec=layout.margin_arcsec,
        chunk_rows=layout.chunk_rows,
        placement_order=layout.placement_order,
        replicas=layout.replicas,
        chunk_order=layout.chunk_order,
        keep_units=layout.keep_units,
        description=layout.description or declared.description,
    )
    with_roles = replace(catalog, tables=tuple(_with_role(t, catalog, layout) for t in kept))
    _check_parents(with_roles, layout)
    linked = tuple(_with_parent_key(table, with_roles, layout) for table in with_roles.tables)
    needed = [(table.parent, table.parent_key) for table in linked]
    tables = tuple(
        _with_columns(
            table, layout, {key for parent, key in needed if key and parent == table.name}
        )
        for table in linked
    )
    found = replace(with_roles, tables=_with_known_targets(tables))
    return _as_live(found, layout) if layout.kind is Kind.LIVE else found


def _as_live(catalog: Catalog, layout: Layout) -> Catalog:
    """The catalog with tables that units of work change."""
    return replace(catalog, tables=tuple(_live(table, layout) for table in catalog.tables))


def _live(table: Table, layout: Layout) -> Table:
    """A live table: cut by time where the layout says so, which is all that statistics tell."""
    said = _said_of(table, layout)
    time = said.time if said else None
    if said is None or time is None:
        return replace(table, is_live=True, statistics=())
    columns = _Columns(table, layout.source)
    column = columns.column("time", time)
    is_time = column.type is Type.TIMESTAMP or column.type.is_floating
    if not is_time or not has_statistics(column.type):
        message = f"{column.name} is {column.type}; a time is a timestamp, or days (MJD)"
        raise columns.error("time", message)
    return replace(
        table,
        is_live=True,
        time=column.name,
        slice_days=said.slice_days,
        retention_days=said.retention_days,
        statistics=(column.name,),
    )


def position_columns(table: Table) -> tuple[str, str] | None:
    """The columns that hold a table's own position, by UCD or by name; None where it has none."""
    for mark in ("pos.eq.{};meta.main", "pos.eq.{}"):
        ra, dec = (_with_ucd(table.columns, mark.format(axis)) for axis in ("ra", "dec"))
        if ra and dec:
            return ra, dec
    for names in _POSITION_NAMES:
        ra_column, dec_column = (table.column(name) for name in names)
        if ra_column and dec_column and ra_column.type.is_floating and dec_column.type.is_floating:
            return ra_column.name, dec_column.name
    return None


def _with_ucd(columns: Iterable[Column], ucd: str) -> str | None:
    return next((column.name for column in columns if (column.ucd or "").lower() == ucd), None)


def _kept_tables(declared: Catalog, layout: Layout) -> tuple[Table, ...]:
    """The tables that `keep:` chooses; every named one must be among them."""
    check_distinct("table", (table.name for table in declared.tables), f"schema {declared.name}")
    names = [table.name for table in declared.tables]
    chosen, idle = matching(layout.keep, names)
    if idle:
        message = f"{idle[0]!r} fits no table of schema {declared.name}{hint(idle[0], names)}"
        raise LayoutError(layout.source, message, key="keep")
    spelled = {name.casefold() for name in chosen}
    check_distinct("table", layout.tables, layout.source)
    for name in layout.tables:
        if declared.table(name) is None:
            message = f"schema {declared.name} has no such table{hint(name, names)}"
            raise LayoutError(layout.source, message, table=name)
        if name.casefold() not in spelled:
            raise LayoutError(layout.source, "has a role but `keep:` leaves it out", table=name)
    return tuple(table for table in declared.tables if table.name in chosen)


def _with_role(table: Table, catalog: Catalog, layout: Layout) -> Table:
    """The table with its role, and the names that the layout gives resolved to its columns."""
    check_name("table", table.name)
    check_distinct("column", (c.name for c in table.columns), f"table {table.name}")
    said = _said_of(table, layout)
    if said is None:
        _refuse_unnamed_position(table, layout)
        return replace(table, role=Role.REPLICATED, is_named=False)
    columns = _Columns(table, layout.source)
    parent = catalog.table(said.parent) if said.parent else None
    if said.parent and parent is None:
        raise columns.error("parent", _no_table(said.parent, catalog))
    return replace(
        table,
        role=said.role,
        is_named=True,
        key=columns.integer("key", said.key),
        ra=columns.position("ra", said.ra),
        dec=columns.position("dec", said.dec),
        parent=parent.name if parent else None,
        parent_key=said.parent_key,
        match=_match(said, catalog, columns),
        sentinels=said.sentinels,
        keep_unplaced=said.keep_unplaced,
        indexes=_indexes(table, said, columns),
    )


def _said_of(table: Table, layout: Layout) -> TableLayout | None:
    """What the layout says of a table, whatever the case of its name there."""
    folded = table.name.casefold()
    return next((said for name, said in layout.tables.items() if name.casefold() == folded), None)


def _refuse_unnamed_position(table: Table, layout: Layout) -> None:
    position = position_columns(table)
    if position is None:
        return
    ra, dec = position
    key = table.primary_key[0] if len(table.primary_key) == 1 else "KEY"
    message = (
        f"has positions ({ra}, {dec}) but no line in the layout; write under `tables:` "
        f"`{table.name}: {{role: director, key: {key}, ra: {ra}, dec: {dec}}}` (or child of "
        f"another table), `{table.name}: {{role: replicated}}` if it is small, or leave it out by "
        f"`keep:`"
    )
    raise LayoutError(layout.source, message, table=table.name)


def _match(said: TableLayout, catalog: Catalog, columns: _Columns) -> tuple[str, str] | None:
    """A match table's second director and key, resolved."""
    if said.match is None:
        return None
    director = catalog.table(said.match[0])
    if director is None:
        raise columns.error("pairs", _no_table(said.match[0], catalog))
    key = columns.integer("pairs", said.match[1])
    assert key is not None
    return director.name, key


def _indexes(table: Table, said: TableLayout, columns: _Columns) -> tuple[tuple[str, ...], ...]:
    """The indexes of the layout, or the schema's own; never twice what a key gives already."""
    asked = table.indexes if said.indexes is None else said.indexes
    named = (tuple(columns.name("indexes", name) for name in index) for index in asked)
    given = {table.primary_key, *table.unique} if said.role is Role.REPLICATED else set()
    return tuple(dict.fromkeys(index for index in named if index not in given))


def _no_table(name: str, catalog: Catalog) -> str:
    return f"no table {name!r}{hint(name, [table.name for table in catalog.tables])}"


class _Columns:
    """Resolves the column names that a layout gives for one table."""

    def __init__(self, table: Table, source: str) -> None:
        self.table, self.source = table, source

    def error(self, key: str, message: str) -> LayoutError:
        return LayoutError(self.source, message, table=self.table.name, key=key)

    def column(self, key: str, name: str) -> Column:
        found = self.table.column(name)
        if found is None:
            known = [column.name for column in self.table.columns]
            raise self.error(key, f"no column {name!r}{hint(name, known)}")
        return found

    def name(self, key: str, name: str) -> str:
        return self.column(key, name).name

    def integer(self, key: str, name: str | None) -> str | None:
        """The spelling of a column that must hold integers: the director index maps integers."""
        if name is None:
            return None
        column = self.column(key, name)
        if not column.type.is_integer:
            raise self.error(key, f"{column.name} is {column.type}; a key must be an integer")
        return column.name

    def position(self, key: str, name: str | None) -> str | None:
        if name is None:
            return None
        column = self.column(key, name)
        if not column.type.is_floating:
            raise self.error(key, f"{column.name} is {column.type}; a position is in degrees")
        return column.name


def _check_parents(catalog: Catalog, layout: Layout) -> None:
    """Every chain of parents ends at a director; a match table's parents are directors."""
    for table in catalog.tables:
        if table.match is not None:
            for director in (table.parent, table.match[0]):
                if _role_of(director, catalog) is not Role.DIRECTOR:
                    message = f"{director} is no director in this layout"
                    raise LayoutError(layout.source, message, table=table.name, key="pairs")
        seen = {table.name}
        below = table
        while below.role is Role.CHILD:
            parent = catalog.table(below.parent or "")
            if parent is None or parent.role not in (Role.DIRECTOR, Role.CHILD):
                message = f"{below.parent} is neither a director nor a child in this layout"
                raise LayoutError(layout.source, message, table=below.name, key="parent")
            if parent.name in seen:
                message = f"{table.name} is its own ancestor"
                raise LayoutError(layout.source, message, table=table.name, key="parent")
            seen.add(parent.name)
            below = parent


def _role_of(name: str | None, catalog: Catalog) -> Role | None:
    table = catalog.table(name or "")
    return table.role if table else None


def _with_parent_key(table: Table, catalog: Catalog, layout: Layout) -> Table:
    """The table with the column of its parent that its key refers to."""
    parent = catalog.table(table.parent or "")
    if parent is None:
        return table
    if parent.role is Role.DIRECTOR:
        if table.parent_key and parent.column(table.parent_key) != parent.column(parent.key or ""):
            message = f"must be {parent.name}'s key, {parent.key}"
            raise LayoutError(layout.source, message, table=table.name, key="parent_key")
        return _referring(table, parent, parent.key)
    asked = table.parent_key or _key_of_child(table, parent)
    column = parent.column(asked) if asked else None
    if column is None or not column.type.is_integer:
        message = f"name the integer column of {parent.name} that {table.key} refers to"
        raise LayoutError(layout.source, message, table=table.name, key="parent_key")
    return _referring(table, parent, column.name)


def _referring(table: Table, parent: Table, parent_key: str | None) -> Table:
    """The table with its parent's key, and the foreign key that the schema may have left out."""
    assert table.key is not None, f"{table.name} has no key"
    assert parent_key is not None, f"{parent.name} has no key"
    ends = (table.key,), parent.name, (parent_key,)
    if any((f.columns, f.target, f.target_columns) == ends for f in table.foreign_keys):
        return replace(table, parent_key=parent_key)
    implied = ForeignKey(f"{table.name}_{table.key}_{parent.name}", *ends)
    return replace(table, parent_key=parent_key, foreign_keys=(*table.foreign_keys, implied))


def _key_of_child(table: Table, parent: Table) -> str | None:
    """The column of a child `parent` that `table.key` refers to: declared, or its only key."""
    for foreign in table.foreign_keys:
        if foreign.columns == (table.key,) and foreign.target == parent.name:
            return foreign.target_columns[0]
    if len(parent.primary_key) == 1:
        return parent.primary_key[0]
    return table.key


def _with_columns(table: Table, layout: Layout, referenced: set[str]) -> Table:
    """The table with the columns that its layout keeps, and what hangs on them."""
    said = _said_of(table, layout)
    names = [column.name for column in table.columns]
    chosen, idle = matching(said.columns if said else ("*",), names)
    if idle:
        message = f"{idle[0]!r} fits no column{hint(idle[0], names)}"
        raise LayoutError(layout.source, message, table=table.name, key="columns")
    kept = chosen | _always_kept(table) | referenced
    if len(kept) > MAX_COLUMNS:
        message = f"{len(kept)} columns are more than the {MAX_COLUMNS} a table can have; choose"
        raise LayoutError(layout.source, message, table=table.name, key="columns")
    for name in kept:
        check_name("column", name)
    present, fast = _never_null(table), _answered_fast(table)
    columns = [
        replace(
            column,
            nullable=column.nullable and column.name not in present,
            indexed=column.name in fast,
        )
        for column in table.columns
        if column.name in kept
    ]
    return replace(
        table,
        columns=tuple(columns),
        unique=tuple(unique for unique in table.unique if kept.issuperset(unique)),
        checks=tuple(c for c in table.checks if kept >= condition_columns(c.expression)),
        indexes=tuple(index for index in table.indexes if kept.issuperset(index)),
        statistics=_statistics(columns, said, layout.source, table.name),
    )


def _statistics(
    columns: Sequence[Column], said: TableLayout | None, source: str, table: str
) -> tuple[str, ...] | None:
    """The columns whose bounds the manifest keeps; None where the layout leaves that open."""
    if said is None or said.statistics is None:
        return None
    types = {column.name: column.type for column in columns}
    chosen, idle = matching(said.statistics, types)
    if idle:
        message = f"{idle[0]!r} fits no column that is kept{hint(idle[0], list(types))}"
        raise LayoutError(source, message, table=table, key="statistics")
    for name in sorted(chosen):
        if not has_statistics(types[name]):
            message = f"{name} is {types[name]}; only numbers and timestamps have statistics"
            raise LayoutError(source, message, table=table, key="statistics")
    return tuple(name for name in types if name in chosen)


def _always_kept(table: Table) -> set[str]:
    """The columns that the table's role and keys need."""
    named = {table.key, table.ra, table.dec, *table.primary_key}
    if table.match is not None:
        named.add(table.match[1])
    if table.is_partitioned:
        named.update(*table.indexes)
    return {name for name in named if name is not None}


def _never_null(table: Table) -> set[str | None]:
    """The columns that are never null whatever the schema says."""
    if table.role is not Role.DIRECTOR:
        return {*table.primary_key}
    position = () if table.keep_unplaced else (table.ra, table.dec)
    return {*table.primary_key, table.key, *position}


def _answered_fast(table: Table) -> set[str | None]:
    """The columns on which a condition is answered from an index."""
    found: set[str | None] = {index[0] for index in table.indexes}
    if table.role is Role.REPLICATED:
        return found | {key[0] for key in (table.primary_key, *table.unique) if key}
    return found | {table.key, table.ra, table.dec} - {None}


def _with_known_targets(tables: Sequence[Table]) -> tuple[Table, ...]:
    """The tables with those foreign keys whose both ends are kept."""
    columns = {table.name: {column.name for column in table.columns} for table in tables}

    def holds(table: Table, foreign: ForeignKey) -> bool:
        target = columns.get(foreign.target, set())
        return columns[table.name].issuperset(foreign.columns) and target.issuperset(
            foreign.target_columns
        )

    return tuple(
        replace(table, foreign_keys=tuple(f for f in table.foreign_keys if holds(table, f)))
        for table in tables
    )
