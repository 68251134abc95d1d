"""Whose SQL is written."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """Whose SQL to write."""

    POSTGRES = "postgres"
    DUCKDB = "duckdb"
