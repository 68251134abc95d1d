"""The languages that queries come in, by the names that clients give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from qserv.adql import parse_adql
from qserv.limits import Limits
from qserv.sql import parse_mysql, parse_postgres
from schema.errors import QueryError

Parser = Callable[[str, Limits], Any]
"""A text to the tree that `bind` reads."""

LANGUAGES: Mapping[str, Parser] = MappingProxyType(
    {
        "ADQL": parse_adql,
        "ADQL-2.0": parse_adql,
        "ADQL-2.1": parse_adql,
        "PostgreSQL": parse_postgres,
        "MySQL": parse_mysql,
    }
)
"""Each language's parser, by the name under which it is offered."""
_ALIASES = {
    "sql": "PostgreSQL",
    "postgres": "PostgreSQL",
    "pgsql": "PostgreSQL",
    "mariadb": "MySQL",
}
_BY_FOLDED = {name.casefold(): name for name in LANGUAGES} | _ALIASES


class UnknownLanguage(QueryError):
    """The query is in a language that is not spoken here."""

    code = "UNKNOWN_LANGUAGE"

    def __init__(self, language: str) -> None:
        super().__init__(f"no query language {language!r}; there are {', '.join(LANGUAGES)}")


def language_of(name: str) -> str:
    """The language that a name in any case means.

    Raises
    ------
    UnknownLanguage
        None has that name.
    """
    found = _BY_FOLDED.get(name.strip().casefold())
    if found is None:
        raise UnknownLanguage(name)
    return found
