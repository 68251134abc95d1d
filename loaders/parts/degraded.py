"""Loading while a shard is down: wait for it, do without its copies for now, or give up at once.

Without it, every part still needs one complete copy that was read back; the missing ones are queued, and
the ingest says so. Readers use the copies that there are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from typing_extensions import override

from loaders.lease import LeaseLost
from schema.errors import Unavailable
from schema.topology import ShardId

_Made = TypeVar("_Made")
_ASK_AGAIN_S = 0.5


class Degraded(StrEnum):
    """What an ingest does where a shard that should hold a copy does not answer."""

    WAIT = "wait"
    ALLOW = "allow"
    REFUSE = "refuse"


class Patience:
    """The policy of one load, and the shards that it found away. Thread-safe.

    Parameters
    ----------
    wait_s
        How long a shard may be away until waiting for it ends, seconds.
    """

    def __init__(self, policy: Degraded = Degraded.REFUSE, *, wait_s: float = 60.0) -> None:
        self._policy, self._wait_s = policy, wait_s
        self._since: dict[ShardId, float] = {}
        self._lock = threading.Lock()

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        """In another process, the same policy; that one finds out for itself who is away."""
        return partial(Patience, wait_s=self._wait_s), (self._policy,)

    def write(self, shard_id: ShardId, attempt: Callable[[], _Made]) -> _Made | None:
        """What an attempt to write to a shard gives; None where it is to be done without the shard.

        It may be made again where the answer of the one before was lost. Raises Unavailable where the
        shard is away and the policy says so.
        """
        if self._policy is Degraded.ALLOW and shard_id in self._since:
            return None
        while True:
            try:
                made = attempt()
            except LeaseLost:
                raise  # not a shard is away, the loader is to stop
            except Unavailable:
                if self._policy is Degraded.REFUSE:
                    raise
                away_s = self._away(shard_id)
                if self._policy is Degraded.ALLOW:
                    return None
                if away_s > self._wait_s:
                    raise
                time.sleep(min(_ASK_AGAIN_S, self._wait_s))
            else:
                if self._policy is Degraded.WAIT:
                    with self._lock:
                        self._since.pop(shard_id, None)
                return made

    def is_allowed(self) -> bool:
        """Whether a part may lack copies."""
        return self._policy is Degraded.ALLOW

    def _away(self, shard_id: ShardId) -> float:
        """For how long a shard has been away, seconds."""
        with self._lock:
            return time.monotonic() - self._since.setdefault(shard_id, time.monotonic())
