"""Texts that grow step by step are refused before they are made."""

from __future__ import annotations

from datetime import datetime

import pytest

from qserv.bind import bind
from qserv.bind.names import Catalogs
from qserv.languages import LANGUAGES
from qserv.limits import ANONYMOUS
from schema.errors import LimitExceeded
from tests.loaders.skies import SKY

NOW = datetime(2026, 1, 1)  # noqa: DTZ001 - without a zone, as bind takes it


def grown(step: str, times: int) -> None:
    """Bind a text that is made of one before it, so many times."""
    steps = [f"a{k + 1} AS (SELECT {step} AS r FROM a{k})" for k in range(times)]
    common = ", ".join(["a0 AS (SELECT 'xx' AS r FROM Filter)", *steps])
    tree = LANGUAGES["PostgreSQL"](f"WITH {common} SELECT length(r) FROM a{times}", ANONYMOUS)
    bind(tree, Catalogs((SKY,)), now=NOW, random=0.5)


@pytest.mark.parametrize(
    ("step", "function"),
    [
        ("r || r", "||"),
        ("concat(r, r)", "||"),
        ("replace(r, 'x', 'xx')", "REPLACE"),
        ("(SELECT r || r)", "||"),
        ("CASE WHEN r = 'a' THEN 'b' ELSE r || r END", "||"),
        ("lower(r || r)", "||"),
    ],
)
def test_a_text_that_doubles_forty_times_is_refused(step: str, function: str) -> None:
    with pytest.raises(LimitExceeded) as refused:
        grown(step, 40)
    assert str(refused.value).startswith(f"{function} might make a text of 2,097,152 characters")


@pytest.mark.parametrize(
    ("step", "times"), [("r || r", 15), ("replace(r, 'x', 'y')", 40), ("r || 'tail'", 40)]
)
def test_one_that_grows_little_is_bound(step: str, times: int) -> None:
    grown(step, times)
