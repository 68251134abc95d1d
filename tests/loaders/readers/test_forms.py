"""How files may be written: dialects of text, charsets, packing, formats by name and by content, pieces."""

from __future__ import annotations

import bz2
import gzip
import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table as AstropyTable

from loaders.readers.form import Form, FormRefused, Piece, form_of, piece_of, sign
from loaders.readers.read import open_source
from loaders.readers.source import UnreadableFile
from loaders.staging import pieces
from loaders.staging.pieces import split
from loaders.staging.stage import Contribution
from schema.catalog import Table
from tests.loaders.skies import FILTER, OBJECT, objects

PLAIN = Form()


def read(
    path: Path, form: Form = PLAIN, *, table: Table = FILTER, piece: Piece | None = None
) -> tuple[list[dict[str, object]], list[int]]:
    """All rows, and their numbers with those of the bad lines."""
    source = open_source(path, table, form, piece)
    rows: list[dict[str, object]] = []
    numbers: list[int] = []
    for batch in source.batches(source.names):
        rows += batch.rows.to_pylist()
        numbers += [*batch.numbers.tolist(), *(line.number for line in batch.bad)]
    return rows, sorted(numbers)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def names_of(path: Path, form: Form) -> list[object]:
    return [row["name"] for row in read(path, form)[0]]


@pytest.mark.parametrize(
    ("content", "form", "names"),
    [
        (b"1||a\\||b\\\nc\n2||\\N\n", Form(delimiter="||", escape="\\"), ["a||b\nc", None]),
        (b"1|u~|x~n|;2|~N|;3|a\nb|;", Form(delimiter="|", escape="~", line_end="|;"), None),
        (b"1,'it\\'s,'\n2,\\N\n3,x\n", Form(quote="'", escape="\\"), ["it's,", None, "x"]),
        (b'1,"a\\"b"\n2,"two\nlines"\n', Form(escape="\\"), ['a"b', "two\nlines"]),
        (b'1,"a\n2,b"\n', Form(quote=""), ['"a', 'b"']),
        (b"# no\n1,a\n# no\n2,#b\n", Form(comment="#"), ["a", "#b"]),
        (b"x\ny\n1,a\n", Form(skip=2), ["a"]),
        (b"name,filterId\nu,1\n", Form(header=True), ["u"]),
        (b"filterId,name\n1,u\n", Form(header=False), ["name", "u"]),
        (b"1,-999\n2,NULL\n3,\n", Form(nulls=("-999", "NULL")), [None, None, ""]),
        (b"1,a\r\n2,b\r\n", Form(line_end="\r\n"), ["a", "b"]),
        (b"1\ta\r2\tb\r", Form(delimiter="\t"), ["a", "b"]),
        ("1,é\n".encode("latin-1"), Form(encoding="latin-1"), ["é"]),
        ("1,日本\n2,é\n".encode("utf-16"), Form(encoding="utf-16"), ["日本", "é"]),
        ("1,日本\n".encode("euc_jp"), Form(encoding="euc_jp"), ["日本"]),
    ],
)
def test_dialects_of_text(
    content: bytes, form: Form, names: list[object] | None, tmp_path: Path
) -> None:
    wanted = names if names is not None else ["u|x\n", None, "a\nb"]
    assert names_of(written(tmp_path / "f.csv", content), form) == wanted


def test_the_text_that_load_data_reads(tmp_path: Path) -> None:
    r"""LOAD DATA ... FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\r\n' IGNORE 1 LINES."""
    content = b"id\tname\r\n1\ta\\\tb\\\\\\0\nc\r\n2\t\\N\r\n3\t\r\n"
    form = Form("outfile", delimiter="\t", line_end="\r\n", skip=1)
    assert names_of(written(tmp_path / "load.txt", content), form) == ["a\tb\\\0\nc", None, ""]


