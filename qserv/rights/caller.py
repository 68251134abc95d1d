"""Who asks: one frozen value, made where a request comes in and handed down from there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller's credentials allow at all; rights say which tables."""

    READ_TAP = "read:tap"
    WRITE_TABLES = "write:tables"
    INGEST = "ingest"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `is_anonymous`: she did not log in; `name` is then that of the anonymous role."""

    name: str
    groups: frozenset[str] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    is_anonymous: bool = False

    def may(self, scope: Scope) -> bool:
        """Whether the credentials allow that; an administrator's allow everything."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def is_admin(self) -> bool:
        return Scope.ADMIN in self.scopes


ANONYMOUS_CALLER = Caller("anonymous", scopes=frozenset({Scope.READ_TAP}), is_anonymous=True)
"""Who did not log in, where the configuration lets such ask."""
OPERATOR = Caller("operator", scopes=frozenset(Scope))
"""Whoever runs the command line on the cluster's machine: she may read its files anyway."""
