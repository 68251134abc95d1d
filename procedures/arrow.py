"""Rows of PostgreSQL as Arrow, by ADBC's own layer.

Not by its DB-API: that imports pandas (0.5 s of a command's start), and starts a thread for each
statement of a process's main one. Who is to be interrupted must not wait here in the main thread.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement, AdbcStatusCode


class ArrowCursor:
    """One statement at a time, in autocommit. `adbc_cancel` may be called from any thread."""

    def __init__(self, statement: AdbcStatement) -> None:
        self._statement = statement
        self._reader: pa.RecordBatchReader | None = None

    def execute(self, sql: str, *, in_one_trip: bool = False) -> None:
        """Run a statement that gives rows; raises `adbc_driver_manager.Error`.

        Parameters
        ----------
        in_one_trip
            Read without COPY: one round trip instead of three. All rows come into memory at once, so
            it is for few.
        """
        self._forget()
        use_copy = "false" if in_one_trip else "true"
        self._statement.set_options(**{"adbc.postgresql.use_copy": use_copy})
        self._statement.set_sql_query(sql)
        handle, _ = self._statement.execute_query()
        self._reader = pa.RecordBatchReader.from_stream(handle)

    def fetch_record_batch(self) -> pa.RecordBatchReader:
        """The rows as they come; reading them raises OSError where the server fails amid them."""
        assert self._reader is not None, "nothing was executed"
        return self._reader

    def fetch_arrow_table(self) -> pa.Table:
        """All rows; raises `adbc_driver_manager.Error`."""
        try:
            return self.fetch_record_batch().read_all()
        except (OSError, pa.ArrowException) as error:
            status = AdbcStatusCode.IO
            raise adbc_driver_manager.OperationalError(str(error), status_code=status) from error

    def adbc_cancel(self) -> None:
        """End the running statement on the server."""
        self._statement.cancel()

    def _forget(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._forget()
        self._statement.close()


class ArrowConnection:
    """A connection to one PostgreSQL database, by its URI."""

    def __init__(self, uri: str) -> None:
        self._database = adbc_driver_postgresql.connect(uri)
        try:
            self._connection = AdbcConnection(self._database)
        except BaseException:
            self._database.close()
            raise

    def cursor(self) -> ArrowCursor:
        """To be used in `with`."""
        return ArrowCursor(AdbcStatement(self._connection))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
        self._database.close()
