"""Connections of commands that only look something up or change bookkeeping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class)
from psycopg2.extensions import make_dsn

from schema.errors import Unavailable

CONNECT_TIMEOUT_S = 5


@contextmanager
def connected(name: str, dsn: str) -> Iterator[Connection]:
    """A connection to one server; Unavailable where it does not answer."""
    try:
        opened = psycopg2.connect(
            make_dsn(dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name="skyshard cli")
        )
    except psycopg2.OperationalError as error:
        reason = " ".join(str(error).split())
        raise Unavailable(
            f"{name} does not answer ({reason}); see `skyshard status`, start it with `skyshard up`"
        ) from error
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def transaction(name: str, dsn: str) -> Iterator[Connection]:
    """A connection to one server, in a transaction that is committed at the end."""
    with connected(name, dsn) as opened, opened:
        yield opened
