"""A plan: fragments that shards answer, and the merge of their rows. Values only.

`plan` makes it, `explain` prints it, `dispatch` renders each fragment for the parts at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from qserv.bound import Output, Query, RelationId, Select
from schema.catalog import HEALPIX_29, Catalog, Table
from schema.cover import Ranges
from schema.healpix import I64, MAX_ORDER, Pixel
from schema.types import Type


class Engine(StrEnum):
    """Which engine of a shard answers a fragment."""

    POSTGRES = "postgres"
    SCAN = "scan"


class Reading(StrEnum):
    """Which rows of a table a fragment over a set of chunks reads."""

    OWN = "own"
    """The rows of the set's chunks."""
    OVERLAP = "overlap"
    """Those, and the overlap rows whose `_healpix_29` lies outside the set, distinct by key."""
    WHOLE = "whole"
    """All rows, of a replicated table."""


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """Values of which a column must have one: integers or texts, distinct, none NULL.

    `homes`, where given, are the order-29 pixels of the rows' `range_column`: `homes[i]` is the one of
    `values[i]`, so that a batch of chunks is sent its own values only. They ascend then.
    """

    column: str
    values: pa.Array
    homes: I64 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """Pixels in one of which a row's own position must lie: NESTED, of `order`, ascending, distinct."""

    order: int
    pixels: I64

    @property
    def shift(self) -> int:
        """By how many bits a pixel of order 29 is shifted to one of these."""
        return 2 * (MAX_ORDER - self.order)


@dataclass(frozen=True, slots=True)
class ChunkSource:
    """One relation of a fragment: what it reads of each chunk.

    `columns` are the stored columns that the fragment uses. `ranges`, where given, bound the hidden
    column `range_column` of the rows that can matter: an index condition, and (for `_healpix_29`) a
    reason to skip parts. `cells_radius`, degrees, asks for one more column `_cell`: each row once for
    every cell of `sky.cells_around` of its position, for near-neighbour joins.
    """

    relation: RelationId
    catalog: Catalog
    table: Table
    reading: Reading
    columns: tuple[str, ...]
    ranges: Ranges | None = None
    range_column: str = HEALPIX_29
    cells_radius: float | None = None
    among: tuple[Among, ...] = ()
    """What finished fragments told of its rows, when it is asked."""
    around: tuple[Around, ...] = ()
    """Where finished fragments told that its rows lie."""


@dataclass(frozen=True, slots=True)
class KeyFeed:
    """Only rows whose `column` equals a value in an output of an earlier fragment matter.

    `index` names the table (of the relation's catalog) whose director index knows where the rows of
    a value lie: in the very pixel, or within `grow_arcsec` of it. `rows_per_value` is an estimate.
    """

    source: str
    output: int
    relation: RelationId
    column: str
    index: str | None = None
    grow_arcsec: float = 0.0
    rows_per_value: float = 1.0


@dataclass(frozen=True, slots=True)
class NearFeed:
    """Only rows within `radius_arcsec` of a position in outputs of an earlier fragment matter.

    Their directors, and so their chunks, lie within `home_arcsec` of it.
    """

    source: str
    ra: int
    dec: int
    relation: RelationId
    radius_arcsec: float
    home_arcsec: float


Feed = KeyFeed | NearFeed


@dataclass(frozen=True, slots=True)
class Fragment:
    """One statement over a set of chunks; any split of `pixels` into sets gives the same rows in all.

    `query` reads the relations of `sources` (as BaseTable) and nothing else. `pixels` are the chunks
    to ask; empty with `any_shard` where only replicated tables are read (one shard answers).
    `limit_total` tells how many rows suffice in all, where the rest may be left unread.
    """

    name: str
    query: Select
    sources: tuple[ChunkSource, ...]
    pixels: tuple[Pixel, ...]
    all_pixels: int
    """How many chunks there are to choose from."""
    engine: Engine
    types: tuple[Type, ...]
    any_shard: bool = False
    limit_total: int | None = None
    estimated_rows: int = 0
    why: str = ""
    """Why this engine, and why no larger fragment, for EXPLAIN."""
    chosen_by: str = ""
    """Which conditions chose the chunks; empty where none did."""
    estimated_bytes: int = 0
    """Of the columns that are read, in the rows that are."""
    feeds: tuple[Feed, ...] = ()
    """What earlier fragments tell of the rows that matter; it is asked once they are complete."""
    estimated_sent: int = 0
    """How many rows it may send."""


@dataclass(frozen=True, slots=True)
class ByCells:
    """A fetched relation that stands in the merge once for every cell around each row's position.

    `ra` and `dec` are its columns; the cells are those of `radius`, degrees, in a column `_cell`.
    """

    relation: RelationId
    ra: str
    dec: str
    radius: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Fragments, and the query over their rows that gives the answer.

    `is_concatenation`: the merge only passes on the rows of the one fragment, in any order, at most
    `limit` of them after `offset`; they may stream.
    """

    fragments: tuple[Fragment, ...]
    merge: Query
    outputs: tuple[Output, ...]
    snapshots: tuple[tuple[str, int], ...]
    """(catalog, snapshot) that the plan reads."""
    is_concatenation: bool = False
    limit: int | None = None
    offset: int = 0
    by_cells: tuple[ByCells, ...] = ()
    rows_to_merge: int = 0
    """An estimate of the rows that chunks send because no chunk can do the whole alone."""
    uploaded: tuple[tuple[str, str], ...] = ()
    """Fetched relations whose rows came with the query: (name, table of TAP_UPLOAD)."""
