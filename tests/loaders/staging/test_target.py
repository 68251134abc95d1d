"""The order that a family is placed at is settled by its first rows, and then it stays."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from procedures.repairs import family_of
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(server, SKY, tmp_path_factory.mktemp("cluster")) as made:
        yield made


def in_family(cluster: Lab, family: str, folder: Path, *, order: int | None = None) -> Lab:
    """An empty catalog of a family, which may name its order."""
    catalog = dataclasses.replace(SKY, family=family, placement_order=order)
    named = dataclasses.replace(cluster, catalog=catalog)
    folder = folder / secrets.token_hex(4)
    folder.mkdir()
    return named.with_catalog(f"lab_{folder.name}", folder)


def order_of(made: Lab) -> int | None:
    with made.pools.coordinator() as connection:
        family = family_of(connection, made.catalog.family)
    return family and family.order


def everywhere(count: int) -> pa.Table:
    """Objects all over the sky."""
    rng = np.random.default_rng(3)
    rows = objects(count)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    for name, values in (("ra", rng.uniform(0, 360, count)), ("dec", dec)):
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values))
    return rows


def test_a_family_is_not_settled_by_a_catalog_without_rows(cluster: Lab, tmp_path: Path) -> None:
    made = in_family(cluster, "empty", tmp_path)
    made.ingest(Filter={"filterId": [1]})
    assert order_of(made) is None


def test_rows_all_over_the_sky_are_placed_coarsely(cluster: Lab, tmp_path: Path) -> None:
    made = in_family(cluster, "even", tmp_path)
    made.ingest(Object=everywhere(2000))
    assert order_of(made) == 1
    assert min(chunk.order for chunk in made.manifest().chunks) == 1


def test_rows_of_a_corner_are_placed_more_finely(cluster: Lab, tmp_path: Path) -> None:
    made = in_family(cluster, "corner", tmp_path)
    made.ingest(Object=objects(500))
    assert order_of(made) == 2
    assert min(chunk.order for chunk in made.manifest().chunks) == 2


def test_a_layouts_order_wins(cluster: Lab, tmp_path: Path) -> None:
    made = in_family(cluster, "named", tmp_path, order=3)
    made.ingest(Object=everywhere(500))
    assert {chunk.order for chunk in made.manifest().chunks} == {3}


def test_a_family_keeps_its_order_whatever_comes_later(cluster: Lab, tmp_path: Path) -> None:
    in_family(cluster, "kept", tmp_path).ingest(Object=objects(500))
    second = in_family(cluster, "kept", tmp_path)
    second.ingest(Object=everywhere(2000))
    assert order_of(second) == 2
    assert min(chunk.order for chunk in second.manifest().chunks) == 2
