"""Who may read what, as values: permissions of users and groups, and what follows for one of them.

Permissions only add: a caller sees a table where she, one of her groups, or everybody (`PUBLIC`) was
granted it or its whole catalog, and the grant's time has come. What nobody was granted only
administrators see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum

from schema.errors import UsageError

PUBLIC = "public"
"""The group that everybody is in, those who did not log in too."""
RESERVED = frozenset({PUBLIC, "anonymous", "operator", "all"})
"""Names that no user and no group may have."""
_NAME = re.compile(r"[a-z][a-z0-9_.@-]{0,62}")


class Scope(StrEnum):
    """What credentials allow at all; permissions say which tables."""

    READ_TAP = "read:tap"
    WRITE_TABLES = "write:tables"
    INGEST = "ingest"
    ADMIN = "admin"


class WrongName(UsageError):
    """A user or a group cannot be called that."""

    code = "WRONG_NAME"


def principal_name(name: str) -> str:
    """The name of a user or a group as it is kept: in lower case. Raises WrongName."""
    folded = name.strip().lower()
    if not _NAME.fullmatch(folded) or folded in RESERVED:
        raise WrongName(
            f"{name!r} is no name of a user or a group: begin with a letter, go on with letters,"
            f" digits and `_.@-`, at most 63, and none of {', '.join(sorted(RESERVED))}"
        )
    return folded


@dataclass(frozen=True, slots=True)
class Permission:
    """One grant: `table` None is the whole catalog; before `from_time` it does not hold yet."""

    catalog_id: int
    table: str | None
    grantee: str
    from_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one user may use; None: no bound. A day is the last 24 hours."""

    max_running: int | None = None
    """Queries at once, in one czar."""
    max_queued: int | None = None
    """Queries that may wait until another one ends."""
    rows_per_day: int | None = None
    bytes_per_day: int | None = None
    """Of results, as Arrow holds them."""
    seconds_per_day: int | None = None

    def with_own(self, own: Mapping[str, int | None]) -> Quota:
        """The same with other bounds for some."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Quota(**{**values, **{k: v for k, v in own.items() if k in values}})


@dataclass(frozen=True, slots=True)
class Sight:
    """What some caller may read: whole catalogs by id, and single tables (names folded)."""

    catalogs: frozenset[int] = frozenset()
    tables: frozenset[tuple[int, str]] = frozenset()
    until: datetime | None = None
    """When it may grow, because an embargo ends."""

    def sees(self, catalog_id: int, table: str) -> bool:
        """Whether that table is there for her."""
        return catalog_id in self.catalogs or (catalog_id, table.casefold()) in self.tables


@dataclass(frozen=True, slots=True)
class Rights:
    """All permissions, memberships and quotas at one version."""

    version: int = 0
    permissions: tuple[Permission, ...] = ()
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of each user in the books."""
    quotas: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    """What users and groups have in place of the configured quota."""

    def grantees(self, name: str, groups: Iterable[str]) -> frozenset[str]:
        """Whose permissions a caller has: her own, her groups' and everybody's."""
        return frozenset({name, PUBLIC, *groups}) | self.groups.get(name, frozenset())

    def sight(self, grantees: frozenset[str], now: datetime) -> Sight:
        """What they may read at that time."""
        catalogs: set[int] = set()
        tables: set[tuple[int, str]] = set()
        later: list[datetime] = []
        for one in self.permissions:
            if one.grantee not in grantees:
                continue
            if one.from_time is not None and one.from_time > now:
                later.append(one.from_time)
            elif one.table is None:
                catalogs.add(one.catalog_id)
            else:
                tables.add((one.catalog_id, one.table.casefold()))
        return Sight(frozenset(catalogs), frozenset(tables), min(later, default=None))

    def quota(self, name: str, groups: Iterable[str], configured: Quota) -> Quota:
        """Her own bounds, else the widest of her groups', else the configured ones."""
        found = configured
        joined = frozenset(groups) | self.groups.get(name, frozenset())
        of_groups = [self.quotas[one] for one in joined if one in self.quotas]
        for key in {key for quota in of_groups for key in quota}:
            given = [quota[key] for quota in of_groups if key in quota]
            numbers = [number for number in given if number is not None]
            found = found.with_own({key: max(numbers) if len(numbers) == len(given) else None})
        return found.with_own(self.quotas.get(name, {}))
