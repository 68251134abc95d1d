"""The density of objects on the sky, as a picture and in characters."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from schema.healpix import pixels
from workers.simulate.cadence import DEEP_FIELD
from workers.simulate.population import CLUSTERS
from workers.simulate.sky import F64, SURVEY, galactic_equator

_SHADES = " ·░▒▓█"
_ASPECT = 0.5
"""Width of a character over its height."""


@dataclass(frozen=True, slots=True)
class DensityMap:
    """Counts in HEALPix pixels of one order, NESTED; pixels that are not named hold none."""

    order: int
    pixels: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    def at(self, ra: F64, dec: F64) -> F64:
        """Objects a square degree at each position; 0 where there are none."""
        order = np.argsort(self.pixels)
        wanted = pixels(self.order, ra.ravel(), dec.ravel())
        place = np.searchsorted(self.pixels, wanted, sorter=order)
        found = order[np.minimum(place, len(order) - 1)]
        counts = np.where(self.pixels[found] == wanted, self.counts[found], 0)
        area_deg2 = 4.0 * np.pi * np.degrees(1.0) ** 2 / (12 * 4**self.order)
        return np.asarray(counts / area_deg2, dtype=np.float64).reshape(ra.shape)


def in_characters(density: DensityMap, columns: int) -> list[str]:
    """The footprint, east to the left, shaded by the logarithm of the density; a legend below."""
    height = SURVEY.dec_north - SURVEY.dec_south
    middle = np.radians((SURVEY.dec_north + SURVEY.dec_south) / 2.0)
    lines = round(columns * height / (SURVEY.ra_width * np.cos(middle)) * _ASPECT)
    east = SURVEY.ra_west + SURVEY.ra_width
    fine = 3
    ra = east - SURVEY.ra_width * (np.arange(columns * fine) + 0.5) / (columns * fine)
    dec = SURVEY.dec_north - height * (np.arange(lines * fine) + 0.5) / (lines * fine)
    grid_ra, grid_dec = np.meshgrid(ra % 360.0, dec)
    sampled = density.at(grid_ra, grid_dec).reshape(lines, fine, columns, fine).mean(axis=(1, 3))
    low, high = _range(sampled)
    level = np.log10(np.maximum(sampled, 1e-9) / low) / np.log10(high / low)
    shade = np.clip((level * (len(_SHADES) - 1)).astype(int) + 1, 1, len(_SHADES) - 1)
    shade[sampled == 0] = 0
    drawn = ["".join(_SHADES[i] for i in row) for row in shade]
    ends = f"ra {east % 360.0:g}°{'':^{max(1, columns - 16)}}ra {SURVEY.ra_west:g}°"
    legend = f"{_SHADES[1]} {low:,.0f} ... {_SHADES[-1]} {high:,.0f} objects a square degree"
    return [*drawn, ends, legend]


def _range(sampled: F64) -> tuple[float, float]:
    """The densities that the shades span."""
    seen = sampled[sampled > 0]
    if not seen.size:
        return 1.0, 10.0
    low, high = np.percentile(seen, [2.0, 99.7])
    return float(low), float(max(high, 1.5 * low))


def round_ticks(low: float, high: float) -> list[float]:
    """Three round numbers or more between two, for a logarithmic scale; 1, 3, 10, 30 if they do."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5)):
        found = [float(f"{step}e{decade}") for decade in decades for step in steps]
        inside = [tick for tick in found if low <= tick <= high]
        if len(inside) >= 3:
            return inside
    return [float(f"{tick:.2g}") for tick in np.geomspace(low, high, 3)]


def has_matplotlib() -> bool:
    """Whether the optional extra `demo` is there."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(density: DensityMap, path: Path) -> None:
    """Write the whole sky as a PNG: Mollweide, ICRS, right ascension growing to the left."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection="mollweide")
    longitude = np.radians(np.linspace(-180.0, 180.0, 1261))
    latitude = np.radians(np.linspace(-90.0, 90.0, 631))
    ra = -np.degrees((longitude[1:] + longitude[:-1]) / 2.0) % 360.0
    dec = np.degrees((latitude[1:] + latitude[:-1]) / 2.0)
    sampled = density.at(*np.meshgrid(ra, dec))
    low, high = _range(sampled)
    mesh = axes.pcolormesh(
        longitude,
        latitude,
        np.ma.masked_equal(sampled, 0.0),
        norm=LogNorm(low, high),
        cmap="viridis",
        rasterized=True,
    )
    _annotate(axes)
    bar = figure.colorbar(mesh, orientation="horizontal", shrink=0.6, aspect=40, extend="both")
    ticks = round_ticks(low, high)
    bar.set_ticks(ticks, labels=[f"{tick:,g}" for tick in ticks])
    bar.minorticks_off()
    bar.set_label("objects per square degree")
    axes.set_title(f"dp1.Object: {int(density.counts.sum()):,} objects", pad=18)
    figure.savefig(path, dpi=130)


def _annotate(axes: Any) -> None:
    """Grid, right ascensions, the galactic plane and the places worth a look."""
    axes.grid(color="0.75", linewidth=0.4)
    ticks = np.arange(-150, 151, 30)
    axes.set_xticks(np.radians(ticks), [f"{-tick % 360}°" for tick in ticks], fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    x, y = _projected(*galactic_equator())
    order = np.argsort(x)
    axes.plot(x[order], y[order], "-", color="crimson", linewidth=0.8, label="galactic plane")
    places = {f"cluster {n}": (c.ra, c.dec) for n, c in enumerate(CLUSTERS, start=1)}
    places["deep field"] = DEEP_FIELD
    for name, (place_ra, place_dec) in places.items():
        (x,), (y,) = _projected(np.array([place_ra]), np.array([place_dec]))
        axes.annotate(
            name,
            (x, y),
            xytext=(0, -26),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5},
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "linewidth": 0.3},
        )
    axes.legend(loc="lower right", fontsize=7, frameon=False)


def _projected(ra: F64, dec: F64) -> tuple[F64, F64]:
    """Matplotlib's longitude and latitude, radians: east is left."""
    return np.radians(-((ra + 180.0) % 360.0 - 180.0)), np.radians(dec)
