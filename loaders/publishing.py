"""A loaded ingest published: once, whoever asks how often, and whatever becomes of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
from typing_extensions import override

from loaders.copies.tell import tell_shards
from loaders.discard import discard
from loaders.fail_points import reach
from loaders.options import Site
from loaders.parts.hats import write_views
from loaders.parts.publish import AlreadyIngested, Loaded, PublishConflict, publish
from loaders.rewrites.compact import MOST_PARTS, make_room
from loaders.run import Work
from loaders.staging.known import read_index
from loaders.staging.unique import unique_key
from loaders.state import IngestState
from procedures.catalogs import get_catalog
from procedures.director_index import KeyMap
from procedures.ingest_plans import forget_plan
from procedures.ingests import end_ingest, log_event, published_snapshot, read_ingest
from procedures.manifests import read_manifest, unpublished_parts
from procedures.pools import Pools
from procedures.repairs import missing_copies
from procedures.rewrites import is_crowded
from schema.catalog import Catalog
from schema.errors import Unavailable
from schema.healpix import Pixel
from schema.manifest import IngestId, Part, PartId, PartKind

_AWAY = (Unavailable, psycopg2.Error)
_ATTEMPTS = 3
"""How often room is made for an ingest's parts."""


class OutcomeUnknown(Unavailable):
    """The coordinator went away while an ingest was being published, and does not say how it ended."""

    code = "OUTCOME_UNKNOWN"

    def __init__(self, ingest_id: IngestId) -> None:
        super().__init__(
            f"the coordinator went away while ingest {ingest_id} was being published: it may be"
            " published or not, and nothing of it was dropped; when the coordinator is back,"
            f" `skyshard ingest publish {ingest_id}` says which, and publishes it if it is not"
        )
        self.ingest_id = ingest_id


class NoRoom(Unavailable):
    """Others publish so fast into the same places that there is never room for one more part."""

    code = "NO_ROOM"

    def __init__(self, ingest_id: IngestId) -> None:
        super().__init__(
            f"ingest {ingest_id} would be one part too many in some place, and others were published"
            " there whenever they had been merged; publish it again"
        )


def publish_loaded(work: Work) -> int:
    """Make a loaded ingest visible, in one transaction; its snapshot. A published one has it already.

    Where another ingest was published that has to do with this one, this one goes back to COMMITTED, to
    be planned anew, and PublishConflict is raised.
    """
    journal, site = work.journal, work.site
    if journal.state is IngestState.PUBLISHED:
        snapshot = _snapshot(site.pools, journal.ingest_id)
    else:
        snapshot = _made_room_and_published(work)
    with suppress(*_AWAY):  # the czar's loop tells them later
        tell_shards(site.pools, site.topology)
    return snapshot


def _made_room_and_published(work: Work) -> int:
    """Publish where there is room; others that publish at the same time may take it again."""
    journal, site = work.journal, work.site
    with site.pools.coordinator() as connection:
        catalog = get_catalog(connection, journal.row.catalog)
        loaded = _loaded(work, connection, catalog)
    for _ in range(_ATTEMPTS):
        patience = work.options.patience(site)
        most = MOST_PARTS if make_room(site.pools, site.topology, loaded, patience) else None
        if journal.state is IngestState.LOADED:
            journal.change(IngestState.PUBLISHING, "publishing")
            reach("publish.begun")
        with suppress(NoRoom):
            return _unless_in_conflict(work, loaded, most)
    raise NoRoom(journal.ingest_id)


def _unless_in_conflict(work: Work, loaded: Loaded, most: int | None) -> int:
    """Publish; back to COMMITTED where it has to do with what was published meanwhile."""
    try:
        return _publish(work, loaded, most)
    except PublishConflict as conflict:
        _plan_again(work, str(conflict))
        raise
    except AlreadyIngested as repeated:
        if not work.options.ignore_repeated:
            raise
        _plan_again(work, str(repeated))
        raise PublishConflict("it brought content that this one is to leave out then") from repeated


def _publish(work: Work, loaded: Loaded, most: int | None) -> int:
    journal, pools = work.journal, work.site.pools
    plan = journal.row.plan or {}
    counts = (sum(plan["rows"].values()), int(plan["rejects"]))
    try:
        with pools.coordinator() as connection:
            journal.lease.locked_state(connection)
            snapshot = publish(connection, pools, loaded)
            if most is not None and is_crowded(connection, journal.ingest_id, most):
                raise NoRoom(journal.ingest_id)
            end_ingest(connection, journal.ingest_id, IngestState.PUBLISHED, counts=counts)
            log_event(connection, journal.ingest_id, "published", f"snapshot {snapshot}")
            forget_plan(connection, journal.ingest_id)
            reach("publish.before")
            connection.commit()
    except psycopg2.Error:
        # The answer to a commit that was done may be lost.
        if _waited_for(pools, journal.ingest_id) is not IngestState.PUBLISHED:
            raise
        snapshot = _snapshot(pools, journal.ingest_id)
    reach("publish.after")
    return snapshot


