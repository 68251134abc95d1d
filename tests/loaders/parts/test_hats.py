"""The HATS view, read by the hats package."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from loaders.parts.hats import write_views
from schema.manifest import PartKind
from tests.loaders.lab import lab
from tests.loaders.skies import SKY, objects, sources_of
from tests.support.postgres import Server

hats = pytest.importorskip("hats")

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def test_each_snapshot_opens_as_a_hats_catalog(server: Server, tmp_path: Path) -> None:
    with lab(server, SKY, tmp_path) as sky:
        for number in range(2):
            given = objects(500, first=1000 * number, seed=number)
            given = given.filter(pa.compute.field("objectId") != 0)
            sky.ingest(Object=given, Source=sources_of(given, 1, first=1 + 1000 * number))
            view = hats.read_hats(tmp_path / "spool" / "hats" / "lab" / "Object")
            rows = sky.rows("Object")
            assert view.catalog_info.total_rows == rows.num_rows
            chunks = {
                part.pixel
                for part in sky.manifest().parts
                if part.table == "Object" and part.pixel and part.rows
            }
            pixels = {(pixel.order, pixel.pixel) for pixel in view.get_healpix_pixels()}
            assert pixels == {(chunk.order, chunk.number) for chunk in chunks}
            files = sorted((view.catalog_path / "dataset").rglob("Npix=*/*.parquet"))
            held = sum(pa.parquet.read_metadata(str(file)).num_rows for file in files)
            assert held == rows.num_rows
            assert view.schema.names == rows.column_names
        assert not (tmp_path / "spool" / "hats" / "lab" / "Source").exists()
        versions = list((tmp_path / "spool" / "hats" / "lab" / ".snapshots").iterdir())
        assert [version.name for version in versions] == ["Object-2"]


def test_a_slower_writer_does_not_put_an_older_snapshot_back(
    server: Server, tmp_path: Path
) -> None:
    with lab(server, SKY, tmp_path) as sky:
        sky.ingest(Object=objects(50))
        sky.ingest(Object=objects(50, first=1000))
        folder = tmp_path / "spool" / "hats"
        assert write_views(folder, sky.catalog, sky.manifest(1), sky.topology) == ()
        view = folder / "lab" / "Object"
        assert view.resolve().name == "Object-2"
        assert hats.read_hats(view).catalog_info.total_rows == 100


def test_a_chunk_that_was_split_is_shown_in_one_pixel(server: Server, tmp_path: Path) -> None:
    with lab(server, SKY, tmp_path) as sky:
        sky.ingest(Object=objects(300))
        sky.ingest(Object=objects(3000, first=1001, seed=2))
        parts = sky.manifest().parts_of("Object", PartKind.ROWS)
        pixels = {part.pixel for part in parts if part.pixel}
        assert any(one != other and one.contains(other) for one in pixels for other in pixels)
        view = hats.read_hats(tmp_path / "spool" / "hats" / "lab" / "Object")
        assert view.catalog_info.total_rows == 3300
        assert len(view.get_healpix_pixels()) < len(pixels)
        files = (view.catalog_path / "dataset").rglob("Npix=*/*.parquet")
        assert sum(pa.parquet.read_metadata(str(file)).num_rows for file in files) == 3300
