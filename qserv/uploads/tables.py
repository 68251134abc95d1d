"""The uploaded tables of one query, as a catalog that is read where the query is merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from schema.catalog import Catalog, Table
from schema.errors import InputError
from schema.names import UPLOADS, check_distinct


class UploadRefused(InputError):
    """An uploaded table cannot be taken as it is."""

    code = "UPLOAD_REFUSED"


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """One table: its model, and its rows with the model's columns in order."""

    table: Table
    rows: pa.Table


@dataclass(frozen=True, slots=True, eq=False)
class Uploads:
    """The tables that come with one query; names answer in any case.

    Raises InvalidName where two names differ by case only.
    """

    tables: Sequence[Upload] = ()
    _by_name: Mapping[str, Upload] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = [upload.table.name for upload in self.tables]
        check_distinct("table", names, "the uploads")
        by_name = {upload.table.name: upload for upload in self.tables}
        object.__setattr__(self, "_by_name", by_name)

    def __bool__(self) -> bool:
        return bool(self.tables)

    def catalog(self) -> Catalog:
        """TAP_UPLOAD, every table replicated."""
        return Catalog(UPLOADS, tuple(upload.table for upload in self.tables))

    def rows_of(self, table: str) -> pa.Table:
        """A table's rows; their columns are c0, c1... as those of fragments are."""
        rows = self._by_name[table].rows
        return rows.rename_columns([f"c{i}" for i in range(rows.num_columns)])

    def counts(self) -> dict[str, int]:
        """How many rows each table has, by its name."""
        return {name: upload.rows.num_rows for name, upload in self._by_name.items()}


NO_UPLOADS = Uploads()