def test_what_is_not_of_the_charset_is_unreadable(tmp_path: Path) -> None:
    path = written(tmp_path / "f.csv", b"filterId,name\n1,\xff\xff\n")
    with pytest.raises(UnreadableFile, match="it is not euc_jp"):
        read(path, Form(encoding="euc_jp"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"format": "xls"}, "is none of parquet"),
        ({"quote": "''"}, "more than one ASCII sign"),
        ({"delimiter": "123456789"}, "longer than 8 bytes"),
        ({"encoding": "klingon"}, "no encoding 'klingon'"),
        ({"delimiter": ",", "quote": ","}, "differ from each other"),
        ({"delimiter": "||", "quote": '"'}, "the delimiter is one sign"),
        ({"skip": -1}, "skip is a number"),
        ({"header": "maybe"}, "header cannot be 'maybe'"),
        ({"delimeter": ","}, "unknown: delimeter; there are format"),
    ],
)
def test_a_form_that_cannot_be_is_refused(said: dict[str, object], why: str) -> None:
    with pytest.raises(FormRefused, match=why):
        form_of(said)


def test_a_form_of_text_is_refused_for_other_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"filterId": [1]}), tmp_path / "x.parquet")
    with pytest.raises(FormRefused, match="is parquet: delimiters, columns"):
        read(tmp_path / "x.parquet", Form(delimiter=";"))


def test_forms_and_pieces_are_read_as_they_are_written() -> None:
    form = Form("csv", ("a", "b"), delimiter="|", header=False, skip=3, nulls=("",))
    assert form_of(form.to_document()) == form
    assert Form().to_document() == {}
    assert piece_of(str(Piece(3, 9)), 7) == Piece(3, 9, 7)
    assert [sign(word) for word in ("tab", r"\x01", "none", r"\t", "|", "\\")] == [
        *("\t", "\x01", "", "\t", "|", "\\"),
    ]


ROWS = pa.table({"filterId": pa.array([1, 2, 3], pa.int16()), "name": ["u", None, "g"]})
AVRO = {
    "type": "record",
    "name": "Filter",
    "fields": [
        {"name": "filterId", "type": "int"},
        {"name": "name", "type": ["null", "string"]},
    ],
}


def write_arrow(path: Path) -> None:
    with pa.ipc.new_file(path, ROWS.schema) as writer:
        writer.write_table(ROWS, max_chunksize=2)


def write_stream(path: Path) -> None:
    with pa.ipc.new_stream(path, ROWS.schema) as writer:
        writer.write_table(ROWS)


def write_avro(path: Path) -> None:
    with path.open("wb") as file:
        fastavro.writer(file, AVRO, ROWS.to_pylist(), codec="deflate")


def write_csv(path: Path) -> None:
    path.write_text("filterId,name\n1,u\n2,\n3,g\n")


def write_fits(path: Path) -> None:
    AstropyTable({"filterId": np.array([1, 2, 3]), "name": ["u", "", "g"]}).write(path)


def write_votable(path: Path) -> None:
    table = AstropyTable({"filterId": np.array([1, 2, 3]), "name": ["u", "", "g"]})
    table.write(path, format="votable")


WRITERS: dict[str, Callable[[Path], None]] = {
    "x.arrow": write_arrow,
    "x.arrows": write_stream,
    "x.avro": write_avro,
    "x.csv": write_csv,
    "x.fits": write_fits,
    "x.vot": write_votable,
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda content: bytes(pa.compress(content, "zstd", asbytes=True)),
}


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_may_be_packed_and_is_known_without_its_name(
    name: str, packing: str, tmp_path: Path
) -> None:
    plain = tmp_path / name
    WRITERS[name](plain)
    content = PACKERS[packing](plain.read_bytes())
    wanted = [(1, "u"), (2, None), (3, "g")]
    for path in (written(tmp_path / f"{name}{packing}", content), plain):
        found = [(int(str(row["filterId"])), row["name"] or None) for row in read(path)[0]]
        assert found == wanted
    if not name.endswith("csv"):
        assert len(read(written(tmp_path / "nameless", content))[0]) == 3


