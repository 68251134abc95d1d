"""Files of one table to Arrow: what each format says of its columns is kept.

VOTable (every serialisation), Parquet, Arrow, FITS, CSV, TSV and ECSV. The formats are read by the
loaders' readers, behind their guards; the types of CSV and TSV are found out by Arrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from astropy.io import ascii as tables_of_text
from astropy.table import Table as AstropyTable

from loaders.readers.compressed import open_bytes
from loaders.readers.fits import open_fits
from loaders.readers.form import Form
from loaders.readers.read import find_format, open_source
from loaders.readers.source import Source, UnreadableFile
from loaders.readers.votable import open_votable
from qserv.uploads.describe import Declared, columns_of_fits, described, fields_of
from qserv.uploads.tables import Upload, UploadRefused
from schema.catalog import Role, Table
from schema.names import InvalidName, check_distinct, check_name

_NOTHING = Table("", (), Role.REPLICATED)


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one uploaded table may have."""

    max_rows: int = 1_000_000
    max_columns: int = 1_000
    max_bytes: int = 512 * 2**20
    """Of the file, and of its columns in memory."""


DEFAULT_LIMITS = UploadLimits()


def read_upload(
    name: str, path: Path, *, form: str = "", limits: UploadLimits = DEFAULT_LIMITS
) -> Upload:
    """A file as the table `tap_upload.<name>`.

    Parameters
    ----------
    form
        The format, one of `loaders.readers.form.FORMATS`; empty: by the file's name, or its first bytes.

    Raises
    ------
    UploadRefused
        Where the file is not a table, or a larger one than may be uploaded; the message names the table.
    """
    try:
        check_name("table", name)
        if path.stat().st_size > limits.max_bytes:
            raise UploadRefused(f"has more than {limits.max_bytes} bytes")
        kind = find_format(path, Form(format=form))
        rows, declared = _read(path, kind, limits)
        check_distinct("column", rows.column_names, "the upload")
        return described(name, rows, declared)
    except (UploadRefused, UnreadableFile, InvalidName) as error:
        raise UploadRefused(f"upload {name}: {_without_path(error, path)}") from error


def _without_path(error: Exception, path: Path) -> str:
    """The message without the name of a temporary file, which nobody knows."""
    return str(error).replace(f"cannot read {path}: ", "").replace(str(path), "the file")


def _read(path: Path, kind: str, limits: UploadLimits) -> tuple[pa.Table, Declared]:
    """The rows, and what the file declares of columns beside Arrow's own metadata."""
    match kind:
        case "csv" | "tsv":
            return _delimited(path, "," if kind == "csv" else "\t", limits), {}
        case "ecsv":
            return _ecsv(path, limits), {}
        case "votable":
            source = open_votable(path)
            return _columns(source, limits), fields_of(source)
        case "fits":
            table = open_fits(path)
            return _columns(table, limits), columns_of_fits(table)
        case "parquet" | "arrow":
            return _columns(open_source(path, _NOTHING, Form(format=kind)), limits), {}
        case _:
            raise UploadRefused(
                f"is {kind}: upload VOTable, Parquet, Arrow, FITS, CSV, TSV or ECSV"
            )


def _columns(source: Source, limits: UploadLimits) -> pa.Table:
    """What a loader's reader gives, its batches one after the other."""
    _check_columns(source.names, limits)
    batches, size = [], 0
    rows = 0
    for batch in source.batches(source.names):
        batches.append(batch.rows)
        rows += batch.rows.num_rows
        size += batch.rows.nbytes
        _check_size(rows, size, limits)
    if not batches:
        return pa.table({name: pa.array([], pa.string()) for name in source.names})
    return pa.concat_tables(map(_as_table, batches), promote_options="permissive")


def _as_table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def _delimited(path: Path, delimiter: str, limits: UploadLimits) -> pa.Table:
    """CSV with a header; an empty cell is NULL, an empty text only with quotes."""
    batches, rows, size = [], 0, 0
    try:
        with open_bytes(path) as stream:
            reader = pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(block_size=min(limits.max_bytes, 2**26)),
                parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    null_values=["", "null", "NULL"],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
            _check_columns(reader.schema.names, limits)
            for batch in reader:
                batches.append(batch)
                rows += batch.num_rows
                size += batch.nbytes
                _check_size(rows, size, limits)
            return pa.Table.from_batches(batches, reader.schema)
    except pa.ArrowInvalid as error:
        raise UploadRefused(f"is no CSV table: {error}") from error


def _ecsv(path: Path, limits: UploadLimits) -> pa.Table:
    """ECSV, whose header declares types; units and descriptions are the fields' metadata."""
    try:
        with open_bytes(path) as stream:
            text = stream.read().decode()
        found = tables_of_text.read(text, format="ecsv", guess=False)
    except (ValueError, tables_of_text.InconsistentTableError, OSError) as error:
        raise UploadRefused(f"is no ECSV table: {error}") from error
    _check_columns(found.colnames, limits)
    _check_size(len(found), len(text), limits)
    return _of_astropy(found)


def _of_astropy(found: AstropyTable) -> pa.Table:
    fields, arrays = [], []
    for name in found.colnames:
        column = found[name]
        is_plain = column.dtype.kind in "biuf" and column.ndim == 1
        mask = np.ma.getmaskarray(column)
        array = (
            pa.array(np.ma.getdata(column), mask=mask) if is_plain else pa.array(column.tolist())
        )
        known = {"unit": str(column.unit or ""), "description": column.description or ""}
        fields.append(pa.field(name, array.type, metadata={k: v for k, v in known.items() if v}))
        arrays.append(array)
    return pa.table(arrays, schema=pa.schema(fields))


def _check_columns(names: Sequence[str], limits: UploadLimits) -> None:
    if len(names) > limits.max_columns:
        raise UploadRefused(f"has {len(names)} columns; at most {limits.max_columns} are taken")


def _check_size(rows: int, size: int, limits: UploadLimits) -> None:
    if rows > limits.max_rows:
        raise UploadRefused(
            f"has more than {limits.max_rows:,} rows; larger tables are ingested (skyshard ingest)"
        )
    if size > limits.max_bytes:
        raise UploadRefused(f"takes more than {limits.max_bytes:,} bytes in memory")
