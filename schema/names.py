"""Names of catalogs, tables and columns: what is allowed, and the nearest to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from schema.catalog import DIRECTOR_29, HEALPIX_29, INGEST
from schema.errors import CatalogError

MAX_NAME_BYTES = 63
"""PostgreSQL cuts longer identifiers."""
PARTS_SCHEMA = "parts"
"""Where a shard's PostgreSQL keeps the tables of parts."""
UPLOADS = "tap_upload"
"""The catalog of the tables that come with a query."""
HELD_CATALOGS = frozenset({"tap_schema", UPLOADS})
"""Those whose rows a czar has itself; they have no snapshots, and no chunks."""
RESERVED_CATALOGS = frozenset(
    {
        "information_schema",
        "main",
        "parts",
        "pg_catalog",
        "public",
        "sky",
        "skyshard",
        "system",
        "tap_schema",
        UPLOADS,
        "temp",
    }
)
RESERVED_COLUMNS = frozenset(
    {
        *("cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"),
        *(HEALPIX_29, DIRECTOR_29, INGEST),
    }
)
"""Names that PostgreSQL or Skyshard gives to every table's hidden columns."""
_CATALOG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_REFUSED = re.compile(r'[\x00-\x1f\x7f".]')


class InvalidName(CatalogError):
    """A catalog, table or column has a name that cannot be stored or asked for."""

    code = "INVALID_NAME"

    def __init__(self, kind: str, name: str, reason: str) -> None:
        super().__init__(f"{kind} name {name!r} {reason}")
        self.kind, self.name = kind, name


def check_catalog_name(name: str) -> None:
    """Raise `InvalidName` unless `name` can name a catalog: letters, digits and underscores."""
    if not _CATALOG.fullmatch(name):
        reason = "must begin with a letter and consist of letters, digits and underscores"
        raise InvalidName("catalog", name, reason)
    _check_length("catalog", name)
    if name.casefold() in RESERVED_CATALOGS:
        raise InvalidName("catalog", name, "is reserved; choose another")


def check_name(kind: str, name: str) -> None:
    """Raise `InvalidName` unless `name` can name a table or a column (`kind` says which)."""
    if not name.strip() or _REFUSED.search(name):
        reason = "must not be blank or hold a dot, a double quote or a control character"
        raise InvalidName(kind, name, reason)
    _check_length(kind, name)
    if kind == "column" and name.casefold() in RESERVED_COLUMNS:
        raise InvalidName(kind, name, "is taken by a hidden column; rename it in the schema")


def check_distinct(kind: str, names: Iterable[str], place: str) -> None:
    """Raise `InvalidName` where two names of one place differ by case only, or not at all."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.casefold(), name)
        if first is not name:
            reason = (
                f"stands beside {first!r} in {place}: names answer in any case, so two must differ "
                "by more than case"
            )
            raise InvalidName(kind, name, reason)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`; None where none is."""
    spelled = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else None


def hint(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""


def _check_length(kind: str, name: str) -> None:
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidName(kind, name, f"is longer than {MAX_NAME_BYTES} bytes")
