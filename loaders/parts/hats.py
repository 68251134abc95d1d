"""A HATS view of a snapshot's directors: links to the twins, and the files that name them.

`<folder>/<catalog>/<table>` is what `hats`, LSDB and others open. It is a link to the newest
snapshot's view, switched at once. Children have none: HATS places a row by its own position, and
theirs lie with their director.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from loaders.parts.twin import twin_path
from schema.catalog import HEALPIX_29, Catalog, Table
from schema.healpix import MAX_ORDER, Pixel
from schema.manifest import Manifest, Part, PartKind
from schema.topology import Topology

_DIRECTORY_PIXELS = 10_000
"""HATS gathers so many pixels in one Dir= folder."""


def write_views(
    folder: Path, catalog: Catalog, manifest: Manifest, topology: Topology
) -> tuple[Path, ...]:
    """Write the views of a snapshot, where this machine sees all twins of a table; their paths."""
    views = []
    own = folder / catalog.name
    own.mkdir(parents=True, exist_ok=True)
    with (own / ".lock").open("w") as lock:
        # One writer at a time: a slower one must not put an older snapshot back.
        fcntl.flock(lock, fcntl.LOCK_EX)
        for table in catalog.directors():
            parts = [part for part in manifest.parts_of(table.name, PartKind.ROWS) if part.rows]
            twins = {part: path for part in parts if (path := _twin(part, topology))}
            if parts and len(twins) == len(parts) and not _is_newer(own / table.name, manifest):
                views.append(_write_view(own, table, manifest.snapshot, twins))
    return tuple(views)


def _is_newer(view: Path, manifest: Manifest) -> bool:
    """Whether a view shows a later snapshot."""
    shown = view.readlink().name.rpartition("-")[2] if view.is_symlink() else "0"
    return int(shown) > manifest.snapshot


def _twin(part: Part, topology: Topology) -> Path | None:
    """A twin of a part that can be seen from here."""
    for replica in part.replicas:
        folder = topology.shard(replica.shard_id).twins
        if replica.has_twin and folder is not None:
            path = twin_path(folder, part.own_name)
            if path.exists():
                return path.resolve()
    return None


def _write_view(folder: Path, table: Table, snapshot: int, twins: Mapping[Part, Path]) -> Path:
    """Write one table's view beside the old one, switch the link, remove the old one."""
    versions = folder / ".snapshots"
    version = versions / f"{table.name}-{snapshot}"
    shutil.rmtree(version, ignore_errors=True)
    (version / "dataset").mkdir(parents=True)
    leaves = _leaves(twins)
    _link_twins(version / "dataset", leaves)
    _write_metadata(version / "dataset", leaves)
    _write_pixels(version, leaves)
    _write_properties(version, folder.name, table, leaves)
    view = folder / table.name
    fresh = folder / f".{table.name}.link"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version.relative_to(folder), target_is_directory=True)
    fresh.replace(view)
    for old in versions.glob(f"{table.name}-*"):
        if old != version:
            shutil.rmtree(old, ignore_errors=True)
    return view


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A part and its twin, in the pixel that shows it."""

    part: Part
    pixel: Pixel
    twin: Path

    @property
    def path(self) -> str:
        """Where it lies below `dataset`."""
        order, number = self.pixel.order, self.pixel.number
        directory = number // _DIRECTORY_PIXELS * _DIRECTORY_PIXELS
        return f"Norder={order}/Dir={directory}/Npix={number}/{self.part.own_name}.parquet"


def _leaves(twins: Mapping[Part, Path]) -> list[_Leaf]:
    """The parts by their place on the sky, then by age.

    HATS has no pixel within another: what a chunk that was split holds is shown in the old one as long
    as that has parts.
    """
    pixels = {part.pixel for part in twins if part.pixel is not None}
    outermost: dict[Pixel, Pixel] = {}
    outer: Pixel | None = None
    for pixel in sorted(pixels, key=lambda one: (one.first_29, one.order)):
        if outer is None or not outer.contains(pixel):
            outer = pixel
        outermost[pixel] = outer
    leaves = [
        _Leaf(part, outermost[part.pixel], twin)
        for part, twin in twins.items()
        if part.pixel is not None
    ]
    return sorted(leaves, key=lambda leaf: (leaf.pixel.first_29, leaf.part.part_id))


def _link_twins(dataset: Path, leaves: Sequence[_Leaf]) -> None:
    for leaf in leaves:
        path = dataset / leaf.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(leaf.twin)


def _write_metadata(dataset: Path, leaves: Sequence[_Leaf]) -> None:
    """All twins' footers in one, and their schema."""
    total: pq.FileMetaData | None = None
    for leaf in leaves:
        footer = pq.read_metadata(leaf.twin)
        footer.set_file_path(leaf.path)
        if total is None:
            total = footer
        else:
            total.append_row_groups(footer)
    assert total is not None, "a view without parts"
    total.write_metadata_file(dataset / "_metadata")
    pq.write_metadata(pq.read_schema(leaves[0].twin), dataset / "_common_metadata")


def _write_pixels(version: Path, leaves: Sequence[_Leaf]) -> None:
    pixels = dict.fromkeys(leaf.pixel for leaf in leaves)
    lines = ["Norder,Npix", *(f"{pixel.order},{pixel.number}" for pixel in pixels)]
    (version / "partition_info.csv").write_text("\n".join(lines) + "\n")


def _write_properties(
    version: Path, catalog_name: str, table: Table, leaves: Sequence[_Leaf]
) -> None:
    """What the view is, in the words of the HATS standard."""
    properties = {
        "obs_collection": f"{catalog_name}_{table.name}",
        "dataproduct_type": "object",
        "hats_nrows": sum(leaf.part.rows for leaf in leaves),
        "hats_col_ra": table.ra,
        "hats_col_dec": table.dec,
        "hats_col_healpix": HEALPIX_29,
        "hats_col_healpix_order": MAX_ORDER,
        "hats_order": max(leaf.pixel.order for leaf in leaves),
        "hats_npix_suffix": "/",
        "hats_builder": "skyshard",
        "hats_version": "v1.0",
    }
    text = "".join(f"{key}={value}\n" for key, value in properties.items())
    for name in ("hats.properties", "properties"):
        (version / name).write_text(text)
