"""What a query pins, read from a real coordinator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from procedures.catalogs import create_catalog
from procedures.pins import Pin, current_pins, pinned_catalog
from tests.procedures.test_catalogs import LAB, upgraded_coordinator

pytestmark = pytest.mark.postgres


@pytest.fixture
def coordinator(new_database: Callable[..., str]) -> Iterator[Any]:
    dsn = new_database("coordinator", prepare=upgraded_coordinator)
    with closing(psycopg2.connect(dsn)) as connection:
        yield connection


def test_every_catalog_is_pinned_at_its_version_and_snapshot(coordinator: Any) -> None:
    create_catalog(coordinator, replace(LAB, name="Zoo", version=3))
    create_catalog(coordinator, LAB)
    zoo, lab = (
        next(pin.catalog_id for pin in current_pins(coordinator) if pin.name == name)
        for name in ("Zoo", "Lab")
    )
    assert current_pins(coordinator) == (Pin("Lab", lab, 1, 0), Pin("Zoo", zoo, 3, 0))


def test_a_pinned_catalog_is_the_stored_model(coordinator: Any) -> None:
    create_catalog(coordinator, LAB)
    (pin,) = current_pins(coordinator)
    assert pinned_catalog(coordinator, pin) == LAB


def test_a_catalog_dropped_meanwhile_is_none(coordinator: Any) -> None:
    assert pinned_catalog(coordinator, Pin("Lab", 99, 1, 0)) is None
