"""What an operator does with a catalog, each as one command that may be cut off and is repeated then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from loaders import lifecycle
from loaders.copies.replicas import Copies, switch_off
from loaders.ingest import Contribution, ingest
from loaders.options import IngestOptions
from loaders.parts.twin import drop_twin
from loaders.rewrites.compact import compact
from procedures.catalogs import drop_parts
from procedures.manifests import current_snapshots, read_manifest
from procedures.snapshots import drop_snapshots, find_pin
from schema.manifest import Manifest, PartKind
from tests.faults.arena import Arena
from tests.faults.worlds import CROWD, FIRST, LATE, THIRD, Rows, joined
from tests.loaders.skies import SKY

LOADING = {
    "stage.done": 3,
    "stage.recorded": 1,
    "load.planned": 1,
    "load.copied": 8,
    "load.twinned": 8,
    "load.done": 1,
    "load.recorded": 1,
    "publish.begun": 1,
    "publish.before": 1,
    "publish.after": 1,
    "tell.told": 3,
}
"""Fail points that each load comes to, and how often at least."""
REWRITING = {
    "rewrite.begun": 1,
    "load.copied": 6,
    "load.twinned": 6,
    "rewrite.written": 1,
    "rewrite.before": 1,
    "rewrite.after": 1,
    "tell.told": 3,
}
MENDING = {"copy.begun": 6, "copy.copied": 6, "copy.twinned": 6, "copy.done": 6}
COLLECTING = {"collect.condemned": 1, "collect.dropped": 3}
DISCARDING = {"drop.twins": 3, "discard.dropped": 3}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A catalog made ready: the command, and what readers may see, the last state when it is done."""

    words: tuple[str, ...]
    worlds: tuple[Rows, ...]
    done_said: str = ""
    """What the command says, as an error, when it was done before."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work; `points` are the places that it comes to, and how often at least."""

    prepare: Callable[[Arena, str, Path], Prepared]
    points: Mapping[str, int]
    has_all_copies: bool = True
    """Whether every part has another copy when a shard dies: no reader meets an error then."""


