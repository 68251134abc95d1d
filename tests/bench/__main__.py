"""`python -m tests.bench [--rows N] [--json FILE] [NAME...]`: measure, print, judge.

Names: ingest replicas narrow restart points http scans memory matches neighbours live planning output (all by
default; the rows are loaded for any that needs them). Exit code 1 where a figure misses its mark.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.bench import live, loading, matches, neighbours, output, planning, points, scans
from tests.bench.figures import Figure
from tests.bench.rows import BenchRows, make_rows
from tests.bench.store import Bench, running_bench

DEFAULT_ROWS = 6_000_000
_PURE = ("planning", "output")
_OVER_STORE: dict[str, Callable[[Bench, BenchRows], list[Figure]]] = {
    "points": points.czar_times,
    "http": points.http_times,
    "scans": lambda bench, _: scans.scan_times(bench),
    "memory": lambda bench, rows: [output.memory(bench, rows)],
}
_WITH_OWN_ROWS: dict[str, Callable[[Bench, BenchRows], list[Figure]]] = {
    "replicas": loading.replicas,
    "narrow": loading.narrow,
    "restart": loading.restart,
    "matches": matches.match_times,
    "neighbours": lambda bench, _: neighbours.pair_times(bench),
    "live": lambda bench, _: live.visit_times(bench),
}
"""These load tables of their own."""
NAMES = ("ingest", *_OVER_STORE, *_WITH_OWN_ROWS, *_PURE)


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(NAMES)}.")] = None,
    rows: Annotated[
        int, typer.Option(min=100_000, help="Rows that everybody holds.")
    ] = DEFAULT_ROWS,
    shards: Annotated[int, typer.Option(min=1, help="Shards of the cluster.")] = 4,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures there.")
    ] = None,
) -> None:
    """Measure Skyshard against one plain PostgreSQL and DuckDB on one Parquet file."""
    chosen = names or list(NAMES)
    if unknown := [name for name in chosen if name not in NAMES]:
        raise typer.BadParameter(f"no figure {unknown[0]!r}; there are {', '.join(NAMES)}")
    screen = Console()
    started = time.monotonic()
    progress = Console(stderr=True)
    figures = [_told(figure, progress) for figure in _measure(chosen, rows, shards, progress)]
    screen.print(_table(figures))
    load = f"load {os.getloadavg()[0]:.1f}"
    screen.print(
        f"{rows:,} rows, {shards} shards, {_machine()}, {load}, {time.monotonic() - started:.0f} s"
    )
    if json_file is not None:
        facts = [{**asdict(figure), "has_passed": figure.has_passed} for figure in figures]
        about = {"rows": rows, "shards": shards, "machine": _machine()}
        json_file.write_text(json.dumps({**about, "figures": facts}, indent=2) + "\n")
    raise typer.Exit(0 if all(figure.has_passed for figure in figures) else 1)


def _measure(chosen: list[str], count: int, shards: int, progress: Console) -> Iterator[Figure]:
    """The figures as they come; only what they need is started."""
    if "planning" in chosen:
        yield from planning.planning()
    if set(chosen) == {"planning"}:
        return
    progress.print(f"making {count:,} rows")
    rows = make_rows(count)
    if "output" in chosen:
        yield output.serialising(rows)
    if set(chosen) <= set(_PURE):
        return
    with running_bench(shards) as bench:
        for name, measure in _WITH_OWN_ROWS.items():
            if name in chosen:
                yield from measure(bench, rows)
        if not set(chosen) - {*_PURE, *_WITH_OWN_ROWS}:
            return
        progress.print("loading the cluster and its peers")
        yield from loading.load_all(bench, rows, is_measured="ingest" in chosen)
        for name, measure in _OVER_STORE.items():
            if name in chosen:
                yield from measure(bench, rows)


def _told(figure: Figure, progress: Console) -> Figure:
    verdict = "passed" if figure.has_passed else "missed"
    progress.print(
        f"{figure.work}: {figure.value:.2f} {figure.unit}, {verdict} ({figure.detail})",
        soft_wrap=True,
        highlight=False,
    )
    return figure


def _table(figures: list[Figure]) -> Table:
    table = Table("work", "measured", "mark", "", "times", title="Skyshard beside its peers")
    for figure in figures:
        verdict = "[green]passed[/green]" if figure.has_passed else "[red]missed[/red]"
        measured = f"{figure.value:.2f} {figure.unit}"
        table.add_row(
            figure.work, measured, f"{figure.mark} {figure.limit:g}", verdict, figure.detail
        )
    return table


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"


if __name__ == "__main__":
    typer.run(main)
