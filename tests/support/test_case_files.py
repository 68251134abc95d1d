"""The reader and rewriter of case files."""

from pathlib import Path

import pytest

from tests.support.cases import read_cases

TEXT = """# Why.
query
SELECT a
  FROM t
----
tree
(a)
----
rows
1

query
SELECT b
----
error
no b
  ^
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "some.case"
    written.write_text(TEXT)
    return written


def test_a_case_has_its_sections_in_order(path: Path) -> None:
    first, second = read_cases(path)
    assert first.sections == {"query": "SELECT a\n  FROM t", "tree": "(a)", "rows": "1"}
    assert first.comment == "# Why."
    assert second.text == "SELECT b"


def test_an_outcome_that_differs_fails(path: Path) -> None:
    case = read_cases(path)[0]
    case.check({"tree": "(a)"}, owned=("tree", "error"))
    with pytest.raises(AssertionError):
        case.check({"error": "no a"}, owned=("tree", "error"))


def test_an_update_rewrites_its_own_sections_and_leaves_the_rest(path: Path) -> None:
    for case in read_cases(path):
        case.check({"tree": "(new)"}, owned=("tree", "error"), update=True)
    updated = TEXT.replace("(a)", "(new)").replace("error\nno b\n  ^", "tree\n(new)")
    assert path.read_text() == updated


def test_an_update_without_a_change_writes_nothing(path: Path) -> None:
    before = path.stat().st_mtime_ns
    read_cases(path)[1].check({"error": "no b\n  ^"}, owned=("error",), update=True)
    assert path.stat().st_mtime_ns == before
