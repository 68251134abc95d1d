"""Retraction: a new snapshot without an ingest's rows; older ones keep them until they are dropped.

Parts that hold its rows alone are left out, those that hold others' too are written anew without its.
Children that came home to its directors stay where they are, as orphans whose key the director index
keeps: a later ingest of those directors finds them. So the index's parts stay, too.
"""

from __future__ import annotations

from loaders.rewrites.rewrite import Group, Rewrite, RewriteReport, open_base, rewrite
from procedures.pools import Pools
from procedures.rewrites import check_retractable
from schema.manifest import IngestId, Part, PartKind
from schema.topology import Topology


def retract(
    pools: Pools, catalog_name: str, ingest_id: IngestId, topology: Topology, *, workers: int = 2
) -> RewriteReport:
    """Publish the catalog without an ingest.

    Raises RetractRefused for what is no published ingest of the catalog, PublishConflict where its parts
    are replaced meanwhile; then nothing has changed.
    """
    base = open_base(pools, catalog_name, topology)
    with pools.coordinator() as connection:
        check_retractable(connection, base.catalog.name, ingest_id)
        connection.rollback()
    held = [part for part in base.manifest.parts if _holds(part, ingest_id)]
    groups = []
    for part in held:
        table = base.catalog.table(part.table)
        assert table is not None, f"{part.table} vanished"
        if len(part.ingests) > 1:
            groups.append(Group(table, part.kind, part.pixel, part.bucket, (part,)))
    gone = tuple(part.part_id for part in held if len(part.ingests) == 1)
    wanted = Rewrite("retraction", tuple(groups), gone, ingest_id)
    return rewrite(base, wanted, workers=workers)


def _holds(part: Part, ingest_id: IngestId) -> bool:
    """Whether a part may hold rows of an ingest; an index holds keys, which stay."""
    return part.kind is not PartKind.INDEX and ingest_id in part.ingests
