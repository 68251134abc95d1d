"""What may name a catalog, a table, a column."""

import pytest

from schema.names import InvalidName, check_catalog_name, check_distinct, check_name, nearest


@pytest.mark.parametrize("name", ["dp1", "dp02_dc2", "A"])
def test_letters_digits_and_underscores_name_a_catalog(name: str) -> None:
    check_catalog_name(name)


@pytest.mark.parametrize("name", ["", "1dp", "d p", "dp1;", "TAP_SCHEMA", "tap_upload", "x" * 64])
def test_other_catalog_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        check_catalog_name(name)


@pytest.mark.parametrize("name", ["flux", "2MASS", "flux (g)", "größe", "select"])
def test_a_column_may_be_called_almost_anything(name: str) -> None:
    check_name("column", name)


@pytest.mark.parametrize("name", ["", " ", 'a"b', "a.b", "a\nb", "é" * 32, "xmin", "_INGEST"])
def test_what_cannot_be_stored_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        check_name("column", name)


def test_names_that_differ_by_case_only_are_refused() -> None:
    with pytest.raises(InvalidName, match="'RA' stands beside 'ra' in table Object"):
        check_distinct("column", ["ra", "dec", "RA"], "table Object")


def test_the_nearest_name_keeps_its_spelling() -> None:
    assert nearest("OBJECTIDD", ["visit", "objectId"]) == "objectId"
