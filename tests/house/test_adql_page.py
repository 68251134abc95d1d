"""docs/adql.md says what the tests run; `make docs` writes it."""

from __future__ import annotations

import pytest

from tests.support.adql_page import PAGE, page


def test_the_page_of_adql_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-cases"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"
