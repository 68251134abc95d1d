"""`ivo_healpix_index` of a table's own position is a shift of its `_healpix_29`. Pure.

The stored pixel is the order-29 NESTED pixel of that very position, so any coarser one is its first
bits: a density map costs a shift a row instead of trigonometry.
"""

from __future__ import annotations

from qserv.bound import BaseTable, Call, Column, Expression, Literal, Query, RelationId
from qserv.rebuild import rewrite_query
from qserv.traverse import base_relations
from schema.catalog import HEALPIX_29
from schema.healpix import MAX_ORDER
from schema.names import HELD_CATALOGS
from schema.types import Type


def use_own_pixels(query: Query) -> Query:
    """The query with such calls replaced by shifts; the same rows."""
    bases = {
        base.relation: base
        for base in base_relations(query)
        if isinstance(base, BaseTable) and base.catalog.name not in HELD_CATALOGS
    }

    def shift(node: Expression) -> Expression | None:
        match node:
            case Call(name="ivo_healpix_index", arguments=(Literal(value=int(order)), ra, dec)):
                base = _owner(ra, dec, bases)
                if base is None or not 0 <= order <= MAX_ORDER:
                    return None
                pixel = Column(base.relation, HEALPIX_29, Type.LONG)
                bits = Literal(2 * (MAX_ORDER - order), Type.INT)
                return Call(">>", (pixel, bits), Type.LONG)
            case _:
                return None

    return rewrite_query(query, shift)


def _owner(ra: Expression, dec: Expression, bases: dict[RelationId, BaseTable]) -> BaseTable | None:
    """The table whose own position (ra, dec) is."""
    if not (isinstance(ra, Column) and isinstance(dec, Column) and ra.relation == dec.relation):
        return None
    base = bases.get(ra.relation)
    if base is None or (ra.name, dec.name) != (base.table.ra, base.table.dec):
        return None
    return base
