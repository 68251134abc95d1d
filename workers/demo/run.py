"""The demo's path: cluster up, sky simulated, catalog loaded, tour taken, farewell."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from loaders.ingest import Contribution, IngestOptions, ingest
from procedures.catalogs import create_catalog, list_catalogs
from procedures.manifests import current_snapshots
from procedures.pools import Pools
from schema.catalog import Catalog
from schema.felis import read_catalog
from workers.cli.databases import transaction
from workers.cli.ingest_run import shown_progress
from workers.cli.output import console, message
from workers.config import Settings, load, topology
from workers.demo.tour import take_tour
from workers.local.cluster import up
from workers.simulate.survey import FOOTPRINTS, TRUTH, Recipe, Survey, Written, simulate

CATALOG = "dp1"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user chose of a demo; None: as the configuration says."""

    scale: float
    seed: int
    replicas: int
    shards: int | None = None
    port: int | None = None


def run(home: Path | None, wish: Wish) -> None:
    """Bring a cluster up, load a sky where there is none, and show it."""
    started = time.monotonic()
    settings = load(home, {"shards": wish.shards, "port": wish.port})
    screen = console()
    _heading(screen, "A cluster")
    up(settings, message)
    settings = load(home)
    folder = settings.home / "demo"
    if _is_loaded(settings):
        message(f"{CATALOG} is there already; another --home gets a sky of its own")
    else:
        _fill(settings, wish, folder, screen)
    _heading(screen, "A tour")
    take_tour(settings, folder, screen)
    _farewell(settings, folder, screen)
    message(f"all of it took {time.monotonic() - started:.0f} s")


def _heading(screen: Console, text: str) -> None:
    screen.print(f"\n[bold]{text}[/bold]")


def _is_loaded(settings: Settings) -> bool:
    """Whether the catalog has rows."""
    with transaction("the coordinator", topology(settings).coordinator) as connection:
        return current_snapshots(connection).get(CATALOG, 0) > 0


def _fill(settings: Settings, wish: Wish, folder: Path, screen: Console) -> None:
    """Simulate a survey, make its catalog and load it."""
    _heading(screen, "A sky")
    catalog = replace(read_catalog(CATALOG, CATALOG), replicas=wish.replicas)
    survey = _simulated(settings.spool / "demo", catalog, wish)
    _heading(screen, "Its catalog")
    _create(settings, catalog)
    folder.mkdir(parents=True, exist_ok=True)
    for kept in (TRUTH, FOOTPRINTS):  # before the rows are published: the tour needs the truth
        shutil.move(survey.folder / kept, folder / kept)
    _ingest(settings, survey)
    shutil.rmtree(survey.folder)


def _simulated(folder: Path, catalog: Catalog, wish: Wish) -> Survey:
    started = time.monotonic()

    def tell(written: Written) -> None:
        message(f"simulated {written.rows:>9,} rows of {written.table}")

    shutil.rmtree(folder, ignore_errors=True)
    survey = simulate(folder, catalog, Recipe(wish.scale, wish.seed), tell)
    message(
        f"{survey.rows('Object'):,} objects and "
        f"{survey.rows('Source') + survey.rows('ForcedSource'):,} epochs of them in "
        f"{time.monotonic() - started:.1f} s"
    )
    return survey


def _create(settings: Settings, catalog: Catalog) -> None:
    """The catalog, unless a demo that was interrupted has made it."""
    with transaction("the coordinator", topology(settings).coordinator) as connection:
        if catalog.name not in [known.name for known in list_catalogs(connection)]:
            create_catalog(connection, catalog)


def _ingest(settings: Settings, survey: Survey) -> None:
    servers = topology(settings)
    files = [Contribution(written.table, written.path) for written in survey.files]
    with closing(Pools(servers)) as pools, shown_progress() as progress:
        report = ingest(
            CATALOG,
            files,
            pools=pools,
            topology=servers,
            spool=settings.spool,
            options=IngestOptions(),
            progress=progress,
        )
    message(
        f"{CATALOG} snapshot {report.snapshot}: {sum(report.rows.values()):,} rows in "
        f"{report.parts:,} parts on {len(servers.shards)} shards, {report.seconds:.1f} s, "
        f"{report.rows_per_s:,.0f} rows/s"
    )


def _farewell(settings: Settings, folder: Path, screen: Console) -> None:
    base = f"http://{settings.host}:{settings.port}"
    _heading(screen, "Now you")
    screen.print(
        f"The cluster stays up at {base} (how to connect: the page there).\n"
        f"  TOPCAT  VO > Table Access Protocol (TAP) Query, TAP URL {base}/tap, Use Service\n"
        f'  Python  import pyvo; pyvo.dal.TAPService("{base}/tap").search("SELECT ...")\n'
        f'  shell   skyshard query --home {settings.home} "SELECT TOP 5 * FROM dp1.Object"\n'
        f"  truth   {folder / TRUTH}: what every object really is\n"
        f"  stop    skyshard down --home {settings.home}",
        markup=False,
    )
