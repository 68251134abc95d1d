"""Quotas: who has how much, and whether some of it is left. Pure but for what it is told.

The bounds of queries at once and in wait are held where requests come in (`qserv.http.query_response`), those
of a day where a query begins (`qserv.answer`), so that jobs are held to them, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from procedures.query_log import Usage
from qserv.rights.caller import Caller
from qserv.rights.errors import QuotaUsed
from schema.rights import Quota, Rights

RETRY_S = 600.0
"""A day's quota comes back little by little."""
UNBOUNDED = Quota()


@dataclass(frozen=True, slots=True)
class Quotas:
    """The configured quotas: of users, and of each address of those who did not log in."""

    user: Quota = field(default_factory=Quota)
    anonymous: Quota = field(default_factory=Quota)

    def of(self, caller: Caller, rights: Rights) -> Quota:
        """A caller's: her own, her groups' or her role's; an administrator has no bounds."""
        if caller.is_admin:
            return UNBOUNDED
        configured = self.anonymous if caller.is_anonymous else self.user
        return rights.quota(caller.name, caller.groups, configured)


def has_daily(quota: Quota) -> bool:
    """Whether anything of a day is bounded."""
    return (quota.rows_per_day, quota.bytes_per_day, quota.seconds_per_day) != (None, None, None)


def check_daily(quota: Quota, usage: Usage) -> None:
    """Raise QuotaUsed where one of a day's bounds is reached."""
    for bound, used, word in (
        (quota.rows_per_day, usage.rows, "rows"),
        (quota.bytes_per_day, usage.size_bytes, "bytes"),
        (quota.seconds_per_day, usage.seconds, "seconds"),
    ):
        if bound is not None and used >= bound:
            raise QuotaUsed(f"{used:,.0f} of {bound:,} {word} of a day are used up", RETRY_S)
