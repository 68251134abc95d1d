"""A stock VO client against a running server."""

from __future__ import annotations

import warnings
from urllib.request import urlopen

import httpx
import pytest
from pyvo.io.vosi import parse_availability

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyvo.dal import DALOverflowWarning, DALQueryError, TAPService


FEATURES = "ivo://ivoa.net/std/TAPRegExt#features-"


@pytest.fixture
def tap(base_url: str) -> TAPService:
    return TAPService(base_url)


def test_pyvo_searches(tap: TAPService) -> None:
    found = tap.search("SELECT 4")
    assert [row["band"] for row in found] == ["u", "g", "r", "i"]
    assert found.query_status == "OK"
    assert found.fielddescs[1].unit == "deg"


def test_pyvo_is_warned_of_an_overflow(tap: TAPService) -> None:
    with pytest.warns(DALOverflowWarning):
        found = tap.search("SELECT 30000")
    assert len(found) == 20_000


def test_pyvo_raises_what_the_server_says(tap: TAPService) -> None:
    with pytest.raises(DALQueryError, match="did you mean 'ra'"):
        tap.search("bad")


def test_pyvo_raises_a_late_failure(tap: TAPService) -> None:
    with pytest.raises(DALQueryError, match="part 5 is gone"):
        tap.search("late failure")


def test_pyvo_lists_tables_and_columns(tap: TAPService) -> None:
    assert [table.name for table in tap.tables] == ["dp1.Object", "dp1.ForcedSource"]
    columns = tap.tables["dp1.Object"].columns
    assert [(c.name, c.unit, c.datatype.content) for c in columns] == [
        ("objectId", None, "long"),
        ("ra", "deg", "double"),
        ("band", None, "unicodeChar"),
    ]
    assert tap.tables["dp1.Object"].description == "Objects <of> the survey"
    assert tap.tables["dp1.ForcedSource"].foreignkeys[0].targettable == "dp1.Object"


def test_the_languages_beside_adql_are_in_the_capabilities(base_url: str) -> None:
    text = httpx.get(f"{base_url}/capabilities").text
    assert "<name>PostgreSQL</name>" in text
    assert "<name>MySQL</name>" in text


def test_pyvo_reads_the_capabilities(tap: TAPService) -> None:
    assert (tap.maxrec, tap.hardlimit) == (20_000, 20_000)
    language = tap.get_tap_capability().get_adql()
    assert language.get_feature(f"{FEATURES}adqlgeo", "CONTAINS") is not None
    assert {"csv", "json", "fits"} <= {
        alias for form in tap.get_tap_capability().outputformats for alias in form.aliases
    }


def test_pyvo_sees_the_functions(tap: TAPService) -> None:
    functions = tap.get_tap_capability().get_adql().get_feature_list(f"{FEATURES}udf")
    assert any(
        form.form.startswith("ivo_healpix_index(a integer, b double precision")
        for form in functions
    )


def test_pyvo_sees_that_the_server_is_up(base_url: str) -> None:
    with urlopen(f"{base_url}/availability") as document:
        assert parse_availability(document.read).available
