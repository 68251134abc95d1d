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
    from loaders.parts.hats import write_views
    from procedures.catalogs import get_catalog
    from procedures.manifests import read_manifest
    from workers.config import topology

    folder = settings.spool / "hats"
    try:
        with pools.coordinator() as connection:
            model = get_catalog(connection, catalog)
            manifest = read_manifest(connection, catalog, snapshot)
        write_views(folder, model, manifest, topology(settings))
    except Exception as error:  # noqa: BLE001
        message(f"warning: the HATS view in {folder} is not renewed: {error}")
