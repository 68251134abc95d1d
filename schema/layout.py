"""Layouts: which role each table of a schema has, what is kept of it and how it is spread.

A layout is a YAML file beside a Felis schema. What stands here reads it and checks its form;
`schema.roles` applies it to a schema's tables. Every error names the file, the table, the key and
what to write.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml

from schema.catalog import Kind, Role
from schema.errors import CatalogError
from schema.names import hint
from schema.placement import MOST_ORDER

_CATALOG_KEYS = {
    *("description", "family", "kind", "margin_arcsec", "chunk_rows", "placement_order"),
    *("replicas", "keep", "tables", "chunk_order", "keep_units"),
}
_LIVE_KEYS = ("chunk_order", "keep_units")
_COMMON_KEYS = {
    *("role", "columns", "indexes", "statistics", "time", "slice_days", "retention_days"),
}
_POSITION_KEYS = {"ra", "dec"}
_ROLE_KEYS: dict[Role, set[str]] = {
    Role.DIRECTOR: _COMMON_KEYS | _POSITION_KEYS | {"key", "unplaced"},
    Role.CHILD: _COMMON_KEYS | _POSITION_KEYS | {"key", "parent", "parent_key", "sentinels"},
    Role.MATCH: _COMMON_KEYS | {"pairs", "sentinels"},
    Role.REPLICATED: _COMMON_KEYS | _POSITION_KEYS,
}
MAX_MARGIN_ARCSEC = 3600.0
"""Wider overlaps would copy more rows than they serve."""
MAX_REPLICAS = 16
MAX_KEEP_UNITS = 100_000
MOST_DAYS = 36_525.0
"""Of a slice of time, and of retention: a century."""
_Enum = TypeVar("_Enum", bound=StrEnum)


class LayoutError(CatalogError):
    """A layout is wrong, or does not fit its schema."""

    code = "LAYOUT_ERROR"

    def __init__(
        self, source: str, message: str, *, table: str | None = None, key: str | None = None
    ) -> None:
        place = "".join((f", table {table}" if table else "", f", key `{key}`" if key else ""))
        super().__init__(f"{source}{place}: {message}")
        self.source, self.table, self.key = source, table, key


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What a layout says of one table; `indexes` None stands for the schema's own."""

    role: Role
    key: str | None = None
    ra: str | None = None
    dec: str | None = None
    parent: str | None = None
    parent_key: str | None = None
    match: tuple[str, str] | None = None
    columns: tuple[str, ...] = ("*",)
    sentinels: tuple[int, ...] = ()
    keep_unplaced: bool = False
    indexes: tuple[tuple[str, ...], ...] | None = ()
    statistics: tuple[str, ...] | None = None
    time: str | None = None
    slice_days: float = 30.0
    retention_days: float | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout file's content; `source` is how errors call it."""

    source: str = "no layout"
    family: str = "sky"
    kind: Kind = Kind.RELEASE
    margin_arcsec: float = 60.0
    chunk_rows: int | None = None
    placement_order: int | None = None
    replicas: int | None = None
    chunk_order: int = 3
    keep_units: int = 100
    description: str = ""
    keep: tuple[str, ...] = ("*",)
    tables: Mapping[str, TableLayout] = field(default_factory=dict)


def read_layout(source: str | Path) -> Layout:
    """The layout of a shipped name (`dp1`) or of a file; `LayoutError` where it is wrong."""
    shipped = {Path(name).stem for name in shipped_layouts()}
    if str(source) in shipped:
        text = (resources.files("schema") / "layouts" / f"{source}.yaml").read_text("utf-8")
        return parse_layout(text, f"layout {source}")
    path = Path(source)
    try:
        return parse_layout(path.read_text("utf-8"), str(path))
    except FileNotFoundError as error:
        message = f"no such file, and no shipped layout of that name ({', '.join(sorted(shipped))})"
        raise LayoutError(str(source), message) from error
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(str(path), f"cannot be read: {error}") from error


def shipped_layouts() -> tuple[str, ...]:
    """The names of the layouts that come with Skyshard."""
    folder = resources.files("schema") / "layouts"
    return tuple(sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".yaml")))


