"""The catalog model: what a catalog's tables and columns are, and how its rows are laid out.

Built once from Felis and a layout (`schema/felis.py`, `schema/roles.py`), stored by the
coordinator as JSON, read by everyone. Names keep their case and answer case-insensitively.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from schema.types import Type
from schema.units import FROM_UNIT, TO_UNIT

HEALPIX_29 = "_healpix_29"
"""Order-29 NESTED pixel of the row's own position; every row that has one."""
DIRECTOR_29 = "_director_29"
"""`_healpix_29` of the row's director; child rows only."""
INGEST = "_ingest"
"""The ingest that brought the row; every stored row."""


class Role(StrEnum):
    """How the rows of a table are placed."""

    DIRECTOR = "director"
    CHILD = "child"
    MATCH = "match"
    REPLICATED = "replicated"


class Kind(StrEnum):
    """Whether a catalog is published in snapshots or changes by units of work."""

    RELEASE = "release"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `length` is that of text types (None: any), `unit` in VOUnits."""

    name: str
    type: Type
    length: int | None = None
    nullable: bool = True
    unit: str | None = None
    ucd: str | None = None
    utype: str | None = None
    description: str = ""
    principal: bool = False
    indexed: bool = False
    """Whether a condition on it is answered without a scan."""
    std: bool = False
    """Whether an IVOA standard defines it (TAP_SCHEMA.columns.std)."""
    felis_type: str = ""
    """The Felis datatype that it was declared with (`char`, `byte`...)."""
    since: int = 1
    """The version of the catalog's model that brought it; older parts have not got it."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference to another table of the same catalog, for TAP_SCHEMA and for children."""

    name: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that every row fulfils; `schema.conditions` makes its PostgreSQL `expression`."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table and its role.

    `key` is a director's own key, a child's foreign key to `parent`'s key, a match table's first
    key. `ra`, `dec` name the row's own position (ICRS degrees): always for directors, where it has
    one for others. `parent` of a match table is its first director, `match` its second (director,
    key). `parent_key` is the parent's column that `key` refers to: a director's own key, or the
    column that tells a child's rows apart. `sentinels` are values of `key` that mean "no parent",
    beside NULL.

    `indexes` are the B-trees of its parts beside those of the hidden columns. `unique` (and
    `primary_key`) are held by the database in replicated tables; of partitioned tables the ingest
    checks the director's key. `is_named` tells whether the layout names the table. `statistics` are
    the columns whose bounds the manifest keeps; None: as `schema.statistics` chooses.
    """

    name: str
    columns: tuple[Column, ...]
    role: Role
    primary_key: tuple[str, ...] = ()
    key: str | None = None
    ra: str | None = None
    dec: str | None = None
    parent: str | None = None
    parent_key: str | None = None
    match: tuple[str, str] | None = None
    sentinels: tuple[int, ...] = ()
    keep_unplaced: bool = False
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    description: str = ""
    felis_id: str = ""
    is_named: bool = True
    statistics: tuple[str, ...] | None = None
    is_live: bool = False
    time: str | None = None
    slice_days: float = 30.0
    retention_days: float | None = None

    def is_indexed(self, column: Column) -> bool:
        """Whether a condition on a column is answered without a scan."""
        return column.indexed or column.name == self.key

    @property
    def is_partitioned(self) -> bool:
        return self.role is not Role.REPLICATED

    @property
    def has_position(self) -> bool:
        return self.ra is not None

    @property
    def is_key_unique(self) -> bool:
        """Whether `key` alone tells rows apart; a versioned director's does not."""
        return self.role is Role.DIRECTOR and self.primary_key in ((), (self.key,))

    def column(self, name: str) -> Column | None:
        """The column of that name in any case; None where there is none.

        An exact match wins over one that differs in case.
        """
        folded = name.casefold()
        found = None
        for column in self.columns:
            if column.name == name:
                return column
            if found is None and column.name.casefold() == folded:
                found = column
        return found

    @property
    def version(self) -> int:
        """The version of the catalog's model that brought its newest column."""
        return max((column.since for column in self.columns), default=1)

    def at(self, version: int) -> Table:
        """The table as a version of the catalog's model had it: without the columns that came later."""
        if all(column.since <= version for column in self.columns):
            return self
        return replace(self, columns=tuple(c for c in self.columns if c.since <= version))

    def stored_columns(self) -> tuple[Column, ...]:
        """The columns of a part: the table's own, then the hidden ones its role calls for."""
        if self.is_live:
            hidden = [Column(FROM_UNIT, Type.LONG, nullable=False), Column(TO_UNIT, Type.LONG)]
        else:
            hidden = [Column(INGEST, Type.LONG, nullable=False)]
        if self.has_position:
            hidden.insert(0, Column(HEALPIX_29, Type.LONG))
        if self.sort_column() == DIRECTOR_29:
            hidden.insert(0, Column(DIRECTOR_29, Type.LONG, nullable=False))
        return (*self.columns, *hidden)

    def sort_column(self) -> str | None:
        """The hidden column that says where a row lies; None for replicated tables.

        It is a director's own pixel. A live director's rows lie by its key's first position, because
        versions of one key may move.
        """
        if self.role is Role.DIRECTOR and not self.is_live:
            return HEALPIX_29
        return DIRECTOR_29 if self.is_partitioned else None


