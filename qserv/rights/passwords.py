"""Passwords as they are kept: scrypt (RFC 7914) with a salt, its cost beside it.

The cost is OWASP's for scrypt with 32 MiB: about 0.2 s of one core for each check.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from schema.errors import UsageError

COST_BITS, BLOCK, LANES = 15, 8, 3
SALT_BYTES, HASH_BYTES = 16, 32
SHORTEST, LONGEST = 8, 256
_MEMORY = 64 * 2**20
"""More than scrypt needs at this cost: 128 * BLOCK * 2**COST_BITS bytes, and some."""


class PasswordRefused(UsageError):
    """A new password is too short or too long."""

    code = "PASSWORD_REFUSED"


def hash_password(password: str) -> str:
    """What is kept of a password. Raises PasswordRefused."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefused(f"a password has {SHORTEST} to {LONGEST} characters")
    salt = secrets.token_bytes(SALT_BYTES)
    kept = _scrypt(password, salt, (COST_BITS, BLOCK, LANES))
    words = [base64.b64encode(one).decode() for one in (salt, kept)]
    return "$".join(["scrypt", str(COST_BITS), str(BLOCK), str(LANES), *words])


def is_password(password: str, kept: str | None) -> bool:
    """Whether it is the one. Where none is kept it is not, which takes as long to find out."""
    if len(password) > LONGEST:
        return False
    if kept is None:
        _scrypt(password, b"\0" * SALT_BYTES, (COST_BITS, BLOCK, LANES))
        return False
    _, bits, block, lanes, salt, expected = kept.split("$")
    found = _scrypt(password, base64.b64decode(salt), (int(bits), int(block), int(lanes)))
    return hmac.compare_digest(found, base64.b64decode(expected))


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    bits, block, lanes = cost
    return hashlib.scrypt(
        password.encode(errors="surrogatepass"),
        salt=salt,
        n=1 << bits,
        r=block,
        p=lanes,
        maxmem=_MEMORY,
        dklen=HASH_BYTES,
    )
