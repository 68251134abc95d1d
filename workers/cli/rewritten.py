"""What commands say of parts that were written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.output import emit_json, message

if TYPE_CHECKING:
    from loaders.rewrite import RewriteReport


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
