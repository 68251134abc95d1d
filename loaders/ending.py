"""How an ingest ends that is not published: given up by its loader, or aborted by anybody."""

from __future__ import annotations

import logging
import shutil

import psycopg2

from loaders.discard import discard
from loaders.fail_points import reach
from loaders.lease import IngestEnded, LeaseLost
from loaders.options import Site
from loaders.publishing import OutcomeUnknown
from loaders.run import Work
from loaders.state import IngestState
from procedures.ingests import give_up_ingest, log_event
from schema.errors import Unavailable
from schema.manifest import IngestId

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)


def give_up(work: Work, error: BaseException) -> None:
    """Close the row of an ingest that failed, then drop its parts, as far as the servers answer.

    Nothing is dropped where it is published all the same, or where another loader has it now. Raises
    OutcomeUnknown where it may be published and the coordinator does not say.
    """
    if isinstance(error, LeaseLost):
        return
    ingest_id = work.journal.ingest_id
    if isinstance(error, IngestEnded):
        discard(work.site, ingest_id)
        return
    reason = str(error) or type(error).__name__
    try:
        has_ended = end(work.site, ingest_id, IngestState.FAILED, reason)
    except _AWAY as away:
        if work.journal.state is IngestState.PUBLISHING:
            raise OutcomeUnknown(ingest_id) from away
        _log.warning("ingest not closed", extra={"ingest": ingest_id, "reason": str(away)})
        return
    if has_ended:
        reach("discard.closed")
        discard(work.site, ingest_id)


def end(site: Site, ingest_id: IngestId, state: IngestState, reason: str) -> bool:
    """Close an ingest's row as failed or aborted; False where it is published."""
    with site.pools.coordinator() as connection:
        has_ended = give_up_ingest(connection, ingest_id, state, reason)
        if has_ended:
            log_event(connection, ingest_id, str(state), reason)
        connection.commit()
    return has_ended


def clear(site: Site, ingest_id: IngestId) -> None:
    """Remove an ingest's spool folder."""
    shutil.rmtree(site.folder(ingest_id), ignore_errors=True)
