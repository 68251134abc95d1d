"""How far an ingest is: what is staged and loaded, how fast, how long it may take, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from loaders.lease import owner_in_words
from loaders.options import Site
from loaders.state import ContributionState
from procedures.ingest_plans import PlannedPart, published_parts, read_plan
from procedures.ingests import (
    ContributionRow,
    Event,
    IngestRow,
    list_ingests,
    published_snapshot,
    read_contributions,
    read_events,
    read_ingest,
)
from schema.manifest import PartKind


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a phase is. `unit`: what `done` and `total` count; None where nothing can be said yet."""

    phase: str
    unit: str
    done: int
    total: int
    per_s: float | None = None
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class IngestStatus:
    """An ingest with everything that is known of it."""

    row: IngestRow
    snapshot: int | None
    """The snapshot that it made; None where it is not published."""
    loader: str | None
    """Who is at work on it."""
    pace: tuple[Pace, ...]
    contributions: tuple[ContributionRow, ...]
    parts: tuple[PlannedPart, ...]
    """What is planned, or published."""
    events: tuple[Event, ...]

    def rows_by_table(self) -> dict[str, int]:
        """Own rows of the parts by table."""
        rows: dict[str, int] = {}
        for part in self.parts:
            if part.kind is not PartKind.INDEX:
                rows[part.table] = rows.get(part.table, 0) + part.rows
        return rows

    def to_document(self) -> dict[str, object]:
        """All of it, for JSON."""
        row = self.row
        return {
            "ingest": row.ingest_id,
            "kind": row.kind,
            "catalog": row.catalog,
            "label": row.label,
            "state": row.state,
            "snapshot": self.snapshot,
            "error": row.error,
            "loader": self.loader,
            "options": dict(row.options),
            "rows": row.rows,
            "rejects": row.rejects,
            "started_at": row.started_at.isoformat(),
            "finished_at": None if row.finished_at is None else row.finished_at.isoformat(),
            "progress": [asdict(pace) for pace in self.pace],
            "tables": self.rows_by_table(),
            "contributions": [asdict(one) for one in self.contributions],
            "parts": [_part(part) for part in self.parts],
            "events": [{**asdict(event), "at": event.at.isoformat()} for event in self.events],
        }


def _part(part: PlannedPart) -> dict[str, object]:
    pixel = part.pixel
    return {
        "part": part.part_id,
        "table": part.table,
        "kind": str(part.kind),
        "chunk": None if pixel is None else f"{pixel.order}/{pixel.number}",
        "rows": part.rows,
        "overlap_rows": part.overlap_rows,
        "shards": list(part.shards),
        "loaded": part.is_loaded,
    }


def status(site: Site, ingest_id: int) -> IngestStatus:
    """How an ingest does. Raises UnknownIngest."""
    with site.pools.coordinator() as connection:
        row = read_ingest(connection, ingest_id)
        contributions = read_contributions(connection, row.ingest_id)
        planned = read_plan(connection, row.ingest_id)
        if not planned:
            planned = published_parts(connection, row.ingest_id)
        events = read_events(connection, row.ingest_id)
        snapshot = published_snapshot(connection, row.ingest_id)
    is_at_work = row.lease_owner is not None and row.lease_left_s > 0
    return IngestStatus(
        row=row,
        snapshot=snapshot,
        loader=owner_in_words(row.lease_owner) if row.lease_owner and is_at_work else None,
        pace=(_staging(contributions, events), _loading(planned, events)),
        contributions=tuple(contributions),
        parts=tuple(planned),
        events=tuple(events),
    )


def list_status(
    site: Site, catalog_name: str | None = None, *, limit: int = 100
) -> list[IngestRow]:
    """The newest ingests, the newest first."""
    with site.pools.coordinator() as connection:
        return list_ingests(connection, catalog_name, limit=limit)


def _staging(contributions: Sequence[ContributionRow], events: Sequence[Event]) -> Pace:
    """Bytes of input that are staged; the rate is that of the newest files."""
    wanted = [one for one in contributions if one.state != ContributionState.FAILED]
    done = sum(one.size_bytes or 0 for one in wanted if one.state != ContributionState.WAITING)
    total = sum(one.size_bytes or 0 for one in wanted)
    newest = [event for event in events if event.kind == "staged"]
    if len(newest) < 2 or done == total:
        return Pace("staging", "bytes", done, total)
    since = (newest[-1].at - newest[0].at).total_seconds()
    staged = sum(int(event.facts.get("bytes") or 0) for event in newest[1:])
    return _paced(Pace("staging", "bytes", done, total), staged, since)


def _loading(parts: Sequence[PlannedPart], events: Sequence[Event]) -> Pace:
    """Own rows that are loaded; the rate is that since a loader last began."""
    counted = [part for part in parts if part.kind is not PartKind.INDEX]
    done = sum(part.rows for part in counted if part.is_loaded)
    pace = Pace("loading", "rows", done, sum(part.rows for part in counted))
    starts = [event.at for event in events if event.kind in ("planned", "resumed")]
    if not starts or done == pace.total:
        return pace
    times = [(part.loaded_at, part.rows) for part in counted if part.loaded_at is not None]
    fresh = sum(rows for at, rows in times if at >= starts[-1])
    return _paced(pace, fresh, (datetime.now(UTC) - starts[-1]).total_seconds())


def _paced(pace: Pace, done: int, seconds: float) -> Pace:
    """With a rate, and what is left at that rate, where there is one."""
    if done <= 0 or seconds <= 0:
        return pace
    per_s = done / seconds
    return replace(pace, per_s=round(per_s, 1), left_s=round((pace.total - pace.done) / per_s, 1))
