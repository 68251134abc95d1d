"""What stands for a relation of a fragment: a sub-select over the parts of a set of chunks. Pure.

OWN      the own rows of the set's parts
OVERLAP  those, and the overlap rows that lie outside the set, once each
WHOLE    all parts of a replicated table

PostgreSQL reads part tables, the scan engine their Parquet twins. OR-ed ranges on the B-tree were
measured equal to or faster than a LATERAL join of ranges from 1 to 16 ranges and from 1e-5 to a tenth
of a table (docs/performance.md), because the statement is planned each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from procedures.functions import FUNCTIONS
from qserv.planned import Among, Around, ChunkSource, Reading
from qserv.render import Dialect
from qserv.render.lists import array_of, array_of_numbers
from schema.catalog import HEALPIX_29
from schema.cover import of_order
from schema.ddl import quote
from schema.healpix import I64, Pixel
from schema.live_ddl import read_name
from schema.manifest import Part
from schema.names import PARTS_SCHEMA
from schema.types import SPELLINGS, Type

CELL = "_cell"
"""The column of `ChunkSource.cells_radius`."""
_NOTHING = "_nothing"
"""Stands in for the columns where a fragment uses none (COUNT(*))."""

MAX_NEAR_RANGES = 64
"""Pixels around positions become at most so many ranges of a part, or of a statement over twins."""

Pairs = Sequence[tuple[int, int]]


def source_sql(
    source: ChunkSource,
    parts: Sequence[Part],
    pixels: Sequence[Pixel],
    *,
    twins: Path | None,
) -> str:
    """A parenthesised sub-select that gives the relation's rows over a set of chunks.

    Parameters
    ----------
    parts
        The parts of the source's table in `pixels` (all its parts, for WHOLE).
    twins
        The folder of the Parquet twins, for the scan engine; None to read PostgreSQL's tables.
    """
    if source.cells_radius is not None:
        return _by_cells(source, parts, pixels, twins=twins)
    return f"({_rows(source, source.columns, parts, pixels, twins=twins)})"


def _by_cells(
    source: ChunkSource, parts: Sequence[Part], pixels: Sequence[Pixel], *, twins: Path | None
) -> str:
    """Each row once for every cell around its position that a neighbour may lie in."""
    table = source.table
    assert table.ra is not None
    assert table.dec is not None
    columns = tuple(dict.fromkeys((*source.columns, table.ra, table.dec)))
    inner = _rows(source, columns, parts, pixels, twins=twins)
    double = _type(Type.DOUBLE, dialect_of(twins))
    position = f"{quote(table.ra)}, {quote(table.dec)}"
    cells = (
        f"{FUNCTIONS['cells_around'].sql_name}"
        f"({position}, CAST('{source.cells_radius!r}' AS {double}))"
    )
    return f"(SELECT {_list(source.columns)}, unnest({cells}) AS {quote(CELL)} FROM ({inner}) AS rows_)"


def _rows(
    source: ChunkSource,
    columns: Sequence[str],
    parts: Sequence[Part],
    pixels: Sequence[Pixel],
    *,
    twins: Path | None,
) -> str:
    """The rows of a set of chunks, not parenthesised."""
    own = [part for part in parts if part.rows and _may_hold(part, source)]
    branches = [_own_rows(source, columns, own, twins=twins)] if own else []
    if source.reading is Reading.OVERLAP:
        beside = [part for part in parts if part.overlap_rows]
        if beside:
            branches.append(_overlap_rows(source, columns, beside, pixels, twins=twins))
    return " UNION ALL ".join(branches) or _no_rows(source, columns, dialect_of(twins))


def dialect_of(twins: Path | None) -> Dialect:
    """Whose SQL reads them: the scan engine's with twins, PostgreSQL's without."""
    return Dialect.POSTGRES if twins is None else Dialect.DUCKDB


def _own_rows(
    source: ChunkSource, columns: Sequence[str], parts: Sequence[Part], *, twins: Path | None
) -> str:
    if twins is not None:
        spans = merged(part.pixel for part in parts if part.pixel is not None)
        where = _where(
            [
                _in_ranges(source.range_column, _all_pairs(source)),
                *_all_around(source, parts, twins),
                *_all_among(source, spans, twins),
            ]
        )
        return " UNION ALL ".join(
            f"SELECT {_list(columns)} FROM {files}{where}"
            for files in _twins(source, parts, [part.own_name for part in parts], twins)
        )
    return " UNION ALL ".join(
        f"SELECT {_list(columns)} FROM {_stored(source, part, part.own_name)}"
        + _where(
            [
                _in_ranges(source.range_column, _pairs_of(part, source)),
                *_all_around(source, [part], twins),
                *_all_among(source, _span_of(part), twins),
            ]
        )
        for part in parts
    )


def _overlap_rows(
    source: ChunkSource,
    columns: Sequence[str],
    parts: Sequence[Part],
    pixels: Sequence[Pixel],
    *,
    twins: Path | None,
) -> str:
    """Overlap rows outside the set; two chunks of it may both hold a copy of one row."""
    where = _where(
        [
            _in_ranges(source.range_column, _all_pairs(source)),
            *_all_around(source, None, twins),
            *_all_among(source, None, twins),
            _outside(pixels),
        ]
    )
    key = source.table.primary_key or (source.table.key,)
    assert key[0] is not None, f"director {source.table.name} has no key"
    names = tuple(str(name) for name in key)
    is_single = len({part.pixel for part in parts}) == 1
    wanted = columns if is_single else tuple(dict.fromkeys((*columns, *names)))
    if twins is not None:
        tables = _twins(source, parts, [part.overlap_name for part in parts], twins)
    else:
        tables = [_stored(source, part, part.overlap_name) for part in parts]
    copies = " UNION ALL ".join(f"SELECT {_list(wanted)} FROM {table}{where}" for table in tables)
    if is_single:
        return copies
    return (
        f"SELECT {_list(columns)} FROM"
        f" (SELECT DISTINCT ON ({_list(names)}) * FROM ({copies}) AS copies_) AS beside_"
    )


def _no_rows(source: ChunkSource, columns: Sequence[str], dialect: Dialect) -> str:
    """A relation of the right column types that is empty."""
    types = {column.name: column.type for column in source.table.stored_columns()}
    nulls = (f"CAST(NULL AS {_type(types[name], dialect)}) AS {quote(name)}" for name in columns)
    return f"SELECT {', '.join(nulls) or f'NULL AS {_NOTHING}'} WHERE FALSE"


# ------------------------------------------------------------------ columns that came later


def _stored(source: ChunkSource, part: Part, name: str) -> str:
    """A part's table, with the columns that came after it as NULL."""
    nulls = _nulls(source, part.schema_version, Dialect.POSTGRES)
    table = f"{PARTS_SCHEMA}.{name}" if part.seen is None else read_name(part, name)
    return f"(SELECT *, {nulls} FROM {table}) AS {name}" if nulls else table


