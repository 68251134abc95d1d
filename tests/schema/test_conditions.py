"""CHECK conditions."""

import pytest

from schema.conditions import ConditionInvalid, condition_columns, parse_condition

COLUMNS = ["band", "fluxErr", "n"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FLUXERR > 0", '"fluxErr" > 0'),
        ("band IN ('g', 'r') AND n >= -1", "\"band\" IN ('g', 'r') AND \"n\" >= -1"),
        ("NOT n IS NULL OR length(band) = 1", 'NOT "n" IS NULL OR LENGTH("band") = 1'),
    ],
)
def test_a_condition_is_written_anew_with_the_schemas_spelling(text: str, expected: str) -> None:
    assert parse_condition(text, COLUMNS) == expected


@pytest.mark.parametrize(
    "text",
    [
        "flux > 0",
        "n > (SELECT 1)",
        "pg_sleep(10) IS NULL",
        "n > 0; DROP TABLE x",
        "other.n > 0",
        "n >",
        "n = n" + " AND n = n" * 500,
    ],
)
def test_what_is_more_than_a_condition_on_the_columns_is_refused(text: str) -> None:
    with pytest.raises(ConditionInvalid):
        parse_condition(text, COLUMNS)


def test_a_condition_tells_its_columns() -> None:
    assert condition_columns(parse_condition("n > 0 AND band = 'n'", COLUMNS)) == {"n", "band"}
