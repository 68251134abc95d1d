"""Which shard answers what: every chunk once, balanced, away from what does not answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qserv.dispatch.assign import Batch, NoReplica, Ways, assign, outermost
from qserv.parts import PartIndex
from qserv.planned import Engine
from schema.healpix import Pixel
from schema.topology import Shard, ShardId
from tests.qserv.rows_of_chunks import PIXELS, bands_fragment, fragment, manifest

SHARDS = {
    ShardId(n): Shard(ShardId(n), dsn="", scan="grpc://127.0.0.1:1", twins=Path("/twins"))
    for n in (1, 2, 3)
}
WAYS = Ways(SHARDS)
TWO_COPIES = [[1 + n % 3, 1 + (n + 1) % 3] for n in range(8)]
PARTS = {"tiny": PartIndex(manifest(TWO_COPIES))}


def asked(batches: tuple[Batch, ...]) -> Counter[Pixel]:
    return Counter(pixel for batch in batches for pixel in batch.pixels)


@given(st.sets(st.sampled_from(PIXELS)), st.sampled_from([1, 2, 3]))
def test_every_chunk_is_asked_once_of_a_shard_that_holds_it(
    pixels: set[Pixel], suspect: int
) -> None:
    ways = Ways(SHARDS, frozenset({(ShardId(suspect), Engine.POSTGRES)}))
    batches = assign(fragment(pixels=sorted(pixels)), PARTS, ways)
    assert asked(batches) == Counter(pixels)
    assert all(b.shard_id in TWO_COPIES[p.number] for b in batches for p in b.pixels)
    assert all(b.shard_id != suspect for b in batches)


def test_chunks_are_spread_over_the_shards() -> None:
    chunks = Counter({b.shard_id: len(b.pixels) for b in assign(fragment(), PARTS, WAYS)})
    assert sorted(chunks.values()) == [2, 3, 3]


def test_an_interactive_fragment_is_one_statement_a_shard() -> None:
    one_shard = {"tiny": PartIndex(manifest([[1]] * 8))}
    assert len(assign(fragment(), one_shard, WAYS)) == 1


def test_statements_read_so_many_chunks_each() -> None:
    one_shard = {"tiny": PartIndex(manifest([[1]] * 8))}
    batches = assign(fragment(engine=Engine.SCAN), one_shard, WAYS, scan_chunks=3)
    assert [len(batch.pixels) for batch in batches] == [3, 3, 2]


def test_an_empty_chunk_is_not_asked() -> None:
    assert assign(fragment(pixels=[Pixel(2, 100)]), PARTS, WAYS) == ()


def test_a_chunk_inside_another_is_not_asked_twice() -> None:
    finer = [Pixel(1, 0), Pixel(2, 1), Pixel(2, 4)]
    assert outermost(finer) == (Pixel(1, 0), Pixel(2, 4))


def test_a_scan_goes_to_engines_with_twins() -> None:
    batches = assign(fragment(engine=Engine.SCAN), PARTS, WAYS)
    assert {batch.engine for batch in batches} == {Engine.SCAN}


@pytest.mark.parametrize("lost", ["twins", "engine", "suspect"])
def test_a_scan_without_engines_is_answered_by_postgresql(lost: str) -> None:
    parts, ways = PARTS, WAYS
    match lost:
        case "twins":
            parts = {"tiny": PartIndex(manifest(TWO_COPIES, has_twin=False))}
        case "engine":
            ways = Ways({n: replace(shard, scan=None) for n, shard in SHARDS.items()})
        case _:
            ways = Ways(SHARDS, frozenset((n, Engine.SCAN) for n in SHARDS))
    batches = assign(fragment(engine=Engine.SCAN), parts, ways)
    assert {batch.engine for batch in batches} == {Engine.POSTGRES}
    assert asked(batches) == Counter(PIXELS)


def test_suspects_are_taken_where_nothing_else_is_left() -> None:
    ways = Ways(SHARDS, frozenset((n, Engine.POSTGRES) for n in SHARDS))
    assert asked(assign(fragment(), PARTS, ways)) == Counter(PIXELS)


def test_a_retry_goes_elsewhere_until_nothing_is_left() -> None:
    (first,) = assign(fragment(pixels=PIXELS[:1]), PARTS, WAYS)
    (second,) = assign(first.fragment, PARTS, WAYS, pixels=first.pixels, after=first)
    assert {first.shard_id, second.shard_id} == {1, 2}
    assert second.attempt == 2
    with pytest.raises(NoReplica, match=r"chunk 2/0 .*copies on shards: 1, 2"):
        assign(first.fragment, PARTS, WAYS, pixels=first.pixels, after=second)


def test_a_replicated_table_is_asked_of_one_shard() -> None:
    (batch,) = assign(bands_fragment(), PARTS, WAYS)
    (other,) = assign(bands_fragment(), PARTS, WAYS, after=batch)
    assert batch.shard_id != other.shard_id


def test_a_shard_that_left_the_topology_is_not_asked() -> None:
    ways = Ways({n: shard for n, shard in SHARDS.items() if n != 1})
    batches = assign(fragment(), PARTS, ways)
    assert asked(batches) == Counter(PIXELS)
