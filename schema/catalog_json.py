"""Catalog <-> JSON: how the coordinator stores a model. What is written is read back equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from schema.catalog import Catalog, Check, Column, ForeignKey, Kind, Role, Table
from schema.errors import StoreError
from schema.types import Type

FORMAT = 1
"""Raised when a field changes its meaning; new fields with defaults need no new format."""


class ModelUnreadable(StoreError):
    """A stored catalog model was written by a newer Skyshard, or is damaged."""

    code = "MODEL_UNREADABLE"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the stored catalog model cannot be read: {reason}")


def to_json(catalog: Catalog) -> dict[str, Any]:
    """A catalog as JSON values (None, bool, int, float, str, list, dict)."""
    return {"format": FORMAT, **_object(catalog)}


def from_json(value: Mapping[str, Any]) -> Catalog:
    """The catalog that `to_json` wrote; `ModelUnreadable` where it did not."""
    if value.get("format") != FORMAT:
        raise ModelUnreadable(f"format {value.get('format')!r} is not {FORMAT}")
    said = {key: item for key, item in value.items() if key != "format"}
    try:
        tables = tuple(_table(table) for table in said.pop("tables"))
        return Catalog(**{**said, "kind": Kind(said["kind"]), "tables": tables})
    except (KeyError, TypeError, ValueError) as error:
        raise ModelUnreadable(str(error)) from error


def _object(value: object) -> dict[str, Any]:
    """A dataclass as a JSON object."""
    found = {field.name: getattr(value, field.name) for field in fields(value)}  # type: ignore[arg-type] # dataclasses only
    return {name: _plain(item) for name, item in found.items()}


def _plain(value: object) -> Any:
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case Table() | Column() | ForeignKey() | Check():
            return _object(value)
        case Kind() | Role() | Type():
            return value.value
        case _:
            return value


def _table(said: Mapping[str, Any]) -> Table:
    return Table(
        **{
            **said,
            "role": Role(said["role"]),
            "columns": tuple(_column(column) for column in said["columns"]),
            "primary_key": tuple(said["primary_key"]),
            "match": tuple(said["match"]) if said["match"] else None,
            "sentinels": tuple(said["sentinels"]),
            "indexes": tuple(tuple(index) for index in said["indexes"]),
            "unique": tuple(tuple(unique) for unique in said["unique"]),
            "statistics": _names(said.get("statistics")),
            "checks": tuple(Check(**check) for check in said["checks"]),
            "foreign_keys": tuple(_foreign_key(foreign) for foreign in said["foreign_keys"]),
        }
    )


def _names(said: Any) -> tuple[str, ...] | None:
    return None if said is None else tuple(said)


def _column(said: Mapping[str, Any]) -> Column:
    return Column(**{**said, "type": Type(said["type"])})


def _foreign_key(said: Mapping[str, Any]) -> ForeignKey:
    columns, target_columns = tuple(said["columns"]), tuple(said["target_columns"])
    return ForeignKey(**{**said, "columns": columns, "target_columns": target_columns})
