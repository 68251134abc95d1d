"""Files of each format as batches."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable.tree import Field, Resource, TableElement, VOTableFile
from numpy import ma

from loaders.readers.form import Form
from loaders.readers.read import open_source
from loaders.readers.source import SourceBatch, UnreadableFile
from schema.catalog import Table
from tests.loaders.skies import FILTER, OBJECT


def read(path: Path, table: Table = FILTER, columns: tuple[str, ...] = ()) -> pa.Table:
    """All rows with all columns, and their numbers."""
    source = open_source(path, table, Form(columns=columns))
    batches = list(source.batches(source.names))
    rows = pa.Table.from_batches([batch.rows for batch in batches])
    return rows.append_column("#", pa.array(np.concatenate([b.numbers for b in batches])))


def batches_of(path: Path, table: Table = FILTER) -> list[SourceBatch]:
    source = open_source(path, table)
    return list(source.batches(source.names))


def test_parquet_streams_only_what_is_wanted(tmp_path: Path) -> None:
    rows = pa.table({"a": range(10), "b": range(10)})
    pq.write_table(rows, tmp_path / "x.parquet", row_group_size=4)
    batches = list(open_source(tmp_path / "x.parquet", FILTER).batches(["b"]))
    assert [n for batch in batches for n in batch.numbers.tolist()] == list(range(1, 11))
    assert {tuple(batch.rows.schema.names) for batch in batches} == {("b",)}


@pytest.mark.parametrize("ending", ["parquet", "fits", "vot", "csv.gz"])
def test_a_file_that_is_not_what_its_name_says_is_unreadable(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{ending}"
    path.write_bytes(b"not at all")
    with pytest.raises(UnreadableFile, match=f"cannot read .*x.{ending}"):
        batches_of(path)


def test_a_missing_file_and_an_unknown_ending_say_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="there is no such file"):
        open_source(tmp_path / "x.csv", FILTER)
    (tmp_path / "x.docx").write_text("?")
    with pytest.raises(UnreadableFile, match=r"its name ends in none of .arrow, .arrows"):
        open_source(tmp_path / "x.docx", FILTER)


@pytest.mark.parametrize(
    "text", ["filterId,name\n1,u\n2,g\n", "NAME,FILTERID,more\nu,1,9\ng,2,9\n"]
)
def test_csv_with_a_header(text: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(text)
    rows = read(tmp_path / "f.csv")
    names = {name.lower(): name for name in rows.column_names}
    assert rows[names["filterid"]].to_pylist() == ["1", "2"]
    assert rows[names["name"]].to_pylist() == ["u", "g"]
    assert rows["#"].to_pylist() == [1, 2]


def test_csv_without_a_header_is_in_the_tables_order(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "f.csv.gz", "wt") as file:
        file.write("1,u,extra\n2,\\N,\n")
    rows = read(tmp_path / "f.csv.gz")
    assert rows.column_names == ["filterId", "name", "field 3", "#"]
    assert rows["name"].to_pylist() == ["u", None]


def test_csv_columns_may_be_named_by_the_caller(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("u,1\ng,2\n")
    rows = read(tmp_path / "f.csv", columns=("name", "filterId"))
    assert rows["filterId"].to_pylist() == ["1", "2"]


def test_csv_with_too_few_columns_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("1\n")
    with pytest.raises(UnreadableFile, match="no header and 1 fields a line; Filter has 2"):
        open_source(tmp_path / "f.csv", FILTER)


def test_a_quoted_empty_text_is_empty_and_a_bare_one_null(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('filterId,name\n1,""\n2,\n3,"a,""b"""\n4,"two\nlines"\n')
    assert read(tmp_path / "f.csv")["name"].to_pylist() == ["", None, 'a,"b"', "two\nlines"]


def test_tsv_and_other_delimiters(tmp_path: Path) -> None:
    (tmp_path / "f.tsv").write_text("1\tu,v\n2\tg\n")
    (tmp_path / "f.txt").write_text("filterId|name\n1|u,v\n2|g\n")
    for name in ("f.tsv", "f.txt"):
        assert read(tmp_path / name)["name"].to_pylist() == ["u,v", "g"]


def test_a_line_with_other_fields_is_a_bad_line_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("filterId,name\n1,u\n2\n3,g,x\n4,r\n")
    (batch,) = batches_of(tmp_path / "f.csv")
    assert batch.numbers.tolist() == [1, 4]
    assert [(line.number, line.reason) for line in batch.bad] == [
        (2, "1 fields, 2 expected"),
        (3, "3 fields, 2 expected"),
    ]


