"""JSON: `{"metadata": [...], "data": [[...], ...], "status": "OK"}`.

`metadata` has an object per column (name, datatype, and unit, ucd, utype, description where known),
`data` an array per row, in that order. NULL is null, timestamps and binary values (hexadecimal) are
strings, an infinity is the string "Infinity" or "-Infinity", arrays are arrays; 64-bit integers are
written exactly (JavaScript rounds those beyond 2^53). `status` is OVERFLOW where a limit cut the
rows; a document without its `status` was cut off by a failure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from qserv.formats.cells import as_text, bytes_of, json_texts, numbers_text
from qserv.formats.slices import slices
from qserv.result import Answer, ResultColumn
from schema.types import Type


def write_json(answer: Answer) -> Iterator[bytes]:
    """One JSON document, a row a line."""
    metadata = json.dumps([describe(column) for column in answer.columns], ensure_ascii=False)
    yield f'{{"metadata": {metadata},\n"data": ['.encode()
    separator = b"\n"
    for batch in slices(answer):
        yield separator + bytes_of(_lines(batch, answer.columns))[:-2]
        separator = b",\n"
    facts: dict[str, object] = {"status": "OVERFLOW" if answer.overflowed else "OK"}
    if answer.warnings:
        facts["warnings"] = answer.warnings
    yield f"\n],\n{json.dumps(facts)[1:]}\n".encode()


def describe(column: ResultColumn) -> dict[str, str]:
    """What JSON says of a column; facts that are unknown are left out."""
    facts = {
        "name": column.name,
        "datatype": str(column.type),
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
        "description": column.description,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _lines(batch: pa.RecordBatch, columns: tuple[ResultColumn, ...]) -> pa.StringArray:
    """Each row as `[...],` and a line feed."""
    cells = [_cells(batch.column(i), column.type) for i, column in enumerate(columns)]
    joined = pc.binary_join_element_wise(*cells, ", ")
    return pc.binary_join_element_wise("[", joined, "],\n", "")


def _cells(values: pa.Array, kind: Type) -> pa.StringArray:
    if kind.element is not None:
        return _arrays(values, kind)
    text = as_text(values, kind, infinity="Infinity")
    if kind is Type.TEXT:
        text = _escaped(text)
    if kind in (Type.TEXT, Type.TIMESTAMP, Type.BINARY):
        text = pc.binary_join_element_wise('"', text, '"', "")
    elif kind.is_floating and pc.any(pc.is_inf(values)).as_py():
        quoted = pc.binary_join_element_wise('"', text, '"', "")
        text = pc.if_else(pc.is_inf(values), quoted, text)
    return pc.fill_null(text, "null")


def _arrays(values: pa.ListArray, kind: Type) -> pa.StringArray:
    """JSON arrays; a NULL or NaN in them is null."""
    if kind is Type.TEXTS:
        return pc.fill_null(json_texts(values), "null")
    assert kind.element is not None
    infinity = "Infinity"
    inner = numbers_text(values, kind.element, separator=", ", infinity=infinity, nan="null")
    inner = pc.replace_substring_regex(inner, "(-?Infinity)", '"\\1"')
    return pc.fill_null(pc.binary_join_element_wise("[", inner, "]", ""), "null")


def _escaped(text: pa.StringArray) -> pa.StringArray:
    """What stands between a JSON string's quotes."""
    special = pc.match_substring_regex(text, r'[\x00-\x1f"\\]')
    if not pc.any(special).as_py():
        return text
    rows = [
        None if row is None else json.dumps(row, ensure_ascii=False)[1:-1]
        for row in text.to_pylist()
    ]
    return pa.array(rows, pa.string())
