"""Queries to begin with, made of the catalogs that are there: they run as they stand. Pure.

Around a real row of the largest director; with its children where it has any. DALI 1.1, section 2.3.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schema.catalog import Catalog, Column, Role, Table
from schema.healpix import MAX_ORDER, centers
from schema.manifest import Manifest, PartKind
from schema.tap_schema import adql_name, table_name


@dataclass(frozen=True, slots=True)
class Example:
    """One query: a name, what it is for, its text in ADQL, the tables it reads."""

    name: str
    why: str
    text: str
    tables: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """What stands for it in an address."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())


@dataclass(frozen=True, slots=True)
class _Subject:
    """The director that the examples are about, spelled as queries spell it."""

    catalog: Catalog
    director: Table
    ra_dec: tuple[float, float]

    @property
    def name(self) -> str:
        return table_name(self.catalog, self.director)

    @property
    def columns(self) -> tuple[str, str, str]:
        """Key, right ascension, declination."""
        table = self.director
        assert table.key is not None
        assert table.ra is not None
        assert table.dec is not None
        key, ra, dec = (adql_name(name) for name in (table.key, table.ra, table.dec))
        return key, ra, dec

    def cone(self, radius: str, alias: str = "") -> str:
        """The condition that a row lies within a radius of the place."""
        _, ra, dec = (alias + name for name in self.columns)
        place = "{:.6f}, {:.6f}".format(*self.ra_dec)
        return f"1 = CONTAINS(POINT({ra}, {dec}), CIRCLE({place}, {radius}))"


def examples_of(
    catalogs: Sequence[Catalog], manifests: Mapping[str, Manifest]
) -> tuple[Example, ...]:
    """Examples over the catalogs that a caller sees; the first ones need no data at all."""
    subject = _subject(catalogs, manifests)
    found = [*_of_metadata(subject)]
    if subject is not None:
        found += [*_of_one_table(subject), *_of_two_tables(subject)]
    return tuple(found)


