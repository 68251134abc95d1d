"""Taking the tour: plans are shown by the planner, rows come over HTTP as any TAP client gets them."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet
from rich.console import Console

from qserv.answer import explain
from qserv.formats.terminal import render_table
from qserv.result import Answer, ResultColumn
from schema.errors import StoreError, Unavailable
from schema.types import SPELLINGS
from workers.cli.output import message
from workers.cli.serve import opened_store
from workers.config import Settings, topology
from workers.demo.sky_map import DensityMap, draw, has_matplotlib, in_characters
from workers.demo.stops import SHOWN_ROWS, density_map, stops
from workers.simulate.cadence import DEEP_FIELD
from workers.simulate.survey import TRUTH
from workers.simulate.variability import Variable

TIMEOUT_S = 120.0
MAP_FILE = "density.png"


class TourFailed(StoreError):
    """The server did not answer a query of the tour."""

    code = "TOUR_FAILED"


def take_tour(settings: Settings, folder: Path, screen: Console) -> None:
    """Ask every stop's query, show its plan, its answer and its time; draw the map."""
    folder.mkdir(parents=True, exist_ok=True)
    server = f"http://{settings.host}:{settings.port}"
    _wait_ready(server)
    tap = f"{server}/tap/sync"
    star, order = _from_truth(folder / TRUTH)
    map_stop = density_map(order)
    with opened_store(settings, topology(settings)) as store:
        for number, stop in enumerate(stops(star, map_stop), start=1):
            screen.print(f"\n[bold]{number}. {stop.title}[/bold]")
            _print_lines(stop.adql.splitlines(), screen, style="cyan")
            _print_lines([f"plan: {explain(stop.adql, store).summary()}"], screen)
            started = time.perf_counter()
            rows = ask(tap, stop.adql)
            milliseconds = 1000.0 * (time.perf_counter() - started)
            _show(rows, screen)
            _print_lines([f"{rows.num_rows:,} rows in {milliseconds:,.0f} ms"], screen, "green")
            if stop is map_stop:
                _map(rows, order, folder, screen)


def _wait_ready(server: str) -> None:
    """Lets the server read what is new before anything is timed."""
    try:
        with urlopen(f"{server}/health", timeout=TIMEOUT_S):  # noqa: S310  (our own address)
            pass
    except URLError as error:
        raise Unavailable(f"{server} does not answer: {error.reason}") from error


def _from_truth(path: Path) -> tuple[int, int]:
    """A variable star to look at, and the HEALPix order of a map of so many objects.

    The star is in the deep field, an RR Lyrae if there is one, and bright; else any that varies.
    """
    if not path.exists():
        return 0, 7
    columns = ["objectId", "ra", "dec", "variable", "g_mag"]
    truth = parquet.read_table(path, columns=columns)
    order = 7 if truth.num_rows > 500_000 else 6 if truth.num_rows > 50_000 else 5
    stars = truth.filter(pc.not_equal(truth["variable"], Variable.CONSTANT.name.lower()))
    if not stars.num_rows:
        return int(truth["objectId"][0].as_py()), order
    east = (stars["ra"].to_numpy() - DEEP_FIELD[0] + 180.0) % 360.0 - 180.0
    north = stars["dec"].to_numpy() - DEEP_FIELD[1]
    is_far = np.hypot(east * np.cos(np.radians(DEEP_FIELD[1])), north) > 1.2
    is_other = pc.not_equal(stars["variable"], Variable.RR_LYRAE.name.lower()).to_numpy()
    best = np.lexsort((stars["g_mag"].to_numpy(), is_other, is_far))[0]
    return int(stars["objectId"][int(best)].as_py()), order


def ask(url: str, adql: str) -> pa.Table:
    """A query's rows by TAP, as Arrow.

    Raises
    ------
    Unavailable
        Where there is no server.
    TourFailed
        Where the server does not answer with rows.
    """
    form = urlencode({"LANG": "ADQL", "RESPONSEFORMAT": "arrow", "QUERY": adql}).encode()
    try:
        with urlopen(url, form, timeout=TIMEOUT_S) as response:  # noqa: S310  (our own address)
            return pa.ipc.open_stream(response.read()).read_all()
    except HTTPError as error:
        raise TourFailed(f"{url} answered {error.code}: {error.read().decode()}") from error
    except URLError as error:
        raise Unavailable(f"{url} does not answer: {error.reason}") from error


def _show(rows: pa.Table, screen: Console) -> None:
    columns = _result_columns(rows.schema)
    shown = rows.slice(0, SHOWN_ROWS).combine_chunks().to_batches()
    inner = Console(file=io.StringIO(), width=max(60, screen.width - 4), highlight=False)
    with inner.capture() as captured:
        render_table(Answer("tour", columns, iter(shown)), inner)
    _print_lines([line.rstrip() for line in captured.get().splitlines()], screen)
    if rows.num_rows > SHOWN_ROWS:
        _print_lines(["..."], screen, "dim")


def _result_columns(schema: pa.Schema) -> tuple[ResultColumn, ...]:
    """The columns as the Arrow stream describes them."""
    kinds = {spelling.arrow: kind for kind, spelling in SPELLINGS.items()}  # DOUBLES is the last
    return tuple(ResultColumn(field.name, kinds[field.type], unit=_unit(field)) for field in schema)


def _unit(field: pa.Field) -> str | None:
    unit = (field.metadata or {}).get(b"unit")
    return None if unit is None else str(unit, "utf-8")


def _map(rows: pa.Table, order: int, folder: Path, screen: Console) -> None:
    density = DensityMap(
        order, rows["pixel"].to_numpy().astype(np.int64), rows["objects"].to_numpy()
    )
    _print_lines(in_characters(density, columns=min(96, screen.width - 8)), screen)
    if not has_matplotlib():
        message("no picture: pip install 'skyshard[demo]' brings matplotlib")
        return
    path = folder / MAP_FILE
    draw(density, path)
    _print_lines([f"the same as a picture: {path}"], screen)


def _print_lines(lines: Sequence[str], screen: Console, style: str | None = None) -> None:
    for line in lines:
        screen.print(f"    {line}", style=style, markup=False, highlight=False)
