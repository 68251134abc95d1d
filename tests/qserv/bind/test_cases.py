"""Queries and their bound trees or errors, in tests/cases/bind."""

import pytest

from qserv.bind.errors import BindError
from tests.qserv.bind.binding import bound
from tests.support.bound_text import bound_text
from tests.support.cases import Case, cases_in


@pytest.mark.parametrize("case", cases_in("bind"), ids=str)
def test_a_query_binds_to_its_tree_or_error(case: Case, pytestconfig: pytest.Config) -> None:
    update = pytestconfig.getoption("--update-cases")
    case.check(_outcome(case.text), owned=("bound", "error"), update=update)


def _outcome(text: str) -> dict[str, str]:
    try:
        return {"bound": bound_text(bound(text))}
    except BindError as error:
        return {"error": f"{error.code} {error}"}
