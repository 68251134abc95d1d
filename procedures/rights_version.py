"""The version of everything that says who may do what: it grows with each change."""

from __future__ import annotations

from typing import Any


def touch(cursor: Any) -> None:
    """Tell every czar that rights have changed; once the caller has committed."""
    cursor.execute("UPDATE skyshard.rights SET version = version + 1")
    if cursor.rowcount == 0:
        cursor.execute("INSERT INTO skyshard.rights (version) VALUES (1)")
