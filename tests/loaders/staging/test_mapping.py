"""Mappings: read from YAML, with errors that say where; what they make of rows."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from loaders.readers.source import SourceBatch
from loaders.staging.expressions import Evaluator, ExpressionInvalid, read_expression
from loaders.staging.mapping import MappingInvalid, TableMapping, mapping_of
from loaders.staging.mapping_file import parse_mapping, read_mapping
from loaders.staging.matching import MissingColumn, match_columns
from loaders.staging.validate import Conformed, Conformer
from schema.catalog import Check
from tests.loaders.skies import OBJECT, SKY

UNITS = {"ra": "deg", "dec": "deg", "gMag": "mag"}
SURVEY = dataclasses.replace(
    OBJECT,
    columns=tuple(dataclasses.replace(c, unit=UNITS.get(c.name)) for c in OBJECT.columns),
    checks=(Check("magnitudes", '"gMag" BETWEEN 0 AND 40'), Check("named", "band <> 'zz'")),
)
CATALOG = dataclasses.replace(SKY, tables=(SURVEY, *SKY.tables[1:]))
TEXT = """
tables:
  object:
    ignore: [htm*]
    types: {flux: double}
    columns:
      objectId: OBJ_ID
      ra: {from: RAJ2000, unit: hourangle}
      dec: {from: DE, unit: arcmin}
      gMag: {compute: "31.4 - 2.5 * log10(Flux)"}
      band: {default: r}
