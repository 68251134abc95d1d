"""Rotations between frames are astropy's, and give the IVOA catalogue's examples."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from qserv.bind.frames import FRAMES, rotation
from schema.healpix import unit_vectors

NAMES = {
    "ICRS": "icrs",
    "GALACTIC": "galactic",
    "SUPER_GALACTIC": "supergalactic",
    "ECLIPTIC": "barycentricmeanecliptic",
}


def turned(source: str, target: str, lon: float, lat: float) -> tuple[float, float]:
    x, y, z = np.reshape(rotation(source, target), (3, 3)) @ unit_vectors(lon, lat)
    return float(np.degrees(np.arctan2(y, x))) % 360, float(
        np.degrees(np.arctan2(z, np.hypot(x, y)))
    )


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("target", NAMES)
def test_a_rotation_is_astropy_s(source: str, target: str) -> None:
    expected = SkyCoord(120.0, -23.0, unit="deg", frame=NAMES[source]).transform_to(NAMES[target])
    angles = expected.spherical.lon.deg, expected.spherical.lat.deg
    # astropy's obliquity is IAU 2006's, 0.04 arcsec less.
    assert turned(source, target, 120.0, -23.0) == pytest.approx(angles, abs=3e-5)


@pytest.mark.parametrize(
    ("frames", "point", "expected", "within"),
    [
        (("ICRS", "GALACTIC"), (120, -23), (241.121831182, 3.62785788087), 1e-9),
        (("FK4", "GALACTIC"), (189.70303055, 22.96240006), (275.00025405, 84.99996154), 1e-8),
        (("GALACTIC", "FK5"), (5, 3), (266.44721, -23.107310), 5e-6),
        (("GALACTIC", "FK5"), (4, 4), (264.95088, -23.434037), 5e-6),
        (("GALACTIC", "FK5"), (4.5, 2), (267.09936, -24.051919), 5e-6),
    ],
)
def test_the_catalogue_s_examples(
    frames: tuple[str, str],
    point: tuple[float, float],
    expected: tuple[float, float],
    within: float,
) -> None:
    assert turned(*frames, *point) == pytest.approx(expected, abs=within)


@pytest.mark.parametrize("source", FRAMES)
@pytest.mark.parametrize("target", FRAMES)
def test_there_and_back_is_where_it_was(source: str, target: str) -> None:
    there = np.reshape(rotation(source, target), (3, 3))
    assert there @ np.reshape(rotation(target, source), (3, 3)) == pytest.approx(
        np.eye(3), abs=1e-15
    )
