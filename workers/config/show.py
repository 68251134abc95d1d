"""The configuration as facts to print, with passwords hidden."""

from __future__ import annotations

from pathlib import Path

from psycopg2 import ProgrammingError
from psycopg2.extensions import make_dsn, parse_dsn

from workers.config.keys import KEYS
from workers.config.settings import Settings

HIDDEN = "***"


def facts(settings: Settings) -> list[tuple[str, object, str]]:
    """Every key with its value and its origin; the shards given by DSN follow."""
    found = [
        (key.path, _shown(key.path, settings.value(key.path)), settings.origins[key.path])
        for key in KEYS
    ]
    origin = settings.origins["shards"]
    for number, server in enumerate(settings.servers, 1):
        found.append((f"shards.{number}.dsn", without_password(server.dsn), origin))
        found.append((f"shards.{number}.scan", server.scan, origin))
        found.append((f"shards.{number}.twins", _shown("", server.twins), origin))
        found.append((f"shards.{number}.weight", server.weight, origin))
    return found


def _shown(path: str, value: object) -> object:
    if path == "coordinator.dsn" and isinstance(value, str):
        return without_password(value)
    if path in ("scan_token", "ingest.token_sha256"):
        return HIDDEN if value else None
    return str(value) if isinstance(value, Path) else value


def without_password(dsn: str) -> str:
    """A DSN in key=value form, its password hidden."""
    try:
        parts = parse_dsn(dsn)
    except ProgrammingError:
        return "(not a valid DSN)"
    if "password" in parts:
        parts["password"] = HIDDEN
    return str(make_dsn(**parts))
