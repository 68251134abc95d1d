"""Which shard and which engine answers which chunks of a fragment. Pure.

All parts of a chunk lie on the same shards, so any shard that holds complete copies of them may
answer. The scan engine also needs their twins; where no live one has them, PostgreSQL gives the same
rows (law: the engines mean the same).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from qserv.parts import PartIndex
from qserv.planned import Engine, Fragment, Reading
from schema.errors import Unavailable
from schema.healpix import Pixel
from schema.manifest import Part
from schema.topology import Shard, ShardId

SCAN_CHUNKS = 128
"""Chunks that a scan engine reads in one statement: each costs it some milliseconds beside its rows."""
STREAM_CHUNKS = 16
"""Likewise where rows are passed on batch by batch: fewer wait in the spool, the first come sooner."""
POSTGRES_CHUNKS = 16
"""Chunks that PostgreSQL reads in one statement of a scan (measured: ARCHITECTURE, section 8)."""
INTERACTIVE_CHUNKS = 16
"""A PostgreSQL fragment of up to so many chunks is interactive."""
SMALL_VALUES = 100_000
"""About so many values may come from PostgreSQL at once, not batch by batch."""

Way = tuple[ShardId, Engine]
"""A shard, and one of its engines."""


class NoReplica(Unavailable):
    """No shard that answers holds a chunk."""

    code = "NO_REPLICA"

    def __init__(self, fragment: str, pixel: Pixel | None, shards: Sequence[ShardId]) -> None:
        place = "a replicated table" if pixel is None else f"chunk {pixel}"
        held = ", ".join(str(shard) for shard in shards) or "none"
        super().__init__(
            f"no shard answers for {place} (fragment {fragment}; copies on shards: {held})"
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Chunks of one fragment that one statement on one shard answers."""

    fragment: Fragment
    pixels: tuple[Pixel, ...]
    shard_id: ShardId
    engine: Engine
    attempt: int = 1
    failed: frozenset[Way] = frozenset()
    """The ways that did not answer for these chunks before."""

    @property
    def way(self) -> Way:
        return (self.shard_id, self.engine)


@dataclass(frozen=True, slots=True)
class Ways:
    """What is known of the shards when chunks are assigned."""

    shards: Mapping[ShardId, Shard]
    suspects: frozenset[Way] = frozenset()
    """Ways that lately did not answer: taken where nothing else is left."""


def assign(
    fragment: Fragment,
    parts: Mapping[str, PartIndex],
    ways: Ways,
    *,
    pixels: Iterable[Pixel] | None = None,
    after: Batch | None = None,
    scan_chunks: int = SCAN_CHUNKS,
) -> tuple[Batch, ...]:
    """The batches that together ask every chunk of a fragment once.

    Parameters
    ----------
    parts
        The pinned parts of each catalog that the fragment reads, by the catalog's name.
    pixels
        Only these chunks (all of the fragment's by default).
    scan_chunks
        How many chunks a scan engine reads in one statement.
    after
        The batch that failed, of a retry: its ways are left out.

    Raises
    ------
    NoReplica
        No shard is left for some chunk.
    """
    failed = after.failed | {after.way} if after else frozenset()
    attempt = after.attempt + 1 if after else 1
    chooser = _Chooser(fragment, parts, ways, failed)
    if fragment.any_shard:
        shard_id, engine = chooser.choose(None, chooser.whole_shards(), rows=1)
        return (Batch(fragment, (), shard_id, engine, attempt, failed),)
    chosen: dict[Way, list[Pixel]] = defaultdict(list)
    for pixel in outermost(fragment.pixels if pixels is None else pixels):
        held = chooser.parts_in(pixel)
        if held:
            way = chooser.choose(pixel, chooser.shards_with(held), rows=sum(p.rows for p in held))
            chosen[way].append(pixel)
    return tuple(
        Batch(fragment, tuple(some), shard_id, engine, attempt, failed)
        for (shard_id, engine), whole in sorted(chosen.items())
        for some in _split(whole, scan_chunks if engine is Engine.SCAN else POSTGRES_CHUNKS)
    )


def is_interactive(fragment: Fragment) -> bool:
    """Whether the fragment is cheap enough not to wait behind scans."""
    return fragment.engine is Engine.POSTGRES and len(fragment.pixels) <= INTERACTIVE_CHUNKS


