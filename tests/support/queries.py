"""Random queries over a sky in three languages: a hypothesis strategy, and the query of a seed.

    @given(queries(sky))
    def test_...(query: Query) -> None: ...

    query_of(sky, "MySQL", seed)

Every query is right: its names exist and its types agree. Cuts and regions are drawn from values
that rows have, so most queries return rows. What a query uses is told with it, for counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from tests.support.query_analytics import AnalyticShapes
from tests.support.query_joins import JoinShapes
from tests.support.query_nests import NestedShapes
from tests.support.query_parts import Parts
from tests.support.query_tables import Shape
from tests.support.sky import Sky
from tests.support.spellings import SPELLINGS

LANGUAGES = tuple(SPELLINGS)


@dataclass(frozen=True, slots=True)
class Query:
    """One text.

    `uses` names what it has of: region, tree, coordinates, child, overlap (neighbours), match,
    replicated, group, aggregate, distinct, distinct aggregate, covariance, case, top, offset,
    sub-query, derived, with, set, outer, exchange, geometry, window, filter, sets, values, lateral, area,
    row, quantified.
    """

    text: str
    language: str
    uses: frozenset[str]


def queries(sky: Sky, language: str = "ADQL") -> st.SearchStrategy[Query]:
    """Right queries over the sky's tables, of every shape that its tables and the language allow."""
    return st.builds(
        lambda random: _query(sky, language, random), st.randoms(use_true_random=False)
    )


def query_of(sky: Sky, language: str, seed: int) -> Query:
    """The query of a seed; other seeds give other queries, but for the simplest."""
    return _query(sky, language, Random(seed))


def _query(sky: Sky, language: str, random: Random) -> Query:
    spelling = SPELLINGS[language]
    writer = _Writer(Parts(random, spelling), sky)
    text = spelling.finished(writer.parts.one(writer.shapes())())
    return Query(text, language, frozenset(writer.parts.uses))


class _Writer(NestedShapes, AnalyticShapes, JoinShapes):
    """Writes one query."""

    def shapes(self) -> list[Shape]:
        """The shapes that the sky and the language allow; the commoner ones several times."""
        return [
            *self.table_shapes(),
            *self.join_shapes(),
            *self.nested_shapes(),
            *self.analytic_shapes(),
        ]