def test_a_file_of_bad_lines_only_gives_them_all(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("filterId,name\n1\n2\n")
    bad = [line for batch in batches_of(tmp_path / "f.csv") for line in batch.bad]
    assert [(line.number, line.text) for line in bad] == [(1, "1"), (2, "2")]


def test_a_bad_line_need_not_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(b"filterId,name\n1,u,\xe9\n2,g\n")
    (batch,) = batches_of(tmp_path / "f.csv")
    assert batch.rows.to_pydict() == {"filterId": ["2"], "name": ["g"]}
    assert [(line.number, line.text) for line in batch.bad] == [(1, "1,u,\ufffd")]


def test_rows_come_once_where_bytes_that_are_not_utf8_come_late(tmp_path: Path) -> None:
    lines = b"".join(b"%d,%s\n" % (n, b"x" * 1000) for n in range(1, 20_001))
    (tmp_path / "f.csv").write_bytes(b"filterId,name\n" + lines + "1,é\n".encode() + b"1,\xe9\n")
    batches = batches_of(tmp_path / "f.csv")
    assert len(batches) > 1
    numbers = [n for batch in batches for n in batch.numbers.tolist()]
    assert numbers == list(range(1, 20_003))
    ids = [int(v) for batch in batches for v in batch.rows["filterId"].to_pylist()]
    assert ids == [*range(1, 20_001), 1, 1]
    assert batches[-1].rows["name"].to_pylist()[-2:] == ["é".encode(), b"\xe9"]


def test_a_header_with_many_unknown_columns_is_one(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("a,b,c,d,Name,filterid\n1,2,3,4,u,5\n")
    assert read(tmp_path / "f.csv")["filterid"].to_pylist() == ["5"]
    (tmp_path / "g.csv").write_text("2mass,b,c,1,e,filterId\n1,2,3,4,u,5\n")
    assert read(tmp_path / "g.csv")["filterId"].to_pylist() == ["5"]


def test_a_row_that_holds_a_columns_name_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("1,name\n2,u\n")
    assert read(tmp_path / "f.csv")["name"].to_pylist() == ["name", "u"]


@pytest.mark.parametrize("text", ["filterId,name\n1,u\n", "1,u\n"])
def test_a_byte_order_mark_is_no_part_of_the_first_field(text: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(text, encoding="utf-8-sig")
    assert read(tmp_path / "f.csv").select(["filterId", "name"]).to_pydict() == {
        "filterId": ["1"],
        "name": ["u"],
    }


def test_an_empty_csv_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("filterId,name\n")
    assert batches_of(tmp_path / "f.csv") == []


def test_ecsv(tmp_path: Path) -> None:
    (tmp_path / "f.ecsv").write_text(
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: filterId, datatype: int16}\n"
        'filterId name\n1 u\n2 ""\n3 "a b"\n'
    )
    rows = read(tmp_path / "f.ecsv")
    assert rows["filterId"].to_pylist() == ["1", "2", "3"]
    assert rows["name"].to_pylist() == ["u", "", "a b"]


def write_fits(path: Path, *columns: fits.Column) -> Path:
    table = fits.BinTableHDU.from_columns(list(columns))
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((2, 2))), table]).writeto(path)
    return path


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
def test_fits_types_nulls_and_byte_order(ending: str, tmp_path: Path) -> None:
    path = write_fits(
        tmp_path / f"x.{ending}",
        fits.Column("a", "J", null=-99, array=np.array([1, -99, 3], np.int32)),
        fits.Column("b", "D", array=np.array([0.5, np.nan, -1e300])),
        fits.Column("c", "5A", array=np.array(["abc", "", "x  "])),
        fits.Column("d", "L", array=np.array([True, False, True])),
        fits.Column("e", "I", bzero=32768, array=np.array([0, 1, 65535], np.uint16)),
    )
    rows = read(path)
    assert rows["a"].to_pylist() == [1, None, 3]
    assert rows["b"].to_pylist()[::2] == [0.5, -1e300]
    assert rows["c"].to_pylist() == ["abc", "", "x"]
    assert rows["d"].to_pylist() == [True, False, True]
    assert rows["e"].to_pylist() == [0, 1, 65535]
    assert rows["#"].to_pylist() == [1, 2, 3]


def test_tnull_is_meant_of_the_stored_integers(tmp_path: Path) -> None:
    """In columns that are scaled, or shifted to be unsigned."""
    stored = np.array([1, -99, 3], np.int16)
    path = write_fits(
        tmp_path / "x.fits",
        fits.Column("scaled", "I", null=-99, disp="I12345", array=stored),
        fits.Column("unsigned", "I", null=-99, disp="I12345", array=stored),
        fits.Column("bytes", "B", null=7, array=np.array([1, 7, 3], np.uint8)),
    )
    content = path.read_bytes()
    for card in (b"TSCAL1  =                  0.5", b"TZERO2  =                32768"):
        old = content.index(b"TDISP%c  = 'I12345  '" % card[5])
        content = content[:old] + card.ljust(80) + content[old + 80 :]
    path.write_bytes(content)
    rows = read(path)
    assert rows["scaled"].to_pylist() == [0.5, None, 1.5]
    assert rows["unsigned"].to_pylist() == [32769, None, 32771]
    assert rows["bytes"].to_pylist() == [1, None, 3]