def _twins(
    source: ChunkSource, parts: Sequence[Part], names: Sequence[str], twins: Path
) -> list[str]:
    """The twins of parts, those of one version of the model together."""
    by_nulls: dict[str, list[str]] = {}
    for part, name in zip(parts, names, strict=True):
        nulls = _nulls(source, part.schema_version, Dialect.DUCKDB)
        by_nulls.setdefault(nulls, []).append(name)
    return [
        f"(SELECT *, {nulls} FROM {_files(twins, stems)}) AS twins_"
        if nulls
        else _files(twins, stems)
        for nulls, stems in by_nulls.items()
    ]


def _nulls(source: ChunkSource, version: int, dialect: Dialect) -> str:
    """NULL for each column that came after a version of the model."""
    later = [column for column in source.table.columns if column.since > version]
    return ", ".join(
        f"CAST(NULL AS {_type(column.type, dialect)}) AS {quote(column.name)}" for column in later
    )


# ------------------------------------------------------------------ which rows


def _may_hold(part: Part, source: ChunkSource) -> bool:
    """Whether an own row of the part can lie in the source's ranges, and have one of its values."""
    if source.ranges is not None and not _pairs_of(part, source):
        return False
    if not all(len(_pixels_within(one, [part])) for one in source.around):
        return False
    return all(len(values_within(among, _span_of(part))) for among in source.among)


def _pairs_of(part: Part, source: ChunkSource) -> Pairs | None:
    """The source's ranges that meet the part's own rows; None where there is no bound."""
    if source.ranges is None:
        return None
    bounds = _bounds(part, source.range_column)
    if bounds is None:
        return ()
    low, high = bounds
    return [(a, b) for a, b in source.ranges.pairs if a <= high and b >= low]


def _bounds(part: Part, column: str) -> tuple[int, int] | None:
    """What the part's own rows have in a hidden pixel column; None where all are NULL."""
    if column == HEALPIX_29:
        return None if part.low_29 is None or part.high_29 is None else (part.low_29, part.high_29)
    return (0, 2**63 - 1) if part.pixel is None else (part.pixel.first_29, part.pixel.last_29)


def _all_pairs(source: ChunkSource) -> Pairs | None:
    return None if source.ranges is None else source.ranges.pairs


def _in_ranges(column: str, pairs: Pairs | None) -> str | None:
    """The condition that a pixel lies in one of the ranges; None where there is no bound."""
    if pairs is None:
        return None
    if not pairs:
        return "FALSE"
    tests = " OR ".join(f"{quote(column)} BETWEEN {low} AND {high}" for low, high in pairs)
    return f"({tests})"


def _outside(pixels: Iterable[Pixel]) -> str:
    """The condition that a row lies in none of the chunks."""
    return " AND ".join(
        f"{quote(HEALPIX_29)} NOT BETWEEN {low} AND {high}" for low, high in merged(pixels)
    )


