"""What a relation of a fragment reads: the same rows from both engines, for any split of the chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import psycopg2
import pytest

from qserv.chunk_sql import merged, source_sql
from qserv.parts import PartIndex
from qserv.planned import ChunkSource, Reading
from schema.cover import Ranges
from schema.healpix import Pixel
from tests.qserv.rows_of_chunks import (
    PIXELS,
    fill_postgres,
    fill_twins,
    healpix_of,
    manifest,
    own_ids,
    source,
)
from tests.support.postgres import Server

Read = Callable[[ChunkSource, Sequence[Pixel]], list[tuple[object, ...]]]
INDEX = PartIndex(manifest([[1]] * 8))


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a=b") / "twins"
    fill_twins(folder, range(8))
    return folder


@pytest.fixture(scope="module")
def dsn(server: Server) -> str:
    made = server.new_database("chunks")
    fill_postgres(made, range(8))
    return made


@pytest.fixture(params=["postgres", "scan"])
def read(request: pytest.FixtureRequest) -> Iterator[Read]:
    """Runs a source's sub-select over some chunks, sorted."""
    is_scan = request.param == "scan"
    folder = request.getfixturevalue("twins") if is_scan else None
    connection = duckdb.connect() if is_scan else psycopg2.connect(request.getfixturevalue("dsn"))

    def run(asked: ChunkSource, pixels: Sequence[Pixel]) -> list[tuple[object, ...]]:
        parts = INDEX.in_chunks("Object", pixels)
        sql = source_sql(asked, parts, pixels, twins=folder)
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM {sql} AS r0 ORDER BY 1")
        return [tuple(row) for row in cursor.fetchall()]

    yield run
    connection.close()


def ids(*numbers: int) -> list[tuple[object, ...]]:
    return [(number,) for number in numbers]


pytestmark = pytest.mark.postgres


def test_own_rows_of_a_set_are_its_parts(read: Read) -> None:
    assert read(source(), PIXELS[2:4]) == ids(*range(20, 40))


def test_only_the_asked_columns_come(read: Read) -> None:
    assert read(source(columns=("flux", "id")), PIXELS[:1])[3] == (3.0, 3)


def test_without_columns_the_rows_can_still_be_counted(read: Read) -> None:
    assert len(read(source(columns=()), PIXELS[:2])) == 20


def test_overlap_adds_the_rows_beside_the_chunk(read: Read) -> None:
    assert read(source(Reading.OVERLAP), PIXELS[2:3]) == ids(*range(19, 31))


def test_overlap_inside_the_set_comes_once(read: Read) -> None:
    assert read(source(Reading.OVERLAP), PIXELS[2:5]) == ids(*range(19, 51))


def test_a_row_beside_two_chunks_of_the_set_comes_once(read: Read) -> None:
    chunks = (PIXELS[1], PIXELS[3])
    expected = [*range(9, 20), 20, 29, *range(30, 41)]
    assert read(source(Reading.OVERLAP), chunks) == ids(*expected)


def test_distinct_overlap_rows_need_not_show_their_key(read: Read) -> None:
    rows = read(source(Reading.OVERLAP, columns=("flux",)), (PIXELS[1], PIXELS[3]))
    assert len(rows) == 24


def test_ranges_cut_rows_and_skip_parts(read: Read) -> None:
    low, high = healpix_of([25])[0], healpix_of([32])[0]
    asked = source(ranges=Ranges(((low, high),)))
    assert read(asked, PIXELS) == ids(*range(25, 33))
    assert "p1" not in source_sql(asked, INDEX.in_chunks("Object", PIXELS), PIXELS, twins=None)


def test_ranges_cut_overlap_rows_too(read: Read) -> None:
    low, high = healpix_of([29])[0], healpix_of([30])[0]
    asked = source(Reading.OVERLAP, ranges=Ranges(((low, high),)))
    assert read(asked, PIXELS[2:3]) == ids(29, 30)
    assert read(asked, PIXELS[4:5]) == []


def test_no_ranges_at_all_give_no_rows(read: Read) -> None:
    assert read(source(ranges=Ranges(())), PIXELS) == []


def test_a_chunk_without_parts_is_an_empty_relation_of_the_right_types(read: Read) -> None:
    assert read(source(columns=("id", "flux")), (Pixel(2, 100),)) == []


def test_chunks_side_by_side_are_one_range() -> None:
    assert merged(PIXELS[:3]) == [(0, PIXELS[2].last_29)]
    assert merged((PIXELS[0], PIXELS[2])) == [
        (0, PIXELS[0].last_29),
        (PIXELS[2].first_29, PIXELS[2].last_29),
    ]


def test_a_pixel_holds_the_parts_of_finer_pixels() -> None:
    assert [part.part_id for part in INDEX.in_chunk("Object", Pixel(1, 1))] == [5, 6, 7, 8]
    assert own_ids(4)[0] == 40
