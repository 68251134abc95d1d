"""How a family is placed: settled once, kept while it has catalogs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from migrations.upgrade import upgrade
from procedures.catalogs import create_catalog, drop_catalog
from procedures.families import PlacementOrderDiffers, settle_family
from schema.placement import Family
from tests.procedures.test_catalogs import LAB

pytestmark = pytest.mark.postgres
ASKING = replace(LAB, placement_order=3)


def upgraded_coordinator(dsn: str) -> None:
    upgrade(dsn, "coordinator")


@pytest.fixture
def coordinator(new_database: Callable[..., str]) -> Iterator[Any]:
    dsn = new_database("coordinator", prepare=upgraded_coordinator)
    with closing(psycopg2.connect(dsn)) as connection:
        yield connection


def test_the_first_order_stays(coordinator: Any) -> None:
    assert settle_family(coordinator, "mine", 1) == Family("mine", 1)
    assert settle_family(coordinator, "mine", 2) == Family("mine", 1)


def test_a_catalog_may_name_its_familys_order(coordinator: Any) -> None:
    create_catalog(coordinator, ASKING)
    assert settle_family(coordinator, "mine", 1).order == 3


def test_catalogs_of_one_family_agree(coordinator: Any) -> None:
    settle_family(coordinator, "mine", 2)
    with pytest.raises(PlacementOrderDiffers, match="placed at order 2, and the layout says"):
        create_catalog(coordinator, ASKING)


def test_a_catalog_that_names_no_order_takes_its_familys(coordinator: Any) -> None:
    settle_family(coordinator, "mine", 2)
    create_catalog(coordinator, LAB)
    assert settle_family(coordinator, "mine", 1).order == 2


def test_a_family_keeps_its_order_while_it_has_a_catalog(coordinator: Any) -> None:
    create_catalog(coordinator, ASKING)
    create_catalog(coordinator, replace(LAB, name="other"))
    drop_catalog(coordinator, "Lab")
    assert settle_family(coordinator, "mine", 1).order == 3


def test_a_family_without_catalogs_is_settled_anew(coordinator: Any) -> None:
    create_catalog(coordinator, ASKING)
    drop_catalog(coordinator, "Lab")
    assert settle_family(coordinator, "mine", 1).order == 1