def _subject(catalogs: Sequence[Catalog], manifests: Mapping[str, Manifest]) -> _Subject | None:
    """A director with children if there is one, of the most rows; the place of one in their midst."""
    directors = [
        (
            bool(_children(catalog, table)),
            manifests[catalog.name].rows_of(table.name),
            catalog,
            table,
        )
        for catalog in catalogs
        if catalog.name in manifests
        for table in catalog.tables
        if table.role is Role.DIRECTOR and manifests[catalog.name].rows_of(table.name)
    ]
    if not directors:
        return None
    *_, catalog, table = max(directors, key=lambda one: one[:2])
    parts = manifests[catalog.name].parts_of(table.name, PartKind.ROWS)
    lowest = sorted(part.low_29 for part in parts if part.low_29 is not None)
    if not lowest:
        return None
    pixel = np.array([lowest[len(lowest) // 2]])
    ra, dec = centers(MAX_ORDER, pixel)
    return _Subject(catalog, table, (float(ra[0]), float(dec[0])))


def _of_metadata(subject: _Subject | None) -> Iterator[Example]:
    tables = "tap_schema.tables"
    yield _example(
        "What tables are there?",
        "Every table of this service, with what it holds.",
        f"SELECT table_name, description FROM {tables}",
        tables,
    )
    columns = "tap_schema.columns"
    of = subject.name if subject is not None else tables
    yield _example(
        f"The columns of {of}",
        "Names, types, units and what they mean.",
        f"""SELECT column_name, datatype, unit, ucd, description
            FROM {columns} WHERE table_name = '{of.replace("'", "''")}'""",
        columns,
    )


def _of_one_table(subject: _Subject) -> Iterator[Example]:
    name = subject.name
    key, ra, dec = subject.columns
    yield _example(
        f"Ten rows of {name}",
        "Any ten: without ORDER BY no row is first.",
        f"SELECT TOP 10 * FROM {name}",
        name,
    )
    yield _example(
        f"How many rows has {name}?",
        "Answered from the manifest, without reading a row.",
        f"SELECT COUNT(*) AS n FROM {name}",
        name,
    )
    yield _example(
        "Cone search",
        "All objects within an arc minute of a place; only the chunks that it touches are read.",
        f"SELECT {key}, {ra}, {dec} FROM {name} WHERE {subject.cone('1.0/60')}",
        name,
    )
    yield _example(
        "The nearest objects",
        "The five nearest to a place, with their distances in arc seconds.",
        f"""SELECT TOP 5 {key},
            3600 * DISTANCE({ra}, {dec}, {subject.ra_dec[0]:.6f}, {subject.ra_dec[1]:.6f}) AS arcsec
            FROM {name} WHERE {subject.cone("0.1")} ORDER BY arcsec""",
        name,
    )
    yield _example(
        "Two fields at once",
        "Regions may be joined with OR; each is looked up for itself.",
        f"""SELECT COUNT(*) AS n FROM {name}
            WHERE {subject.cone("0.05")}
            OR ({dec} BETWEEN {subject.ra_dec[1]:.4f} AND {subject.ra_dec[1] + 0.01:.4f})""",
        name,
    )
    yield _example(
        "A map of the density of objects",
        "Objects in each HEALPix pixel (NESTED, order 6): one row a pixel.",
        f"""SELECT ivo_healpix_index(6, {ra}, {dec}) AS pixel, COUNT(*) AS n
            FROM {name} GROUP BY ivo_healpix_index(6, {ra}, {dec})""",
        name,
    )
    yield _example(
        "One object by its key",
        "Keys are looked up in the director index: one chunk is read, wherever it lies.",
        f"""SELECT {key}, {ra}, {dec} FROM {name}
            WHERE {key} IN (SELECT TOP 1 {key} FROM {name} WHERE {subject.cone("0.02")})""",
        name,
    )
    yield _example(
        "Close pairs",
        "Pairs within two arc seconds of each other, each once.",
        f"""SELECT a.{key} AS one, b.{key} AS other
            FROM {name} AS a JOIN {name} AS b
            ON DISTANCE(a.{ra}, a.{dec}, b.{ra}, b.{dec}) < 2.0/3600 AND a.{key} < b.{key}
            WHERE {subject.cone("0.2", "a.")}""",
        name,
    )
    number = _number(subject.director)
    if number is not None:
        value = adql_name(number.name)
        yield _example(
            f"Statistics of {value}",
            "Means and extremes are worked out in the shards.",
            f"""SELECT COUNT({value}) AS n, AVG({value}) AS mean, MIN({value}) AS low,
            MAX({value}) AS high FROM {name} WHERE {subject.cone("0.5")}""",
            name,
        )


def _of_two_tables(subject: _Subject) -> Iterator[Example]:
    name = subject.name
    key, *_ = subject.columns
    for child in _children(subject.catalog, subject.director)[:1]:
        assert child.key is not None
        of, refers = table_name(subject.catalog, child), adql_name(child.key)
        yield _example(
            f"The rows of {of} of some objects",
            "Children lie with their objects, so each chunk joins its own.",
            f"""SELECT c.* FROM {name} AS o JOIN {of} AS c ON c.{refers} = o.{key}
            WHERE {subject.cone("10.0/3600", "o.")}""",
            name,
            of,
        )
        yield _example(
            "The objects that were seen most often",
            "Counted and sorted where the rows lie; ten leave each chunk.",
            f"""SELECT TOP 10 o.{key}, COUNT(*) AS n FROM {name} AS o
            JOIN {of} AS c ON c.{refers} = o.{key} WHERE {subject.cone("0.2", "o.")}
            GROUP BY o.{key} ORDER BY n DESC, o.{key}""",
            name,
            of,
        )
        yield _example(
            f"Objects without {of}",
            "An anti-join, by NOT EXISTS.",
            f"""SELECT COUNT(*) AS n FROM {name} AS o WHERE {subject.cone("0.2", "o.")}
            AND NOT EXISTS (SELECT 1 FROM {of} AS c WHERE c.{refers} = o.{key})""",
            name,
            of,
        )


def _children(catalog: Catalog, director: Table) -> list[Table]:
    return [
        table
        for table in catalog.tables
        if table.role is Role.CHILD and table.parent == director.name and table.key
    ]


def _number(table: Table) -> Column | None:
    """A measured column: a brightness if there is one, a principal one if there is any."""

    def rank(column: Column) -> tuple[bool, bool]:
        return not (column.ucd or "").startswith("phot"), not column.principal

    place = (table.ra, table.dec)
    floating = [c for c in table.columns if c.type.is_floating and c.name not in place]
    return min(floating, key=rank, default=None)


def _example(name: str, why: str, text: str, *tables: str) -> Example:
    """The text's lines, indented as the code is, become two columns of blanks under the first."""
    first, _, rest = text.partition("\n")
    lines = textwrap.indent(textwrap.dedent(rest), "  ")
    return Example(name, why, f"{first}\n{lines}".strip(), tables)
