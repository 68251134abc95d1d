"""Changes that both languages share: what sqlglot takes apart becomes what `bind` reads.

Functions reach `bind` as `exp.Anonymous`: users' and sciSQL's names as they are written, those of
SQL by names that begin with `sql ` (no user can spell a blank in one), each of one meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from qserv.sql.admission import Step, offset_of
from qserv.sql.tokens import Node, Reading

MOST_ROWS = 2**63 - 1
"""What LIMIT and OFFSET may ask for: the largest number that the databases count with."""
_PLAIN_AGGREGATES = {
    "AVG": exp.Avg,
    "COUNT": exp.Count,
    "MAX": exp.Max,
    "MIN": exp.Min,
    "SUM": exp.Sum,
}
_QUANTIFIERS = {"ALL": exp.All, "ANY": exp.Any, "SOME": exp.Any}


def sql(name: str, *arguments: Node) -> Node:
    """A call of one of SQL's functions by the name that `bind` knows."""
    return exp.Anonymous(this=f"sql {name}", expressions=list(arguments))


def whole(value: int) -> Node:
    """A whole number."""
    return exp.Literal(this=str(value), is_string=False)


def string(value: str) -> Node:
    """A text."""
    return exp.Literal(this=value, is_string=True)


def call(node: Node, reading: Reading, names: Mapping[str, str]) -> Node | None:
    """A call by its name: an aggregate of its own class, a function of SQL, or as it is."""
    if not isinstance(node.this, str):
        raise reading.fault("a function's name stands without quotes", offset_of(node))
    upper = node.this.upper()
    if upper in _QUANTIFIERS and len(node.expressions) == 1:
        return _QUANTIFIERS[upper](this=exp.Paren(this=node.expressions[0]))
    if upper in _PLAIN_AGGREGATES:
        return _aggregate(node, upper, reading)
    known = names.get(upper)
    if known is not None:
        node.set("this", known)
    return None


def _aggregate(node: Node, name: str, reading: Reading) -> Node:
    """COUNT, SUM, AVG, MIN, MAX as `bind` has them."""
    arguments = node.expressions
    if len(arguments) != 1:
        message = f"{name} takes 1 argument, found {len(arguments)}"
        raise reading.fault(message, offset_of(node))
    return _PLAIN_AGGREGATES[name](this=arguments[0])


# ------------------------------------------------------------------ functions with words inside


def extract(node: Node, _: Reading) -> Node:
    """EXTRACT(field FROM time)."""
    return sql("extract", string(node.this.name.lower()), node.expression)


def trim(node: Node, _: Reading) -> Node:
    """TRIM([BOTH | LEADING | TRAILING] [characters] FROM text)."""
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "btrim")
    return sql(name, node.this, node.expression or string(" "))


def position(node: Node, _: Reading) -> Node:
    """POSITION(part IN text)."""
    return sql("strpos", node.this, node.args["substr"])


# ------------------------------------------------------------------ clauses


def limit(node: Node, reading: Reading) -> Node | None:
    """LIMIT n and OFFSET n, whole numbers; LIMIT ALL is none."""
    count = node.expression
    if isinstance(count, exp.Null) or (isinstance(count, exp.Var) and count.name == "ALL"):
        node.parent.set("limit", None)
        return None
    word = "LIMIT" if isinstance(node, exp.Limit) else "OFFSET"
    _check_count(count, word, node, reading)
    return None


def fetch(node: Node, reading: Reading) -> Node:
    """FETCH FIRST n ROWS ONLY, as LIMIT."""
    count = node.args.get("count") or whole(1)
    _check_count(count, "FETCH", node, reading)
    return exp.Limit(expression=count)


def _check_count(count: Node, word: str, node: Node, reading: Reading) -> None:
    if not isinstance(count, exp.Literal) or count.is_string or not count.this.isdigit():
        raise reading.fault(f"{word} takes an unsigned integer", offset_of(node))
    if int(count.this) > MOST_ROWS:
        raise reading.fault(f"{word} takes {MOST_ROWS} at most", offset_of(node))


def in_values(node: Node, _: Reading) -> None:
    """IN (VALUES ...), whose rows are a query."""
    items = node.expressions
    if len(items) == 1 and isinstance(items[0], exp.Values):
        node.set("query", exp.Subquery(this=items[0]))
        node.set("expressions", None)


def common_table(node: Node, _: Reading) -> None:
    """[NOT] MATERIALIZED says nothing here."""
    node.set("materialized", None)


def interval(node: Node, reading: Reading) -> Node:
    """INTERVAL 'n unit ...', as one text; `bind` reads it."""
    quantity, unit = node.this, node.args.get("unit")
    if not isinstance(quantity, exp.Literal):
        raise reading.refusal("an INTERVAL that is not constant", offset_of(node))
    text = quantity.this if unit is None else f"{quantity.this} {unit.name}"
    return sql("interval", string(text.lower()))


def plain_string(node: Node, _: Reading) -> Node:
    """A text that was spelled in another way."""
    return string(node.this)


def now(_node: Node, _: Reading) -> Node:
    """CURRENT_TIMESTAMP and its like."""
    return exp.Anonymous(this="NOW", expressions=[])


def today(_node: Node, _: Reading) -> Node:
    """CURRENT_DATE: midnight."""
    return sql("date", exp.Anonymous(this="NOW", expressions=[]))


# ------------------------------------------------------------------ types

_KIND = exp.DataType.Type
_TO_DOUBLE = (_KIND.DECIMAL, _KIND.BIGDECIMAL)


def cast(node: Node, reading: Reading) -> Node | None:
    """CAST: DATE is midnight of a TIMESTAMP, NUMERIC is DOUBLE, rounded where it has a scale."""
    to = node.args["to"]
    if to.this is _KIND.ARRAY:
        return None
    if not all(map(_is_number, to.expressions)):
        raise reading.refusal("CAST to a type of other types is not supported", offset_of(node))
    arguments = [int(parameter.this.this) for parameter in to.expressions]
    if to.this is _KIND.INTERVAL and isinstance(node.this, exp.Literal):
        return sql("interval", string(node.this.this.lower()))
    if to.this is _KIND.DATE:
        inner = exp.Cast(this=node.this, to=exp.DataType(this=_KIND.TIMESTAMP))
        return sql("date", inner)
    if to.this in _TO_DOUBLE:
        inner = exp.Cast(this=node.this, to=exp.DataType(this=_KIND.DOUBLE))
        if len(arguments) == 2:
            return exp.Anonymous(this="ROUND", expressions=[inner, whole(arguments[1])])
        return inner
    if to.this is _KIND.TIMESTAMP and arguments:
        raise reading.refusal("TIMESTAMP of a given precision is not supported", offset_of(node))
    if isinstance(to, exp.DataType):
        to.set("expressions", [whole(number) for number in arguments])
    return None


def _is_number(parameter: Node) -> bool:
    """Whether what stands after a type's name is a number."""
    is_plain = isinstance(parameter, exp.DataTypeParam) and isinstance(parameter.this, exp.Literal)
    return is_plain and parameter.this.this.isdigit()


SHARED: Mapping[type, Step] = {
    exp.Extract: extract,
    exp.Trim: trim,
    exp.StrPosition: position,
    exp.Limit: limit,
    exp.Offset: limit,
    exp.Fetch: fetch,
    exp.CTE: common_table,
    exp.In: in_values,
    exp.Interval: interval,
    exp.RawString: plain_string,
    exp.ByteString: plain_string,
    exp.CurrentTimestamp: now,
    exp.Localtimestamp: now,
    exp.CurrentDate: today,
    exp.Cast: cast,
}
