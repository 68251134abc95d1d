"""How many rows a fragment is expected to send, beside how many there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from qserv.adql import parse_adql
from qserv.analyse import analyse
from qserv.bind import Catalogs, bind
from qserv.plan.make import make_plan
from tests.support import diff_sky
from tests.support.placed_sky import manifest, placed

Column = npt.NDArray[np.float64]


def estimated(table: str, key: str, condition: str) -> int:
    """The rows that a plan expects of a table under a condition."""
    text = f"SELECT {key} FROM {table} WHERE {condition}"
    now = datetime(2026, 11, 22)  # noqa: DTZ001
    query = bind(parse_adql(text), Catalogs((diff_sky.CATALOG,)), now=now, random=0.5)
    (fragment,) = make_plan(analyse(query).query, {"diff": manifest()}, {}).fragments
    return fragment.estimated_sent


def column(table: str, name: str) -> Column:
    """A column's values, NaN where NULL."""
    return placed()[table].rows[name].cast(pa.float64()).to_numpy()  # type: ignore[no-any-return]


CASES: dict[str, tuple[str, str, str, Callable[[Column], npt.NDArray[np.bool_]]]] = {
    "a range of times": (
        "ForcedSource",
        "mjd",
        "mjd BETWEEN 61045 AND 61050",
        lambda x: (x >= 61045) & (x <= 61050),
    ),
    "a narrow one": (
        "ForcedSource",
        "mjd",
        "mjd > 61050 AND mjd < 61050.5",
        lambda x: (x > 61050) & (x < 61050.5),
    ),
    "an open one": ("ForcedSource", "mjd", "61046 > mjd", lambda x: x < 61046),
    "its complement": ("ForcedSource", "mjd", "NOT mjd > 61046", lambda x: x <= 61046),
    "two under OR": (
        "ForcedSource",
        "mjd",
        "mjd < 61043 OR mjd > 61060",
        lambda x: (x < 61043) | (x > 61060),
    ),
    "a range of keys": (
        "Object",
        "objectId",
        "objectId > 2000 AND objectId <= 2300",
        lambda x: (x > 2000) & (x <= 2300),
    ),
    "a list of keys": (
        "Object",
        "objectId",
        f"objectId IN ({', '.join(map(str, range(1000, 3000, 50)))}) AND gFlux IS NOT NULL",
        lambda x: (x % 50 == 0) & (x < 3000),
    ),
    "none": ("Object", "nDet", "nDet < 0", lambda x: x < 0),
    "all": ("Object", "nDet", "nDet >= 0", lambda x: x >= 0),
    "NULLs": ("Object", "gFlux", "gFlux IS NULL", np.isnan),
    "values": ("Object", "gFlux", "gFlux IS NOT NULL", lambda x: ~np.isnan(x)),
}


@pytest.mark.parametrize(("table", "name", "condition", "holds"), CASES.values(), ids=CASES)
def test_estimates_by_statistics_are_within_a_factor_of_three(
    table: str, name: str, condition: str, holds: Callable[[Column], npt.NDArray[np.bool_]]
) -> None:
    actual = int(holds(column(table, name)).sum())
    key = "objectId" if table == "Object" else "forcedSourceId"
    expected = estimated(table, key, condition)
    assert actual / 3 - 2 <= expected <= 3 * actual + 5


def test_a_region_is_not_counted_twice() -> None:
    ra = column("Object", "ra")
    actual = int(((ra >= 60) & (ra <= 250)).sum())
    assert actual / 3 <= estimated("Object", "objectId", "ra BETWEEN 60 AND 250") <= 3 * actual


def test_what_no_statistics_bound_is_guessed_by_its_form() -> None:
    rows = len(column("Object", "objectId"))
    assert estimated("Object", "objectId", "nDet + 1 > gFlux") == rows * 33 // 100
