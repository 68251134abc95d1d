"""PostgreSQL's SELECT: a text to the tree that `bind` reads.

What it means here: names match in any case; whole numbers are INT or LONG, decimal ones and NUMERIC
are DOUBLE; DATE is a TIMESTAMP at midnight, times have no zone; texts compare by code point, and
letters change case within ASCII; `round` takes halves away from zero; a domain error (division by
zero, the logarithm of a negative) is NULL.
"""

from __future__ import annotations

import re
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


def _call(node: Node, reading: Reading) -> Node:
    changed: Node = call(node, reading, _NAMES)
    is_count = isinstance(changed, exp.Count) and isinstance(changed.this, exp.Distinct)
    if is_count and len(changed.this.expressions) > 1:
        message = "COUNT(DISTINCT a, b) is MySQL's; write COUNT(DISTINCT (a, b))"
        raise reading.refusal(message, offset_of(node))
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


_CODE = re.compile(r"\\(\\|[0-9A-Fa-f]{4}|\+[0-9A-Fa-f]{6})")


def _unicode(node: Node, reading: Reading) -> Node:
    """U&'d\\0061t': characters by their code points."""
    text = node.this
    if node.args.get("escape") or "\\" in _CODE.sub("", text):
        raise reading.fault(
            "a \\ of U&'...' is followed by 4 digits, or by + and 6", offset_of(node)
        )
    found = _CODE.sub(lambda m: "\\" if m[1] == "\\" else chr(int(m[1].lstrip("+"), 16)), text)
    if any(not c.isprintable() and c not in "\n\t" for c in found):
        raise reading.fault("U&'...' names a character that stands in no text", offset_of(node))
    return string(found)


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


def _like(node: Node, reading: Reading) -> Node:
    """A backslash takes the meaning from the character after it, unless ESCAPE says otherwise."""
    if isinstance(node.parent, exp.Escape):
        return node
    if isinstance(node.expression, exp.Any | exp.All):
        if node.args.get("negate") or isinstance(node.parent, exp.Not):
            message = "NOT LIKE ANY or ALL is not supported; write NOT (x LIKE ANY (ARRAY[...]))"
            raise reading.refusal(message, offset_of(node))
        return _like_each(node)
    return exp.Escape(this=node.copy(), expression=string("\\"))


def _like_each(node: Node) -> Node:
    """LIKE ANY (ARRAY['a%', 'b%']), as OR; LIKE ALL, as AND."""
    patterns = node.expression.this
    while isinstance(patterns, exp.Paren):
        patterns = patterns.this
    if not isinstance(patterns, exp.Array) or not patterns.expressions:
        return node
    build = exp.And if isinstance(node.expression, exp.All) else exp.Or
    tests = [
        exp.Escape(
            this=type(node)(this=node.this.copy(), expression=pattern.copy()),
            expression=string("\\"),
        )
        for pattern in patterns.expressions
    ]
    found = tests[0]
    for test in tests[1:]:
        found = build(this=found, expression=test)
    return exp.Paren(this=found)


def _similar(node: Node, _: Reading) -> Node:
    """SIMILAR TO; a backslash is the escape unless ESCAPE says otherwise."""
    escape = [] if isinstance(node.parent, exp.Escape) else [string("\\")]
    return sql("similar", node.this, node.expression, *escape)


def _escape(node: Node, _: Reading) -> Node | None:
    """ESCAPE after SIMILAR TO."""
    inner = node.this
    if isinstance(inner, exp.Anonymous) and inner.this == "sql similar":
        return sql("similar", *inner.expressions, node.expression)
    return None


def _cast(node: Node, reading: Reading) -> Node | None:
    """CHAR(n) is text of n characters at most, and blanks at its end do not count; CHAR is CHAR(1)."""
    to, kind = node.args["to"], exp.DataType.Type
    if to.this is kind.TIMESTAMPTZ:  # times have no zone: they are UTC
        to.set("this", kind.TIMESTAMP)
    if to.this not in (kind.CHAR, kind.NCHAR, kind.BPCHAR):
        return SHARED[exp.Cast](node, reading)
    length = [] if to.this is kind.BPCHAR else (to.expressions or [_size(1)])
    to.set("this", kind.VARCHAR)
    to.set("expressions", length)
    SHARED[exp.Cast](node, reading)
    return sql("rtrim", node.copy(), string(" "))


def _size(number: int) -> Node:
    return exp.DataTypeParam(this=whole(number))


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
    exp.SimilarTo: _similar,
    exp.Escape: _escape,
    exp.Cast: _cast,
    exp.UnicodeString: _unicode,
}