def _loaded(work: Work, connection: Any, catalog: Catalog) -> Loaded:
    """What is to be published, as the coordinator has it."""
    row = work.journal.row
    assert row.plan is not None, f"ingest {row.ingest_id} is loaded without a plan"
    assert row.snapshot is not None, f"ingest {row.ingest_id} is loaded without a base"
    plan = row.plan
    parts = unpublished_parts(connection, row.ingest_id)
    return Loaded(
        ingest_id=row.ingest_id,
        base=read_manifest(connection, catalog.name, row.snapshot),
        parts=parts,
        chunks=tuple(Pixel(order, number) for order, number in plan["chunks"]),
        splits=tuple(Pixel(order, number) for order, number in plan.get("splits", ())),
        index=KeysOnShards(work.site.pools, parts),
        retired=tuple(PartId(part_id) for part_id in plan["retired"]),
        children=frozenset(table.name for table in catalog.tables if table.parent),
        matches=tuple((t.name, t.match[0]) for t in catalog.tables if t.match),
        unique=tuple(table for table in catalog.tables if unique_key(table)),
        has_rehomed=plan["has_rehomed"],
        is_again=work.options.again,
    )


class KeysOnShards(Mapping[str, KeyMap]):
    """The director indexes of unpublished parts, by table; read from the shards when they are asked for."""

    def __init__(self, pools: Pools, parts: tuple[Part, ...]) -> None:
        self._pools = pools
        self._parts: dict[str, list[Part]] = {}
        for part in parts:
            if part.kind is PartKind.INDEX:
                self._parts.setdefault(part.table, []).append(part)

    @override
    def __getitem__(self, table: str) -> KeyMap:
        return read_index(self._pools, self._parts[table])

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    @override
    def __len__(self) -> int:
        return len(self._parts)


def _plan_again(work: Work, reason: str) -> None:
    """Back to COMMITTED, without parts."""
    work.journal.change(IngestState.COMMITTED, "conflict", reason)
    discard(work.site, work.journal.ingest_id)
    work.journal.read()


def _waited_for(pools: Pools, ingest_id: IngestId) -> IngestState:
    """The state of an ingest, after a commit of it that may be under way.

    Raises OutcomeUnknown where the coordinator does not say.
    """
    try:
        with pools.coordinator() as connection:
            return IngestState(read_ingest(connection, ingest_id, is_locked=True).state)
    except _AWAY as error:
        raise OutcomeUnknown(ingest_id) from error


def _snapshot(pools: Pools, ingest_id: IngestId) -> int:
    """The snapshot that a published ingest made."""
    try:
        with pools.coordinator() as connection:
            snapshot = published_snapshot(connection, ingest_id)
    except _AWAY as error:
        raise OutcomeUnknown(ingest_id) from error
    assert snapshot is not None, f"ingest {ingest_id} is published without a snapshot"
    return snapshot


def renew_views(work: Work, snapshot: int) -> tuple[str, ...]:
    """Write the HATS views anew; the ingest is published, so whatever happens is only a warning."""
    folder: Path = work.options.hats or work.site.spool / "hats"
    return renewed_views(work.site, folder, work.journal.row.catalog, snapshot)


def renewed_views(site: Site, folder: Path, catalog: str, snapshot: int) -> tuple[str, ...]:
    """Write the HATS views of a catalog's snapshot; what hinders that, as a warning."""
    try:
        with site.pools.coordinator() as connection:
            model = get_catalog(connection, catalog)
            manifest = read_manifest(connection, model.name, snapshot)
        write_views(folder, model, manifest, site.topology)
    except Exception as error:  # noqa: BLE001 (whatever it is, the rows are published)
        return (f"the HATS view in {folder} is not renewed: {error}",)
    return ()


def copies_left_out(work: Work) -> int:
    """How many copies of an ingest's parts are still to be made, as far as the coordinator answers."""
    with suppress(*_AWAY), work.site.pools.coordinator() as connection:
        return missing_copies(connection, work.journal.ingest_id)
    return 0


def left_out_in_words(count: int) -> tuple[str, ...]:
    """What the caller should know of copies that are still to be made."""
    if not count:
        return ()
    told = (
        "copies of parts are missing, as a shard was away; they are queued, `skyshard repair` makes"
    )
    return (f"{count} {told} them now",)
