"""Every class of error: its code, its place in the text, and what it offers instead."""

import pytest

from qserv.bind import errors
from schema.errors import QueryError
from tests.qserv.bind.binding import bound
from tests.support.skies import SKIES


def _error(text: str) -> errors.BindError:
    with pytest.raises(errors.BindError) as caught:
        bound(text, SKIES)
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind", "line", "column"),
    [
        ("SELECT 1\nFROM dp1.Objekt", errors.UnknownTable, 2, 6),
        ("SELECT 1\nFROM Object", errors.AmbiguousTable, 2, 6),
        ("SELECT ra,\n  raa FROM Source", errors.UnknownColumn, 2, 3),
        ("SELECT a.ra\nFROM Source a, Visit b\nWHERE ra > 1", errors.AmbiguousColumn, 3, 7),
        ("SELECT SQT(ra)\nFROM Source", errors.UnknownFunction, 1, 8),
        ("SELECT 1\nFROM Source a,\n Visit a", errors.DuplicateName, 3, 2),
        ("SELECT 1 FROM Source\nWHERE band = 1", errors.TypeMismatch, 2, 12),
        (
            "SELECT 1 FROM Source WHERE\n1 = CONTAINS(POINT(ra, dec), CIRCLE(0, 99, 1))",
            errors.BadRegion,
            2,
            30,
        ),
        ("SELECT band,\nvisit FROM Source GROUP BY band", errors.NotGrouped, 2, 1),
        ("SELECT 1 FROM Source\nWHERE COUNT(*) > 1", errors.MisplacedAggregate, 2, 7),
        ("SELECT band FROM Source\nORDER BY 2", errors.BadPosition, 2, 10),
        ("SELECT\n*", errors.Unsupported, 2, 1),
    ],
)
def test_an_error_says_where(
    text: str, kind: type[errors.BindError], line: int, column: int
) -> None:
    error = _error(text)
    assert (type(error), error.line, error.column) == (kind, line, column)
    assert f"line {line}, column {column}" in str(error)


def test_every_class_of_error_has_a_code_of_its_own() -> None:
    classes = [errors.BindError, *errors.BindError.__subclasses__()]
    classes += errors.UnknownName.__subclasses__()
    assert len({found.code for found in classes}) == len(classes)


def test_errors_are_the_query_author_s() -> None:
    assert issubclass(errors.BindError, QueryError)


def test_an_unknown_name_brings_the_nearest_ones() -> None:
    error = _error("SELECT objctId FROM dp1.Object")
    assert isinstance(error, errors.UnknownColumn)
    assert (error.name, error.nearest) == ("objctId", ("objectId", "parentObjectId"))


def test_the_fields_of_an_error_are_for_logs_and_answers() -> None:
    assert _error("SELECT nope FROM Source").fields() == {
        "code": "UNKNOWN_COLUMN",
        "message": "Unknown column nope at line 1, column 8",
        "transient": False,
        "line": 1,
        "column": 8,
    }


def test_a_literal_at_fault_is_placed_itself() -> None:
    assert _error("SELECT 1 FROM Source WHERE\n visit IN (1, 2, 'x')").column == 18


def test_an_error_shows_its_place_in_the_text_once() -> None:
    text = "SELECT objectId,\n  coord_rra FROM dp1.Object"
    error = _error(text)
    error.show(text)
    error.show(text)
    assert str(error) == (
        "Unknown column coord_rra at line 2, column 3: nearest names are coord_ra, coord_dec\n"
        "  coord_rra FROM dp1.Object\n"
        "  ^"
    )
