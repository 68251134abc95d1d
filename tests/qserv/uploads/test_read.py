"""Uploaded files: each format's columns, types, units and NULLs; what is no table is refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn
from astropy.table import Table as AstropyTable

from qserv.uploads.read import UploadLimits, read_upload
from qserv.uploads.tables import Upload, UploadRefused, Uploads
from schema.names import InvalidName
from schema.types import Type

ROWS = [
    {"id": 2**60, "ra": 10.5, "dec": -5.25, "name": "a, b", "n": 7, "flag": True},
    {"id": -3, "ra": 359.875, "dec": 90.0, "name": 'é"', "n": -1, "flag": False},
]


def of_astropy() -> AstropyTable:
    return AstropyTable(
        {
            "id": np.array([row["id"] for row in ROWS]),
            "ra": np.array([row["ra"] for row in ROWS]) * u.deg,
            "dec": MaskedColumn([row["dec"] for row in ROWS], mask=[False, True], unit="deg"),
            "name": [row["name"] for row in ROWS],
            "n": np.array([row["n"] for row in ROWS], dtype=np.int16),
            "flag": [row["flag"] for row in ROWS],
        }
    )


def as_votable(serialisation: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "x.vot"
        of_astropy().write(path, format="votable", tabledata_format=serialisation)
        return path

    return write


def as_fits(folder: Path) -> Path:
    found = of_astropy()
    found["name"] = [str(name).replace("é", "e") for name in found["name"]]
    found.write(folder / "x.fits")
    return folder / "x.fits"


def as_ecsv(folder: Path) -> Path:
    of_astropy().write(folder / "x.ecsv", format="ascii.ecsv")
    return folder / "x.ecsv"


def as_parquet(folder: Path) -> Path:
    fields = pa.schema(
        [
            ("id", pa.int64()),
            pa.field("ra", pa.float64(), metadata={"unit": "deg"}),
            pa.field("dec", pa.float64(), metadata={"unit": "deg"}),
            ("name", pa.string()),
            ("n", pa.int16()),
            ("flag", pa.bool_()),
        ]
    )
    rows = [ROWS[0], {**ROWS[1], "dec": None}]
    pq.write_table(pa.Table.from_pylist(rows, fields), folder / "x.parquet")
    return folder / "x.parquet"


FORMATS = {
    "binary": as_votable("binary"),
    "binary2": as_votable("binary2"),
    "tabledata": as_votable("tabledata"),
    "fits": as_fits,
    "ecsv": as_ecsv,
    "parquet": as_parquet,
}


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_a_file_is_a_table_with_types_and_units(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    found = read_upload("mine", write(tmp_path))
    assert found.table.name == "mine"
    assert [(c.name, c.type) for c in found.table.columns] == [
        ("id", Type.LONG),
        ("ra", Type.DOUBLE),
        ("dec", Type.DOUBLE),
        ("name", Type.TEXT),
        ("n", Type.SHORT),
        ("flag", Type.BOOLEAN),
    ]
    assert found.table.column("ra").unit == "deg"  # type: ignore[union-attr]
    rows = found.rows.to_pylist()
    assert [row["name"].replace("e", "é") for row in rows] == ["a, b", 'é"']
    assert [{**row, "name": ""} for row in rows] == [
        {**ROWS[0], "name": ""},
        {**ROWS[1], "name": "", "dec": None},
    ]


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("pack", [False, True])
def test_the_types_of_csv_are_found_out(tmp_path: Path, delimiter: str, pack: bool) -> None:
    lines = (
        ("id", "ra", "name", "seen"),
        ("1", "", "", "2026-01-02T03:04:05"),
        ("2", "1e3", '""', ""),
    )
    text = "".join(delimiter.join(cells) + "\n" for cells in lines).encode()
    path = tmp_path / ("x.csv" if delimiter == "," else "x.tsv")
    path.write_bytes(gzip.compress(text) if pack else text)
    found = read_upload("mine", path)
    kinds = [column.type for column in found.table.columns]
    assert kinds == [Type.LONG, Type.DOUBLE, Type.TEXT, Type.TIMESTAMP]
    seen = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001
    assert found.rows.to_pylist() == [
        {"id": 1, "ra": None, "name": None, "seen": seen},
        {"id": 2, "ra": 1000.0, "name": "", "seen": None},
    ]


def test_a_votable_s_fields_keep_what_they_mean(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(
        '<VOTABLE version="1.4"><RESOURCE><TABLE>'
        '<FIELD name="p" datatype="double" arraysize="2" xtype="point" ucd="pos.eq" unit="deg"/>'
        '<FIELD name="t" datatype="char" arraysize="*" xtype="timestamp"/>'
        '<FIELD name="f" datatype="float" utype="x.y"><DESCRIPTION>how bright</DESCRIPTION></FIELD>'
        "<DATA><TABLEDATA><TR><TD>1 2</TD><TD>2026-01-02T03:04:05</TD><TD>NaN</TD></TR>"
        "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    found = read_upload("mine", path)
    point, time, flux = found.table.columns
    assert (point.type, point.ucd, point.unit) == (Type.POINT, "pos.eq", "deg")
    assert time.type is Type.TIMESTAMP
    assert (flux.utype, flux.description) == ("x.y", "how bright")
    assert found.rows.to_pylist() == [
        {"p": [1.0, 2.0], "t": datetime(2026, 1, 2, 3, 4, 5), "f": None}  # noqa: DTZ001
    ]


SMALL = UploadLimits(max_rows=2, max_columns=2, max_bytes=10_000)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.csv", b"a,b\n1,2,3\n", "Expected 2 columns, got 3"),
        ("x.csv", b"", "no CSV table"),
        ("x.csv", b"a,A\n1,2\n", "differ by more than case"),
        ("x.csv", b"a,b,c\n1,2,3\n", "3 columns; at most 2"),
        ("x.csv", b"a\n1\n2\n3\n", "more than 2 rows"),
        ("x.csv", b"a\n" + b"1" * 10_001, "more than 10000 bytes"),
        ("x.ecsv", b"# %ECSV 1.0\n# ---\n# [", "no ECSV table"),
        ("x.vot", b"<VOTABLE><RESOURCE></RESOURCE>", "no element found"),
        ("x.vot", b"<VOTABLE><RESOURCE/></VOTABLE>", "No table found"),
        ("x.parquet", b"PAR1 but not really", "Parquet"),
        ("x.fits", b"SIMPLE  =" + b" " * 60, "the file|FITS|table|header"),
        ("x.avro", b"Obj\x01", "is avro"),
        ("x.bin", b"\x00\x01", "nor is it told by its first bytes"),
        (
            "x.vot",
            b'<!DOCTYPE x [<!ENTITY e "boo">]><VOTABLE><RESOURCE/></VOTABLE>',
            "DTDForbidden|DTD",
        ),
        (
            "x.vot",
            (
                b'<VOTABLE><RESOURCE><TABLE><FIELD name="a" datatype="int"/><DATA><BINARY>'
                b'<STREAM href="file:///etc/passwd"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>'
            ),
            "lie elsewhere",
        ),
    ],
)
def test_what_is_no_table_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UploadRefused, match=why) as raised:
        read_upload("mine", path, limits=SMALL)
    assert str(raised.value).startswith("upload mine: ")
    assert str(tmp_path) not in str(raised.value)


def test_a_name_that_no_query_can_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")
    with pytest.raises(UploadRefused, match='upload a"b: table name'):
        read_upload('a"b', path)


def test_two_uploads_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")
    tables: list[Upload] = [read_upload(name, path) for name in ("mine", "Mine")]
    with pytest.raises(InvalidName, match="the uploads"):
        Uploads(tables)
