"""Databases' dumps: backslashes escape, nothing is quoted."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from typing_extensions import override

from loaders.readers.dump import translated
from loaders.readers.form import Form
from loaders.readers.read import open_source
from loaders.readers.source import UnreadableFile
from schema.catalog import Column, Role, Table
from schema.types import Type

PATHS = Table(
    "Paths",
    (Column("id", Type.LONG), Column("path", Type.TEXT), Column("poly", Type.BINARY)),
    Role.REPLICATED,
)


def read(path: Path, content: bytes) -> list[dict[str, object]]:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    source = open_source(path, PATHS)
    batches = source.batches(source.names)
    return [row for batch in batches for row in batch.rows.to_pylist()]


@pytest.mark.parametrize("name", ["x.outfile", "x.outfile.gz"])
def test_escapes_are_undone(name: str, tmp_path: Path) -> None:
    content = b'1,a\\,b\\\\c\\\nd\\te"f,\\0\xff\\n\r\\,\n2,\\N,\\N\n'
    assert read(tmp_path / name, content) == [
        {"id": "1", "path": 'a,b\\c\nd\te"f', "poly": b"\0\xff\n\r,"},
        {"id": "2", "path": None, "poly": None},
    ]


def test_an_empty_cell_is_an_empty_text(tmp_path: Path) -> None:
    rows = read(tmp_path / "x.outfile", b"1\t\t\n")
    assert rows == [{"id": "1", "path": "", "poly": b""}]


def test_fields_behind_the_last_column_have_a_name(tmp_path: Path) -> None:
    rows = read(tmp_path / "x.outfile", b"1,a,b,0\n")
    assert rows == [{"id": "1", "path": "a", "poly": b"b", "field 4": "0"}]


def test_a_dump_with_too_few_fields_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="it has 2 fields a record; Paths has 3 columns"):
        read(tmp_path / "x.outfile", b"1,a\\,\n")


def test_a_dump_that_is_named_csv_is_told_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        UnreadableFile, match=r"a dump whose backslashes escape is named \*.outfile"
    ):
        read(tmp_path / "x.csv", b"1,\\N\n")


@pytest.mark.parametrize("block", [1, 2, 3, 7])
def test_no_escape_is_cut_in_two(block: int) -> None:
    class Narrow(io.BytesIO):
        @override
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(block, size or 0))

    text = b"a\\\\,\\,b\\\\\\n\r\n\\N\r"
    found = translated(Narrow(text), Form(escape="\\")).read()
    assert found == b"a\\\\,\\,b\\\\\\\n\r\n\\\\N\\\r"