def test_an_undefined_logical_of_fits_is_null(tmp_path: Path) -> None:
    path = write_fits(tmp_path / "x.fits", fits.Column("d", "L", array=np.array([True, True])))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"TT") + 1] = 0
    path.write_bytes(content)
    assert read(path)["d"].to_pylist() == [True, None]


def test_vectors_are_arrays(tmp_path: Path) -> None:
    vectors = np.array([[1.5, 2.5, 3.5], [4.5, np.nan, 6.5]])
    path = write_fits(tmp_path / "x.fits", fits.Column("v", "3D", array=vectors))
    assert str(read(path)["v"].to_pylist()) == "[[1.5, 2.5, 3.5], [4.5, nan, 6.5]]"


def test_arrays_of_a_votable_are_arrays(tmp_path: Path) -> None:
    (tmp_path / "x.vot").write_text(
        '<VOTABLE version="1.4"><RESOURCE><TABLE>'
        '<FIELD name="p" datatype="double" arraysize="2" xtype="point"/>'
        '<FIELD name="g" datatype="double" arraysize="*" xtype="polygon"/>'
        "<DATA><TABLEDATA><TR><TD>1 2</TD><TD>1 2 3 4 5 6</TD></TR><TR><TD/><TD/></TR></TABLEDATA></DATA>"
        "</TABLE></RESOURCE></VOTABLE>"
    )
    found = read(tmp_path / "x.vot")
    assert found["p"].to_pylist() == [[1.0, 2.0], None]
    assert found["g"].to_pylist() == [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], None]


def test_array_columns_of_fits_are_refused_only_if_wanted(tmp_path: Path) -> None:
    path = write_fits(
        tmp_path / "x.fits",
        fits.Column("filterId", "I", array=np.array([1, 2])),
        fits.Column("v", "3A", dim="(1,3)", array=np.array([["a", "b", "c"]] * 2)),
    )
    source = open_source(path, FILTER)
    assert [b.rows["filterId"].to_pylist() for b in source.batches(["filterId"])] == [[1, 2]]
    with pytest.raises(UnreadableFile, match="column 'v' holds arrays"):
        list(source.batches(["v"]))


def test_a_fits_file_without_a_table_is_unreadable(tmp_path: Path) -> None:
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "x.fits")
    with pytest.raises(UnreadableFile, match="it has no binary table"):
        open_source(tmp_path / "x.fits", FILTER)


def write_votable(path: Path, form: str) -> Path:
    document = VOTableFile()
    resource = Resource()
    document.resources.append(resource)
    table = TableElement(document)
    resource.tables.append(table)
    kinds = [("objectId", "long", None), ("ra", "double", "1"), ("band", "char", "*")]
    table.fields.extend(
        Field(document, name=name, ID=f"col_{name}", datatype=kind, arraysize=size)
        for name, kind, size in kinds
    )
    table.create_arrays(3)
    table.array["col_objectId"] = ma.array([1, 2, 3], mask=[False, True, False])
    table.array["col_ra"] = [[0.5], [np.nan], [1.5]]
    table.array["col_band"] = ["g", "", "r"]
    table.format = form
    document.to_xml(str(path))
    return path


@pytest.mark.parametrize("form", ["tabledata", "binary2"])
def test_votable(form: str, tmp_path: Path) -> None:
    rows = read(write_votable(tmp_path / "x.vot", form), OBJECT)
    assert rows["objectId"].to_pylist() == [1, None, 3]
    assert rows["ra"].to_pylist()[::2] == [0.5, 1.5]
    assert rows["band"].to_pylist() == ["g", None, "r"]


def test_a_votable_with_data_elsewhere_is_refused(tmp_path: Path) -> None:
    text = write_votable(tmp_path / "x.vot", "binary2").read_text()
    text = text.replace('<STREAM encoding="base64">', '<STREAM href="file:///etc/passwd">')
    (tmp_path / "x.vot").write_text(text)
    with pytest.raises(UnreadableFile, match=r"its data lie elsewhere .*file:///etc/passwd"):
        open_source(tmp_path / "x.vot", OBJECT)


def test_a_votable_that_claims_more_rows_than_it_has_bytes_is_refused(tmp_path: Path) -> None:
    path = write_votable(tmp_path / "x.vot", "tabledata")
    text = path.read_text()
    path.write_text(re.sub("<TABLE[^>]*>", '<TABLE nrows="99999999999">', text, count=1))
    with pytest.raises(UnreadableFile, match="nrows=99999999999, more than it has bytes"):
        open_source(path, OBJECT)


def test_a_votable_with_entities_is_refused(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><VOTABLE>&a;</VOTABLE>'
    (tmp_path / "x.vot").write_text(text)
    with pytest.raises(UnreadableFile):
        open_source(tmp_path / "x.vot", OBJECT)
