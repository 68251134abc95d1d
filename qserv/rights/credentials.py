"""What a request brings to say who sends it (RFC 7617 Basic, RFC 6750 Bearer, a proxy's headers). Pure."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.tokens import PREFIX
from qserv.rights.errors import NotLoggedIn
from schema.rights import Scope

MAX_HEADER = 4096
"""Of an Authorization header, characters."""
MAX_GROUPS = 64


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who gets in, and how."""

    anonymous: bool = True
    """Whether those who did not log in may ask for what is public."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies that say who the user is."""
    user_header: str = "x-auth-request-user"
    groups_header: str = "x-auth-request-groups"
    proxy_scopes: frozenset[Scope] = frozenset({Scope.READ_TAP, Scope.WRITE_TABLES})
    """Of users that come through a proxy and stand in no books here."""

    def is_proxy(self, address: str) -> bool:
        """Whether what comes from there is to be believed."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in ipaddress.ip_network(one, strict=False) for one in self.proxies)


@dataclass(frozen=True, slots=True)
class Password:
    """A user's name and password."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token, however it came."""

    token: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """A user whom a trusted proxy names."""

    user: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asker:
    """What a request says of its sender. `proof` None: nothing."""

    address: str
    proof: Password | Bearer | Vouched | None = None


def read_asker(headers: Mapping[str, str], peer: str, settings: AccessSettings) -> Asker:
    """Who claims to send a request that came from the address `peer`.

    Headers about the user are read from trusted proxies only; anybody else may send them in vain.
    Raises NotLoggedIn where the Authorization header cannot be understood.
    """
    address = peer
    if settings.is_proxy(peer):
        address = headers.get("x-forwarded-for", peer).rpartition(",")[2].strip()[:64] or peer
        user = headers.get(settings.user_header, "").strip()
        if user:
            given = headers.get(settings.groups_header, "").split(",")[:MAX_GROUPS]
            groups = frozenset(one.strip().lower() for one in given if one.strip())
            return Asker(address, Vouched(user.lower(), groups))
    header = headers.get("authorization", "")
    return Asker(address, _proof(header) if header else None)


def _proof(header: str) -> Password | Bearer:
    kind, _, value = header.strip().partition(" ")
    value = value.strip()
    if len(header) <= MAX_HEADER and value:
        if kind.lower() == "bearer":
            return Bearer(value)
        if kind.lower() == "basic":
            return _basic(value)
    raise NotLoggedIn("the Authorization header is neither `Basic ...` nor `Bearer ...`")


def _basic(value: str) -> Password | Bearer:
    """A name and a password; a token may stand in place of either."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotLoggedIn("the Authorization header's Basic value is not base64") from error
    user, _, password = raw.decode("utf-8", errors="replace").partition(":")
    for one in (password, user):
        if one.startswith(PREFIX):
            return Bearer(one)
    return Password(user.strip().lower(), password)