def _files(rows: Rows, folder: Path, *, pieces: int = 1) -> list[Contribution]:
    folder.mkdir(parents=True)
    given = []
    for name, table in rows.items():
        size = -(-table.num_rows // pieces)
        for number in range(pieces):
            path = folder / f"{name}-{number}.parquet"
            pq.write_table(table.slice(number * size, size), path)
            given.append(Contribution(name, path))
    return given


def brought(arena: Arena, catalog: str, rows: Rows, folder: Path) -> int:
    """Rows ingested without any fault; the ingest."""
    site = arena.site
    files = _files(rows, folder)
    options = IngestOptions(workers=2)
    return ingest(
        catalog, files, pools=site.pools, topology=site.topology, spool=site.spool, options=options
    ).ingest_id


def begun(arena: Arena, catalog: str, rows: Rows, folder: Path) -> int:
    """An ingest of rows, committed."""
    ingest_id = lifecycle.begin(arena.site, catalog)
    lifecycle.add(arena.site, ingest_id, _files(rows, folder, pieces=2))
    lifecycle.commit(arena.site, ingest_id)
    return ingest_id


def manifest_of(arena: Arena, catalog: str) -> Manifest:
    with arena.pools.coordinator() as connection:
        return read_manifest(connection, catalog, current_snapshots(connection)[catalog])


def load(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """A second ingest, which brings the objects of published orphans."""
    brought(arena, catalog, FIRST, folder / "first")
    number = begun(arena, catalog, LATE, folder / "late")
    words = ("ingest", "run", str(number), "--publish", "--workers", "2")
    return Prepared(words, (FIRST, joined(FIRST, LATE)))


def first_load(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """A first ingest, in one call."""
    files = [f"{one.table}={one.path}" for one in _files(FIRST, folder / "first")]
    nothing = {name: table.slice(0, 0) for name, table in FIRST.items()}
    return Prepared(("ingest", "load", catalog, *files), (nothing, FIRST), "ALREADY_INGESTED")


def degraded(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """As `load`, but it does without a shard that is away."""
    prepared = load(arena, catalog, folder)
    allow = {"SKYSHARD_INGEST_DEGRADED": "allow"}
    return Prepared(prepared.words, prepared.worlds, environment=allow)


def split(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """An ingest so large that it splits chunks."""
    brought(arena, catalog, FIRST, folder / "first")
    number = begun(arena, catalog, CROWD, folder / "crowd")
    words = ("ingest", "run", str(number), "--publish", "--workers", "2")
    return Prepared(words, (FIRST, joined(FIRST, CROWD)))


def crowded(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """A fifth ingest: its publish compacts before."""
    few = {"Object": THIRD["Object"].slice(0, 8)}
    rest = [{"Object": THIRD["Object"].slice(8 * k, 8)} for k in range(1, 4)]
    world = joined(FIRST, few, *rest[:2])
    for number, rows in enumerate((FIRST, few, *rest[:2])):
        brought(arena, catalog, rows, folder / str(number))
    number = begun(arena, catalog, rest[2], folder / "fifth")
    words = ("ingest", "run", str(number), "--publish", "--workers", "2")
    return Prepared(words, (world, joined(world, rest[2])))


def compaction(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """Two ingests' parts become one each."""
    brought(arena, catalog, FIRST, folder / "first")
    brought(arena, catalog, LATE, folder / "late")
    return Prepared(("compact", catalog), (joined(FIRST, LATE),))


def retraction(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """Of three compacted ingests the last one is taken back."""
    brought(arena, catalog, FIRST, folder / "first")
    number = brought(arena, catalog, THIRD, folder / "third")
    compact(arena.pools, catalog, arena.topology)
    words = ("snapshot", "retract", catalog, str(number))
    return Prepared(words, (joined(FIRST, THIRD), FIRST), "RETRACT_REFUSED")


def mending(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """Copies are lost on one shard, twins on another."""
    brought(arena, catalog, FIRST, folder / "first")
    copies = Copies(SKY, arena.pools, arena.topology)
    parts = manifest_of(arena, catalog).parts
    lost = [part for part in parts if part.kind is not PartKind.INDEX]
    lost += [part for part in parts if part.kind is PartKind.INDEX][:4]
    for part in lost:
        shard_id = part.replicas[0].shard_id
        switch_off(copies, part, shard_id)
        with arena.pools.shard(shard_id) as connection:
            drop_parts(connection, [part.part_id])
        folder_of = arena.topology.shard(part.replicas[1].shard_id).twins
        assert folder_of is not None
        drop_twin(folder_of, part.own_name)
    return Prepared(("repair", catalog), (FIRST,))


def collecting(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """What a compaction replaced is freed."""
    brought(arena, catalog, FIRST, folder / "first")
    brought(arena, catalog, LATE, folder / "late")
    compact(arena.pools, catalog, arena.topology)
    with arena.pools.coordinator() as connection:
        drop_snapshots(connection, [find_pin(connection, catalog, str(n)) for n in (1, 2)])
        connection.commit()
    return Prepared(("snapshot", "collect", "--grace", "0"), (joined(FIRST, LATE),))


def aborting(arena: Arena, catalog: str, folder: Path) -> Prepared:
    """A loaded ingest is given up."""
    brought(arena, catalog, FIRST, folder / "first")
    number = begun(arena, catalog, LATE, folder / "late")
    lifecycle.run_ingest(arena.site, number, options=IngestOptions(workers=2))
    return Prepared(("ingest", "abort", str(number)), (FIRST,))


WORKS = {
    "load": Work(load, LOADING),
    "first load": Work(first_load, {"ingest.begun": 1, **LOADING}),
    "degraded load": Work(degraded, LOADING),
    "split": Work(split, LOADING),
    "crowded load": Work(crowded, {**LOADING, **{k: v for k, v in REWRITING.items() if "re" in k}}),
    "compaction": Work(compaction, REWRITING),
    "retraction": Work(retraction, {**REWRITING, "load.copied": 2, "load.twinned": 2}),
    "mending": Work(mending, MENDING, has_all_copies=False),
    "collecting": Work(collecting, COLLECTING),
    "aborting": Work(aborting, DISCARDING),
}
