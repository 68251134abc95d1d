"""Random regions and trees of conditions over shards equal the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import offset_by
from astropy.units import deg
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from qserv.bind.errors import BadRegion
from qserv.store import Store
from tests.qserv.plan.test_pruning import Condition, leaves, trees
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.postgres import Server
from tests.support.sharded import Oracle, bound, rows_of, sharded_store

pytestmark = pytest.mark.postgres

ENOUGH_TIME = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def store(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = Path(tmp_path_factory.mktemp("random"))
    with sharded_store(
        server, diff_sky.CATALOG, diff_sky.as_ingests(3), shards=3, folder=folder
    ) as sharded:
        yield sharded.store


degrees = st.floats(0, 360, exclude_max=True)
latitudes = st.floats(-1, 1).map(lambda z: 90 * z)
centres = st.one_of(
    st.tuples(degrees, latitudes),
    st.sampled_from([(0.0, 0.0), (45.0, 0.0), (10.0, 90.0), (359.99, 0.01), (77.0, -90.0)]),
)


@settings(ENOUGH_TIME, max_examples=60)
@given(centre=centres, radius=st.sampled_from([1e-4, 0.003, 0.05, 0.7, 3.0, 40.0, 120.0]))
def test_every_cone_holds_the_oracles_rows(
    centre: tuple[float, float], radius: float, store: Store, the_oracle: Oracle
) -> None:
    text = (
        "SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec),"
        f" CIRCLE({centre[0]!r}, {centre[1]!r}, {radius!r}))"
    )
    tree = bound(text, store)
    assert_agrees(tree, rows_of(text, store)[1], the_oracle.rows(tree))


@settings(ENOUGH_TIME, max_examples=40)
@given(centre=centres, width=st.floats(0.01, 300), height=st.floats(0.01, 60))
def test_every_box_holds_the_oracles_rows(
    centre: tuple[float, float], width: float, height: float, store: Store, the_oracle: Oracle
) -> None:
    text = (
        "SELECT forcedSourceId FROM ForcedSource WHERE 1 = CONTAINS(POINT(ra, dec),"
        f" BOX({centre[0]!r}, {centre[1]!r}, {width!r}, {height!r}))"
    )
    tree = bound(text, store)
    assert_agrees(tree, rows_of(text, store)[1], the_oracle.rows(tree))


@st.composite
def polygons(draw: st.DrawFn) -> str:
    """The corners of a polygon around a centre, convex or not, as ADQL."""
    centre = draw(centres)
    corners = draw(st.integers(3, 7))
    numbers = []
    for k in range(corners):
        away = draw(st.floats(0.005, 20))
        bearing = 2 * np.pi * k / corners
        ra, dec = offset_by(*np.radians(centre), bearing, np.radians(away))
        numbers += [float(ra.to_value(deg)) % 360, float(dec.to_value(deg))]
    return ", ".join(f"{number!r}" for number in numbers)


@settings(ENOUGH_TIME, max_examples=40)
@given(corners=polygons())
def test_every_polygon_holds_the_oracles_rows(
    corners: str, store: Store, the_oracle: Oracle
) -> None:
    text = f"SELECT sourceId FROM Source WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON({corners}))"
    try:
        tree = bound(text, store)
    except BadRegion:
        assume(False)
    assert_agrees(tree, rows_of(text, store)[1], the_oracle.rows(tree))


either = st.one_of(leaves("o", "Object"), leaves("f", "ForcedSource"))


@settings(ENOUGH_TIME, max_examples=60)
@given(join=st.sampled_from(["JOIN", "LEFT JOIN"]), condition=trees(either))
def test_every_tree_of_conditions_holds_the_oracles_rows(
    join: str, condition: Condition, store: Store, the_oracle: Oracle
) -> None:
    text = (
        "SELECT COUNT(*) AS n, SUM(o.objectId) AS o, COUNT(f.mjd) AS m, MAX(f.forcedSourceId) AS f"
        f" FROM Object o {join} ForcedSource f ON f.objectId = o.objectId WHERE {condition.text}"
    )
    tree = bound(text, store)
    assert_agrees(tree, rows_of(text, store)[1], the_oracle.rows(tree))
