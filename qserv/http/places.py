"""Whose turn it is: so many queries of one account run at once, so many wait, the rest are refused."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from qserv.rights.caller import Caller
from qserv.rights.errors import TooManyOfYours
from schema.rights import Quota

RETRY_S = 5.0


@dataclass(slots=True)
class _Account:
    """The queries of one account: how many run, and the events that those in wait wait for."""

    running: int = 0
    waiting: deque[anyio.Event] = field(default_factory=deque)


class Places:
    """The accounts with queries here. For one event loop; what is over leaves no trace."""

    def __init__(self, wait_s: float) -> None:
        """A query waits for its turn at most `wait_s` seconds."""
        self._wait_s = wait_s
        self._accounts: dict[str, _Account] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    @asynccontextmanager
    async def held(self, caller: Caller, quota: Quota) -> AsyncIterator[None]:
        """Holds a place of the caller's, perhaps after a wait. Raises TooManyOfYours."""
        if quota.max_running is None:
            yield
            return
        account = self._accounts.setdefault(caller.account, _Account())
        try:
            await self._enter(account, quota.max_running, quota.max_queued or 0)
            try:
                yield
            finally:
                _leave(account)
        finally:
            if not account.running and not account.waiting:
                self._accounts.pop(caller.account, None)

    async def _enter(self, account: _Account, most: int, most_waiting: int) -> None:
        if account.running < most:
            account.running += 1
            return
        if len(account.waiting) >= most_waiting:
            raise TooManyOfYours(
                f"{account.running} of your queries run and {len(account.waiting)} wait:"
                " as many as you may have",
                RETRY_S,
            )
        turn = anyio.Event()
        account.waiting.append(turn)
        try:
            with anyio.fail_after(self._wait_s):
                await turn.wait()
        except BaseException as error:
            if turn.is_set():  # its turn came as it gave up
                _leave(account)
            else:
                account.waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise TooManyOfYours(
                    f"none of your queries ended within {self._wait_s:g} s", RETRY_S
                ) from error
            raise


def _leave(account: _Account) -> None:
    """Hand the place to who waits longest."""
    if account.waiting:
        account.waiting.popleft().set()
    else:
        account.running -= 1
