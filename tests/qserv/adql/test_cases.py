"""Texts and their trees or errors, in tests/cases/adql."""

import pytest

from qserv.adql import AdqlSyntaxError, parse_adql
from tests.support.cases import Case, cases_in
from tests.support.outline import outline


@pytest.mark.parametrize("case", cases_in("adql"), ids=str)
def test_a_text_gives_its_tree_or_error(case: Case, pytestconfig: pytest.Config) -> None:
    update = pytestconfig.getoption("--update-cases")
    case.check(_outcome(case.text), owned=("tree", "error"), update=update)


def _outcome(text: str) -> dict[str, str]:
    try:
        return {"tree": outline(parse_adql(text))}
    except AdqlSyntaxError as error:
        return {"error": str(error)}
