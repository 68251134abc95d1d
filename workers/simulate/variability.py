"""Which objects vary, and by how much at a time: RR Lyrae, eclipsing binaries, Miras, quasars."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from workers.simulate.population import Kind, Population
from workers.simulate.sky import F64, I64

_BAND_AMPLITUDE = np.array([0.9, 1.0, 0.75, 0.6, 0.55, 0.5])
"""Amplitude by band over that in g, for pulsating stars and quasars."""


class Variable(IntEnum):
    """How an object varies."""

    CONSTANT = 0
    RR_LYRAE = 1
    ECLIPSING = 2
    MIRA = 3
    QUASAR = 4


@dataclass(frozen=True, slots=True)
class Variability:
    """For each object: class, period (days), amplitude in g (magnitudes), phase at MJD 0."""

    kind: npt.NDArray[np.int8]
    period_d: F64
    amplitude: F64
    phase: F64

    def variables(self) -> I64:
        """Indices of the objects that vary."""
        return np.flatnonzero(self.kind)


def draw_variability(rng: np.random.Generator, sky: Population) -> Variability:
    """Makes RR Lyrae of some blue stars, Miras of some red ones, binaries of any, all quasars vary."""
    count = len(sky)
    is_star = (sky.kind == Kind.STAR) | (sky.kind == Kind.CLUSTER_STAR)
    gi = sky.magnitudes[:, 1] - sky.magnitudes[:, 3]
    chance = rng.random(count)
    kind = np.zeros(count, dtype=np.int8)
    kind[is_star & (sky.magnitudes[:, 2] < 24.0) & (chance < 0.015)] = Variable.ECLIPSING
    is_bright = sky.magnitudes[:, 2] < 21.0
    kind[is_star & is_bright & (gi < 0.55) & (chance < 0.1)] = Variable.RR_LYRAE
    kind[is_star & is_bright & (gi > 2.2) & (chance < 0.05)] = Variable.MIRA
    kind[sky.kind == Kind.QUASAR] = Variable.QUASAR
    low = np.array([1.0, 0.44, 0.3, 90.0, 40.0])[kind]
    high = np.array([1.0, 0.75, 6.0, 450.0, 400.0])[kind]
    faintest = np.array([0.0, 0.5, 0.15, 0.8, 0.1])[kind]
    largest = np.array([0.0, 1.2, 0.9, 2.5, 0.5])[kind]
    period = low * (high / low) ** rng.random(count)
    amplitude = faintest + (largest - faintest) * rng.random(count)
    return Variability(kind, period, amplitude, rng.random(count))


def magnitude_change(
    variability: Variability, objects: I64, mjd: F64, band: npt.NDArray[np.int8]
) -> F64:
    """How much fainter than in the mean each object is at a time, magnitudes (0 for constant ones)."""
    kind = variability.kind[objects]
    change = np.zeros(len(objects))
    cycles = mjd / variability.period_d[objects] + variability.phase[objects]
    phase = cycles - np.floor(cycles)
    shapes = {
        Variable.RR_LYRAE: _sawtooth,
        Variable.ECLIPSING: _eclipses,
        Variable.MIRA: _wave,
        Variable.QUASAR: _wandering,
    }
    for variable, shape in shapes.items():
        chosen = np.flatnonzero(kind == variable)
        values = cycles[chosen] if variable is Variable.QUASAR else phase[chosen]
        change[chosen] = shape(values) * variability.amplitude[objects[chosen]]
    is_grey = kind == Variable.ECLIPSING
    return change * np.where(is_grey, 1.0, _BAND_AMPLITUDE[band])


def _sawtooth(phase: F64) -> F64:
    """A steep rise and a slow fall, as RR Lyrae of type ab; in [-0.5, 0.5], bright is negative."""
    rising = 0.5 - phase / 0.15
    falling = -0.5 + (phase - 0.15) / 0.85
    return np.where(phase < 0.15, rising, falling)


def _eclipses(phase: F64) -> F64:
    """A deep and a shallow minimum; 0 outside them."""
    primary = np.exp(-0.5 * ((phase - 0.25) / 0.03) ** 2)
    secondary = 0.5 * np.exp(-0.5 * ((phase - 0.75) / 0.03) ** 2)
    return primary + secondary


def _wave(phase: F64) -> F64:
    return 0.5 * np.sin(2.0 * np.pi * phase)


def _wandering(cycles: F64) -> F64:
    """Three incommensurate waves: close enough to red noise at a survey's sampling."""
    turns = 2.0 * np.pi * cycles
    return (
        0.3 * np.sin(turns) + 0.25 * np.sin(2.718 * turns + 1.0) + 0.2 * np.sin(7.39 * turns + 2.0)
    )
