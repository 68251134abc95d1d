"""The coordinator's bookkeeping tables (PostgreSQL schema `skyshard`).

What is published is what a row here says; the shards only hold it. Read from the top: a catalog has
chunks and snapshots; an ingest brings contributions and parts; a part has replicas.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

SCHEMA = "skyshard"
metadata = sa.MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "ck": "%(table_name)s_%(constraint_name)s_ck",
    },
)
_now = sa.text("clock_timestamp()")
_instant = sa.DateTime(timezone=True)

cluster = sa.Table(
    "cluster",
    metadata,
    sa.Column("cluster_id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
    comment="One row: the cluster that this coordinator and its shards are.",
)

shard = sa.Table(
    "shard",
    metadata,
    sa.Column("shard_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("weight", sa.Double, nullable=False, server_default="1"),
    sa.Column("registered_at", _instant, nullable=False, server_default=_now),
    comment="The shards that this cluster has; their DSNs stay in configuration.",
)

family = sa.Table(
    "family",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("placement_order", sa.SmallInteger, nullable=False),
    sa.Column("created_at", _instant, nullable=False, server_default=_now),
    comment="Families whose placement is settled: they have rows, or a catalog names the order.",
)

catalog = sa.Table(
    "catalog",
    metadata,
    sa.Column("catalog_id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("family", sa.Text, nullable=False),
    sa.Column("model", JSONB, nullable=False, comment="schema.catalog.Catalog as JSON"),
    sa.Column("snapshot", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", _instant, nullable=False, server_default=_now),
    sa.Column(
        "version",
        sa.Integer,
        sa.Computed("coalesce((model ->> 'version')::integer, 1)", persisted=True),
    ),
    sa.Column(
        "placement",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="grows whenever published copies are added or removed",
    ),
    sa.Column("keep_snapshots", sa.Integer, comment="NULL: all"),
    sa.Index("catalog_name_ix", sa.text("lower(name)"), unique=True),
    comment="Catalogs; `snapshot` is the newest published one (0: empty).",
)

chunk = sa.Table(
    "chunk",
    metadata,
    sa.Column(
        "catalog_id", sa.ForeignKey(catalog.c.catalog_id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("pixel_order", sa.SmallInteger, primary_key=True),
    sa.Column("pixel", sa.BigInteger, primary_key=True),
    comment="A catalog's tiling of the sky, written by its first ingest.",
)

ingest = sa.Table(
    "ingest",
    metadata,
    sa.Column("ingest_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "catalog_id", sa.ForeignKey(catalog.c.catalog_id, ondelete="CASCADE"), nullable=False
    ),
    sa.Column("state", sa.Text, nullable=False, comment="loaders.state.IngestState"),
    sa.Column("rows", sa.BigInteger),
    sa.Column("rejects", sa.BigInteger),
    sa.Column("error", sa.Text),
    sa.Column("started_at", _instant, nullable=False, server_default=_now),
    sa.Column("finished_at", _instant),
    sa.Column("label", sa.Text, comment="what its owner calls it"),
    sa.Column("options", JSONB, nullable=False, server_default="{}"),
    sa.Column("snapshot", sa.Integer, comment="that it was planned against; NULL: not planned"),
    sa.Column("plan", JSONB, comment="what publishing needs beside the parts"),
    sa.Column("lease_owner", sa.Text, comment="the loader that works on it"),
    sa.Column("lease_until", _instant),
    sa.Column("kind", sa.Text, nullable=False, server_default="ingest"),
    comment="Units of publication.",
)

contribution = sa.Table(
    "contribution",
    metadata,
    sa.Column("ingest_id", sa.ForeignKey(ingest.c.ingest_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text),
    sa.Column("rows", sa.BigInteger),
    sa.Column("rejects", sa.BigInteger),
    sa.Column(
        "state",
        sa.Text,
        nullable=False,
        server_default="waiting",
        comment="loaders.state.ContributionState",
    ),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, comment="why the last attempt failed"),
    sa.Column("piece", sa.Text, comment="which part of the file; NULL: all of it"),
    sa.Column("options", JSONB, nullable=False, server_default="{}", comment="how it is read"),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("warnings", JSONB, nullable=False, server_default="[]"),
    sa.Column("seconds", sa.Double, comment="of the last attempt"),
    comment="The input files of an ingest.",
)

ingest_event = sa.Table(
    "ingest_event",
    metadata,
    sa.Column("event_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("ingest_id", sa.ForeignKey(ingest.c.ingest_id, ondelete="CASCADE"), nullable=False),
    sa.Column("at", _instant, nullable=False, server_default=_now),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("facts", JSONB, nullable=False, server_default="{}"),
    sa.Index("ingest_event_ingest_id_ix", "ingest_id"),
    comment="What happened to ingests, in order.",
)

planned_part = sa.Table(
    "planned_part",
    metadata,
    sa.Column("part_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("ingest_id", sa.ForeignKey(ingest.c.ingest_id, ondelete="CASCADE"), nullable=False),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="schema.manifest.PartKind"),
    sa.Column("pixel_order", sa.SmallInteger),
    sa.Column("pixel", sa.BigInteger),
    sa.Column("bucket", sa.SmallInteger),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("overlap_rows", sa.BigInteger, nullable=False),
    sa.Column("shards", ARRAY(sa.Integer), nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="planned"),
    sa.Column("loaded_at", _instant),
    sa.Index("planned_part_ingest_id_ix", "ingest_id"),
    comment="The parts that an ingest is to load; gone when it is published or cleaned up.",
)

snapshot = sa.Table(
    "snapshot",
    metadata,
    sa.Column(
        "catalog_id", sa.ForeignKey(catalog.c.catalog_id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("snapshot", sa.Integer, primary_key=True),
    sa.Column("ingest_id", sa.ForeignKey(ingest.c.ingest_id, ondelete="SET NULL")),
    sa.Column("published_at", _instant, nullable=False, server_default=_now),
    sa.Column("tag", sa.Text),
    sa.Column("kind", sa.Text, nullable=False, server_default="ingest"),
    sa.Column(
        "version",
        sa.Integer,
        nullable=False,
        server_default="1",
        comment="of the catalog's model",
    ),
    sa.Column("dropped_at", _instant, comment="NULL: it may be queried"),
    sa.Index("snapshot_tag_ix", "catalog_id", sa.text("lower(tag)"), unique=True),
    comment="Published versions of a catalog.",
)

part = sa.Table(
    "part",
    metadata,
    sa.Column("part_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "catalog_id", sa.ForeignKey(catalog.c.catalog_id, ondelete="CASCADE"), nullable=False
    ),
    sa.Column("ingest_id", sa.ForeignKey(ingest.c.ingest_id), nullable=False),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="schema.manifest.PartKind"),
    sa.Column("pixel_order", sa.SmallInteger),
    sa.Column("pixel", sa.BigInteger),
    sa.Column("bucket", sa.SmallInteger),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("overlap_rows", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("checksum", sa.Numeric(20), nullable=False, comment="unsigned 64 bits"),
    sa.Column("separation_arcsec", sa.Double, nullable=False, server_default="0"),
    sa.Column("low_29", sa.BigInteger),
    sa.Column("high_29", sa.BigInteger),
    sa.Column("statistics", JSON, comment="schema.statistics; NULL: nothing is known"),
    sa.Column("schema_version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("from_snapshot", sa.Integer, comment="NULL until published"),
    sa.Column("to_snapshot", sa.Integer, comment="first snapshot without it; NULL: still there"),
    sa.Column(
        "merged",
        ARRAY(sa.BigInteger),
        comment="the ingests whose rows it holds; NULL: its own's alone",
    ),
    sa.Column("dropped_at", _instant, comment="when its tables began to be dropped"),
    sa.Index("part_catalog_id_from_snapshot_ix", "catalog_id", "from_snapshot"),
    sa.Index("part_ingest_id_ix", "ingest_id"),
    comment="The manifest: immutable parts and the snapshots that hold them.",
)

replica = sa.Table(
    "replica",
    metadata,
    sa.Column("part_id", sa.ForeignKey(part.c.part_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("shard_id", sa.ForeignKey(shard.c.shard_id), primary_key=True),
    sa.Column("has_twin", sa.Boolean, nullable=False, server_default=sa.false()),
    comment="Complete, verified copies of parts.",
)

repair = sa.Table(
    "repair",
    metadata,
    sa.Column("part_id", sa.ForeignKey(part.c.part_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("shard_id", sa.ForeignKey(shard.c.shard_id), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("queued_at", _instant, nullable=False, server_default=_now),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tried_at", _instant),
    sa.Column("error", sa.Text, comment="why the last attempt failed"),
    comment="Copies of parts that a shard should hold and does not, or holds damaged.",
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("czar_id", sa.Uuid, primary_key=True),
    sa.Column("host", sa.Text, nullable=False, server_default=""),
    sa.Column("lease_until", _instant, nullable=False),
    sa.Column(
        "pins",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="catalog id: the oldest snapshot that a query of the czar reads",
    ),
    comment="Czars and the snapshots that their queries read.",
)

principal = sa.Table(
    "principal",
    metadata,
    sa.Column("principal_id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True, comment="in lower case"),
    sa.Column("kind", sa.Text, nullable=False, comment="user or group"),
    sa.Column("password", sa.Text, comment="qserv.rights.passwords; NULL: none gets in"),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("quota", JSONB, nullable=False, server_default="{}", comment="over the configured"),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", _instant, nullable=False, server_default=_now),
    comment="Users and groups; the group `public` is everybody.",
)

membership = sa.Table(
    "membership",
    metadata,
    sa.Column(
        "group_id", sa.ForeignKey(principal.c.principal_id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column(
        "user_id", sa.ForeignKey(principal.c.principal_id, ondelete="CASCADE"), primary_key=True
    ),
    comment="Who is in which group.",
)

token = sa.Table(
    "token",
    metadata,
    sa.Column("token_id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "user_id", sa.ForeignKey(principal.c.principal_id, ondelete="CASCADE"), nullable=False
    ),
    sa.Column("sha256", sa.Text, nullable=False, unique=True),
    sa.Column("label", sa.Text, nullable=False, server_default=""),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("created_at", _instant, nullable=False, server_default=_now),
    sa.Column("expires_at", _instant, comment="NULL: never"),
    sa.Column("revoked_at", _instant),
    comment="Tokens by their digest; the token itself is told once and kept nowhere.",
)

permission = sa.Table(
    "permission",
    metadata,
    sa.Column(
        "catalog_id", sa.ForeignKey(catalog.c.catalog_id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("table_name", sa.Text, primary_key=True, server_default="", comment="'': all of it"),
    sa.Column(
        "principal_id",
        sa.ForeignKey(principal.c.principal_id, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("from_time", _instant, comment="the embargo's end; NULL: now"),
    sa.Column("granted_at", _instant, nullable=False, server_default=_now),
    comment="Who may read what; what nobody was granted only administrators see.",
)

rights = sa.Table(
    "rights",
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    comment="One row: grows with every change of users, groups and permissions.",
)

query_log = sa.Table(
    "query_log",
    metadata,
    sa.Column("query_id", sa.Uuid, primary_key=True),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False, comment="its beginning, where it is long"),
    sa.Column("began_at", _instant, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False, comment="running, ok, overflow or failed"),
    sa.Column("code", sa.Text, comment="of the error"),
    sa.Column("elapsed_s", sa.Double),
    sa.Column("rows", sa.BigInteger),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("chunks", sa.Integer),
    sa.Column("trace_id", sa.Text),
    sa.Column("czar", sa.Text, nullable=False, server_default=""),
    sa.Column("seen_at", _instant, nullable=False, server_default=_now),
    sa.Column("cancel_by", sa.Text, comment="who asked to end it"),
    sa.Index("query_log_user_name_began_at_ix", "user_name", "began_at"),
    sa.Index("query_log_began_at_ix", "began_at"),
    comment="Queries that were asked; the newest, for as long as the configuration says.",
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("caller", JSONB, nullable=False, comment="the owner as she was when she asked"),
    sa.Column("phase", sa.Text, nullable=False, comment="procedures.jobs.Phase"),
    sa.Column("run_id", sa.Text),
    sa.Column("parameters", JSONB, nullable=False, comment="by name, in upper case"),
    sa.Column("idempotency_key", sa.Text, comment="of the request that created it"),
    sa.Column("request_sha256", sa.Text, comment="of what that request said"),
    sa.Column("created_at", _instant, nullable=False, server_default=_now),
    sa.Column("queued_at", _instant),
    sa.Column("started_at", _instant, comment="of the last attempt"),
    sa.Column("ended_at", _instant),
    sa.Column("destruction_at", _instant, nullable=False),
    sa.Column("execution_s", sa.Integer, nullable=False),
    sa.Column("estimate_s", sa.Double, comment="of the plan's cost; NULL: not known"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("czar_id", sa.Uuid, comment="that runs it"),
    sa.Column("lease_until", _instant),
    sa.Column("progress", JSONB, comment="qserv.jobs.progress.Progress"),
    sa.Column("error", JSONB, comment="the fields of a SkyshardError"),
    sa.Column("result", JSONB, comment="procedures.jobs.Result"),
    sa.Column("result_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("job_owner_created_at_ix", "owner", "created_at"),
    sa.Index("job_phase_queued_at_ix", "phase", "queued_at"),
    sa.Index("job_owner_idempotency_key_ix", "owner", "idempotency_key", unique=True),
    comment="Asynchronous queries: the queue that all czars share, and what came of each.",
)

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("unit_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "catalog_id", sa.ForeignKey(catalog.c.catalog_id, ondelete="CASCADE"), nullable=False
    ),
    sa.Column("state", sa.Text, nullable=False, comment="schema.units.UnitState"),
    sa.Column("label", sa.Text, nullable=False, server_default=""),
    sa.Column("snapshot", sa.Integer, comment="that it made; NULL: not committed"),
    sa.Column("started_at", _instant, nullable=False, server_default=_now),
    sa.Column("finished_at", _instant),
    sa.Column("lease_owner", sa.Text, comment="the writer"),
    sa.Column("lease_until", _instant),
    sa.Column("facts", JSONB, nullable=False, server_default="{}", comment="rows by table"),
    sa.Column("error", sa.Text),
    sa.Index("unit_catalog_id_snapshot_ix", "catalog_id", "snapshot"),
    comment="Units of work on live catalogs; those long committed are forgotten.",
)

live_part = sa.Table(
    "live_part",
    metadata,
    sa.Column("part_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column(
        "catalog_id", sa.ForeignKey(catalog.c.catalog_id, ondelete="CASCADE"), nullable=False
    ),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="schema.manifest.PartKind"),
    sa.Column("pixel_order", sa.SmallInteger),
    sa.Column("pixel", sa.BigInteger),
    sa.Column("bucket", sa.SmallInteger),
    sa.Column("slice", sa.Integer, comment="of time; NULL: of no time"),
    sa.Column("shards", ARRAY(sa.Integer), nullable=False, comment="with a copy that is written"),
    sa.Column("rows", sa.BigInteger, nullable=False, server_default="0", comment="an estimate"),
    sa.Column("separation_arcsec", sa.Double, nullable=False, server_default="0"),
    sa.Column("statistics", JSON),
    sa.Column("from_snapshot", sa.Integer, comment="NULL: no unit that wrote it is committed"),
    sa.Column("to_snapshot", sa.Integer, comment="first snapshot without it"),
    sa.Index("live_part_catalog_id_ix", "catalog_id", "table_name"),
    sa.Index(
        "live_part_place_ix",
        "catalog_id",
        "table_name",
        "kind",
        sa.text("coalesce(pixel, '-1'::bigint)"),
        sa.text("coalesce(bucket, '-1'::smallint)"),
        sa.text("coalesce(slice, '-2147483648'::integer)"),
        unique=True,
        postgresql_where=sa.text("to_snapshot IS NULL"),
    ),
    comment="The tables of live catalogs; their ids are those of parts.",
)

unit_part = sa.Table(
    "unit_part",
    metadata,
    sa.Column("unit_id", sa.ForeignKey(unit.c.unit_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("part_id", sa.ForeignKey(live_part.c.part_id, ondelete="CASCADE"), primary_key=True),
    sa.Index("unit_part_part_id_ix", "part_id"),
    comment="Where a unit may have written, written down before it does.",
)
