"""What the HTTP face asks of the rest: answers, catalogs, and whether the store is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qserv.examples import Example
from qserv.http.ingest import IngestAccess
from qserv.http.jobs import JobAccess
from qserv.http.parameters import Bounds
from qserv.http.queries import QueryAccess
from qserv.limits import ANONYMOUS, Limits
from qserv.result import Answer
from qserv.rights.authority import Authority
from qserv.rights.caller import Caller
from qserv.tap_query import TapQuery
from qserv.uploads.files import UploadFiles
from schema.catalog import Catalog
from schema.rights import Quota

AnswerQuery = Callable[[TapQuery, Limits, Caller], Answer]
"""(query, limits, caller) -> its answer."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of the HTTP server itself; times in seconds, sizes in bytes."""

    max_running: int = 32
    """Queries at once; one more is refused with 503 and Retry-After."""
    queue_s: float = 30.0
    """How long a query waits until another one of the same user ends."""
    max_body_bytes: int = 2_000_000
    max_upload_bytes: int = 600 * 2**20
    """Of a request's body with the files of its uploads."""
    stall_s: float = 120.0
    """How long a client may leave rows unread before it is cut off."""
    prefetch_bytes: int = 65_536
    """How much is made before the first byte leaves; a failure until then has an HTTP status."""


@dataclass(frozen=True, slots=True)
class Service:
    """The seam between the HTTP face and the store. `check` raises where the store is away."""

    answer: AnswerQuery
    catalogs: Callable[[Caller], Sequence[Catalog]]
    """What is there for a caller."""
    check: Callable[[], None]
    examples: Callable[[Caller], Sequence[Example]] = lambda _: ()
    """Queries to begin with, about what is there for a caller."""
    limits: Limits = ANONYMOUS
    """Of who did not log in."""
    user_limits: Limits | None = None
    """Of who did; None: the same."""
    http: HttpLimits = field(default_factory=HttpLimits)
    public_url: str | None = None
    """The address that clients use, where a proxy stands before this server."""
    ingests: IngestAccess | None = None
    """Who may ingest by HTTP, and what; None: nobody."""
    queries: QueryAccess | None = None
    """The log of queries; None: it is not shown."""
    quota_of: Callable[[Caller], Quota] = lambda _: Quota()
    authority: Authority | None = None
    """Who knows users and tokens; None: everybody is anonymous."""
    jobs: JobAccess | None = None
    """Asynchronous queries; None: there are none."""
    uploads: UploadFiles | None = None
    """Where uploaded tables are kept for their queries; None: none are taken."""

    @property
    def bounds(self) -> Bounds:
        """Of requests' bodies."""
        return Bounds(self.http.max_body_bytes, self.http.max_upload_bytes)

    @property
    def security_methods(self) -> tuple[str | None, ...]:
        """How one may ask, as /capabilities tells it; None: unnamed."""
        if self.authority is None:
            return ()
        unnamed = (None,) if self.authority.settings.anonymous else ()
        return (*unnamed, "ivo://ivoa.net/sso#BasicAA", "ivo://ivoa.net/sso#OAuth")

    def limits_of(self, caller: Caller) -> Limits:
        """The bounds of a caller's queries."""
        if caller.is_anonymous or self.user_limits is None:
            return self.limits
        return self.user_limits
