"""Chunks that outgrow their target are split by a later ingest; queries and old parts stay right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.lifecycle import add, begin, commit, publish_ingest, run_ingest
from loaders.options import Site
from loaders.parts.publish import PublishConflict
from loaders.rewrites.compact import compact
from loaders.staging.stage import Contribution
from procedures.manifests import read_manifest
from qserv.store import Store
from schema.manifest import IngestId
from schema.partition import Tiling
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.corpus import Case, every_corpus
from tests.support.postgres import Server
from tests.support.sharded import Oracle, Rows, bound, rows_of, sharded_store

pytestmark = pytest.mark.postgres
SOME = [
    case
    for number, case in enumerate(every_corpus())
    if number % 12 == 0 or " pairs" in case.name or "match join" in case.name
]
"""What joins across chunks of two sizes is asked whole."""
GROWING = replace(diff_sky.CATALOG, chunk_rows=80)
PIECES = (range(1), range(1, 5), range(5, 16))
"""Sixteenths of the keys that each of three ingests brings: the chunks grow five and three times."""


def ingests() -> list[Rows]:
    """The differential sky in three ingests that grow, directors with their children."""
    tables = diff_sky.rows()
    keys = {
        "Object": "objectId",
        "ForcedSource": "objectId",
        "Source": "sourceId",
        "DiaObject": "diaObjectId",
        "DiaSource": "diaObjectId",
    }
    groups = {name: np.asarray(tables[name][key].fill_null(0)) % 16 for name, key in keys.items()}
    found: list[dict[str, pa.Table]] = [
        {name: tables[name].filter(pa.array(np.isin(groups[name], piece))) for name in keys}
        for piece in PIECES
    ]
    found[2] |= {name: tables[name] for name in tables if name not in keys}
    return list(found)


@pytest.fixture(scope="module")
def store(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = Path(tmp_path_factory.mktemp("split"))
    with sharded_store(server, GROWING, ingests(), shards=2, folder=folder) as made:
        yield made.store


def test_both_later_ingests_split_chunks(store: Store) -> None:
    with store.pools.coordinator() as connection:
        manifests = [read_manifest(connection, "diff", number) for number in (1, 2, 3)]
    pixels = [{part.pixel for part in one.parts if part.pixel} for one in manifests]
    for before, after in pairwise(pixels):
        inside = [one for one in after - before for old in before if old.contains(one)]
        assert len(inside) > 10
    tiling = Tiling(manifests[2].chunks)  # covers the sky once
    coarser = [
        part for part in manifests[2].parts if part.pixel and part.pixel not in tiling.chunks
    ]
    assert coarser  # the first ingest's parts lie where they lay


@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_split_store_equals_the_oracle(case: Case, store: Store, the_oracle: Oracle) -> None:
    query = bound(case.text, store, case.language)
    _, found = rows_of(case.text, store, case.language)
    assert_agrees(query, found, the_oracle.rows(query))


@pytest.mark.parametrize("case", SOME[::8], ids=lambda case: case.name)
def test_so_does_one_compacted_then(case: Case, compacted: Store, the_oracle: Oracle) -> None:
    query = bound(case.text, compacted, case.language)
    _, found = rows_of(case.text, compacted, case.language)
    assert_agrees(query, found, the_oracle.rows(query))


@pytest.fixture(scope="module")
def compacted(store: Store) -> Store:
    compact(store.pools, "diff", store.topology)
    return store


def test_two_ingests_that_split_one_chunk_end_with_one_refused(
    server: Server, tmp_path: Path
) -> None:
    with lab(server, SKY, tmp_path) as sky:
        sky.ingest(Object=objects(300))
        site = Site(sky.pools, sky.topology, tmp_path / "spool")
        one, other = (loaded(sky, site, first=first, seed=first) for first in (10_001, 20_001))
        publish_ingest(site, one)
        before = sky.manifest()
        with pytest.raises(PublishConflict, match=r"it split chunk \d+/\d+, as this one does"):
            publish_ingest(site, other)
        assert sky.manifest() == before
        run_ingest(site, other, and_publish=True)  # planned anew, over the finer chunks
        assert len(sky.column("Object", "objectId")) == 6300
        Tiling(sky.manifest().chunks)


def loaded(sky: Lab, site: Site, *, first: int, seed: int) -> IngestId:
    """An ingest of so many objects that chunks are split, up to where it may be published."""
    path = sky.folder / f"objects-{first}.parquet"
    pq.write_table(objects(3000, first=first, seed=seed), path)
    ingest_id = begin(site, sky.catalog.name)
    add(site, ingest_id, [Contribution("Object", path)])
    commit(site, ingest_id)
    run_ingest(site, ingest_id)
    return ingest_id
