"""Which shards hold a chunk: weighted rendezvous hashing, a pure function of names and weights.

A shard's score for a key is -weight / ln(u), u a uniform hash of both (Wang & Ravishankar 1998, ACM
ToN 6, 1; the weighted form is Schindelhauer & Schomaker 2005). The highest scores win: adding a
shard moves to it only what it wins, removing one moves only what it held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import log

import numpy as np

from schema.errors import ConfigError
from schema.healpix import I64, Pixel
from schema.manifest import INDEX_BUCKETS
from schema.partition import DENSITY_ORDER
from schema.topology import Shard, ShardId

LEAST_ORDER, MOST_ORDER = 1, 5
"""Orders that a family may be placed at: 48 pixels for 4 shards to 12,288 for a thousand."""
PIXELS_A_SHARD = 12
"""Fewer would leave some shard with much more than its share, even of rows all over the sky."""
FULLEST_SHARE = 1.35
"""A family whose fullest shard would have more than so much of its share is placed more finely."""


@dataclass(frozen=True, slots=True)
class Family:
    """Catalogs that are placed alike: all their chunks within one pixel of `order` lie together.

    No chunk is coarser. The order is chosen once, when the family gets its first rows or its first
    catalog names one.
    """

    name: str
    order: int

    def __post_init__(self) -> None:
        if not LEAST_ORDER <= self.order <= MOST_ORDER:
            raise ValueError(f"order {self.order} outside {LEAST_ORDER}..{MOST_ORDER}")


def order_for(shards: Sequence[Shard]) -> int:
    """The coarsest order that gives each shard that takes data PIXELS_A_SHARD pixels."""
    wanted = PIXELS_A_SHARD * sum(shard.weight > 0 for shard in shards)
    orders = range(LEAST_ORDER, MOST_ORDER)
    return next((order for order in orders if 12 * 4**order >= wanted), MOST_ORDER)


class TooFewShards(ConfigError):
    """There are fewer shards that take data than replicas are asked for."""

    code = "TOO_FEW_SHARDS"

    def __init__(self, shards: int, replicas: int) -> None:
        super().__init__(f"{replicas} replicas need as many shards; {shards} take data")
        self.shards, self.replicas = shards, replicas


def balanced_order(
    name: str, density: tuple[I64, I64], *, shards: Sequence[Shard], replicas: int
) -> int:
    """The order for a family of rows that lie so: `order_for`, one finer where that is unbalanced.

    `density`: ascending pixels of DENSITY_ORDER, and rows in each.
    """
    order = order_for(shards)
    if order == MOST_ORDER:
        return order
    fullest = fullest_share(Family(name, order), density, shards=shards, replicas=replicas)
    return order + (fullest > FULLEST_SHARE)


def fullest_share(
    family: Family, density: tuple[I64, I64], *, shards: Sequence[Shard], replicas: int
) -> float:
    """The rows of the shard that is fullest for its weight, over its share of all copies."""
    pixels, counts = density
    cells, inverse = np.unique(pixels >> 2 * (DENSITY_ORDER - family.order), return_inverse=True)
    rows = np.bincount(inverse, weights=counts, minlength=len(cells))
    held = {shard.shard_id: 0.0 for shard in shards if shard.weight > 0}
    for cell, count in zip(cells.tolist(), rows.tolist(), strict=True):
        pixel = Pixel(family.order, cell)
        for shard_id in place(pixel, family=family, shards=shards, replicas=replicas):
            held[shard_id] += count
    weights = {shard.shard_id: shard.weight for shard in shards if shard.weight > 0}
    fullest = max(held[shard_id] / weight for shard_id, weight in weights.items())
    return fullest * sum(weights.values()) / max(sum(held.values()), 1.0)


def place(
    pixel: Pixel, *, family: Family, shards: Sequence[Shard], replicas: int
) -> tuple[ShardId, ...]:
    """The shards of a chunk, the primary first.

    Shards of weight 0 take nothing. Raises TooFewShards.
    """
    ancestor = pixel.ancestor(family.order)
    return _highest(f"{family.name}/pixel/{ancestor.order}/{ancestor.number}", shards, replicas)


def place_bucket(
    bucket: int, *, family: Family, shards: Sequence[Shard], replicas: int
) -> tuple[ShardId, ...]:
    """The shards of one bucket of a family's director indexes, the primary first."""
    return _highest(f"{family.name}/bucket/{bucket}", shards, replicas)


def bucket_of(keys: I64) -> I64:
    """The director index's bucket of each key."""
    mixed = splitmix64(np.asarray(keys, np.int64).view(np.uint64))
    return (mixed % np.uint64(INDEX_BUCKETS)).astype(np.int64)


def splitmix64(words: np.typing.NDArray[np.uint64]) -> np.typing.NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014), a bijection of 64-bit words."""
    mixed = words + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _highest(key: str, shards: Sequence[Shard], replicas: int) -> tuple[ShardId, ...]:
    takers = [shard for shard in shards if shard.weight > 0]
    if len(takers) < replicas:
        raise TooFewShards(len(takers), replicas)
    ranked = sorted(takers, key=lambda shard: (-_score(key, shard), shard.shard_id))
    return tuple(shard.shard_id for shard in ranked[:replicas])


def _score(key: str, shard: Shard) -> float:
    digest = blake2b(f"{key}/{shard.shard_id}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest, "big") + 0.5) / 2**64
    return -shard.weight / log(uniform) if uniform < 1 else float("inf")
