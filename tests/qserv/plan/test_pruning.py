"""The law of pruning: every row that fulfils a condition lies in the chunks and ranges that are read.

Random trees of AND, OR and NOT over regions, coordinates, keys and columns, as ADQL and as truth over
the rows (true, false; neither for NULL).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qserv.adql import parse_adql
from qserv.analyse import Analysed, analyse
from qserv.bind import Catalogs, bind
from qserv.plan.make import make_plan
from qserv.planned import Fragment
from schema.catalog import HEALPIX_29
from schema.cover import normalised, touching
from schema.healpix import I64, Pixel
from schema.manifest import Manifest, PartKind
from schema.region import Shape, ShapeKind, contains
from tests.support import diff_sky
from tests.support.placed_sky import manifest, placed

Bools = npt.NDArray[np.bool_]
Truth = tuple[Bools, Bools]
"""Where a condition is true, and where it is false."""
Rows = dict[str, npt.NDArray[np.float64]]
"""Columns by `alias.name`; NaN is NULL."""
MANY = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """ADQL, and its truth over rows."""

    text: str
    truth: Callable[[Rows], Truth]


# ------------------------------------------------------------------ conditions

degrees = st.one_of(
    st.floats(0, 360), st.sampled_from([0.0, 0.3, 359.7, 45.0, 360.0, 60.0, 150.0, 185.0])
)
latitudes = st.one_of(st.floats(-90, 90), st.sampled_from([0.0, 90.0, -90.0, 89.8, -35.0, 2.2]))
TESTS: dict[str, Callable[[npt.NDArray[np.float64], float], Bools]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def compared(column: str, operator: str, value: float, *, swapped: bool) -> Condition:
    def truth(rows: Rows) -> Truth:
        values = rows[column]
        found = TESTS[operator](values, value) & ~np.isnan(values)
        return found, ~found & ~np.isnan(values)

    mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)
    text = f"{value!r} {mirrored} {column}" if swapped else f"{column} {operator} {value!r}"
    return Condition(text, truth)


def between(column: str, low: float, high: float) -> Condition:
    def truth(rows: Rows) -> Truth:
        values = rows[column]
        found = (values >= low) & (values <= high)
        return found, ~found & ~np.isnan(values)

    return Condition(f"{column} BETWEEN {low!r} AND {high!r}", truth)


def listed(column: str, values: list[int]) -> Condition:
    def truth(rows: Rows) -> Truth:
        found = np.isin(rows[column], values)
        return found, ~found & ~np.isnan(rows[column])

    return Condition(f"{column} IN ({', '.join(map(str, values))})", truth)


def null(column: str, *, is_null: bool) -> Condition:
    def truth(rows: Rows) -> Truth:
        found = np.isnan(rows[column]) == is_null
        return found, ~found

    return Condition(f"{column} IS {'' if is_null else 'NOT '}NULL", truth)


def region(alias: str, name: str, numbers: tuple[float, ...]) -> Condition:
    shape = Shape(ShapeKind(name.lower()), numbers)

    def truth(rows: Rows) -> Truth:
        ra, dec = rows[f"{alias}.ra"], rows[f"{alias}.dec"]
        found = contains(shape, ra, dec)
        return found, ~found & ~np.isnan(ra) & ~np.isnan(dec)

    written = ", ".join(repr(number) for number in numbers)
    return Condition(f"1 = CONTAINS(POINT({alias}.ra, {alias}.dec), {name}({written}))", truth)


def constant(text: str, *, is_true: bool) -> Condition:
    def truth(rows: Rows) -> Truth:
        found = np.full(len(next(iter(rows.values()))), is_true)
        return found, ~found

    return Condition(text, truth)


def all_or_any(word: str, parts: list[Condition]) -> Condition:
    def truth(rows: Rows) -> Truth:
        found = [part.truth(rows) for part in parts]
        true, false = ([one[k] for one in found] for k in (0, 1))
        together, either = np.logical_and.reduce, np.logical_or.reduce
        if word == "AND":
            return together(true), either(false)
        return either(true), together(false)

    return Condition("(" + f" {word} ".join(part.text for part in parts) + ")", truth)


def negated(part: Condition) -> Condition:
    return Condition(f"NOT ({part.text})", lambda rows: part.truth(rows)[::-1])


MEASURES = {
    "Object": {"objectId": (1001, 4000), "nDet": (0, 60), "gFlux": (-200, 800), "rFlux": (0, 700)},
    "ForcedSource": {"objectId": (0, 4000), "visit": (0, 60), "mjd": (61040, 61066)},
}


def leaves(alias: str, table: str) -> st.SearchStrategy[Condition]:
    """Conditions on one relation."""
    measures = MEASURES[table]
    column = st.sampled_from(sorted(measures))
    axes = st.sampled_from([("ra", degrees), ("dec", latitudes)])
    operators = st.sampled_from(sorted(TESTS))
    keys = st.one_of(st.integers(1001, 1100), st.integers(0, 4000), st.integers(900001, 900041))
    radii = st.sampled_from([0.001, 0.05, 0.5, 3.0, 30.0, 120.0])
    return st.one_of(
        column.flatmap(
            lambda name: st.builds(
                compared,
                st.just(f"{alias}.{name}"),
                operators,
                st.integers(*measures[name]),
                swapped=st.booleans(),
            )
        ),
        axes.flatmap(
            lambda axis: st.builds(
                compared, st.just(f"{alias}.{axis[0]}"), operators, axis[1], swapped=st.booleans()
            )
        ),
        axes.flatmap(
            lambda axis: st.builds(between, st.just(f"{alias}.{axis[0]}"), axis[1], axis[1])
        ),
        st.builds(listed, st.just(f"{alias}.objectId"), st.lists(keys, min_size=1, max_size=4)),
        st.builds(null, st.just(f"{alias}.{max(measures)}"), is_null=st.booleans()),
        st.tuples(degrees, latitudes, radii).map(lambda n: region(alias, "CIRCLE", n)),
        st.tuples(degrees, latitudes, radii, radii).map(lambda n: region(alias, "BOX", n)),
        st.sampled_from([constant("1 = 0", is_true=False), constant("2 > 1", is_true=True)]),
    )


def trees(leaf: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """AND, OR and NOT over the leaves."""
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(
                all_or_any, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)
            ),
            inner.map(negated),
        ),
        max_leaves=6,
    )


# ------------------------------------------------------------------ rows


def columns_of(alias: str, table: str, chosen: I64 | None = None) -> Rows:
    """The numeric columns of a table, and its pixels; rows by number, -1 for none."""
    found = placed()[table]
    names = ("ra", "dec", *MEASURES[table])
    rows = {f"{alias}.{n}": as_floats(found.rows[n]) for n in names}
    if chosen is not None:
        rows = {name: np.where(chosen < 0, np.nan, values[chosen]) for name, values in rows.items()}
    return rows


def as_floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan), np.float64)


def planned(text: str, over: Manifest | None = None) -> Fragment:
    """The one fragment of a query; the director index knows the objects and the orphans."""
    tree = bind(parse_adql(text), Catalogs((diff_sky.CATALOG,)), now=datetime(2026, 1, 1), random=0)  # noqa: DTZ001
    analysed = analyse(tree)
    plan = make_plan(analysed.query, {"diff": over or manifest()}, looked_up(analysed))
    (fragment,) = plan.fragments
    return fragment


def looked_up(analysed: Analysed) -> dict[tuple[str, str], dict[int, int | None]]:
    children = placed()["ForcedSource"]
    keys = np.asarray(children.rows["objectId"].fill_null(0)).tolist()
    known = dict(zip(keys, children.home_29.tolist(), strict=True))
    objects = placed()["Object"]
    ids = np.asarray(objects.rows["objectId"]).tolist()
    known |= dict(zip(ids, objects.home_29.tolist(), strict=True))
    return {
        (one.catalog, one.table): {key: known.get(key) for key in one.keys}
        for one in analysed.wanted
    }


def assert_read(fragment: Fragment, relation: str, own: I64, home: I64) -> None:
    """Rows of a relation lie in the fragment's chunks, and in its ranges."""
    chunks = normalised((p.first_29, p.last_29) for p in fragment.pixels)
    assert touching(chunks, home, home).all()
    (source,) = (s for s in fragment.sources if s.relation == relation)
    if source.ranges is not None:
        pixels = own if source.range_column == HEALPIX_29 else home
        assert touching(source.ranges, pixels, pixels).all()


