"""MySQL's SHOW and DESCRIBE: what there is to ask, answered from the pinned catalogs.

SHOW DATABASES | SCHEMAS [LIKE p]
SHOW [FULL] TABLES [FROM database] [LIKE p]
SHOW [FULL] COLUMNS | FIELDS FROM table [FROM database] [LIKE p]
DESCRIBE | DESC | EXPLAIN table [column]
SHOW [FULL] PROCESSLIST
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from qserv.bind import Catalogs
from qserv.result import Answer, ResultColumn
from qserv.running import Running, new_query_id
from qserv.sql import SqlSyntaxError
from schema.catalog import Column, Table
from schema.errors import QueryError
from schema.types import SPELLINGS, Type

_NAME = r"(?:`[^`]+`|[A-Za-z_][A-Za-z_0-9]*)"
_TABLE = rf"(?P<table>{_NAME}(?:\s*\.\s*{_NAME})?)"
_IN = rf"(?:\s+(?:FROM|IN)\s+(?P<database>{_NAME}))?"
_LIKE = r"(?:\s+LIKE\s+(?P<quote>['\"])(?P<like>[^'\"]*)(?P=quote))?"
_FORMS = {
    "databases": rf"SHOW\s+(?:DATABASES|SCHEMAS){_LIKE}",
    "tables": rf"SHOW\s+(?P<full>FULL\s+)?TABLES{_IN}{_LIKE}",
    "columns": rf"SHOW\s+(?P<full>FULL\s+)?(?:COLUMNS|FIELDS)\s+(?:FROM|IN)\s+{_TABLE}{_IN}{_LIKE}",
    "described": rf"(?:DESCRIBE|DESC|EXPLAIN)\s+{_TABLE}(?:\s+(?P<like>{_NAME}))?",
    "processlist": r"SHOW\s+(?P<full>FULL\s+)?PROCESSLIST",
}
_PATTERNS = {
    name: re.compile(rf"\s*{form}\s*;?\s*", re.IGNORECASE) for name, form in _FORMS.items()
}
_BEGINS = re.compile(r"\s*(SHOW|DESCRIBE|DESC)\b", re.IGNORECASE)
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "ANALYZE"})
_INFO_CHARACTERS = 100
"""As much of a text as SHOW PROCESSLIST shows without FULL."""
_TYPES = {
    Type.BOOLEAN: "tinyint(1)",
    Type.SHORT: "smallint",
    Type.INT: "int",
    Type.LONG: "bigint",
    Type.FLOAT: "float",
    Type.DOUBLE: "double",
    Type.BINARY: "blob",
    Type.TIMESTAMP: "datetime(6)",
}
"""Types as MySQL's clients know them; nothing is ever stored by these names."""


class NoDatabase(QueryError):
    """SHOW TABLES names no database, and there is no default one."""

    code = "NO_DATABASE"

    def __init__(self, databases: Sequence[str]) -> None:
        super().__init__(f"say SHOW TABLES FROM one of {', '.join(databases)}")


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of text, and their columns' names; a cell may be NULL."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def to_answer(self) -> Answer:
        """As the answer of a query."""
        columns = tuple(ResultColumn(name, Type.TEXT) for name in self.columns)
        cells = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.columns)
        arrays = [pa.array(list(column), SPELLINGS[Type.TEXT].arrow) for column in cells]
        batch = pa.RecordBatch.from_arrays(arrays, names=list(self.columns))
        return Answer(new_query_id(), columns, iter([batch]))


def show(text: str, catalogs: Catalogs, running: Sequence[Running]) -> Shown | None:
    """What a SHOW or DESCRIBE asks for; None where the text is none.

    Raises
    ------
    SqlSyntaxError
        It begins like one, but is none that is known.
    QueryError
        It names what is not there.
    """
    for name, pattern in _PATTERNS.items():
        found = pattern.fullmatch(text)
        if found is None or (name == "described" and _is_query(found)):
            continue
        match name:
            case "databases":
                return _databases(found, catalogs)
            case "tables":
                return _tables(found, catalogs)
            case "processlist":
                return _processes(found, running)
            case _:
                return _columns(found, catalogs)
    if _BEGINS.match(text):
        place = len(text) - len(text.lstrip())
        line, column = text.count("\n", 0, place) + 1, place - (text.rfind("\n", 0, place) + 1) + 1
        fault = "there are SHOW DATABASES, TABLES, COLUMNS FROM and PROCESSLIST, and DESCRIBE"
        raise SqlSyntaxError(fault, language="MySQL", text=text, line=line, column=column)
    return None


