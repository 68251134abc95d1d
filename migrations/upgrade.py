"""Bring a coordinator's or a shard's database to the newest schema, and tell how new it is.

Read from the top: `upgrade` is the path. A database is changed in one transaction, so it is at the
old revision or at the new one. Downgrades do not exist: restore a backup.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import resources
from typing import Literal, assert_never

import psycopg2
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg2.extensions import connection as Connection  # noqa: N812

from migrations.environment import VERSION_TABLE
from schema.coordinator import SCHEMA
from schema.errors import StoreError, Unavailable

Kind = Literal["coordinator", "shard"]
"""Whose database it is."""
CONNECT_TIMEOUT_S = 10
_LOCK = 0x5359_5348_4152_4400
"""Key of the advisory lock that makes concurrent upgrades of one database wait."""
_one_at_a_time = threading.Lock()
"""Alembic's `op` and `context` are global to the process."""


class SchemaTooNew(StoreError):
    """A database was upgraded by a newer Skyshard."""

    code = "SCHEMA_TOO_NEW"

    def __init__(self, kind: Kind, revision: str) -> None:
        super().__init__(
            f"the {kind}'s database is at revision {revision}, which this Skyshard does not know "
            f"(it knows {head(kind)} at most): run the newer Skyshard that upgraded it"
        )
        self.kind, self.revision = kind, revision


def upgrade(dsn: str, kind: Kind) -> None:
    """Upgrade one database to the newest revision; does nothing where it is there already.

    A shard also gets the procedures of this version. `SchemaTooNew` where the database is newer,
    `Unavailable` where it does not answer.
    """
    with _one_at_a_time, transaction(dsn) as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        _refuse_newer(_revision(_psycopg2(connection)), kind)
        command.upgrade(config(kind, connection), "head")
        match kind:
            case "shard":
                _install_procedures(_psycopg2(connection))
            case "coordinator":
                pass
            case _:
                assert_never(kind)


def check_version(dsn: str, kind: Kind) -> None:
    """Raise `SchemaTooNew` where the database is newer than this Skyshard; an older one passes."""
    _refuse_newer(current(dsn), kind)


def current(dsn: str) -> str | None:
    """The revision that a database is at; None where it has none."""
    with closing(_connect(dsn)) as connection:
        return _revision(connection)


def head(kind: Kind) -> str:
    """The newest revision that this Skyshard knows."""
    revision = ScriptDirectory.from_config(config(kind)).get_current_head()
    assert revision is not None, f"{kind} has no migrations"
    return revision


def is_current(dsn: str, kind: Kind) -> bool:
    """Whether a database is at the newest revision."""
    return current(dsn) == head(kind)


def config(kind: Kind, connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration of one environment; no file on disk."""
    made = Config()
    made.set_main_option("script_location", str(resources.files("migrations") / kind))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


@contextmanager
def transaction(dsn: str) -> Iterator[sa.Connection]:
    """A SQLAlchemy connection to a libpq DSN, in a transaction that ends with the block.

    Its search path is `public` alone: a role that is called `skyshard` would else have that schema as
    its default, which Alembic cannot tell from no schema.
    """
    engine = sa.create_engine(
        "postgresql+psycopg2://", creator=lambda: _connect(dsn), poolclass=sa.NullPool
    )
    with engine.begin() as connection:
        yield connection


def _connect(dsn: str) -> Connection:
    try:
        connection = psycopg2.connect(
            dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name="skyshard migrate"
        )
    except psycopg2.OperationalError as error:
        raise Unavailable(f"cannot connect to migrate: {error}") from error
    with connection, connection.cursor() as cursor:
        cursor.execute("SET search_path = public")
    return connection


def _psycopg2(connection: sa.Connection) -> Connection:
    """The driver's connection below SQLAlchemy's."""
    driver: Connection = connection.connection.driver_connection
    return driver


def _revision(connection: Connection) -> str | None:
    """The revision in a database's version table; None where there is no such table or row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.{VERSION_TABLE}",))
        if cursor.fetchone() == (None,):
            return None
        cursor.execute(f"SELECT version_num FROM {SCHEMA}.{VERSION_TABLE}")
        row = cursor.fetchone()
    return row[0] if row else None


def _refuse_newer(revision: str | None, kind: Kind) -> None:
    known = {
        script.revision for script in ScriptDirectory.from_config(config(kind)).walk_revisions()
    }
    if revision is not None and revision not in known:
        raise SchemaTooNew(kind, revision)


def _install_procedures(connection: Connection) -> None:
    from procedures.install import install

    install(connection)
