"""What names of tables mean: the catalogs that a statement may read, and their columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from qserv.bind.errors import AmbiguousTable, Node, UnknownTable, nearest
from schema.catalog import Catalog, Table
from schema.catalog import Column as CatalogColumn
from schema.types import Type


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a relation: `name` for users, `stored` in the bound tree."""

    name: str
    stored: str
    type: Type
    metadata: CatalogColumn | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns of a relation, in order and by folded name."""

    ordered: tuple[Field, ...]
    by_name: dict[str, tuple[Field, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, tuple[Field, ...]] = {}
        for item in self.ordered:
            folded = item.name.casefold()
            found[folded] = (*found.get(folded, ()), item)
        object.__setattr__(self, "by_name", found)

    def find(self, name: str) -> tuple[Field, ...]:
        """The fields of that name in any case; where several are, those of exactly that spelling."""
        found = self.by_name.get(name.casefold(), ())
        if len(found) < 2:
            return found
        exact = tuple(item for item in found if item.name == name)
        return exact or found


@dataclass(frozen=True, slots=True)
class Catalogs:
    """The catalogs that a statement may read; a look-up made once per set of catalog versions.

    `default` is where an unqualified table name is looked for first; else the name must be unique
    among the catalogs. Indexes of column names are kept, so that binding a table of a thousand
    columns does not fold a thousand names each time.

    `whole`, where given, has the same catalogs with tables that this statement may not read: what is
    bound refers to them, as a child may lie with a parent that its reader does not see.
    """

    catalogs: tuple[Catalog, ...]
    default: str | None = None
    whole: tuple[Catalog, ...] | None = None
    _by_name: dict[str, Catalog] = field(init=False, repr=False, compare=False)
    _tables: dict[tuple[str, str], Table] = field(init=False, repr=False, compare=False)
    _fields: dict[tuple[str, str], Fields] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {catalog.name.casefold(): catalog for catalog in self.catalogs}
        if len(by_name) != len(self.catalogs):
            raise ValueError("two catalogs share a name")
        if self.default is not None and self.default.casefold() not in by_name:
            raise ValueError(f"no catalog {self.default}")
        seen = {
            (folded, table.name.casefold())
            for folded, catalog in by_name.items()
            for table in catalog.tables
        }
        if self.whole is not None:
            by_name = {catalog.name.casefold(): catalog for catalog in self.whole}
        tables = {
            (folded, table.name.casefold()): table
            for folded, catalog in by_name.items()
            for table in catalog.tables
            if (folded, table.name.casefold()) in seen
        }
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "_tables", tables)
        object.__setattr__(self, "_fields", {})

    def find(self, catalog: str | None, table: str, node: Node) -> tuple[Catalog, Table]:
        """The table of that name, in any case; `node` is where an error is said to be."""
        searched = self._searched(catalog, table, node)
        folded = table.casefold()
        holders = [name for name in searched if (name, folded) in self._tables]
        match holders:
            case []:
                spelling = table if catalog is None else f"{catalog}.{table}"
                raise UnknownTable(spelling, node, known=self._names(searched))
            case [holder]:
                return self._by_name[holder], self._tables[holder, folded]
            case _:
                names = [self._by_name[name].name for name in holders]
                raise AmbiguousTable(table, node, catalogs=names)

    def fields(self, catalog: Catalog, table: Table) -> Fields:
        """The columns of a table."""
        key = (catalog.name.casefold(), table.name.casefold())
        found = self._fields.get(key)
        if found is None:
            found = Fields(tuple(Field(c.name, c.name, c.type, c) for c in table.columns))
            self._fields[key] = found
        return found

    def _searched(self, catalog: str | None, table: str, node: Node) -> list[str]:
        """The folded names of the catalogs to look in."""
        if catalog is None:
            default = None if self.default is None else self.default.casefold()
            if default is not None and (default, table.casefold()) in self._tables:
                return [default]
            return list(self._by_name)
        if catalog.casefold() in self._by_name:
            return [catalog.casefold()]
        like = nearest(catalog, [known.name for known in self.catalogs])
        known = [f"{name}.{table}" for name in like]
        raise UnknownTable(f"{catalog}.{table}", node, nearest_names=known)

    def _names(self, catalogs: Iterable[str]) -> list[str]:
        """The names of all tables of some catalogs."""
        wanted = set(catalogs)
        return [table.name for (name, _), table in self._tables.items() if name in wanted]
