"""Asynchronous queries: one table, which is their queue, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "c0009"
down_revision = "c0008"

_SCHEMA = "skyshard"
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create `job`."""
    op.create_table(
        "job",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("caller", JSONB(), nullable=False, comment="the owner as she was when she asked"),
        sa.Column("phase", sa.Text(), nullable=False, comment="procedures.jobs.Phase"),
        sa.Column("run_id", sa.Text()),
        sa.Column("parameters", JSONB(), nullable=False, comment="by name, in upper case"),
        sa.Column("idempotency_key", sa.Text(), comment="of the request that created it"),
        sa.Column("request_sha256", sa.Text(), comment="of what that request said"),
        sa.Column(
            "created_at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("queued_at", _INSTANT),
        sa.Column("started_at", _INSTANT, comment="of the last attempt"),
        sa.Column("ended_at", _INSTANT),
        sa.Column("destruction_at", _INSTANT, nullable=False),
        sa.Column("execution_s", sa.Integer(), nullable=False),
        sa.Column("estimate_s", sa.Double(), comment="of the plan's cost; NULL: not known"),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("czar_id", sa.Uuid(), comment="that runs it"),
        sa.Column("lease_until", _INSTANT),
        sa.Column("progress", JSONB(), comment="qserv.jobs.progress.Progress"),
        sa.Column("error", JSONB(), comment="the fields of a SkyshardError"),
        sa.Column("result", JSONB(), comment="procedures.jobs.Result"),
        sa.Column("result_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="job_pk"),
        schema=_SCHEMA,
        comment="Asynchronous queries: the queue that all czars share, and what came of each.",
    )
    op.create_index("job_owner_created_at_ix", "job", ["owner", "created_at"], schema=_SCHEMA)
    op.create_index("job_phase_queued_at_ix", "job", ["phase", "queued_at"], schema=_SCHEMA)
    op.create_index(
        "job_owner_idempotency_key_ix",
        "job",
        ["owner", "idempotency_key"],
        unique=True,
        schema=_SCHEMA,
    )
