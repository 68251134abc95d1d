"""Who asks: one frozen value, made where a request comes in and handed down from there."""

from __future__ import annotations

from dataclasses import dataclass

from schema.rights import Scope

__all__ = ["ANONYMOUS_CALLER", "OPERATOR", "Caller", "Scope"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `is_anonymous`: she did not log in; `name` is then that of the anonymous role.

    `groups` are those that her credentials bring, a proxy's; those of the books are in `Rights`, which
    are read anew for each query.
    """

    name: str
    groups: frozenset[str] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    is_anonymous: bool = False
    address: str = ""
    """The client's, as far as it is known."""
    trace_id: str = ""
    """Of the request, where the client sent one (W3C traceparent)."""

    def may(self, scope: Scope) -> bool:
        """Whether the credentials allow that; an administrator's allow everything."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def is_admin(self) -> bool:
        return Scope.ADMIN in self.scopes

    @property
    def account(self) -> str:
        """Whose use is counted and who sees a query: a user, or an address of those without a name."""
        return f"{self.name}@{self.address}" if self.is_anonymous else self.name


ANONYMOUS_CALLER = Caller("anonymous", scopes=frozenset({Scope.READ_TAP}), is_anonymous=True)
"""Who did not log in, where the configuration lets such ask."""
OPERATOR = Caller("operator", scopes=frozenset(Scope))
"""Whoever runs the command line on the cluster's machine: she may read its files anyway."""
