"""Who proves to be whom: credentials to callers, by the books on the coordinator.

A right answer is kept for `KEPT_S` at most, and not beyond a change of the rights that this process
has met: so a revoked token is of no use after that time at the latest.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import psycopg2

from procedures.pools import Pools
from procedures.tokens import create_token, find_holder
from procedures.users import Principal, find_login, list_principals
from qserv.rights.caller import ANONYMOUS_CALLER, Caller
from qserv.rights.credentials import AccessSettings, Asker, Bearer, Password, Vouched
from qserv.rights.errors import NotLoggedIn
from qserv.rights.guesses import Guesses
from qserv.rights.passwords import is_password
from schema.errors import Unavailable
from schema.rights import PUBLIC, Scope, WrongName, principal_name

KEPT_S = 20.0
MAX_KEPT = 10_000
CHECKS_AT_ONCE = 2
"""Of passwords: each takes 32 MiB and a core."""
_WRONG = "the name and the password, or the token, are wrong, expired or revoked"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A caller whose credentials were right, until when (monotonic), at which version of rights."""

    caller: Caller
    until: float
    version: int


class Authority:
    """Knows callers by their credentials. Thread-safe.

    `version` tells the version of rights that this process has met last.
    """

    def __init__(
        self,
        pools: Pools,
        settings: AccessSettings | None = None,
        version: Callable[[], int] = lambda: 0,
    ) -> None:
        self.settings = settings or AccessSettings()
        self.guesses = Guesses()
        self._pools, self._version = pools, version
        self._salt = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._checks = threading.BoundedSemaphore(CHECKS_AT_ONCE)

    def remembered(self, asker: Asker) -> Caller | None:
        """The caller, where that takes no look into the books; None where it does.

        Raises NotLoggedIn where nobody may ask unnamed.
        """
        if asker.proof is None:
            if not self.settings.anonymous:
                raise NotLoggedIn("this service answers to users only: log in")
            return replace(ANONYMOUS_CALLER, address=asker.address)
        with self._lock:
            kept = self._kept.get(self._key(asker))
        if kept is None or kept.until < time.monotonic() or kept.version != self._version():
            return None
        return replace(kept.caller, address=asker.address)

    def identify(self, asker: Asker) -> Caller:
        """The caller by the books. Raises NotLoggedIn, TooManyGuesses, Unavailable."""
        found = self.remembered(asker)
        if found is not None:
            return found
        version = self._version()
        try:
            caller, left_s = self._checked(asker)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise Unavailable(f"the coordinator does not answer: {error}") from error
        until = time.monotonic() + min(KEPT_S, left_s)
        with self._lock:
            self._kept[self._key(asker)] = _Kept(caller, until, version)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return replace(caller, address=asker.address)

    def new_token(self, user: str, scopes: Iterable[Scope], *, days: float, label: str) -> str:
        """A token of a user in the books. Raises UnknownPrincipal, ScopeRefused, Unavailable."""
        with self._pools.coordinator() as connection:
            token = create_token(connection, user, scopes=scopes, days=days, label=label)[1]
            connection.commit()
        return token

    def _checked(self, asker: Asker) -> tuple[Caller, float]:
        """The caller, and for how many seconds her credentials are good yet."""
        match asker.proof:
            case Bearer() as bearer:
                return self._by_token(bearer)
            case Password() as given:
                return self._by_password(given, asker.address), KEPT_S
            case Vouched() as vouched:
                return self._by_proxy(vouched), KEPT_S
            case None:
                return ANONYMOUS_CALLER, KEPT_S

    def _by_token(self, bearer: Bearer) -> tuple[Caller, float]:
        """Guesses are not counted: of 256 random bits none comes near, and a stale one harms nobody."""
        with self._pools.coordinator() as connection:
            holder = find_holder(connection, bearer.token)
        if holder is None:
            raise NotLoggedIn(_WRONG)
        left_s = KEPT_S if holder.left_s is None else holder.left_s
        return Caller(holder.user, scopes=holder.scopes), left_s

    def _by_password(self, given: Password, address: str) -> Caller:
        self.guesses.check(given.user, address)
        with self._pools.coordinator() as connection:
            login = find_login(connection, given.user)
        with self._checks:
            self.guesses.check(given.user, address)  # others may have guessed meanwhile
            is_right = is_password(given.password, None if login is None else login.password)
        if login is None or not is_right:
            self.guesses.count(given.user, address)
            raise NotLoggedIn(_WRONG)
        return Caller(login.name, scopes=login.scopes)

    def _by_proxy(self, vouched: Vouched) -> Caller:
        """Whom the proxy names. A user's name is no group's, nor the other way round."""
        try:
            name = principal_name(vouched.user)
        except WrongName as error:
            raise NotLoggedIn(str(error)) from error
        with self._pools.coordinator() as connection:
            login = find_login(connection, name)
            groups = {one.name for one in _groups(list_principals(connection, "group"))}
        if name in groups:
            raise NotLoggedIn(f"{name} is the name of a group here")
        scopes = self.settings.proxy_scopes if login is None else login.scopes
        return Caller(name, vouched.groups & groups, scopes)

    def _key(self, asker: Asker) -> bytes:
        """What a proof is remembered by: no password stays in memory."""
        return hashlib.blake2b(repr(asker.proof).encode(), key=self._salt).digest()


def _groups(found: list[Principal]) -> list[Principal]:
    return [one for one in found if one.name != PUBLIC]
