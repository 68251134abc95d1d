"""Where arithmetic may leave the range of doubles."""

from __future__ import annotations

import pytest

from qserv.bound import Call
from qserv.render.sizes import is_within_range
from tests.qserv.bind.binding import value


def arithmetic(text: str, table: str = "Object") -> Call:
    found = value(text, table)
    assert isinstance(found, Call)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "r_psfMag - r_psfFlux",
        "r_psfMag * r_psfFlux + tract",
        "r_psfFlux / tract",
        "- r_psfFlux * 2",
        "nanojanskyToAbMag(coord_ra) - nanojanskyToAbMag(coord_dec)",
        "coord_ra * 0.5",
        "0.0 * r_psfFlux",
        "SIN(coord_ra) * 1e300",
        "COALESCE(r_psfMag, 0.0) + CASE WHEN tract > 1 THEN r_psfMag ELSE 1.5 END",
    ],
)
def test_bounded_arithmetic_needs_no_test(text: str) -> None:
    assert is_within_range(arithmetic(text))


@pytest.mark.parametrize(
    "text",
    [
        "coord_ra - coord_dec",
        "coord_ra * 2",
        "coord_ra / r_psfFlux",
        "r_psfFlux * 1e300",
        "(coord_ra + coord_ra) / 3.0",
        "r_psfFlux / (r_psfMag - r_psfFlux) / 1e-280",
        "EXP(coord_ra) + 1e300",
    ],
)
def test_what_may_be_out_of_range_is_tested(text: str) -> None:
    assert not is_within_range(arithmetic(text))
