"""Queries and their plans: what each chunk is asked, what stays in the merge, and why.

The cases of tests/cases/plan; their keys lie where `LOCATED` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pytest

from qserv.analyse import Wanted, analyse
from qserv.bind import Catalogs, bind
from qserv.explain import explain_plan
from qserv.languages import LANGUAGES
from qserv.limits import Limits
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
    language = _LANGUAGES[next(iter(case.sections))]
    case.check({"plan": plan_text(case.text, language)}, owned=("plan",), update=update)


_LANGUAGES = {"query": "ADQL", "postgres": "PostgreSQL", "mysql": "MySQL"}
"""A query's language, by its heading."""


def plan_text(text: str, language: str = "ADQL") -> str:
    return explain_plan(planned(text, language)).to_text()


def planned(text: str, language: str = "ADQL") -> Plan:
    """The plan of a text over the made-up manifest."""
    now = datetime(2026, 11, 22)  # noqa: DTZ001
    tree = bind(LANGUAGES[language](text, Limits()), CATALOGS, now=now, random=0.5)
    analysed = analyse(tree)
    return make_plan(analysed.query, MANIFESTS, located(analysed.wanted))
