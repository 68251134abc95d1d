"""Queries and their plans: what each chunk is asked, what stays in the merge, and why.

The cases of tests/cases/plan; their keys lie where `LOCATED` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pytest

from qserv.adql import parse_adql
from qserv.analyse import Wanted, analyse
from qserv.bind import Catalogs, bind
from qserv.explain import explain_plan
from qserv.plan.make import make_plan
from qserv.planned import Plan
from schema.healpix import pixels_29
from tests.support import diff_sky
from tests.support.cases import Case, cases_in
from tests.support.manifests import manifest_of

CATALOGS = Catalogs((diff_sky.CATALOG,))
MANIFESTS = {
    "diff": manifest_of(
        diff_sky.CATALOG,
        diff_sky.rows(),
        times=100,
        separations={"ObjectDia": 40.0, "ObjectSource": 3e5},
    )
}
HERE = int(pixels_29(np.array([60.0]), np.array([-35.0]))[0])
LOCATED = {
    ("diff", "Object"): {1001: HERE, 1002: HERE},
    ("diff", "DiaSource"): {70010: HERE},
    ("diff", "DiaObject"): {7001: HERE},
}


def located(wanted: Sequence[Wanted]) -> dict[tuple[str, str], dict[int, int | None]]:
    """What a director index that knows `LOCATED` tells of the keys."""
    return {
        (one.catalog, one.table): {
            key: LOCATED.get((one.catalog, one.table), {}).get(key) for key in one.keys
        }
        for one in wanted
    }


@pytest.mark.parametrize("case", cases_in("plan"), ids=str)
def test_a_query_has_its_plan(case: Case, pytestconfig: pytest.Config) -> None:
    update = pytestconfig.getoption("--update-cases")
    case.check({"plan": plan_text(case.text)}, owned=("plan",), update=update)


def plan_text(text: str) -> str:
    return explain_plan(planned(text)).to_text()


def planned(text: str) -> Plan:
    """The plan of an ADQL text over the made-up manifest."""
    tree = bind(parse_adql(text), CATALOGS, now=datetime(2026, 11, 22), random=0.5)  # noqa: DTZ001
    analysed = analyse(tree)
    return make_plan(analysed.query, MANIFESTS, located(analysed.wanted))
