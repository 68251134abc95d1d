"""Factors between units, for IN_UNIT; astropy is imported only where one is asked for."""

from __future__ import annotations

from functools import lru_cache

from qserv.bind.errors import Node, TypeMismatch


def factor(unit: str, target: str, node: Node) -> float:
    """What a value in `unit` is multiplied by to be in `target`, both VOUnits."""
    try:
        return _factor(unit, target)
    except ValueError as problem:
        message = f"Cannot convert from unit {unit!r} to {target!r}"
        raise TypeMismatch(message, node, hint=str(problem).strip()) from problem


@lru_cache(maxsize=1024)
def _factor(unit: str, target: str) -> float:
    """The factor; ValueError where a unit is unknown or the two measure different things."""
    from astropy.units import Unit

    return float(Unit(unit, format="vounit").to(Unit(target, format="vounit")))
