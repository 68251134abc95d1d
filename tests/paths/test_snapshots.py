"""Snapshots of a sharded store: compacted, retracted, asked again, against the unsharded oracle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loaders.compact import compact, groups_above
from procedures.snapshots import UnknownSnapshot
from qserv.answer import answer
from qserv.as_of import WrongAsOf
from qserv.store import Store
from schema.manifest import PartKind
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.corpus import every_corpus
from tests.support.postgres import Server
from tests.support.sharded import Oracle, Sharded, bound, rows_of, sharded_store

pytestmark = pytest.mark.postgres
EVERY = 9
"""Of the corpus each so many-th query is asked again."""
SOME = every_corpus()[::EVERY]
COUNT = "SELECT COUNT(*) FROM diff.ForcedSource"


@pytest.fixture(scope="module")
def sharded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharded]:
    """Two shards, R = 2, three ingests; then compacted."""
    folder = Path(tmp_path_factory.mktemp("snapshots"))
    ingests = diff_sky.as_ingests(3)
    with sharded_store(server, diff_sky.CATALOG, ingests, shards=2, folder=folder) as made:
        compact(made.store.pools, "diff", made.store.topology)
        yield made


@pytest.fixture(scope="module")
def store(sharded: Sharded) -> Store:
    return sharded.store


def count(store: Store, text: str = COUNT, as_of: str = "") -> object:
    with closing(answer(text, store, as_of=as_of)) as found:
        return next(iter(found.batches)).column(0)[0].as_py()


def test_one_part_is_left_in_each_place(store: Store) -> None:
    manifest = store.pin().manifests["diff"]
    assert manifest.snapshot == 4
    assert not groups_above(diff_sky.CATALOG, manifest, 1)
    kinds = {part.kind for part in manifest.parts if len(part.ingests) > 1}
    assert kinds == {PartKind.ROWS, PartKind.INDEX}


@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_compacted_store_equals_the_oracle(case, store: Store, the_oracle: Oracle) -> None:  # type: ignore[no-untyped-def]
    query = bound(case.text, store, case.language)
    _, found = rows_of(case.text, store, case.language)
    assert_agrees(query, found, the_oracle.rows(query))


def test_older_snapshots_answer_as_they_did(store: Store) -> None:
    thirds = [ingest["ForcedSource"].num_rows for ingest in diff_sky.as_ingests(3)]
    wanted = [sum(thirds[:1]), sum(thirds[:2]), sum(thirds), sum(thirds)]
    assert [count(store, as_of=f"diff@{number}") for number in (1, 2, 3, 4)] == wanted


def test_an_answer_names_the_snapshot_that_it_read(store: Store) -> None:
    with closing(answer(COUNT, store, as_of="DIFF@2")) as found:
        assert dict(found.snapshots) == {"diff": 2}


def test_a_snapshot_that_never_was_is_refused(store: Store) -> None:
    with pytest.raises(UnknownSnapshot, match=r"no snapshot diff@9; there are 4, 3, 2, 1"):
        answer(COUNT, store, as_of="diff@9")
    with pytest.raises(UnknownSnapshot, match=r"no such catalog.*did you mean 'diff'"):
        answer(COUNT, store, as_of="dif@1")
    with pytest.raises(WrongAsOf):
        answer(COUNT, store, as_of="diff")
