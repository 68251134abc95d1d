"""What an export's condition means for a table: a region, or any ADQL condition on one table's rows.

circle RA DEC RADIUS          degrees, ICRS
polygon RA DEC RA DEC RA DEC...
"""

from __future__ import annotations

import re

from schema.catalog import Catalog, Role, Table
from schema.ddl import quote
from schema.errors import UsageError

_REGION = re.compile(
    r"\s*(circle|polygon)\s+((?:[-+]?[\d.]+(?:e[-+]?\d+)?[\s,]*)+)\s*", re.IGNORECASE
)


class ExportRefused(UsageError):
    """What is asked cannot be exported, or not in this format."""

    code = "EXPORT_REFUSED"


def region_of(text: str) -> str | None:
    """The ADQL shape of a region's words; None where the text is no region."""
    found = _REGION.fullmatch(text)
    if found is None:
        return None
    kind = found[1].upper()
    try:
        numbers = [float(word) for word in re.split(r"[\s,]+", found[2].strip(" ,"))]
    except ValueError as error:
        raise ExportRefused(f"{text!r}: {error}") from error
    is_whole = len(numbers) == 3 if kind == "CIRCLE" else not len(numbers) % 2 and len(numbers) >= 6
    if not is_whole:
        raise ExportRefused(
            f"{text!r}: a region is `circle RA DEC RADIUS` or `polygon RA DEC RA DEC RA DEC...`, degrees"
        )
    return f"{kind}({', '.join(map(repr, numbers))})"


def table_condition(catalog: Catalog, table: Table, condition: str | None) -> str | None:
    """The ADQL condition of a table's rows; None for all of them.

    A region takes rows by their own position; rows that have none with the row that they lie with
    (a match table's with its first director); of replicated tables it takes all.
    """
    if condition is None:
        return None
    shape = region_of(condition)
    return condition if shape is None else _within(catalog, table, shape)


def _within(catalog: Catalog, table: Table, shape: str) -> str | None:
    """The condition that a row lies in a shape, or with one that does."""
    if table.role is Role.REPLICATED:
        return None
    if table.ra is not None and table.dec is not None:
        return f"1 = CONTAINS(POINT({quote(table.ra)}, {quote(table.dec)}), {shape})"
    parent = catalog.table(table.parent or "")
    assert parent is not None, f"{table.name} has neither position nor parent"
    assert table.key is not None, f"{table.name} has no key"
    assert table.parent_key is not None, f"{table.name} has no parent's key"
    return (
        f"{quote(table.key)} IN (SELECT {quote(table.parent_key)}"
        f" FROM {table_name(catalog, parent)} WHERE {_within(catalog, parent, shape)})"
    )


def table_name(catalog: Catalog, table: Table) -> str:
    """A table as ADQL names it."""
    return f"{quote(catalog.name)}.{quote(table.name)}"