def test_a_name_that_promises_packing_is_held_to_it(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="its name says gzip, its first bytes do not"):
        read(written(tmp_path / "x.csv.gz", b"filterId,name\n"))
    pq.write_table(ROWS, tmp_path / "x.parquet")
    packed = gzip.compress((tmp_path / "x.parquet").read_bytes())
    with pytest.raises(UnreadableFile, match="unpack it first"):
        read(written(tmp_path / "x.parquet.gz", packed))


def test_avro_types_are_what_they_mean(tmp_path: Path) -> None:
    logical = {"t": "timestamp-micros", "d": "date", "u": "uuid"}
    kinds = {"t": "long", "d": "int", "u": "string"}
    fields = [
        {"name": n, "type": {"type": kinds[n], "logicalType": logical[n]}} for n in ("t", "d", "u")
    ]
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}
    fields.append({"name": "x", "type": ["null", decimal]})
    fields.append({"name": "a", "type": {"type": "array", "items": "double"}})
    fields.append({"name": "m", "type": {"type": "map", "values": "int"}})
    uuid = "12345678-1234-5678-1234-567812345678"
    when = datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=UTC)
    record = {
        "t": when,
        "d": when.date(),
        "u": uuid,
        "x": Decimal("1.25"),
        "a": [1.5, 2.5],
        "m": {"k": 1},
    }
    with (tmp_path / "x.avro").open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, [record])
    source = open_source(tmp_path / "x.avro", FILTER)
    (batch,) = source.batches(["t", "d", "u", "x", "a"])
    assert batch.rows.to_pylist() == [{name: record[name] for name in ("t", "d", "u", "x", "a")}]
    with pytest.raises(UnreadableFile, match="column 'm' is of a type that no column takes"):
        list(source.batches(["m"]))


def pieces_of(path: Path, table: Table, size: int) -> list[Contribution]:
    return split(Contribution(table.name, path), table, size)


def test_text_in_pieces_is_the_same_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_LEAST_PIECE", 1)
    monkeypatch.setattr(pieces, "_BLOCK_BYTES", 777)
    rng = random.Random(1)
    quoted = ("a", '"x,\ny"', '"q""q"', '"\n\n"', '"""\n"', "")
    csv = "".join(f"{n},{rng.choice(quoted)}\n" for n in range(3000))
    escaped = ("a", "x\\\ny", "\\\\", "\\N", "")
    dump = "".join(f"{n}\t{rng.choice(escaped)}\n" for n in range(3000))
    for name, text in (("f.csv", f"filterId,name\n{csv}1,2,3\n"), ("f.outfile", dump)):
        path = written(tmp_path / name, text.encode())
        cut = pieces_of(path, FILTER, 5000)
        found = [read(path, one.form, piece=one.piece) for one in cut]
        assert len(cut) > 3
        whole = read(path)
        assert ([r for rows, _ in found for r in rows], [n for _, ns in found for n in ns]) == whole


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.fits"])
def test_other_formats_in_pieces_are_the_same_rows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_LEAST_PIECE", 1)
    rows, path = objects(2000).select(["objectId", "ra", "gMag"]), tmp_path / name
    match name:
        case "x.parquet":
            pq.write_table(rows, path, row_group_size=100)
        case "x.arrow":
            with pa.ipc.new_file(path, rows.schema) as writer:
                writer.write_table(rows, max_chunksize=100)
        case _:
            AstropyTable({n: np.asarray(rows[n]) for n in rows.column_names}).write(path)
    cut = pieces_of(path, OBJECT, path.stat().st_size // 5)
    found = [read(path, one.form, piece=one.piece, table=OBJECT) for one in cut]
    assert len(cut) >= 4
    whole = read(path, table=OBJECT)
    assert ([r for rs, _ in found for r in rs], [n for _, ns in found for n in ns]) == whole


def test_small_files_and_those_without_pieces_stay_whole(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv")
    assert [one.piece for one in pieces_of(tmp_path / "x.csv", FILTER, 10**6)] == [None]
    write_avro(tmp_path / "x.avro")
    with pytest.raises(UnreadableFile, match="avro files have no pieces"):
        read(tmp_path / "x.avro", piece=Piece(0, 1))
