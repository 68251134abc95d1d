"""ADQL to its bound tree over the hand-written catalogs, at one time and with one random number."""

from __future__ import annotations

from datetime import datetime

from qserv.adql import parse_adql
from qserv.bind import Catalogs, bind
from qserv.bound import Expression, Query, Select
from tests.support.skies import DP1_FIRST

NOW = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 (timestamps have no zone)
RANDOM = 0.25


def bound(text: str, catalogs: Catalogs = DP1_FIRST) -> Query:
    """The bound query."""
    return bind(parse_adql(text), catalogs, now=NOW, random=RANDOM)


def block(text: str) -> Select:
    """The bound query, one SELECT block."""
    found = bound(text)
    assert isinstance(found, Select)
    return found


def value(text: str, table: str = "Object") -> Expression:
    """The bound expression that a value of a select list is."""
    return block(f"SELECT {text} FROM dp1.{table}").outputs[0].expression


def where(text: str, table: str = "Object") -> Expression:
    """The bound condition that WHERE has."""
    found = block(f"SELECT 1 FROM dp1.{table} WHERE {text}").where
    assert found is not None
    return found
