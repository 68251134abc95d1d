"""Which snapshots a query asks for: `dp1@3`, `dp1@release-1`; the newest of all other catalogs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from schema.errors import QueryError

MAX_AS_OF = 64
"""Catalogs that one query may ask older snapshots of."""
_ONE = re.compile(r"\s*([A-Za-z]\w*)\s*@\s*([\w.-]{1,63})\s*", re.ASCII)


class WrongAsOf(QueryError):
    """What names a snapshot is not CATALOG@NUMBER or CATALOG@TAG, or two are of one catalog."""

    code = "WRONG_AS_OF"


@dataclass(frozen=True, slots=True)
class AsOf:
    """One catalog's snapshot, by its number or its tag, as the user wrote them."""

    catalog: str
    snapshot: str


def parse_as_of(texts: str | Iterable[str]) -> tuple[AsOf, ...]:
    """The snapshots that some texts name, each perhaps several with commas between."""
    given = [texts] if isinstance(texts, str) else list(texts)
    words = [word for text in given for word in text.split(",") if word.strip()]
    if len(words) > MAX_AS_OF:
        raise WrongAsOf(f"a query may name {MAX_AS_OF} snapshots, not {len(words)}")
    found: dict[str, AsOf] = {}
    for word in words:
        match = _ONE.fullmatch(word)
        if match is None:
            raise WrongAsOf(
                f"{word.strip()[:80]!r} is no snapshot: say CATALOG@NUMBER or CATALOG@TAG"
            )
        one = AsOf(match[1], match[2])
        if found.setdefault(one.catalog.casefold(), one) != one:
            raise WrongAsOf(f"two snapshots of {one.catalog} are named: say one")
    return tuple(found.values())