def parse_layout(text: str, source: str) -> Layout:
    """The layout that a YAML text says; `source` names it in errors."""
    try:
        content = yaml.load(text, Loader=_UniqueKeys) or {}  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise LayoutError(source, f"is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise LayoutError(source, "must be a mapping with `tables:`")
    _refuse_unknown(content, _CATALOG_KEYS, _Place(source))
    tables = content.get("tables") or {}
    place = _Place(source, None, "tables")
    if not isinstance(tables, dict):
        raise place.error(
            "must map each table's name to its role, e.g. `Visit: {role: replicated}`"
        )
    kind = _one_of(Kind, content.get("kind", "release"), _Place(source, None, "kind"))
    found = {str(name): _table(source, str(name), said) for name, said in tables.items()}
    _check_kind(kind, content, found, source)
    default = 0.0 if kind is Kind.LIVE else 60.0
    return Layout(
        source=source,
        family=_text(content.get("family", "sky"), _Place(source, None, "family")),
        kind=kind,
        margin_arcsec=_margin(content.get("margin_arcsec", default), source),
        chunk_rows=_positive(content.get("chunk_rows"), _Place(source, None, "chunk_rows"), 2**40),
        placement_order=_positive(
            content.get("placement_order"), _Place(source, None, "placement_order"), MOST_ORDER
        ),
        replicas=_positive(content.get("replicas"), _Place(source, None, "replicas"), MAX_REPLICAS),
        description=" ".join(str(content.get("description") or "").split()),
        keep=_texts(content.get("keep", "*"), _Place(source, None, "keep")),
        chunk_order=_positive(content.get("chunk_order"), _Place(source, None, "chunk_order"), 10)
        or 3,
        keep_units=_positive(
            content.get("keep_units"), _Place(source, None, "keep_units"), MAX_KEEP_UNITS
        )
        or 100,
        tables=found,
    )


def _check_kind(
    kind: Kind, content: Mapping[str, Any], tables: Mapping[str, TableLayout], source: str
) -> None:
    """Refuse what only release catalogs have in a live one, and the other way about."""
    if kind is Kind.RELEASE:
        for key in _LIVE_KEYS:
            if key in content:
                raise LayoutError(source, "is of live catalogs (`kind: live`)", key=key)
        for name, table in tables.items():
            if table.time is not None:
                message = "cuts a table of a live catalog by time; write `kind: live`"
                raise LayoutError(source, message, table=name, key="time")
        return
    if content.get("margin_arcsec"):
        message = "live catalogs have no overlap (neighbours are found in the merge); leave it out"
        raise LayoutError(source, message, key="margin_arcsec")
    if content.get("chunk_rows"):
        raise LayoutError(source, "live catalogs say `chunk_order:` instead", key="chunk_rows")
    for name, table in tables.items():
        if table.role is Role.MATCH:
            message = "live catalogs have no match tables: make it a child of the first director"
            raise LayoutError(source, message, table=name, key="role")
        if table.keep_unplaced:
            message = "rows of live catalogs have positions"
            raise LayoutError(source, message, table=name, key="unplaced")


def matching(patterns: Sequence[str], names: Iterable[str]) -> tuple[set[str], list[str]]:
    """The names that patterns choose, and the patterns that fit none.

    A pattern is a name, or `*`, `?`, `[ugrizy]` as in file names, in any case; one that begins with
    `!` takes its names away from what the patterns before it chose.
    """
    known = list(names)
    chosen: set[str] = set()
    idle = []
    for pattern in patterns:
        wanted = pattern.removeprefix("!").casefold()
        found = {name for name in known if fnmatch.fnmatchcase(name.casefold(), wanted)}
        if not found:
            idle.append(pattern)
        chosen = chosen - found if pattern.startswith("!") else chosen | found
    return chosen, idle


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a layout something stands."""

    source: str
    table: str | None = None
    key: str | None = None

    def error(self, message: str) -> LayoutError:
        return LayoutError(self.source, message, table=self.table, key=self.key)

    def at(self, key: str) -> _Place:
        return _Place(self.source, self.table, key)


def _table(source: str, name: str, said: object) -> TableLayout:
    """What one entry of `tables:` says."""
    place = _Place(source, name)
    if not isinstance(said, dict) or "role" not in said:
        raise place.error("needs a role: director, child, match or replicated")
    role = _one_of(Role, said["role"], place.at("role"))
    _refuse_unknown(said, _ROLE_KEYS[role], place, of=f" of a {role} table")
    if ("ra" in said) != ("dec" in said):
        raise place.error("name both `ra` and `dec`, or neither")
    match role:
        case Role.DIRECTOR:
            _require(said, ("key", "ra", "dec"), place)
        case Role.CHILD:
            _require(said, ("key", "parent"), place)
        case Role.MATCH:
            return _match_table(said, place)
        case Role.REPLICATED:
            pass
    return TableLayout(role=role, **_shared(said, place), **_named(said, place))


def _named(said: Mapping[str, Any], place: _Place) -> dict[str, Any]:
    """The keys that name one column or table, and `unplaced`."""
    names = {
        key: _text(said[key], place.at(key))
        for key in ("key", "ra", "dec", "parent", "parent_key")
        if key in said
    }
    unplaced = said.get("unplaced", "reject")
    if unplaced not in ("keep", "reject"):
        raise place.at("unplaced").error("must be `keep` or `reject`")
    return {**names, "keep_unplaced": unplaced == "keep"}


def _match_table(said: Mapping[str, Any], place: _Place) -> TableLayout:
    """A match table: `pairs` holds its two directors and the keys to them."""
    pairs = said.get("pairs")
    wanted = "must be two pairs, e.g. `[{director: Object, key: objectId}, {director: ...}]`"
    if not isinstance(pairs, list) or len(pairs) != 2:
        raise place.at("pairs").error(wanted)
    for pair in pairs:
        if not isinstance(pair, dict) or set(pair) != {"director", "key"}:
            raise place.at("pairs").error(wanted)
    first, second = ((str(pair["director"]), str(pair["key"])) for pair in pairs)
    return TableLayout(
        role=Role.MATCH, parent=first[0], key=first[1], match=second, **_shared(said, place)
    )


def _shared(said: Mapping[str, Any], place: _Place) -> dict[str, Any]:
    """The keys that tables of several roles have."""
    indexes = said.get("indexes", "schema" if said["role"] == Role.REPLICATED else [])
    sentinels = said.get("sentinels", [])
    if not isinstance(sentinels, list) or any(type(value) is not int for value in sentinels):
        raise place.at("sentinels").error("must be a list of integers, e.g. `[0]`")
    return {
        "columns": _texts(said.get("columns", "*"), place.at("columns")),
        "sentinels": tuple(sentinels),
        "indexes": None if indexes == "schema" else _indexes(indexes, place.at("indexes")),
        "statistics": _statistics(said.get("statistics"), place.at("statistics")),
        **_slices(said, place),
    }


def _slices(said: Mapping[str, Any], place: _Place) -> dict[str, Any]:
    """How a live table is cut by time."""
    if "time" not in said:
        for key in ("slice_days", "retention_days"):
            if key in said:
                raise place.at(key).error("needs `time:`, the column that the table is cut by")
        return {}
    retention = said.get("retention_days")
    return {
        "time": _text(said["time"], place.at("time")),
        "slice_days": _days(said.get("slice_days", 30.0), place.at("slice_days")),
        "retention_days": None
        if retention is None
        else _days(retention, place.at("retention_days")),
    }


def _days(said: object, place: _Place) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= MOST_DAYS:
        raise place.error(f"must be a number of days up to {MOST_DAYS:g}, not {said!r}")
    return float(said)


def _statistics(said: object, place: _Place) -> tuple[str, ...] | None:
    """Patterns of columns; an empty list keeps none."""
    if said is None:
        return None
    return () if said == [] else _texts(said, place)


def _indexes(said: object, place: _Place) -> tuple[tuple[str, ...], ...]:
    wanted = "must be `schema`, or a list of columns or of lists of columns"
    if not isinstance(said, list):
        raise place.error(wanted)
    return tuple(_texts(columns, place) for columns in said)


def _refuse_unknown(
    said: Mapping[str, Any], known: set[str], place: _Place, *, of: str = ""
) -> None:
    for key in said:
        if key not in known:
            suggestion = hint(str(key), known) or f"; there are {', '.join(sorted(known))}"
            raise place.at(str(key)).error(f"is no key{of or ' of a layout'}{suggestion}")


def _require(said: Mapping[str, Any], keys: Iterable[str], place: _Place) -> None:
    for key in keys:
        if key not in said:
            raise place.error(f"a {said['role']} needs `{key}:`")


def _text(said: object, place: _Place) -> str:
    if not isinstance(said, str) or not said:
        raise place.error(f"must be a name, not {said!r}")
    return said


def _texts(said: object, place: _Place) -> tuple[str, ...]:
    """One name, or a list of them."""
    if isinstance(said, list) and said:
        return tuple(_text(item, place) for item in said)
    return (_text(said, place),)


def _one_of(values: type[_Enum], said: object, place: _Place) -> _Enum:
    known = [value.value for value in values]
    if said not in known:
        raise place.error(
            f"must be one of {', '.join(known)}, not {said!r}{hint(str(said), known)}"
        )
    return values(said)


def _positive(said: object, place: _Place, highest: int) -> int | None:
    if said is None:
        return None
    if type(said) is not int or not 1 <= said <= highest:
        raise place.error(f"must be a whole number from 1 to {highest}, not {said!r}")
    return said


def _margin(said: object, source: str) -> float:
    if (
        isinstance(said, bool)
        or not isinstance(said, int | float)
        or not 0 <= said <= MAX_MARGIN_ARCSEC
    ):
        message = f"must be a number of arcseconds from 0 to {MAX_MARGIN_ARCSEC:g}, not {said!r}"
        raise LayoutError(source, message, key="margin_arcsec")
    return float(said)


class _UniqueKeys(yaml.SafeLoader):  # type: ignore[misc] # yaml has no types
    """Refuses a key that stands twice in one mapping, where YAML would take the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)
