"""The catalog `prompt`: the Alert Production Database under its shipped layout, visit by visit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.live.clean import clean
from loaders.live.unit import open_unit
from qserv.answer import answer
from qserv.store import Store
from schema.catalog import Catalog
from schema.felis import read_catalog
from tests.loaders.lab import Lab, lab
from tests.support.postgres import Server
from tests.support.prompt_sky import PromptSky, region_queries
from tests.support.survey import survey_folder

pytestmark = pytest.mark.postgres
HITS = {
    "DiaObject": ("dia_object_*.parquet", ("diaObjectId", "validityStartMjdTai")),
    "DiaSource": ("dia_source_*.parquet", ("diaSourceId",)),
    "DiaForcedSource": (
        "dia_forced_source_*.parquet",
        ("diaObjectId", "visit", "detector"),
    ),
}
"""Table -> (files, primary key)."""


def prompt(replicas: int) -> Catalog:
    return replace(read_catalog("prompt", "apdb"), replicas=replicas)


@contextmanager
def prompt_store(server: Server, folder: Path, *, replicas: int) -> Iterator[tuple[Lab, Store]]:
    with lab(server, prompt(replicas), folder) as made:
        store = Store(made.topology, made.pools, spool=folder / "spool")
        try:
            yield made, store
        finally:
            store.close()


def asked(text: str, store: Store) -> pa.Table:
    with closing(answer(text, store)) as found:
        return pa.Table.from_batches(list(found.batches), found.arrow_schema())


def test_a_visit_of_ten_thousand_sources_is_read_and_written(
    server: Server, tmp_path: Path
) -> None:
    sky = PromptSky(prompt(1), 12_000)
    with prompt_store(server, tmp_path, replicas=1) as (made, store):
        with open_unit(made.pools, made.topology, "prompt", label="history") as unit:
            sky.write_history(unit, sources=1, forced=2)
        before = [asked(text, store).num_rows for text in region_queries(sky)]
        assert before == [12_000, 12_000, 24_000]
        visit = sky.visit(10_000)
        with open_unit(made.pools, made.topology, "prompt", label="visit 1") as unit:
            visit.write(unit)
        objects, sources, forced = (asked(text, store) for text in region_queries(sky))
        assert (objects.num_rows, sources.num_rows, forced.num_rows) == (12_500, 22_000, 34_000)
        assert asked("SELECT COUNT(*) FROM prompt.DiaObject", store)[0][0].as_py() == 22_000
        assert asked("SELECT COUNT(*) FROM prompt.DiaObjectLast", store)[0][0].as_py() == 12_500
        joined = asked(
            "SELECT COUNT(*) FROM prompt.DiaObject o JOIN prompt.DiaSource s"
            " ON o.diaObjectId = s.diaObjectId WHERE o.validityEndMjdTai IS NULL"
            f" AND s.visit = {visit.number}",
            store,
        )
        assert joined[0][0].as_py() == 10_000
        wanted = np.sort(np.asarray(visit.sources["diaSourceId"]))
        found = asked(
            f"SELECT diaSourceId FROM prompt.DiaSource WHERE visit = {visit.number}", store
        )
        assert np.array_equal(np.sort(np.asarray(found[0])), wanted)


def test_the_night_of_hits_2015_loads_visit_by_visit(server: Server, tmp_path: Path) -> None:
    survey = survey_folder("hits2015")
    newest: dict[str, dict[tuple[object, ...], object]] = {name: {} for name in HITS}
    with prompt_store(server, tmp_path, replicas=2) as (made, store):
        for visit in ("411371", "411420", "419802"):
            with open_unit(made.pools, made.topology, "prompt", label=visit) as unit:
                for name, (pattern, key) in HITS.items():
                    for path in sorted(survey.glob(pattern.replace("*", f"DECam_{visit}_*"))):
                        rows = pq.read_table(path)
                        unit.upsert(name, rows)
                        keys = zip(*(rows[column].to_pylist() for column in key), strict=True)
                        newest[name].update(zip(keys, rows["ra"].to_pylist(), strict=True))
        for name, (_, key) in HITS.items():
            found = asked(f"SELECT {', '.join(key)}, ra FROM prompt.{name}", store)
            columns = [column.to_pylist() for column in found.columns]
            rows_of = {tuple(row[:-1]): row[-1] for row in zip(*columns, strict=True)}
            assert found.num_rows == len(newest[name])
            assert rows_of == newest[name]
        report = clean(made.pools, "prompt", grace_s=0)
        assert report.retired > 0, "measurements of 2015 are older than the layout keeps"
        assert asked("SELECT COUNT(*) FROM prompt.DiaSource", store)[0][0].as_py() == 0
        assert asked("SELECT COUNT(*) FROM prompt.DiaObject", store)[0][0].as_py() > 0
