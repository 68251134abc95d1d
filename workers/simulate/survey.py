"""The path: draw the sky, plan the visits, measure, and write Parquet files, several a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from schema.catalog import Catalog, Table
from workers.simulate.cadence import Visits, plan_visits
from workers.simulate.dia_tables import dia_tables, joined, of_variables
from workers.simulate.epoch_tables import (
    Epochs,
    Sky,
    forced_source_table,
    measure,
    source_table,
)
from workers.simulate.object_tables import object_ids, object_table, truth_table
from workers.simulate.observing import SkyIndex
from workers.simulate.population import draw_population
from workers.simulate.variability import draw_variability
from workers.simulate.visit_tables import footprint_table, patch_table, visit_table

OBJECTS_AT_SCALE_1 = 1_000_000
OBJECT_ROWS_A_FILE = 250_000
EPOCH_GROUPS_AT_SCALE_1 = 8
TABLES = (
    *("Object", "Source", "ForcedSource", "Visit", "CoaddPatches"),
    *("DiaObject", "DiaSource", "ForcedSourceOnDiaObject"),
)
TRUTH, FOOTPRINTS = "truth.parquet", "visit_footprints.parquet"


class _Stream(IntEnum):
    """Random streams: each step draws from its own, so that threads do not change the bytes."""

    POPULATION = 0
    VARIABILITY = 1
    CADENCE = 2
    OBJECTS = 3
    EPOCHS = 4
    DIFFERENCES = 5


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to simulate; the same recipe gives the same bytes. `scale` 1 is a million objects."""

    scale: float = 1.0
    seed: int = 20260101
    threads: int = 2

    def __post_init__(self) -> None:
        if not 0.0 < self.scale <= 100.0:
            raise ValueError(f"scale {self.scale} outside (0, 100]")

    def rng(self, stream: _Stream, index: int = 0) -> np.random.Generator:
        """The generator of one step."""
        return np.random.default_rng([self.seed, int(stream), index])


@dataclass(frozen=True, slots=True)
class Written:
    """A table's file and how many rows it has."""

    table: str
    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class Survey:
    """The files of a simulated survey; truth and footprints are not part of the catalog."""

    folder: Path
    files: tuple[Written, ...]

    def paths(self, table: str) -> tuple[Path, ...]:
        """The files of one table, in order."""
        return tuple(file.path for file in self.files if file.table == table)

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return sum(file.rows for file in self.files if file.table == table)

    @property
    def truth(self) -> Path:
        return self.folder / TRUTH

    @property
    def footprints(self) -> Path:
        return self.folder / FOOTPRINTS


def simulate(
    folder: Path,
    catalog: Catalog,
    recipe: Recipe,
    progress: Callable[[Written], None],
) -> Survey:
    """Writes a survey of `dp1`'s tables into a folder; `progress` hears of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    visits = plan_visits(recipe.rng(_Stream.CADENCE))
    sky = _draw_sky(recipe)
    files: list[Written] = []
    for written in _written(folder, catalog, recipe, sky, visits):
        progress(written)
        files.append(written)
    parquet.write_table(footprint_table(visits), folder / FOOTPRINTS)
    truth = truth_table(sky.population, sky.ids, sky.variability)
    parquet.write_table(truth, folder / TRUTH)
    return Survey(folder, tuple(files))


def _draw_sky(recipe: Recipe) -> Sky:
    count = max(1000, round(recipe.scale * OBJECTS_AT_SCALE_1))
    population = draw_population(recipe.rng(_Stream.POPULATION), count)
    variability = draw_variability(recipe.rng(_Stream.VARIABILITY), population)
    return Sky(population, variability, object_ids(population.ra, population.dec))


def _written(
    folder: Path, catalog: Catalog, recipe: Recipe, sky: Sky, visits: Visits
) -> Iterator[Written]:
    """Every table's files, as they are done."""
    yield _write(folder, "Visit", 0, visit_table(_table(catalog, "Visit"), visits))
    yield _write(folder, "CoaddPatches", 0, patch_table(_table(catalog, "CoaddPatches")))
    starts = range(0, len(sky.population), OBJECT_ROWS_A_FILE)
    groups = np.array_split(np.arange(len(visits)), _group_count(recipe.scale))
    index = SkyIndex(sky.population.ra, sky.population.dec)

    def write_objects(number: int) -> Written:
        rows = slice(starts[number], starts[number] + OBJECT_ROWS_A_FILE)
        rng = recipe.rng(_Stream.OBJECTS, number)
        table = object_table(_table(catalog, "Object"), sky.population, sky.ids, rows, rng)
        return _write(folder, "Object", number, table)

    def write_epochs(number: int) -> tuple[Written, Written, Epochs]:
        rng = recipe.rng(_Stream.EPOCHS, number)
        epochs = measure(sky, visits, index.seen_by(visits, groups[number]), rng)
        forced = forced_source_table(_table(catalog, "ForcedSource"), sky, visits, epochs)
        source = source_table(catalog, sky, visits, epochs, rng)
        return (
            _write(folder, "ForcedSource", number, forced),
            _write(folder, "Source", number, source),
            of_variables(sky, epochs),
        )

    varying: list[Epochs] = []
    with ThreadPoolExecutor(recipe.threads) as threads:
        yield from threads.map(write_objects, range(len(starts)))
        for forced, source, epochs in threads.map(write_epochs, range(len(groups))):
            varying.append(epochs)
            yield from (forced, source)
    rng = recipe.rng(_Stream.DIFFERENCES)
    for name, table in dia_tables(catalog, sky, visits, joined(varying), rng).items():
        yield _write(folder, name, 0, table)


def _group_count(scale: float) -> int:
    return max(2, round(scale * EPOCH_GROUPS_AT_SCALE_1))


def _table(catalog: Catalog, name: str) -> Table:
    table = catalog.table(name)
    assert table is not None, f"{catalog.name} has no table {name}"
    return table


def _write(folder: Path, name: str, number: int, table: pa.Table) -> Written:
    path = folder / f"{name}_{number:03d}.parquet"
    parquet.write_table(
        table, path, compression="zstd", compression_level=1, use_dictionary=_few_values(table)
    )
    return Written(name, path, table.num_rows)


def _few_values(table: pa.Table) -> list[str]:
    """Columns that a dictionary makes smaller; elsewhere it only costs time."""
    names = {"visit", "tract", "patch", "detector", "refBand", "deblend_nChild"}
    return [
        field.name
        for field in table.schema
        if field.name in names or pa.types.is_string(field.type)
    ]
