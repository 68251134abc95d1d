"""The files that make a folder of Parquet leaves a HATS catalog: properties, partitions, metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from loaders.exports.folder import UNFINISHED, write_text
from loaders.parts.twin import sync
from schema.catalog import HEALPIX_29, Role, Table
from schema.healpix import MAX_ORDER, Pixel

_DIRECTORY_PIXELS = 10_000
"""HATS gathers so many pixels in one Dir= folder."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One Parquet file of a HATS catalog: the rows whose own position lies in the pixel."""

    pixel: Pixel
    rows: int
    size_bytes: int


def leaf_path(pixel: Pixel) -> str:
    """Where a pixel's rows lie below `dataset`."""
    directory = pixel.number // _DIRECTORY_PIXELS * _DIRECTORY_PIXELS
    return f"Norder={pixel.order}/Dir={directory}/Npix={pixel.number}.parquet"


def write_hats_files(folder: Path, name: str, table: Table, leaves: Sequence[Leaf]) -> list[Path]:
    """Complete a catalog whose leaves lie in `<folder>/dataset`; the files that were written.

    `name` is what HATS calls `obs_collection`. The leaves must not overlap, and be one at least.
    """
    ordered = sorted(leaves, key=lambda leaf: leaf.pixel.first_29)
    written = _write_metadata(folder / "dataset", ordered)
    lines = ["Norder,Npix", *(f"{leaf.pixel.order},{leaf.pixel.number}" for leaf in ordered)]
    partitions = folder / "partition_info.csv"
    write_text(partitions, "\n".join(lines) + "\n")
    properties = _properties(name, table, ordered)
    text = "".join(f"{key}={value}\n" for key, value in properties.items())
    for file in ("properties", "hats.properties"):
        write_text(folder / file, text)
    return [*written, partitions, folder / "properties", folder / "hats.properties"]


def _write_metadata(dataset: Path, leaves: Sequence[Leaf]) -> list[Path]:
    """All leaves' footers in one, and their schema."""
    first = pq.read_metadata(dataset / leaf_path(leaves[0].pixel))
    first.set_file_path(leaf_path(leaves[0].pixel))
    for leaf in leaves[1:]:
        footer = pq.read_metadata(dataset / leaf_path(leaf.pixel))
        footer.set_file_path(leaf_path(leaf.pixel))
        first.append_row_groups(footer)
    schema = pq.read_schema(dataset / leaf_path(leaves[0].pixel))
    paths = [dataset / "_metadata", dataset / "_common_metadata"]
    unfinished = [path.with_name(path.name + UNFINISHED) for path in paths]
    first.write_metadata_file(unfinished[0])
    pq.write_metadata(schema, unfinished[1])
    for made, path in zip(unfinished, paths, strict=True):
        sync(made)
        made.rename(path)
    sync(dataset)
    return paths


def _properties(name: str, table: Table, leaves: Sequence[Leaf]) -> dict[str, object]:
    """What the catalog is, in the words of the HATS standard."""
    return {
        "obs_collection": name,
        "dataproduct_type": "object" if table.role is Role.DIRECTOR else "source",
        "hats_nrows": sum(leaf.rows for leaf in leaves),
        "hats_col_ra": table.ra,
        "hats_col_dec": table.dec,
        "hats_col_healpix": HEALPIX_29,
        "hats_col_healpix_order": MAX_ORDER,
        "hats_order": max(leaf.pixel.order for leaf in leaves),
        "hats_max_rows": max(leaf.rows for leaf in leaves),
        "hats_npix_suffix": ".parquet",
        "hats_estsize": sum(leaf.size_bytes for leaf in leaves) // 1024,
        "hats_builder": "skyshard",
        "hats_version": "v1.0",
    }
