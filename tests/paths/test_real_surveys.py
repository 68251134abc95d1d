"""Real surveys: their files are ingested as they are, and queries answer as one PostgreSQL does.

The files lie beside the checkout in `shared`, or where SKYSHARD_SHARED says; without them the tests
are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import astropy.table
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from loaders.ingest import Contribution
from qserv.store import Store
from schema.catalog import Catalog
from schema.felis import read_catalog
from schema.manifest import PartKind
from tests.support.cases import CASES
from tests.support.compare import assert_same_rows
from tests.support.corpus import Case, corpus
from tests.support.postgres import Server
from tests.support.sharded import Oracle, bound, oracle, rows_of, sharded_store
from tests.support.survey import dump_oracle, dumped_catalog, dumps, fitted, survey_folder

pytestmark = pytest.mark.postgres

STRIPE82 = """
margin_arcsec: 30
chunk_rows: 100
tables:
  RunDeepSource: {role: director, key: id, ra: coord_ra, dec: coord_decl}
  RefObject: {role: director, key: refObjectId, ra: ra, dec: decl}
  RefDeepSrcMatch:
    role: match
    pairs: [{director: RunDeepSource, key: deepSourceId}, {director: RefObject, key: refObjectId}]
  AvgForcedPhot: {role: child, parent: RunDeepSource, key: deepSourceId, ra: ra, dec: decl}
  AvgForcedPhotYearly: {role: child, parent: RunDeepSource, key: deepSourceId, ra: ra, dec: decl}
  Science_Ccd_Exposure: {role: replicated, columns: ["*", "!poly"]}
  DeepCoadd: {role: replicated, columns: ["*", "!poly"]}
  Filter: {role: replicated}
"""
PT1 = """
margin_arcsec: 30
chunk_rows: 100
tables:
  Object: {role: director, key: objectId, ra: ra_PS, dec: decl_PS}
  Source: {role: child, parent: Object, key: objectId, ra: ra, dec: decl}
"""
DP1_LIKE = """
keep: [DiaObject, DiaSource]
margin_arcsec: 20
chunk_rows: 100
tables:
  DiaObject: {role: director, key: diaObjectId, ra: ra, dec: dec}
  DiaSource: {role: child, parent: DiaObject, key: diaObjectId, ra: ra, dec: dec, sentinels: [0]}
"""
HITS_FILES = {
    "DiaObject": ("dia_object_*.parquet", "diaObjectId", "validityStartMjdTai"),
    "DiaSource": ("dia_source_*.parquet", "diaSourceId", "timeProcessedMjdTai"),
    "DiaForcedSource": ("dia_forced_source_*.parquet", "diaForcedSourceId", "timeProcessedMjdTai"),
}
"""Table -> (files, key, what grows with time)."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey's files in a sharded store, and in one PostgreSQL."""

    store: Store
    oracle: Oracle

    def check(self, case: Case) -> None:
        query = bound(case.text, self.store)
        _, found = rows_of(case.text, self.store)
        assert found, "no rows: nothing is compared"
        assert_same_rows(found, self.oracle.rows(query), ordered=bool(query.order))


@contextmanager
def over_three_shards(
    server: Server, catalog: Catalog, files: list[Contribution], folder: Path
) -> Iterator[Store]:
    with sharded_store(server, catalog, [files], shards=3, folder=folder / "cluster") as sharded:
        yield sharded.store


@pytest.fixture(scope="module")
def stripe82(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survey]:
    yield from of_dumps("stripe82", STRIPE82, server, tmp_path_factory.mktemp("stripe82"))


@pytest.fixture(scope="module")
def pt1(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survey]:
    yield from of_dumps("pt1", PT1, server, tmp_path_factory.mktemp("pt1"))


def of_dumps(name: str, layout: str, server: Server, folder: Path) -> Iterator[Survey]:
    survey = survey_folder(name)
    catalog = dumped_catalog(survey, layout, folder)
    with over_three_shards(server, catalog, dumps(survey, catalog, folder), folder) as store:
        yield Survey(store, dump_oracle(server, survey, catalog))


