"""Reads a mapping file; every error names the file, the line and the column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from loaders.staging.mapping import (
    ColumnMapping,
    MappingInvalid,
    TableMapping,
    check_column,
)
from schema.catalog import Catalog, Column, Table
from schema.names import hint
from schema.types import Type

_MAX_BYTES = 2**20
_TABLE_KEYS = ("columns", "ignore", "types")
_COLUMN_KEYS = ("from", "compute", "unit", "default")


def read_mapping(path: Path, catalog: Catalog) -> dict[str, TableMapping]:
    """The mappings of a file by the catalog's tables. Raises MappingInvalid."""
    source = str(path)
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise MappingInvalid(error.strerror or str(error), source=source) from error
    if len(text) > _MAX_BYTES:
        raise MappingInvalid(f"it has more than {_MAX_BYTES} bytes", source=source)
    return parse_mapping(text, catalog, source)


def parse_mapping(text: bytes | str, catalog: Catalog, source: str) -> dict[str, TableMapping]:
    """The mappings of a text; `source` is how errors call it."""
    return _Reader(source).read(text, catalog)


class _Reader:
    """Walks over YAML's nodes, which know where they stand."""

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, text: bytes | str, catalog: Catalog) -> dict[str, TableMapping]:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or str(error)
            raise self._error(f"it is no YAML: {problem}", mark) from error
        if root is None:
            raise self._error("it says nothing; it has a key `tables`", None)
        found: dict[str, TableMapping] = {}
        for key, node in self._entries(root, ("tables",)):
            assert key.value == "tables"
            for name, said in self._entries(node):
                table = catalog.table(name.value)
                if table is None:
                    known = [one.name for one in catalog.tables]
                    suggestion = hint(name.value, known)
                    message = f"catalog {catalog.name} has no table {name.value!r}{suggestion}"
                    raise self._error(message, name.start_mark)
                found[table.name] = self._table(table, said)
        return found

    def _table(self, table: Table, node: yaml.Node) -> TableMapping:
        columns: tuple[tuple[str, ColumnMapping], ...] = ()
        ignore: tuple[str, ...] = ()
        types: tuple[tuple[str, Type], ...] = ()
        for key, value in self._entries(node, _TABLE_KEYS):
            match key.value:
                case "columns":
                    columns = tuple(self._columns(table, value))
                case "ignore":
                    ignore = tuple(self._texts(value))
                case _:
                    types = tuple(self._types(value))
        return TableMapping(columns, ignore, types)

    def _columns(self, table: Table, node: yaml.Node) -> Iterator[tuple[str, ColumnMapping]]:
        seen: set[str] = set()
        for name, value in self._entries(node):
            column = table.column(name.value)
            if column is None:
                suggestion = hint(name.value, [one.name for one in table.columns])
                message = f"{table.name} has no column {name.value!r}{suggestion}"
                raise self._error(message, name.start_mark)
            if column.name in seen:
                raise self._error(f"{column.name} stands twice", name.start_mark)
            seen.add(column.name)
            yield column.name, self._column(column, value)

    def _column(self, column: Column, node: yaml.Node) -> ColumnMapping:
        if isinstance(node, yaml.ScalarNode):
            return ColumnMapping(source=self._text(node))
        entries = list(self._entries(node, _COLUMN_KEYS))
        given: dict[str, Any] = {}
        for key, value in entries:
            name = "source" if key.value == "from" else key.value
            given[name] = self._scalar(value) if name == "default" else self._text(value)
            if name != "source":
                self._check(column, ColumnMapping(**{name: given[name]}), value)
        found = ColumnMapping(**given)
        self._check(column, found, node)
        return found

    def _check(self, column: Column, said: ColumnMapping, node: yaml.Node) -> None:
        try:
            check_column(column, said)
        except MappingInvalid as error:
            raise self._error(error.message, node.start_mark) from error

    def _types(self, node: yaml.Node) -> Iterator[tuple[str, Type]]:
        for name, value in self._entries(node):
            text = self._text(value)
            try:
                yield name.value, Type(text)
            except ValueError:
                known = ", ".join(kind.value for kind in Type)
                message = f"{text!r} is no type; there are {known}"
                raise self._error(message, value.start_mark) from None

    def _texts(self, node: yaml.Node) -> Iterator[str]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error("a list of names or patterns belongs here", node.start_mark)
        for one in node.value:
            yield self._text(one)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
            raise self._error("a text belongs here", node.start_mark)
        return str(node.value)

    def _scalar(self, node: yaml.Node) -> Any:
        """A text, number or truth value, as YAML reads it; times stay texts."""
        if not isinstance(node, yaml.ScalarNode):
            raise self._error("one value belongs here", node.start_mark)
        if node.tag.rpartition(":")[2] not in ("int", "float", "bool", "str"):
            return self._text(node)
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise self._error(f"{node.value!r} is no value", node.start_mark) from error

    def _entries(
        self, node: yaml.Node, known: tuple[str, ...] = ()
    ) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Keys and values of a mapping; each key once, and one of those that are known."""
        if not isinstance(node, yaml.MappingNode):
            raise self._error("keys with values belong here", node.start_mark)
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error("a key is a name", key.start_mark)
            if known and key.value not in known:
                there = ", ".join(known)
                suggestion = hint(key.value, known)
                message = f"there is no key `{key.value}`{suggestion}; there are {there}"
                raise self._error(message, key.start_mark)
            if key.value in seen:
                raise self._error(f"`{key.value}` stands twice", key.start_mark)
            seen.add(key.value)
            yield key, value

    def _error(self, message: str, mark: Any) -> MappingInvalid:
        place = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        return MappingInvalid(message, source=self._source, place=place)


def mapping_for(mappings: Mapping[str, TableMapping], table: str) -> TableMapping | None:
    """The mapping of a table, named in any case."""
    folded = {name.casefold(): one for name, one in mappings.items()}
    return folded.get(table.casefold())