def merged(pixels: Iterable[Pixel]) -> Pairs:
    """Chunks as the fewest ranges of order-29 pixels."""
    pairs: list[tuple[int, int]] = []
    for first, last in sorted((pixel.first_29, pixel.last_29) for pixel in pixels):
        if pairs and first <= pairs[-1][1] + 1:
            pairs[-1] = (pairs[-1][0], max(last, pairs[-1][1]))
        else:
            pairs.append((first, last))
    return pairs


# ------------------------------------------------------------------ around which positions


def _all_around(
    source: ChunkSource, parts: Sequence[Part] | None, twins: Path | None
) -> Iterator[str]:
    """The conditions that rows of these parts (None: any) lie in one of each set of pixels.

    Ranges choose blocks of a twin and rows of an index; a twin's rows are looked up one by one too.
    """
    for around in source.around:
        pixels = _pixels_within(around, parts)
        ranges = of_order(around.order, pixels, max_ranges=MAX_NEAR_RANGES)
        yield str(_in_ranges(HEALPIX_29, ranges.pairs))
        if twins is not None:
            pixel = f"({quote(HEALPIX_29)} >> {around.shift})"
            numbers = array_of_numbers(pixels.tolist(), Type.LONG, Dialect.DUCKDB)
            yield f"{pixel} IN (SELECT unnest({numbers}))"


def _pixels_within(around: Around, parts: Sequence[Part] | None) -> I64:
    """Those of the pixels that meet the own rows of parts."""
    if parts is None:
        return around.pixels
    inside = np.zeros(len(around.pixels), dtype=bool)
    for part in parts:
        bounds = _bounds(part, HEALPIX_29)
        if bounds is not None:
            low, high = (bound >> around.shift for bound in bounds)
            start, stop = np.searchsorted(around.pixels, [low, high + 1])
            inside[start:stop] = True
    return around.pixels[inside]


# ------------------------------------------------------------------ which values


def values_within(among: Among, spans: Pairs | None) -> pa.Array:
    """The values whose rows lie in ranges of order-29 pixels; all where that is not known."""
    return among.values if among.homes is None else among.values.filter(_is_within(among, spans))


def _is_within(among: Among, spans: Pairs | None) -> pa.Array:
    assert among.homes is not None
    inside = np.full(len(among.homes), spans is None)
    for low, high in spans or ():
        start, stop = np.searchsorted(among.homes, [low, high + 1])
        inside[start:stop] = True
    return pa.array(inside)


def _span_of(part: Part) -> Pairs | None:
    return None if part.pixel is None else ((part.pixel.first_29, part.pixel.last_29),)


def _all_among(source: ChunkSource, spans: Pairs | None, twins: Path | None) -> list[str]:
    """The conditions that rows have one of each set of values."""
    dialect = dialect_of(twins)
    found: list[str] = []
    for among in source.among:
        values = values_within(among, spans)
        if among.homes is not None and among.column != home_column(source):
            homes = pa.array(np.unique(among.homes[np.asarray(_is_within(among, spans))]))
            found.append(_is_one_of(home_column(source), homes, dialect))
        found.append(_is_one_of(among.column, values, dialect))
    return list(dict.fromkeys(found))


def _is_one_of(column: str, values: pa.Array, dialect: Dialect) -> str:
    """`column` equals a value. One literal, because thousands of them take long to parse."""
    items = values.to_pylist()
    if pa.types.is_integer(values.type):
        array = array_of_numbers(items, Type.LONG, dialect)
    else:
        array = array_of(map(_text, items), Type.TEXT, dialect)
    if dialect is Dialect.POSTGRES:
        return f"{quote(column)} = ANY({array})"  # by its index, where it has one
    return f"{quote(column)} IN (SELECT unnest({array}))"


def home_column(source: ChunkSource) -> str:
    """The hidden column by which a partitioned table's rows lie in chunks."""
    column = source.table.sort_column()
    assert column is not None, f"{source.table.name} has no chunks"
    return column


# ------------------------------------------------------------------ spelling


def _where(conditions: Iterable[str | None]) -> str:
    held = " AND ".join(condition for condition in conditions if condition is not None)
    return f" WHERE {held}" if held else ""


def _list(columns: Sequence[str]) -> str:
    return ", ".join(quote(name) for name in columns) or f"1 AS {_NOTHING}"


def _files(twins: Path, names: Iterable[str]) -> str:
    """DuckDB's reader of some twins; folder names such as `a=b` mean nothing."""
    paths = ", ".join(_text(str(twins / f"{name}.parquet")) for name in names)
    return f"read_parquet([{paths}], hive_partitioning = false)"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _type(type_: Type, dialect: Dialect) -> str:
    spelling = SPELLINGS[type_]
    return spelling.postgres if dialect is Dialect.POSTGRES else spelling.duckdb