@pytest.fixture(scope="module")
def hits2015(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survey]:
    """The prompt products' schema and layout; of rows that several visits tell, the newest."""
    survey, folder = survey_folder("hits2015"), tmp_path_factory.mktemp("hits2015")
    catalog = replace(
        read_catalog("hits2015", "apdb", "apdb_release"), chunk_rows=100, margin_arcsec=20.0
    )
    rows, files = {}, []
    for table, (pattern, key, age) in HITS_FILES.items():
        found = [pq.read_table(path) for path in sorted(survey.glob(pattern))]
        rows[table] = [newest([visit for visit in found if visit.num_rows], key, age)]
        pq.write_table(rows[table][0], folder / f"{table}.parquet")
        files.append(Contribution(table, folder / f"{table}.parquet"))
    with over_three_shards(server, catalog, files, folder) as store:
        yield Survey(store, oracle(server, catalog, fitted(rows, catalog)))


def newest(visits: list[pa.Table], key: str, age: str) -> pa.Table:
    """The newest row of each key: a visit's file repeats the history that it began with."""
    rows = pa.concat_tables(visits, promote_options="permissive")
    oldest_first = rows.take(pc.sort_indices(rows, [(key, "ascending"), (age, "ascending")]))
    keys = np.asarray(oldest_first[key])
    return oldest_first.filter(pa.array(np.append(keys[1:] != keys[:-1], values=True)))


@pytest.fixture(scope="module")
def dp1_like(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survey]:
    """An ECSV file of sources whose objects are elsewhere."""
    path = survey_folder("dp1_like") / "diaSourceTable_tract_test.ecsv"
    folder = tmp_path_factory.mktemp("dp1_like")
    (folder / "layout.yaml").write_text(DP1_LIKE)
    catalog = read_catalog("dp1_like", "dp1", folder / "layout.yaml")
    read = astropy.table.Table.read(path, format="ascii.ecsv")
    read["time_processed"] = read["time_processed"].isot
    rows = pa.table({name: read[name].tolist() for name in read.colnames})
    files = [Contribution("DiaSource", path)]
    with over_three_shards(server, catalog, files, folder) as store:
        yield Survey(store, oracle(server, catalog, fitted({"DiaSource": [rows]}, catalog)))


def cases_of(survey: str) -> list[Case]:
    return corpus(CASES / "surveys" / f"{survey}.sql")


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize(
    ("survey", "table"),
    [
        ("stripe82", "RunDeepSource"),
        ("stripe82", "RefDeepSrcMatch"),
        ("pt1", "Source"),
        ("hits2015", "DiaSource"),
        ("dp1_like", "DiaSource"),
    ],
)
def test_a_survey_lies_in_several_chunks(
    survey: str, table: str, request: pytest.FixtureRequest
) -> None:
    found: Survey = request.getfixturevalue(survey)
    parts = found.store.pin().manifests[survey].parts_of(table, PartKind.ROWS)
    assert len({part.pixel for part in parts}) > 3


@pytest.mark.parametrize("case", cases_of("stripe82"), ids=named)
def test_stripe_82_answers_as_unsharded(case: Case, stripe82: Survey) -> None:
    stripe82.check(case)


@pytest.mark.parametrize("case", cases_of("pt1"), ids=named)
def test_pt1_answers_as_unsharded(case: Case, pt1: Survey) -> None:
    pt1.check(case)


@pytest.mark.parametrize("case", cases_of("hits2015"), ids=named)
def test_hits_2015_answers_as_unsharded(case: Case, hits2015: Survey) -> None:
    hits2015.check(case)


@pytest.mark.parametrize("case", cases_of("dp1_like"), ids=named)
def test_sources_without_objects_answer_as_unsharded(case: Case, dp1_like: Survey) -> None:
    dp1_like.check(case)
