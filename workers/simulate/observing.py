"""Which objects each visit sees, on which detector and pixel of the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.simulate.cadence import Visits
from workers.simulate.sky import F64, I64, unit_vectors

RAFT_DEG = 0.7
"""Side of a raft: 3 by 3 detectors."""
DETECTOR_PIXELS = 4000
FIELD_RADIUS_DEG = 2.0
"""Beyond this no raft reaches."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """Pairs of an object and a visit that sees it, by visit; pixel coordinates on the detector."""

    objects: I64
    visits: I64
    detector: npt.NDArray[np.int16]
    x: F64
    y: F64

    def __len__(self) -> int:
        return len(self.objects)


class SkyIndex:
    """Positions sorted by declination, to find those near a pointing."""

    def __init__(self, ra: F64, dec: F64) -> None:
        self._order = np.argsort(dec, kind="stable")
        self._dec = dec[self._order]
        self._vectors = unit_vectors(ra[self._order], self._dec)

    def seen_by(self, visits: Visits, chosen: I64) -> Sightings:
        """What the chosen visits see."""
        parts = [self._seen_by_one(visits, int(visit)) for visit in chosen]
        if not parts:
            nothing = np.zeros(0, dtype=np.int64)
            return Sightings(nothing, nothing, nothing.astype(np.int16), np.zeros(0), np.zeros(0))
        return Sightings(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("objects", "visits", "detector", "x", "y")
            )
        )

    def _seen_by_one(self, visits: Visits, visit: int) -> Sightings:
        ra, dec = visits.ra[visit], visits.dec[visit]
        low, high = np.searchsorted(self._dec, [dec - FIELD_RADIUS_DEG, dec + FIELD_RADIUS_DEG])
        axes = _camera_axes(ra, dec, visits.rotation[visit])
        near = low + np.flatnonzero(
            self._vectors[low:high] @ axes[0] > np.cos(np.radians(FIELD_RADIUS_DEG))
        )
        depth, east, north = axes @ self._vectors[near].T
        detector, x, y = _on_camera(np.degrees(east / depth), np.degrees(north / depth))
        on = np.flatnonzero(detector >= 0)
        objects = self._order[near[on]]
        return Sightings(
            objects, np.full(len(on), visit), detector[on].astype(np.int16), x[on], y[on]
        )


def _camera_axes(ra: float, dec: float, rotation: float) -> F64:
    """Unit vectors of the pointing and of the camera's two axes, as rows."""
    phi, theta, turn = np.radians([ra, dec, rotation])
    pointing = unit_vectors(np.array([ra]), np.array([dec]))[0]
    east = np.array([-np.sin(phi), np.cos(phi), 0.0])
    north = np.array([-np.sin(theta) * np.cos(phi), -np.sin(theta) * np.sin(phi), np.cos(theta)])
    return np.stack(
        [
            pointing,
            np.cos(turn) * east - np.sin(turn) * north,
            np.sin(turn) * east + np.cos(turn) * north,
        ]
    )


def _raft_numbers() -> I64:
    """Rafts of the 5 by 5 square without its corners, numbered row by row; -1 for the corners."""
    numbers = np.full((5, 5), -1, dtype=np.int64)
    is_raft = np.ones((5, 5), dtype=bool)
    is_raft[[0, 0, 4, 4], [0, 4, 0, 4]] = False
    numbers[is_raft] = np.arange(21)
    return numbers


_RAFTS = _raft_numbers()


def _on_camera(x_deg: F64, y_deg: F64) -> tuple[I64, F64, F64]:
    """Detector 0..188 (-1: beside the camera) and pixel of positions in the focal plane."""
    across, up = x_deg / RAFT_DEG * 3 + 7.5, y_deg / RAFT_DEG * 3 + 7.5
    column, row = np.floor(across).astype(np.int64), np.floor(up).astype(np.int64)
    is_inside = (column >= 0) & (column < 15) & (row >= 0) & (row < 15)
    safe_column, safe_row = np.clip(column, 0, 14), np.clip(row, 0, 14)
    raft = np.where(is_inside, _RAFTS[safe_row // 3, safe_column // 3], -1)
    detector = np.where(raft < 0, -1, raft * 9 + safe_row % 3 * 3 + safe_column % 3)
    return detector, (across - column) * DETECTOR_PIXELS, (up - row) * DETECTOR_PIXELS


def outline(ra: float, dec: float, rotation: float) -> list[tuple[float, float]]:
    """The camera's edge on the sky: the 12 corners of its cross, (ra, dec) in degrees."""
    inner, outer = 1.5 * RAFT_DEG, 2.5 * RAFT_DEG
    quarter = [(outer, -inner), (outer, inner), (inner, inner)]
    plane = []
    for turn in range(4):
        cosine, sine = [(1, 0), (0, 1), (-1, 0), (0, -1)][turn]
        plane += [(cosine * x - sine * y, sine * x + cosine * y) for x, y in quarter]
    axes = _camera_axes(ra, dec, rotation)
    offsets = np.radians(np.array(plane))
    vectors = axes[0] + offsets[:, :1] * axes[1] + offsets[:, 1:] * axes[2]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    corners_ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360.0
    corners_dec = np.degrees(np.arcsin(vectors[:, 2]))
    return [(float(a), float(d)) for a, d in zip(corners_ra, corners_dec, strict=True)]
