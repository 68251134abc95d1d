"""The bound tree as SQL text, for PostgreSQL and for DuckDB. See README.md.

Every relation is named by its id and every output column c0, c1... (DuckDB folds the case of quoted
names, PostgreSQL cuts them at 63 bytes). NULL order, literal types and the escape of LIKE are
explicit, so both engines read the same meaning. Users' text never gets here but as literal values.
"""

from __future__ import annotations

from collections.abc import Mapping

from qserv.bound import Query, RelationId
from qserv.render.dialect import Dialect
from qserv.render.queries import Renderer

__all__ = ["Dialect", "render"]


def render(
    query: Query,
    dialect: Dialect,
    sources: Mapping[RelationId, str],
    *,
    is_careful: bool = False,
) -> str:
    """The query as SQL.

    Parameters
    ----------
    sources
        For each BaseTable and Fetched of the query, a table name or a parenthesised sub-select
        whose columns have the names that the query uses.
    is_careful
        No arithmetic of PostgreSQL raises for a DOUBLE out of range; it is slower by far.
    """
    return Renderer(dialect, sources, is_careful=is_careful).query(query)