"""


def mapped(text: str = TEXT) -> TableMapping:
    return parse_mapping(text, CATALOG, "m.yaml")["Object"]


def conformed(mapping: TableMapping | None, **columns: list[object]) -> Conformed:
    rows = pa.RecordBatch.from_pydict(columns)
    batch = SourceBatch(rows, np.arange(1, rows.num_rows + 1))
    with Conformer(SURVEY, match_columns(SURVEY, list(columns), "f.csv", mapping)) as conformer:
        return conformer.conform(batch)


def reasons(found: Conformed) -> dict[int, str]:
    return {reject.number: reject.reason for reject in found.rejects}


def test_renames_units_expressions_and_defaults() -> None:
    found = conformed(
        mapped(),
        OBJ_ID=["1", "2"],
        RAJ2000=["12", "1.5"],
        DE=["60", "-90"],
        flux=["100", "1"],
        band=["g", None],
        htm20=["1", "2"],
    )
    assert found.rejects == ()
    assert found.rows.select(["objectId", "ra", "dec", "band"]).to_pydict() == {
        "objectId": [1, 2],
        "ra": [180.0, 22.5],
        "dec": [1.0, -1.5],
        "band": ["g", "r"],
    }
    assert found.rows["gMag"].to_pylist() == pytest.approx([26.4, 31.4])


def test_a_row_that_an_expression_cannot_take_is_a_reject_with_its_reason() -> None:
    columns = {"OBJ_ID": ["1", "2", "3", "4"], "RAJ2000": ["1"] * 4, "DE": ["1"] * 4}
    mapping = mapped(TEXT.replace("log10(Flux)", "CAST(name AS DOUBLE) * Flux"))
    found = conformed(mapping, **columns, flux=["1", "bad", "3", "1"], name=["1", "2", "x", "4"])
    assert found.rows["objectId"].to_pylist() == [1, 4]
    assert reasons(found)[2] == "column 'flux': 'bad' is not a value of type double"
    assert "Could not convert string 'x' to DOUBLE" in reasons(found)[3]


def test_a_condition_of_the_schema_rejects_rows_by_its_name() -> None:
    found = conformed(
        None,
        objectId=[1, 2, 3],
        ra=[1.0] * 3,
        dec=[1.0] * 3,
        gMag=[50.0, None, 20.0],
        band=["g", "g", "zz"],
    )
    assert reasons(found) == {
        1: "check 'magnitudes' does not hold: \"gMag\" BETWEEN 0 AND 40",
        3: "check 'named' does not hold: band <> 'zz'",
    }


def test_matching_tells_what_is_ignored_and_what_is_unknown() -> None:
    names = ["OBJ_ID", "RAJ2000", "DE", "FLUX", "htm20", "zz"]
    found = match_columns(SURVEY, names, "f.csv", mapped())
    assert (found.ignored, found.unknown) == (("htm20",), ("zz",))
    assert found.wanted == ("OBJ_ID", "RAJ2000", "DE", "FLUX")


def test_what_the_mapping_needs_and_the_file_has_not() -> None:
    with pytest.raises(MissingColumn, match=r"f.csv has no column 'OBJ_ID', which Object needs"):
        match_columns(SURVEY, ["RAJ2000", "DE", "flux"], "f.csv", mapped())
    with pytest.raises(MappingInvalid, match=r"gMag, for f.csv: .*the file has no column 'Flux'"):
        match_columns(SURVEY, ["OBJ_ID", "RAJ2000", "DE"], "f.csv", mapped())


def test_a_mapping_travels_as_document_and_pickle() -> None:
    mapping = mapped()
    assert mapping_of(mapping.to_document()) == mapping
    assert pickle.loads(pickle.dumps(mapping)) == mapping


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tables: [", "m.yaml, line 1, column 10: it is no YAML"),
        ("", "m.yaml: it says nothing"),
        ("x: 1", "line 1, column 1: there is no key `x`; there are tables"),
        ("tables:\n  Objct: {}", "line 2, column 3: catalog lab has no table 'Objct'; did you"),
        ("tables:\n  Object: {colums: {}}", "line 2, column 12: there is no key `colums`; did"),
        (
            "tables:\n  Object:\n    columns:\n      rax: a",
            "line 4, column 7: Object has no column 'rax'; did you mean 'ra'",
        ),
        (
            "tables:\n  Object:\n    columns:\n      ra: {unit: parsec}",
            "line 4, column 18: 'parsec' cannot become 'deg', the unit of ra",
        ),
        (
            "tables:\n  Object:\n    columns:\n      ra: {unit: furlongs}",
            "line 4, column 18: 'furlongs' is no unit",
        ),
        (
            "tables:\n  Object:\n    columns:\n      band: {unit: deg}",
            "line 4, column 20: band is text: only numbers have units",
        ),
        (
            "tables:\n  Object:\n    columns:\n      gMag: {compute: 'a +'}",
            "line 4, column 23: expression 'a \\+' at character 3: syntax error",
        ),
        (
            "tables:\n  Object:\n    columns:\n      gMag: {default: abc}",
            "line 4, column 23: 'abc' is no value of type float",
        ),
        (
            "tables:\n  Object:\n    columns:\n      gMag: {from: a, compute: b}",
            "line 4, column 13: `from` and `compute` cannot both be said",
        ),
        (
            "tables:\n  Object:\n    columns: {ra: a, RA: b}",
            "line 3, column 22: ra stands twice",
        ),
        ("tables:\n  Object: {types: {a: dbl}}", "line 2, column 23: 'dbl' is no type"),
        ("tables:\n  Object: {ignore: x}", "line 2, column 20: a list of names"),
    ],
)
def test_errors_say_where(text: str, message: str) -> None:
    with pytest.raises(MappingInvalid, match=message):
        mapped(text)


def test_a_mapping_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MappingInvalid, match="No such file"):
        read_mapping(tmp_path / "m.yaml", CATALOG)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(SELECT 1)", "subquery may not be used"),
        ("1; DROP TABLE x", "Only SELECT statements"),
        ("1) FROM (SELECT 2", "syntax error"),
        ("a AS b", "one value, nothing else"),
        ("a FROM t", "one value, nothing else"),
        ("random()", "random is no function of one row, or not the same each time"),
        ("now()", "now is no function"),
        ("sum(a)", "sum is no function"),
        ("read_text('/etc/passwd')", "read_text is no function"),
        ("getenv('HOME')", "getenv is no function"),
        ("sum(a) OVER ()", "window may not be used"),
        ("*", "star may not be used"),
        ("t.a", "columns have no table's name"),
        ("?", "parameter may not be used"),
        ("a" * 5000, "longer than 4000 characters"),
    ],
)
def test_an_expression_is_one_value_of_one_row(text: str, reason: str) -> None:
    with pytest.raises(ExpressionInvalid, match=reason):
        read_expression(text)


def test_expressions_keep_the_order_of_rows_and_their_own_comments() -> None:
    rows = pa.RecordBatch.from_pydict({"a": np.arange(100_000)})
    evaluator = Evaluator({"x": "a * 2 -- twice", "y": "a IN (1, 2)"})
    values, faults = evaluator.evaluate(rows)
    evaluator.close()
    assert faults == {}
    assert np.array_equal(np.asarray(values["x"]), 2 * np.arange(100_000))
    assert values["y"].true_count == 2


def test_an_evaluator_reaches_no_files() -> None:
    evaluator = Evaluator({"x": "(SELECT content FROM read_text('/etc/passwd'))"})
    with pytest.raises(ExpressionInvalid, match=r"disabled|Cannot access"):
        evaluator.evaluate(pa.RecordBatch.from_pydict({"a": [1]}))
    evaluator.close()