@MANY
@given(condition=trees(leaves("o", "Object")))
def test_every_matching_object_is_read(condition: Condition) -> None:
    fragment = planned(f"SELECT o.objectId FROM Object o WHERE {condition.text}")
    true, _ = condition.truth(columns_of("o", "Object"))
    found = placed()["Object"]
    assert_read(fragment, "r0", found.own_29[true], found.home_29[true])


@MANY
@given(condition=trees(leaves("f", "ForcedSource")))
def test_every_matching_child_is_read(condition: Condition) -> None:
    fragment = planned(f"SELECT f.mjd FROM ForcedSource f WHERE {condition.text}")
    true, _ = condition.truth(columns_of("f", "ForcedSource"))
    found = placed()["ForcedSource"]
    assert_read(fragment, "r0", found.own_29[true], found.home_29[true])


@pytest.mark.parametrize("kind", ["JOIN", "LEFT JOIN"])
@MANY
@given(condition=trees(st.one_of(leaves("o", "Object"), leaves("f", "ForcedSource"))))
def test_every_matching_pair_is_read(kind: str, condition: Condition) -> None:
    fragment = planned(
        f"SELECT o.ra FROM Object o {kind} ForcedSource f ON f.objectId = o.objectId"
        f" WHERE {condition.text}"
    )
    parents, children = pairs(is_outer=kind == "LEFT JOIN")
    rows = columns_of("o", "Object", parents) | columns_of("f", "ForcedSource", children)
    true, _ = condition.truth(rows)
    objects, forced = placed()["Object"], placed()["ForcedSource"]
    chosen = parents[true]
    assert_read(fragment, "r0", objects.own_29[chosen], objects.home_29[chosen])
    chosen = children[true & (children >= 0)]
    assert_read(fragment, "r1", forced.own_29[chosen], forced.home_29[chosen])


