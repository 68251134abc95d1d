"""Fed fragments: every row that what was told leaves is read, in fewer chunks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qserv.adql import parse_adql
from qserv.analyse import analyse
from qserv.bind import Catalogs, bind
from qserv.chunk_sql import values_within
from qserv.plan.make import make_plan
from qserv.plan.narrow import Positions, Values, narrowed
from qserv.planned import Engine, Fragment, KeyFeed, NearFeed
from schema.cover import PixelList
from schema.healpix import pixels_29
from tests.support import diff_sky
from tests.support.manifests import manifest_of

CATALOGS = Catalogs((diff_sky.CATALOG,))
MANIFESTS = {"diff": manifest_of(diff_sky.CATALOG, diff_sky.rows(), times=100)}
CHILDREN = (
    "SELECT o.nDet, f.mjd FROM Object o JOIN ForcedSource f ON f.objectId = o.nDet"
    " WHERE o.gFlux BETWEEN 5 AND 6"
)
AROUND = (
    "SELECT o.nDet, s.flux FROM Object o JOIN Source s"
    " ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < {radius} WHERE o.nDet = 5"
)


def fed(text: str) -> Fragment:
    """The fragment of a query's plan that waits for another."""
    tree = bind(parse_adql(text), CATALOGS, now=datetime(2026, 11, 23), random=0.5)  # noqa: DTZ001
    plan = make_plan(analyse(tree).query, MANIFESTS, {})
    (found,) = [fragment for fragment in plan.fragments if fragment.feeds]
    return found


def by_values(keys: list[int], homes: list[int], *others: int) -> Fragment:
    """Children of some keys, of which the index knows the first ones."""
    fragment = fed(CHILDREN)
    (feed,) = fragment.feeds
    assert isinstance(feed, KeyFeed)
    assert feed.index == "Object"
    known = np.array(keys, np.int64), np.array(homes, np.int64)
    return narrowed(fragment, [(feed, Values(pa.array([*keys, *others], pa.int64()), *known))])


@given(st.lists(st.floats(0, 360, exclude_max=True), min_size=1, max_size=5), st.integers(0, 3))
def test_known_keys_are_read_in_their_chunks_only(ra: list[float], unknown: int) -> None:
    homes = pixels_29(np.array(ra), np.zeros(len(ra))).tolist()
    fragment = by_values(list(range(1, len(ra) + 1)), homes, *range(100, 100 + unknown))
    chunks = PixelList.of(fragment.pixels)
    wanted = [p for p in fed(CHILDREN).pixels if any(p.first_29 <= h <= p.last_29 for h in homes)]
    assert set(chunks.pixels) == set(wanted)
    (among,) = fragment.sources[0].among
    for pixel in chunks.pixels:
        sent = values_within(among, [(pixel.first_29, pixel.last_29)]).to_pylist()
        here = {k for k, h in enumerate(homes, 1) if pixel.first_29 <= h <= pixel.last_29}
        assert set(sent) == here


def test_few_keys_are_read_by_index() -> None:
    assert fed(CHILDREN).engine is Engine.SCAN
    assert by_values([1, 2], [0, 1]).engine is Engine.POSTGRES


def test_no_keys_leave_nothing_to_read() -> None:
    assert by_values([], []).pixels == ()


def test_a_sentinel_among_the_keys_lies_in_any_chunk() -> None:
    fragment = by_values([1], [0], 0)
    assert fragment.pixels == fed(CHILDREN).pixels
    assert fragment.sources[0].among[0].values.to_pylist() == [1, 0]


def test_too_many_keys_narrow_nothing() -> None:
    fragment = fed(CHILDREN)
    assert narrowed(fragment, [(fragment.feeds[0], None)]) == replace(fragment, feeds=())


@given(
    st.floats(0, 360, exclude_max=True),
    st.floats(-90, 90),
    st.floats(0, 2 * np.pi),
    st.floats(0, 1),
    st.sampled_from([0.02, 0.1, 1.0, 20.0]),
)
def test_rows_around_positions_are_read(
    ra: float, dec: float, angle: float, share: float, radius: float
) -> None:
    fragment = fed(AROUND.format(radius=radius))
    (feed,) = fragment.feeds
    assert isinstance(feed, NearFeed)
    point = Positions(np.array([ra]), np.array([dec]))
    row = moved(ra, dec, angle, 0.999 * share * radius)
    pixel = int(pixels_29(np.array([row[0]]), np.array([row[1]]))[0])
    found = narrowed(fragment, [(feed, point)])
    ranges = found.sources[0].ranges
    assert ranges is None or any(low <= pixel <= high for low, high in ranges.pairs)
    chunk = [p for p in fragment.pixels if p.first_29 <= pixel <= p.last_29]
    assert set(chunk) <= set(found.pixels)


@pytest.mark.parametrize("radius", [0.02, 0.1, 1.0])
def test_a_position_leaves_few_chunks(radius: float) -> None:
    fragment = fed(AROUND.format(radius=radius))
    point = Positions(np.array([150.0]), np.array([2.0]))
    assert len(narrowed(fragment, [(fragment.feeds[0], point)]).pixels) < 4 < len(fragment.pixels)


def moved(ra: float, dec: float, angle: float, distance: float) -> tuple[float, float]:
    """The point at a distance in a direction, degrees."""
    lat, away = np.radians(dec), np.radians(distance)
    sine = np.sin(lat) * np.cos(away) + np.cos(lat) * np.sin(away) * np.cos(angle)
    north = np.arcsin(np.clip(sine, -1, 1))
    turn = np.arctan2(
        np.sin(angle) * np.sin(away) * np.cos(lat), np.cos(away) - np.sin(lat) * np.sin(north)
    )
    return float((ra + np.degrees(turn)) % 360.0), float(np.degrees(north))
