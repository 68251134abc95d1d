"""A locked-down DuckDB, for scan engines and merges, and what its errors mean.

By default DuckDB takes 80 % of the machine's memory, reads any file, and Python's variables, by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True, slots=True)
class InstanceLimits:
    """What one DuckDB may use: memory and temporary space in bytes, threads."""

    memory_bytes: int
    temp_bytes: int
    threads: int


def open_instance(
    limits: InstanceLimits, *, temp: Path, folders: Sequence[Path] = ()
) -> duckdb.DuckDBPyConnection:
    """An in-memory database that reaches nothing but `folders`; it has none of our functions yet.

    `temp` is its own folder for what does not fit its memory; it must exist and lie outside
    `folders`.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": limits.threads,
            "memory_limit": f"{limits.memory_bytes}B",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
            "preserve_insertion_order": "false",
        },
    )
    for setting, value in (
        ("TimeZone", "'UTC'"),
        ("parquet_metadata_cache", "true"),
        (
            "disable_parquet_prefetching",
            "true",
        ),  # of local files it costs a fifth (docs/performance.md)
        ("temp_directory", _text(str(temp))),
        ("max_temp_directory_size", f"'{limits.temp_bytes}B'"),
        ("allowed_directories", "[" + ", ".join(_text(str(folder)) for folder in folders) + "]"),
        ("enable_external_access", "false"),
        ("lock_configuration", "true"),
    ):
        connection.execute(f"SET GLOBAL {setting} = {value}")
    return connection


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def kind_of(error: BaseException) -> str:
    """What DuckDB calls the error (`Conversion`, `Out of Memory`...), "" where it is none of its.

    Errors met while a result streams come as an OSError, so the text is all there is to go by.
    """
    found = _KIND.match(str(error))
    return found.group(1).title() if found else ""


_KIND = re.compile(r"([A-Za-z ]+) Error: ")

INTERRUPTED = "Interrupt"
OUT_OF_MEMORY = "Out Of Memory"
"""Memory or the temporary folder is full."""
IO = "Io"
"""A file cannot be read."""
DATA_ERRORS = frozenset({"Conversion", "Out Of Range", "Invalid Input", "Mismatch Type"})
"""The rows do not allow the expression; the message is for the user."""


def first_line(error: BaseException) -> str:
    """What went wrong, without the statement that DuckDB repeats below it."""
    return str(error).strip().split("\n", 1)[0]
