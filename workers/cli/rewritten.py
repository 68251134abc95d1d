"""What commands say of parts that were written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.output import emit_json, message

if TYPE_CHECKING:
    from loaders.rewrites.rewrite import RewriteReport
    from procedures.pools import Pools
    from workers.config import Settings


def tell(catalog: str, report: RewriteReport, *, is_json: bool) -> None:
    """One line, or one JSON document."""
    if is_json:
        emit_json(
            {
                "catalog": catalog,
                "snapshot": report.snapshot,
                "parts_before": report.parts_before,
                "parts_after": report.parts_after,
                "rows": report.rows,
            }
        )
    else:
        message(
            f"{catalog} snapshot {report.snapshot}: {report.parts_before} parts became"
            f" {report.parts_after}, {report.rows:,} rows written"
        )


def renew_view(settings: Settings, pools: Pools, catalog: str, snapshot: int) -> None:
    """Let the catalog's HATS view name the new parts; what hinders that is only told."""
    from loaders.options import Site
    from loaders.publishing import renewed_views
    from workers.config import topology

    site = Site(pools, topology(settings), settings.spool)
    for warning in renewed_views(site, settings.spool / "hats", catalog, snapshot):
        message(f"warning: {warning}")
