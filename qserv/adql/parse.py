"""The way in: an ADQL text to a tree of sqlglot's nodes."""

from __future__ import annotations

from sqlglot import exp

from qserv.adql.errors import AdqlSyntaxError
from qserv.adql.queries import Queries
from qserv.limits import Limits

_DEFAULT = Limits()


def parse_adql(text: str, limits: Limits = _DEFAULT) -> exp.Expression:
    """The tree of one ADQL query: an `exp.Select`, a set operation, or a Subquery around one.

    The nodes are the ones that sqlglot's PostgreSQL parser would give for the same query, but that
    every function except the five aggregates, CAST and COALESCE is an `exp.Anonymous` (ADQL's own
    by their upper-case names, users' as written), and that numbers keep their text. Each node has
    `meta["line"]` and `meta["col"]`, counted from 1: of its first character, or of the operator of
    a binary node or predicate. The root has the text in `meta["text"]`.

    Raises
    ------
    AdqlSyntaxError
        The text is not ADQL, or passes `max_text_bytes`, `max_tokens` or `max_nesting`.
    """
    try:
        tree = Queries(text, limits).statement()
    except RecursionError:
        raise AdqlSyntaxError(
            "nested too deeply for this server", text=text, line=1, column=1
        ) from None
    tree.meta["text"] = text
    return tree