@dataclass(frozen=True, slots=True)
class Catalog:
    """A named set of tables that is laid out, published and dropped as one.

    `margin_arcsec` is the width of the overlap; `chunk_rows` the director rows above which a chunk is
    split (None: `loaders.parts.cut` chooses); `replicas` None means 2 where there are 2 shards.
    `placement_order` is the order that its family shall be placed at (None: by the shards and its first
    rows).
    """

    name: str
    tables: tuple[Table, ...]
    family: str = "sky"
    kind: Kind = Kind.RELEASE
    margin_arcsec: float = 60.0
    chunk_rows: int | None = None
    placement_order: int | None = None
    replicas: int | None = None
    description: str = ""
    version: int = 1
    chunk_order: int = 3
    """Of a live catalog: the HEALPix order of its chunks."""
    keep_units: int = 100
    """Of a live catalog: for so many newest units `AS OF` is answered."""

    def table(self, name: str) -> Table | None:
        """The table of that name in any case; None where there is none."""
        folded = name.casefold()
        return next((table for table in self.tables if table.name.casefold() == folded), None)

    def at(self, version: int) -> Catalog:
        """The catalog as an older version of its model had it."""
        if version >= self.version:
            return self
        tables = tuple(table.at(version) for table in self.tables)
        return replace(self, tables=tables, version=version)

    def with_column(self, table: Table, column: Column) -> Catalog:
        """The next version of the catalog: one of its tables has one more column."""
        version = self.version + 1
        wider = replace(table, columns=(*table.columns, replace(column, since=version)))
        tables = tuple(wider if one is table else one for one in self.tables)
        return replace(self, tables=tables, version=version)

    def directors(self) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.role is Role.DIRECTOR)

    def root_director(self, table: Table) -> Table:
        """The director that a partitioned table's rows finally lie with (itself for a director)."""
        while table.role is not Role.DIRECTOR:
            parent = self.table(table.parent or "")
            assert parent is not None, f"{table.name} has no parent"
            table = parent
        return table


def home_column(table: Table) -> str:
    """The hidden column of a partitioned table that says where a row lies."""
    column = table.sort_column()
    assert column is not None, f"{table.name} has no chunks"
    return column


def family_key(catalog: Catalog, table: Table, column: str) -> str | None:
    """The table whose key this column holds: its own if it is a parent's key, a child's parent's.

    Rows with equal values of such columns lie in one chunk.
    """
    if table.role in (Role.CHILD, Role.MATCH) and table.key == column:
        return table.parent
    if table.role is Role.DIRECTOR and table.key == column:
        return table.name
    if any(c.parent == table.name and c.parent_key == column for c in catalog.tables):
        return table.name
    return None
