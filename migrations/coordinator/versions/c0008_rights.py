"""Users, groups, tokens, permissions, and a log of queries. Catalogs that there are stay public."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "c0008"
down_revision = "c0007"

_NOW = sa.text("clock_timestamp()")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables; the group `public` may read every catalog that there is."""
    _create_principals()
    _create_permissions()
    _create_query_log()
    op.execute("INSERT INTO skyshard.rights (version) VALUES (1)")
    op.execute(
        "INSERT INTO skyshard.principal (name, kind, note) VALUES ('public', 'group', 'everybody')"
    )
    op.execute(
        "INSERT INTO skyshard.permission (catalog_id, principal_id)"
        " SELECT catalog_id, principal_id FROM skyshard.catalog CROSS JOIN skyshard.principal"
    )


def _create_principals() -> None:
    op.create_table(
        "principal",
        sa.Column("principal_id", sa.Integer, sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="in lower case"),
        sa.Column("kind", sa.Text, nullable=False, comment="user or group"),
        sa.Column("password", sa.Text, comment="qserv.rights.passwords; NULL: none gets in"),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column(
            "quota", JSONB, nullable=False, server_default="{}", comment="over the configured"
        ),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", _INSTANT, nullable=False, server_default=_NOW),
        sa.PrimaryKeyConstraint("principal_id", name="principal_pk"),
        sa.UniqueConstraint("name", name="principal_name_uq"),
        schema="skyshard",
        comment="Users and groups; the group `public` is everybody.",
    )
    op.create_table(
        "membership",
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("group_id", "user_id", name="membership_pk"),
        _belongs("membership", "group_id", "principal.principal_id"),
        _belongs("membership", "user_id", "principal.principal_id"),
        schema="skyshard",
        comment="Who is in which group.",
    )
    op.create_table(
        "token",
        sa.Column("token_id", sa.Integer, sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False, server_default=""),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False, server_default=_NOW),
        sa.Column("expires_at", _INSTANT, comment="NULL: never"),
        sa.Column("revoked_at", _INSTANT),
        sa.PrimaryKeyConstraint("token_id", name="token_pk"),
        sa.UniqueConstraint("sha256", name="token_sha256_uq"),
        _belongs("token", "user_id", "principal.principal_id"),
        schema="skyshard",
        comment="Tokens by their digest; the token itself is told once and kept nowhere.",
    )


def _create_permissions() -> None:
    op.create_table(
        "permission",
        sa.Column("catalog_id", sa.Integer, nullable=False),
        sa.Column(
            "table_name", sa.Text, nullable=False, server_default="", comment="'': all of it"
        ),
        sa.Column("principal_id", sa.Integer, nullable=False),
        sa.Column("from_time", _INSTANT, comment="the embargo's end; NULL: now"),
        sa.Column("granted_at", _INSTANT, nullable=False, server_default=_NOW),
        sa.PrimaryKeyConstraint("catalog_id", "table_name", "principal_id", name="permission_pk"),
        _belongs("permission", "catalog_id", "catalog.catalog_id"),
        _belongs("permission", "principal_id", "principal.principal_id"),
        schema="skyshard",
        comment="Who may read what; what nobody was granted only administrators see.",
    )
    op.create_table(
        "rights",
        sa.Column("version", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("version", name="rights_pk"),
        schema="skyshard",
        comment="One row: grows with every change of users, groups and permissions.",
    )


def _create_query_log() -> None:
    op.create_table(
        "query_log",
        sa.Column("query_id", sa.Uuid, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False, server_default=""),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False, comment="its beginning, where it is long"),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False, comment="running, ok, overflow or failed"),
        sa.Column("code", sa.Text, comment="of the error"),
        sa.Column("elapsed_s", sa.Double),
        sa.Column("rows", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("chunks", sa.Integer),
        sa.Column("trace_id", sa.Text),
        sa.Column("czar", sa.Text, nullable=False, server_default=""),
        sa.Column("seen_at", _INSTANT, nullable=False, server_default=_NOW),
        sa.Column("cancel_by", sa.Text, comment="who asked to end it"),
        sa.PrimaryKeyConstraint("query_id", name="query_log_pk"),
        schema="skyshard",
        comment="Queries that were asked; the newest, for as long as the configuration says.",
    )
    for name, columns in (
        ("query_log_user_name_began_at_ix", ["user_name", "began_at"]),
        ("query_log_began_at_ix", ["began_at"]),
    ):
        op.create_index(name, "query_log", columns, schema="skyshard")


def _belongs(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """A row that goes with the row that it refers to."""
    return sa.ForeignKeyConstraint(
        [column], [f"skyshard.{target}"], name=f"{table}_{column}_fk", ondelete="CASCADE"
    )
