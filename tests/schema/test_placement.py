"""Placement is stable, fair and keeps a family together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.healpix import Pixel
from schema.manifest import INDEX_BUCKETS
from schema.partition import DENSITY_ORDER
from schema.placement import (
    Family,
    TooFewShards,
    balanced_order,
    bucket_of,
    fullest_share,
    order_for,
    place,
    place_bucket,
    splitmix64,
)
from schema.topology import Shard, ShardId

CELLS = [Pixel(2, number) for number in range(192)]
FAMILIES = [Family(f"family{n}", 2) for n in range(10)]
SKY = Family("sky", 2)


def shards(count: int, *, weights: dict[int, float] | None = None) -> list[Shard]:
    return [
        Shard(ShardId(n), dsn="", twins=Path(), weight=(weights or {}).get(n, 1.0))
        for n in range(1, count + 1)
    ]


def primaries(servers: list[Shard]) -> dict[tuple[Family, Pixel], ShardId]:
    return {
        (family, cell): place(cell, family=family, shards=servers, replicas=1)[0]
        for family in FAMILIES
        for cell in CELLS
    }


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(CELLS))
def test_replicas_lie_on_distinct_shards(count: int, replicas: int, cell: Pixel) -> None:
    if replicas <= count:
        found = place(cell, family=SKY, shards=shards(count), replicas=replicas)
        assert len(set(found)) == replicas


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_a_new_shard_takes_its_share_and_nothing_else_moves(replicas: int) -> None:
    moved = 0
    for family in FAMILIES:
        for cell in CELLS:
            before = place(cell, family=family, shards=shards(4), replicas=replicas)
            after = place(cell, family=family, shards=shards(5), replicas=replicas)
            assert set(after) - set(before) <= {5}
            moved += 5 in after
    assert moved / (len(FAMILIES) * len(CELLS)) == pytest.approx(replicas / 5, rel=0.15)


def test_a_lost_shard_gives_up_only_what_it_held() -> None:
    before, after = primaries(shards(5)), primaries(shards(4))
    assert all(after[key] == shard for key, shard in before.items() if shard != 5)


def test_shards_hold_shares_by_weight() -> None:
    held = Counter(primaries(shards(3, weights={3: 2.0})).values())
    total = sum(held.values())
    assert held[ShardId(3)] / total == pytest.approx(0.5, abs=0.05)
    assert held[ShardId(1)] / total == pytest.approx(0.25, abs=0.05)


def test_a_shard_without_weight_takes_nothing() -> None:
    assert set(primaries(shards(3, weights={2: 0.0})).values()) == {1, 3}


@given(st.sampled_from(CELLS), st.integers(0, 4**8 - 1))
def test_a_chunk_lies_with_its_ancestor(cell: Pixel, inner: int) -> None:
    chunk = Pixel(10, cell.number * 4**8 + inner)
    servers = shards(4)
    assert place(chunk, family=SKY, shards=servers, replicas=2) == place(
        cell, family=SKY, shards=servers, replicas=2
    )


def test_the_order_of_the_shards_does_not_matter() -> None:
    servers = shards(5)
    assert primaries(servers) == primaries(servers[::-1])


def test_placement_is_what_it_was() -> None:
    """Another answer would move every cluster's chunks."""
    servers = shards(4)
    found = [place(cell, family=SKY, shards=servers, replicas=2) for cell in CELLS[:6]]
    assert found == [(3, 2), (1, 2), (1, 2), (4, 1), (3, 4), (2, 4)]
    buckets = [place_bucket(n, family=SKY, shards=servers, replicas=1)[0] for n in range(8)]
    assert buckets == [3, 3, 4, 1, 2, 1, 1, 2]


@pytest.mark.parametrize(
    ("count", "order"), [(1, 1), (4, 1), (5, 2), (16, 2), (17, 3), (64, 3), (65, 4), (5000, 5)]
)
def test_a_family_is_placed_at_the_coarsest_order_of_twelve_pixels_a_shard(
    count: int, order: int
) -> None:
    assert order_for(shards(count)) == order


def test_shards_that_take_nothing_do_not_refine_the_order() -> None:
    assert order_for(shards(5, weights={2: 0.0})) == 1


def test_rows_in_one_corner_of_the_sky_are_placed_more_finely() -> None:
    even = np.arange(12 * 4**DENSITY_ORDER)[:: 4**5]
    corner = even[: len(even) // 48]
    found = [
        balanced_order("sky", (pixels, np.ones_like(pixels)), shards=shards(4), replicas=1)
        for pixels in (even, corner)
    ]
    assert found == [1, 2]


def test_a_share_is_told_by_weight_and_over_all_copies() -> None:
    pixels = np.array([0], np.int64)
    for replicas, weights, share in ((1, {}, 4.0), (2, {}, 2.0), (4, {1: 3.0}, 1.5)):
        servers = shards(4, weights=weights)
        density = pixels, np.array([7])
        found = fullest_share(Family("sky", 1), density, shards=servers, replicas=replicas)
        assert found == pytest.approx(share)


@pytest.mark.parametrize("order", [0, 6])
def test_other_orders_are_no_familys(order: int) -> None:
    with pytest.raises(ValueError, match=r"outside 1\.\.5"):
        Family("sky", order)


def test_the_pixels_of_the_sky_are_shared_out_among_four_shards() -> None:
    """What the default family's primaries hold at the order of four shards, of 48 pixels."""
    family = Family("sky", order_for(shards(4)))
    held = Counter(
        place(Pixel(1, number), family=family, shards=shards(4), replicas=1)[0]
        for number in range(48)
    )
    assert sorted(held.values()) == [10, 11, 13, 14]


def test_more_replicas_than_shards_are_refused() -> None:
    with pytest.raises(TooFewShards, match="2 replicas need as many shards; 1 take data"):
        place(CELLS[0], family=SKY, shards=shards(2, weights={1: 0.0}), replicas=2)


def test_buckets_share_out_keys_however_they_are_numbered() -> None:
    for step in (1, 16, 2**32):
        counts = np.bincount(bucket_of(np.arange(16_000) * step), minlength=INDEX_BUCKETS)
        assert counts.min() > 850


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_bucket_is_a_bucket(key: int) -> None:
    assert 0 <= bucket_of(np.array([key], np.int64))[0] < INDEX_BUCKETS


def test_splitmix64_is_the_published_generator() -> None:
    """The first two outputs for the seed 1234567 (Vigna's reference implementation)."""
    seeds = np.array([1234567, 1234567 + 0x9E3779B97F4A7C15], np.uint64)
    assert splitmix64(seeds).tolist() == [6457827717110365317, 3203168211198807973]
