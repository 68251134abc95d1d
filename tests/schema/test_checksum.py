"""Equal rows have equal checksums however they are read; others have not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.checksum import BATCH_ROWS, checksum, combine
from schema.types import SPELLINGS

VALUES: dict[str, list[object]] = {
    "boolean": [True, False, None],
    "short": [1, -1, None],
    "int": [2**31 - 1, 0, None],
    "long": [2**63 - 1, -(2**63), None],
    "float": [1.5, -0.0, None],
    "double": [0.1, 1e300, None],
    "text": ["", "Ångström", None],
    "binary": [b"", b"\x00\x01", None],
    "timestamp": [datetime(2026, 11, 22, 1, 2, 3, 4), datetime(1970, 1, 1), None],  # noqa: DTZ001
    "longs": [[1, 2**40, 1], [], None],
    "texts": [["a", "Å", None], [""], None],
    "point": [[10.5, -0.0], [359.0, 90.0], None],
    "circle": [[10.5, -3.25, 1.0], [0.0, 0.0, 0.0], None],
    "polygon": [[0.0, 0.0, 1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0], None],
    "interval": [[0.5, 1.5], [float("-inf"), 0.0], None],
    "doubles": [[0.5, None], [], None],
}
TABLE = pa.table(
    {kind: pa.array(VALUES[kind], spelling.arrow) for kind, spelling in SPELLINGS.items()}
)
NAMES = TABLE.column_names


def test_the_checksum_is_what_it_was() -> None:
    """Another answer would call every stored part damaged."""
    assert checksum(TABLE, NAMES[:9]) == 629366207789165067
    assert checksum(TABLE, NAMES) == 661055490089523973


def test_every_type_has_a_checksum() -> None:
    assert set(VALUES) == {str(kind) for kind in SPELLINGS}


@given(st.permutations(range(3)), st.permutations(NAMES))
def test_order_does_not_matter(rows: list[int], names: list[str]) -> None:
    assert checksum(TABLE.take(rows), names) == checksum(TABLE, NAMES)


def test_batches_do_not_matter() -> None:
    pieces = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])
    assert checksum(pieces, NAMES) == checksum(TABLE, NAMES)
    assert combine([checksum(TABLE[:1], NAMES), checksum(TABLE[1:], NAMES)]) == checksum(
        TABLE, NAMES
    )


def test_a_twin_has_its_part_s_checksum(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "twin.parquet", compression="zstd")
    assert checksum(pq.read_table(tmp_path / "twin.parquet"), NAMES) == checksum(TABLE, NAMES)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("text", pa.large_string()),
        ("text", pa.string_view()),
        ("text", pa.dictionary(pa.int32(), pa.string())),
        ("binary", pa.large_binary()),
        ("short", pa.int64()),
        ("float", pa.float64()),
        ("timestamp", pa.timestamp("ns")),
    ],
)
def test_how_a_value_is_kept_does_not_matter(name: str, kind: pa.DataType) -> None:
    other = TABLE.set_column(NAMES.index(name), name, TABLE.column(name).cast(kind))
    assert checksum(other, NAMES) == checksum(TABLE, NAMES)


def test_nan_is_null_and_a_negative_zero_is_zero() -> None:
    one = pa.table({"x": pa.array([float("nan"), -0.0])})
    other = pa.table({"x": pa.array([None, 0.0], pa.float64())})
    assert checksum(one, ["x"]) == checksum(other, ["x"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_any_changed_value_changes_the_checksum(name: str, place: int) -> None:
    values = list(VALUES[name])
    values[place] = VALUES[name][(place + 1) % 3]
    kind = TABLE.schema.field(name).type
    other = TABLE.set_column(NAMES.index(name), name, pa.array(values, kind))
    assert checksum(other, NAMES) != checksum(TABLE, NAMES)


def test_null_is_not_nothing() -> None:
    empty, zero, null = ([value] for value in ("", "\x00", None))
    sums = [checksum(pa.table({"t": pa.array(v, pa.string())}), ["t"]) for v in (empty, zero, null)]
    assert len(set(sums)) == 3


def test_values_exchanged_between_columns_or_rows_change_it() -> None:
    table = pa.table({"a": ["x", "y"], "b": ["z", "w"]})
    columns = pa.table({"a": ["z", "y"], "b": ["x", "w"]})
    rows = pa.table({"a": ["x", "y"], "b": ["w", "z"]})
    assert len({checksum(found, ["a", "b"]) for found in (table, columns, rows)}) == 3


def test_a_doubled_row_changes_it() -> None:
    assert checksum(pa.concat_tables([TABLE, TABLE[:1]]), NAMES) != checksum(TABLE, NAMES)


@given(st.lists(st.text(), unique=True, max_size=50))
def test_texts_hash_apart(texts: list[str]) -> None:
    sums = {checksum(pa.table({"t": [text]}), ["t"]) for text in texts}
    assert len(sums) == len(texts)


def test_a_slice_is_summed_as_the_rows_that_it_shows() -> None:
    texts = pa.array([f"text {n}" for n in range(100)] + [None])
    table = pa.table({"t": texts})
    assert checksum(table.slice(90), ["t"]) == checksum(
        pa.table({"t": pa.array(texts.to_pylist()[90:])}), ["t"]
    )


def test_no_rows_sum_to_zero() -> None:
    assert checksum(TABLE[:0], NAMES) == 0


def test_more_rows_than_a_batch_are_summed() -> None:
    numbers = np.arange(BATCH_ROWS + 10)
    whole = checksum(pa.table({"n": numbers}), ["n"])
    assert whole == combine(
        checksum(pa.table({"n": part}), ["n"]) for part in np.array_split(numbers, 7)
    )


def test_a_type_that_nobody_stores_is_refused() -> None:
    with pytest.raises(TypeError, match="no checksum for"):
        checksum(pa.table({"x": pa.array([{"a": 1}])}), ["x"])