def is_small(fragment: Fragment) -> bool:
    """Whether its rows are so few, by the estimate, that they may come all at once."""
    values = fragment.estimated_rows * len(fragment.types)
    return is_interactive(fragment) and not fragment.any_shard and values <= SMALL_VALUES


def outermost(pixels: Iterable[Pixel]) -> tuple[Pixel, ...]:
    """The pixels that lie in no other of them, in NESTED order; a chunk holds its finer parts."""
    kept: list[Pixel] = []
    for pixel in sorted(pixels, key=lambda p: (p.first_29, p.order)):
        if not kept or pixel.first_29 > kept[-1].last_29:
            kept.append(pixel)
    return tuple(kept)


def _split(pixels: Sequence[Pixel], most: int) -> Iterable[Sequence[Pixel]]:
    """Runs of at most `most`, as even as can be."""
    count = -(-len(pixels) // most)
    size = -(-len(pixels) // count)
    return (pixels[start : start + size] for start in range(0, len(pixels), size))


class _Chooser:
    """Chooses chunk by chunk, and keeps the rows that each shard got so far."""

    def __init__(
        self,
        fragment: Fragment,
        parts: Mapping[str, PartIndex],
        ways: Ways,
        failed: Collection[Way],
    ) -> None:
        self._fragment, self._parts, self._ways, self._failed = fragment, parts, ways, failed
        self._load: dict[ShardId, float] = defaultdict(float)
        self._whole = [
            part
            for source in fragment.sources
            if source.reading is Reading.WHOLE
            for part in parts[source.catalog.name].whole(source.table.name)
        ]
        self._tables = dict.fromkeys(
            (source.catalog.name, source.table.name)
            for source in fragment.sources
            if source.reading is not Reading.WHOLE
        )

    def parts_in(self, pixel: Pixel) -> list[Part]:
        """The parts of the fragment's partitioned tables in one chunk."""
        return [
            part
            for catalog, table in self._tables
            for part in self._parts[catalog].in_chunk(table, pixel)
        ]

    def whole_shards(self) -> dict[ShardId, bool]:
        """Shards with all replicated parts; whether they have the twins too."""
        everywhere = dict.fromkeys(self._ways.shards, False)
        return _common(self._whole, everywhere)

    def shards_with(self, held: Sequence[Part]) -> dict[ShardId, bool]:
        """Shards with these parts and all replicated ones; whether they have the twins too."""
        return _common([*held, *self._whole], {})

    def choose(self, pixel: Pixel | None, shards: Mapping[ShardId, bool], rows: int) -> Way:
        """The least loaded way for one chunk; first copies win ties."""
        way = self._of(shards, self._ways.suspects) or self._of(shards, ())
        if way is None:
            raise NoReplica(self._fragment.name, pixel, tuple(shards))
        self._load[way[0]] += rows / self._ways.shards[way[0]].weight
        return way

    def _of(self, shards: Mapping[ShardId, bool], avoided: Collection[Way]) -> Way | None:
        """The best way that has not failed and is not avoided; scan engines before PostgreSQL."""
        scans: list[Way] = []
        if self._fragment.engine is Engine.SCAN:
            scans = [(s, Engine.SCAN) for s, has_twins in shards.items() if has_twins]
        for ways in (scans, [(shard_id, Engine.POSTGRES) for shard_id in shards]):
            able = [way for way in ways if self._is_able(way) and way not in avoided]
            if able:
                return min(able, key=lambda way: self._load[way[0]])
        return None

    def _is_able(self, way: Way) -> bool:
        shard = self._ways.shards.get(way[0])
        if shard is None or way in self._failed:
            return False
        return way[1] is Engine.POSTGRES or (shard.scan is not None and shard.twins is not None)


def _common(parts: Sequence[Part], without: dict[ShardId, bool]) -> dict[ShardId, bool]:
    """Shards that hold all parts, in the order of the first part's copies, and whether as twins."""
    if not parts:
        return without
    first, *others = parts
    common = {replica.shard_id: replica.has_twin for replica in first.replicas}
    for part in others:
        twins = {replica.shard_id: replica.has_twin for replica in part.replicas}
        common = {s: has and twins[s] for s, has in common.items() if s in twins}
    return common
