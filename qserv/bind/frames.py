"""Reference frames of the IVOA's vocabulary as rotations, for ivo_geom_transform.

The Catalogue of ADQL User Defined Functions 1.2 asks for plain rotations, "only a rough
approximation". FK5 is taken for ICRS, from which it differs by 0.02 arcsec, as in the catalogue's
examples; FK4's E-terms are left out. Equinoxes are J2000, FK4's B1950.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians, sin
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
OBLIQUITY = 84381.448 / 3600
"""Of the ecliptic at J2000, degrees (IAU 1976)."""


def _about_z(degrees: float) -> Matrix:
    """Longitudes less by an angle."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def _about_y(degrees: float) -> Matrix:
    """A turn by which the point (0, 90 - angle) becomes the pole."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


def _about_x(degrees: float) -> Matrix:
    """The equator turned to the ecliptic."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def _by_pole(ra: float, dec: float, longitude: float) -> Matrix:
    """To the frame whose north pole is at (ra, dec), the old one's being at that longitude."""
    return _about_z(180 - longitude) @ _about_y(90 - dec) @ _about_z(ra)


_BIAS = _about_x(19.9e-3 / 3600) @ _about_y(9.1e-3 / 3600) @ _about_z(-22.9e-3 / 3600)
"""From ICRS to FK5 (USNO Circular 179, section 3.5)."""
_GALACTIC = _by_pole(192.8594812065348, 27.12825118085622, 122.9319185680026) @ _BIAS
"""By way of FK5 at J2000 (Reid & Brunthaler 2004, ApJ 616, 872, appendix)."""
_FROM_1950 = _by_pole(192.25, 27.4, 123.0)
"""From FK4 to galactic coordinates, their definition (Blaauw et al. 1960, MNRAS 121, 123)."""

_FROM_ICRS: Mapping[str, Matrix] = MappingProxyType(
    {
        "ICRS": np.eye(3),
        "FK5": np.eye(3),
        "FK4": _FROM_1950.T @ _GALACTIC,
        "GALACTIC": _GALACTIC,
        "SUPER_GALACTIC": _by_pole(47.37, 6.32, 90.0) @ _GALACTIC,
        "ECLIPTIC": _about_x(OBLIQUITY),
    }
)
FRAMES = tuple(_FROM_ICRS)
"""The frames that are known, by the vocabulary's identifiers."""


def rotation(source: str, target: str) -> tuple[float, ...]:
    """The matrix, by rows, from one frame to another; KeyError where one is not known."""
    matrix = _FROM_ICRS[target] @ _FROM_ICRS[source].T
    return tuple(float(number) for number in matrix.ravel())
