"""PostgreSQL's SELECT: a text to the tree that `bind` reads.

What it means here: names match in any case; whole numbers are INT or LONG, decimal ones and NUMERIC
are DOUBLE; DATE is a TIMESTAMP at midnight, times have no zone; texts compare by code point, and
letters change case within ASCII; `round` takes halves away from zero; a domain error (division by
zero, the logarithm of a negative) is NULL.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from qserv.limits import Limits
from qserv.sql.admission import Step, admit, offset_of
from qserv.sql.steps import SHARED, call, sql, string, whole
from qserv.sql.tokens import Node, Reading
from qserv.sql.trees import tree_of

_DEFAULT = Limits()

_OF_ONE_NAME = (
    *("substr", "btrim", "ltrim", "rtrim", "replace", "split_part", "strpos", "starts_with"),
    *("left", "right", "lpad", "rpad", "repeat", "reverse", "initcap", "length", "concat"),
    *("concat_ws", "greatest", "least", "date_trunc", "grouping", "div", "cbrt"),
)
_NAMES: Mapping[str, str] = {
    **{name.upper(): f"sql {name}" for name in _OF_ONE_NAME},
    "CHAR_LENGTH": "sql length",
    "SUBSTRING": "sql substr",
    "TRIM": "sql btrim",
    "CHARACTER_LENGTH": "sql length",
    "DATE_PART": "sql extract",
    "REGEXP_LIKE": "sql regexp",
    "LOG": "sql log",
    "TRUNC": "TRUNCATE",
    "RANDOM": "RAND",
    "EVERY": "BOOL_AND",
    "TRANSACTION_TIMESTAMP": "NOW",
    "STATEMENT_TIMESTAMP": "NOW",
}
"""SQL's functions by PostgreSQL's names."""
_TRIMS = {"sql btrim", "sql ltrim", "sql rtrim"}


def parse_postgres(text: str, limits: Limits = _DEFAULT) -> Node:
    """The tree of one PostgreSQL query.

    Raises
    ------
    SqlSyntaxError
        The text is no query, or passes `max_text_bytes`, `max_tokens` or `max_nesting`.
    SqlNotAnswered
        It has what is not answered here.
    """
    reading = Reading(text, "PostgreSQL", "postgres", limits)
    return admit(tree_of(reading), reading, _STEPS)


def _call(node: Node, reading: Reading) -> Node | None:
    changed = call(node, reading, _NAMES)
    if node.this in _TRIMS and len(node.expressions) == 1:
        node.append("expressions", string(" "))
    return changed


def _substring(node: Node, reading: Reading) -> Node:
    """SUBSTRING(text FROM start FOR length), in either spelling."""
    start = node.args.get("start") or whole(1)
    if isinstance(start, exp.Literal) and start.is_string:
        raise reading.refusal("SUBSTRING with a pattern is not supported", offset_of(node))
    length = node.args.get("length")
    return sql("substr", node.this, start, *([] if length is None else [length]))


def _power(node: Node, _: Reading) -> Node:
    return exp.Anonymous(this="POWER", expressions=[node.this, node.expression])


def _hex(node: Node, reading: Reading) -> Node:
    raise reading.refusal("a string of bits is not supported", offset_of(node))


_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def _comparison(node: Node, reading: Reading) -> None:
    """Comparisons do not chain."""
    if isinstance(node.this, _COMPARISONS):
        raise reading.fault("comparisons do not chain", offset_of(node.expression))


def _folded_regexp(node: Node, _: Reading) -> Node:
    return sql("regexp_folded", node.this, node.expression)


def _regexp(node: Node, _: Reading) -> Node:
    return sql("regexp", node.this, node.expression)


def _like(node: Node, _: Reading) -> Node:
    """A backslash takes the meaning from the character after it, unless ESCAPE says otherwise."""
    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=string("\\"))


_STEPS: Mapping[type, Step] = {
    **SHARED,
    **dict.fromkeys(_COMPARISONS, _comparison),
    exp.Anonymous: _call,
    exp.Substring: _substring,
    exp.Pow: _power,
    exp.HexString: _hex,
    exp.RegexpLike: _regexp,
    exp.RegexpILike: _folded_regexp,
    exp.Like: _like,
    exp.ILike: _like,
}