def _is_query(found: re.Match[str]) -> bool:
    return found["table"].upper() in _QUERIES


def _unquoted(name: str | None) -> str | None:
    return None if name is None else name.strip().strip("`")


def _kept(found: re.Match[str], names: Sequence[str]) -> Iterator[int]:
    """The places of the names that LIKE lets through, in any case."""
    like = _unquoted(found["like"])
    if like is None:
        yield from range(len(names))
        return
    parts = re.split(r"(\\.|%|_)", like)
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(p) or re.escape(p[1:] if p[:1] == "\\" else p) for p in parts)
    matches = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    yield from (place for place, name in enumerate(names) if matches(name))


# ------------------------------------------------------------------ databases and tables


def _databases(found: re.Match[str], catalogs: Catalogs) -> Shown:
    names = sorted(catalog.name for catalog in catalogs.catalogs)
    return Shown(("Database",), tuple((names[place],) for place in _kept(found, names)))


def _tables(found: re.Match[str], catalogs: Catalogs) -> Shown:
    wanted = _unquoted(found["database"]) or catalogs.default
    names = [catalog.name for catalog in catalogs.catalogs]
    by_name = {catalog.name.casefold(): catalog for catalog in catalogs.catalogs}
    catalog = None if wanted is None else by_name.get(wanted.casefold())
    if catalog is None:
        raise NoDatabase(names)
    tables = sorted(table.name for table in catalog.tables)
    column = f"Tables_in_{catalog.name}"
    if found["full"]:
        rows = tuple((tables[place], "BASE TABLE") for place in _kept(found, tables))
        return Shown((column, "Table_type"), rows)
    return Shown((column,), tuple((tables[place],) for place in _kept(found, tables)))


# ------------------------------------------------------------------ columns


def _columns(found: re.Match[str], catalogs: Catalogs) -> Shown:
    parts = [_unquoted(part) for part in re.findall(_NAME, found["table"])]
    groups = found.groupdict()
    database = _unquoted(groups.get("database")) or (parts[0] if len(parts) == 2 else None)
    _, table = catalogs.find(database, str(parts[-1]), None)
    names = [column.name for column in table.columns]
    kept = [table.columns[place] for place in _kept(found, names)]
    if groups.get("full"):
        return Shown(_FULL, tuple(_full(table, column) for column in kept))
    return Shown(_PLAIN, tuple(_plain(table, column) for column in kept))


_PLAIN = ("Field", "Type", "Null", "Key", "Default", "Extra")
_FULL = (
    *("Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"),
)


def _plain(table: Table, column: Column) -> tuple[str | None, ...]:
    null = "YES" if column.nullable else "NO"
    return (column.name, _type(column), null, _key(table, column), None, "")


def _full(table: Table, column: Column) -> tuple[str | None, ...]:
    name, kind, null, key, default, extra = _plain(table, column)
    collation = "utf8mb4_bin" if column.type is Type.TEXT else None
    return (name, kind, collation, null, key, default, extra, "select", column.description or "")


def _type(column: Column) -> str:
    """A column's type in MySQL's words; arrays and regions are texts to its clients."""
    if column.type is Type.TEXT and column.length:
        return f"varchar({column.length})"
    return _TYPES.get(column.type, "text")


def _key(table: Table, column: Column) -> str:
    if column.name in table.primary_key:
        return "PRI"
    return "MUL" if column.indexed or column.name == table.key else ""


# ------------------------------------------------------------------ processes


def _processes(found: re.Match[str], running: Sequence[Running]) -> Shown:
    """The queries that run in this czar, the oldest first."""
    now = time.monotonic()
    rows = []
    for query in sorted(running, key=lambda query: query.began):
        text = " ".join(query.text.split())
        info = text if found["full"] else text[:_INFO_CHARACTERS]
        state = "stopping" if query.error is not None else "executing"
        seconds = str(int(now - query.began))
        rows.append((query.query_id, query.caller.name, "", None, "Query", seconds, state, info))
    heads = ("Id", "User", "Host", "db", "Command", "Time", "State", "Info")
    return Shown(heads, tuple(rows))
