"""Walks over the bound tree."""

from __future__ import annotations

from datetime import datetime

from qserv.adql import parse_adql
from qserv.bind import Catalogs, bind
from qserv.traverse import blocks, conjunction, conjuncts
from tests.support import diff_sky


def test_each_block_of_nested_sub_queries_is_met_once() -> None:
    text = (
        "SELECT objectId FROM Object WHERE objectId IN (SELECT objectId FROM ForcedSource"
        " WHERE visit IN (SELECT visit FROM Visit))"
    )
    query = bind(
        parse_adql(text),
        Catalogs((diff_sky.CATALOG,)),
        now=datetime(2026, 11, 22),  # noqa: DTZ001
        random=0.5,
    )
    assert len(list(blocks(query))) == 3


def test_conditions_come_apart_and_together_again() -> None:
    assert conjuncts(None) == ()
    assert conjunction(()) is None