def pairs(*, is_outer: bool) -> tuple[I64, I64]:
    """The numbers of the objects and forced sources that join; -1 for no forced source."""
    keys = np.asarray(placed()["ForcedSource"].rows["objectId"].fill_null(0))
    count = len(placed()["Object"].rows)
    children = np.flatnonzero((keys >= 1001) & (keys < 1001 + count))
    parents = keys[children] - 1001
    if not is_outer:
        return parents, children
    alone = np.setdiff1d(np.arange(count), parents)
    return np.concatenate([parents, alone]), np.concatenate([children, np.full(len(alone), -1)])


# ------------------------------------------------------------------ what it is worth


@MANY
@given(condition=trees(leaves("o", "Object")))
def test_the_chunks_of_a_condition_and_of_its_negation_are_all(condition: Condition) -> None:
    """Where nothing is NULL every row is in one of the two, so all chunks with rows are."""
    asked = [
        planned(f"SELECT o.objectId FROM Object o WHERE {text}")
        for text in (condition.text, f"NOT ({condition.text})")
    ]
    true, false = condition.truth(columns_of("o", "Object"))
    homes = placed()["Object"].home_29[true | false]
    chunks = normalised((p.first_29, p.last_29) for f in asked for p in f.pixels)
    assert touching(chunks, homes, homes).all()


def test_random_conditions_choose_chunks() -> None:
    """The law would hold of a planner that reads everything: this one does not."""
    chosen: list[float] = []

    @MANY
    @given(condition=trees(leaves("o", "Object")))
    def count(condition: Condition) -> None:
        fragment = planned(f"SELECT o.objectId FROM Object o WHERE {condition.text}")
        chosen.append(len(fragment.pixels) / fragment.all_pixels)

    count()
    assert sum(share < 1 for share in chosen) > 0.4 * len(chosen)
    assert np.mean(chosen) < 0.7


FIELDS = [region("o", "CIRCLE", (60.0, -35.0, 1.0)), region("o", "CIRCLE", (185.0, 41.8, 1.0))]


def test_a_two_region_or_reads_only_its_chunks() -> None:
    either = all_or_any("OR", FIELDS)
    fragment = planned(f"SELECT o.objectId FROM Object o WHERE {either.text}")
    alone = [planned(f"SELECT o.objectId FROM Object o WHERE {one.text}") for one in FIELDS]
    assert set(fragment.pixels) == {pixel for one in alone for pixel in one.pixels}
    assert len(fragment.pixels) < 0.2 * fragment.all_pixels


def assert_law(fragment: Fragment, condition: Condition) -> None:
    true, _ = condition.truth(columns_of("o", "Object"))
    found = placed()["Object"]
    assert_read(fragment, "r0", found.own_29[true], found.home_29[true])


def test_or_taken_for_and_breaks_the_law() -> None:
    either, both = all_or_any("OR", FIELDS), all_or_any("AND", FIELDS)
    assert_law(planned(f"SELECT o.objectId FROM Object o WHERE {either.text}"), either)
    mutant = planned(f"SELECT o.objectId FROM Object o WHERE {both.text}")
    with pytest.raises(AssertionError):
        assert_law(mutant, either)


def test_the_statistics_of_one_part_only_break_the_law() -> None:
    bright = compared("o.nDet", ">", 40, swapped=False)
    text = f"SELECT o.objectId FROM Object o WHERE {bright.text}"
    assert_law(planned(text), bright)
    first: dict[Pixel, str] = {}
    parts = tuple(
        replace(part, statistics=first.setdefault(part.pixel.ancestor(2), part.statistics))
        for part in manifest().parts_of("Object", PartKind.ROWS)
        if part.pixel is not None
    )
    with pytest.raises(AssertionError):
        assert_law(planned(text, Manifest("diff", 1, manifest().chunks, parts)), bright)


def test_what_is_known_of_no_part_is_read() -> None:
    """A catalog that was loaded before there were statistics."""
    bright = compared("o.nDet", ">", 1000, swapped=False)
    text = f"SELECT o.objectId FROM Object o WHERE {bright.text}"
    parts = tuple(replace(part, statistics="") for part in manifest().parts)
    assert planned(text).pixels == ()
    fragment = planned(text, Manifest("diff", 1, manifest().chunks, parts))
    assert len(fragment.pixels) == fragment.all_pixels
