"""MySQL's SELECT as Qserv's users write it: a text to the tree that `bind` reads.

What it means here, where MySQL differs from PostgreSQL:

- `/` divides in DOUBLE, `DIV` gives a whole number; `%` and MOD take the sign of the dividend.
- A condition is a number where a value stands (1, 0 or NULL), and a number a condition (not 0), so
  `SUM(flag)`, `SUM(a > 3)` and `WHERE flag` work, whether a flag is stored as a boolean or not.
- `||` is OR, `&&` is AND, `^` the exclusive or of bits; operators bind as MySQL's do.
- NULLs sort first ascending and last descending.
- STD, STDDEV and VARIANCE are those of the population. GREATEST, LEAST and CONCAT with a NULL are NULL.
- LOG is the natural logarithm. Texts in either quotes; a backslash takes away a meaning.
- Not MySQL's: a text is never made a number (CAST it); texts are equal, match and sort by code
  point, so case counts; integers that overflow are an error.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from qserv.limits import Limits
from qserv.sql.admission import Step, admit, offset_of
from qserv.sql.precedence import rebound
from qserv.sql.steps import SHARED, call, sql, string, whole
from qserv.sql.tokens import Node, Reading
from qserv.sql.trees import tree_of

_DEFAULT = Limits()

_OF_ONE_NAME = (
    *("replace", "left", "right", "lpad", "rpad", "repeat", "reverse", "if", "concat_ws"),
    *("ltrim", "rtrim", "concat", "greatest", "least", "ifnull", "isnull"),
)
_NAMES: Mapping[str, str] = {
    **{name.upper(): f"sql {name}" for name in _OF_ONE_NAME},
    "CONCAT": "sql concat_strict",
    "GREATEST": "sql greatest_strict",
    "LEAST": "sql least_strict",
    "SUBSTR": "sql substr_signed",
    "SUBSTRING": "sql substr_signed",
    "MID": "sql substr_signed",
    "CHAR_LENGTH": "sql length",
    "CHARACTER_LENGTH": "sql length",
    "LENGTH": "sql length",
    "TRIM": "sql btrim",
    "LCASE": "LOWER",
    "UCASE": "UPPER",
    "LOG": "sql log_natural",
    "LOG2": "sql log2",
    "STD": "STDDEV_POP",
    "STDDEV": "STDDEV_POP",
    "VARIANCE": "VAR_POP",
    "INSTR": "sql strpos",
    "LOCATE": "sql locate",
    "SYSDATE": "NOW",
    "UTC_TIMESTAMP": "NOW",
    "CURRENT_TIMESTAMP": "NOW",
    "LOCALTIME": "NOW",
    "LOCALTIMESTAMP": "NOW",
    "ANY_VALUE": "MIN",
    "REGEXP_LIKE": "sql regexp",
    "DATEDIFF": "sql days_between",
}
"""SQL's functions by MySQL's names."""
_PARTS = {
    **{name: name.lower() for name in ("YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE")},
    "DAYOFMONTH": "day",
    "DAYOFYEAR": "doy",
    "SECOND": "second",
    "UNIX_TIMESTAMP": "epoch",
}
"""Functions that give one part of a time."""


def parse_mysql(text: str, limits: Limits = _DEFAULT) -> Node:
    """The tree of one MySQL query; raises as `parse_postgres` does."""
    reading = Reading(text, "MySQL", "mysql", limits)
    return admit(rebound(tree_of(reading)), reading, _STEPS)


# ------------------------------------------------------------------ truth and numbers

_ARITHMETIC = (
    *(exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor),
    *(exp.BitwiseLeftShift, exp.BitwiseRightShift),
)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ)
_CONDITIONS = (
    *_COMPARISONS,
    *(exp.And, exp.Or, exp.Xor, exp.Not, exp.Between, exp.In, exp.Is, exp.Like, exp.Escape),
    exp.Exists,
)


def _is_condition(node: Node) -> bool:
    """Whether a node is a condition by its looks."""
    while isinstance(node, exp.Paren):
        node = node.this
    is_call = isinstance(node, exp.Anonymous) and str(node.this).startswith("sql regexp")
    return is_call or isinstance(node, _CONDITIONS)


def _truth(node: Node) -> Node:
    """A value as a condition: whether it is not 0."""
    return node if _is_condition(node) else sql("truth", node)


def _number(node: Node) -> Node:
    """A condition as a number; other values as they are."""
    plain = (exp.Literal, exp.Star, exp.Null, exp.Div, exp.Neg, exp.BitwiseNot, *_ARITHMETIC)
    if isinstance(node, plain) or str(node.name) == "sql interval":
        return node
    return sql("number", node)


def _set_each(node: Node, change: Mapping[str, object]) -> None:
    for key, value in change.items():
        node.set(key, value)


def _logic(node: Node, _: Reading) -> None:
    _set_each(node, {"this": _truth(node.this), "expression": _truth(node.expression)})


def _not(node: Node, _: Reading) -> None:
    node.set("this", _truth(node.this))


def _clause(node: Node, _: Reading) -> None:
    """WHERE, HAVING and the condition of a join."""
    key = "on" if isinstance(node, exp.Join) else "this"
    if node.args.get(key) is not None:
        node.set(key, _truth(node.args[key]))


def _operands(node: Node, _: Reading) -> None:
    """Arithmetic and comparisons work on numbers."""
    _set_each(node, {"this": _number(node.this), "expression": _number(node.expression)})


def _comparison(node: Node, _: Reading) -> None:
    """A comparison of a condition, which is a number then; a plain value is left alone."""
    for key in ("this", "expression"):
        if _is_condition(node.args[key]):
            node.set(key, _number(node.args[key]))


def _division(node: Node, reading: Reading) -> None:
    _operands(node, reading)
    node.set("this", exp.Cast(this=node.this, to=exp.DataType(this=exp.DataType.Type.DOUBLE)))


def _negative(node: Node, _: Reading) -> None:
    node.set("this", _number(node.this))


_HARMLESS = frozenset({"SQL_NO_CACHE", "SQL_CACHE", "SQL_BUFFER_RESULT", "HIGH_PRIORITY"})


def _select(node: Node, reading: Reading) -> None:
    """A condition in the select list is shown as a number; words on caching say nothing here."""
    for word in node.args.get("operation_modifiers") or ():
        if str(word.name).upper() not in _HARMLESS:
            message = f"{word.name} after SELECT is not supported; leave it out"
            raise reading.refusal(message, offset_of(node))
    node.set("operation_modifiers", None)
    for item in node.expressions:
        value = item.this if isinstance(item, exp.Alias) else item
        if _is_condition(value):
            value.replace(_number(value.copy()))


def _case(node: Node, _: Reading) -> None:
    """CASE: its conditions are conditions, its values are none."""
    for branch in node.args["ifs"]:
        if node.args.get("this") is None:
            branch.set("this", _truth(branch.this))
        if _is_condition(branch.args["true"]):
            branch.set("true", _number(branch.args["true"]))
    default = node.args.get("default")
    if default is not None and _is_condition(default):
        node.set("default", _number(default))


def _boolean(node: Node, _: Reading) -> Node | None:
    """TRUE and FALSE are 1 and 0, but after IS."""
    if isinstance(node.parent, exp.Is | exp.Join):
        return None
    return whole(1 if node.this else 0)


# ------------------------------------------------------------------ calls


def _call(node: Node, reading: Reading) -> Node | None:
    upper = str(node.this).upper()
    if upper in _PARTS and len(node.expressions) == 1:
        return sql("extract", string(_PARTS[upper]), *node.expressions)
    if upper in ("DATE_ADD", "DATE_SUB", "ADDDATE", "SUBDATE") and len(node.expressions) == 2:
        build = exp.Add if upper in ("DATE_ADD", "ADDDATE") else exp.Sub
        return build(this=node.expressions[0], expression=node.expressions[1])
    if upper == "TIMESTAMPDIFF" and len(node.expressions) == 3:
        return _difference(node, reading)
    if upper == "DATE" and len(node.expressions) == 1:
        return sql("date", *node.expressions)
    if upper in ("CURDATE", "CURRENT_DATE"):
        return SHARED[exp.CurrentDate](node, reading)
    is_trim = upper in ("LTRIM", "RTRIM", "TRIM")
    changed = call(node, reading, _NAMES)
    if is_trim:
        node.append("expressions", string(" "))
    if node.this == "sql if" and node.expressions:
        node.expressions[0].replace(_truth(node.expressions[0].copy()))
    if changed is not None and not isinstance(changed.this, exp.Star):
        _aggregated(changed)
    return changed


def _aggregated(node: Node) -> None:
    """SUM, COUNT and their like of a condition."""
    if isinstance(node.this, exp.Distinct):
        return
    if isinstance(node, exp.Count):
        if _is_condition(node.this):
            node.set("this", _number(node.this))
        return
    node.set("this", _number(node.this))


_SECONDS = {
    "MICROSECOND": 1e-6,
    "SECOND": 1.0,
    "MINUTE": 60.0,
    "HOUR": 3600.0,
    "DAY": 86_400.0,
    "WEEK": 604_800.0,
}


def _difference(node: Node, reading: Reading) -> Node:
    """TIMESTAMPDIFF(unit, earlier, later): whole units."""
    unit, earlier, later = node.expressions
    word = str(unit.name).upper()
    if word not in _SECONDS:
        known = ", ".join(_SECONDS)
        raise reading.refusal(f"TIMESTAMPDIFF takes one of {known}", offset_of(unit))
    times = [
        exp.Cast(this=time, to=exp.DataType(this=exp.DataType.Type.TIMESTAMP))
        for time in (later, earlier)
    ]
    seconds = exp.Sub(this=times[0], expression=times[1])
    return sql("div", seconds, exp.Literal(this=repr(_SECONDS[word]), is_string=False))


def _substring(node: Node, _: Reading) -> Node:
    length = node.args.get("length")
    start = node.args.get("start") or whole(1)
    return sql("substr_signed", node.this, start, *([] if length is None else [length]))


def _group_concat(node: Node, reading: Reading) -> Node:
    """GROUP_CONCAT([DISTINCT] x [ORDER BY ...] [SEPARATOR s])."""
    separator = node.args.get("separator") or string(",")
    inner = node.this
    values = inner.this if isinstance(inner, exp.Order) else inner
    distinct = isinstance(values, exp.Distinct)
    items = values.expressions if distinct else [values]
    if len(items) != 1:
        raise reading.refusal("GROUP_CONCAT of several values is not supported", offset_of(node))
    value = sql("text", items[0])
    arguments = exp.Distinct(expressions=[value, separator]) if distinct else value
    found = [arguments] if distinct else [arguments, separator]
    if isinstance(inner, exp.Order):
        found[-1] = exp.Order(this=found[-1], expressions=inner.expressions)
    return exp.Anonymous(this="STRING_AGG", expressions=found)


def _regexp(node: Node, _: Reading) -> Node:
    return sql("regexp", node.this, node.expression)


def _like(node: Node, _: Reading) -> Node:
    """A backslash takes the meaning from the character after it; numbers are read as text."""
    node.set("this", sql("text", node.this))
    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=string("\\"))


def _hex(node: Node, _: Reading) -> Node:
    """0x1F is a number."""
    return whole(int(node.this, 16))


def _rollup(node: Node, _: Reading) -> None:
    """GROUP BY a, b WITH ROLLUP, as ROLLUP (a, b)."""
    rollups = node.args.get("rollup") or []
    if rollups and not rollups[0].expressions:
        node.set("rollup", None)
        node.set("expressions", [exp.Rollup(expressions=node.expressions)])


def _cast(node: Node, reading: Reading) -> Node | None:
    """SIGNED and UNSIGNED are LONG, DATETIME is TIMESTAMP."""
    kind = exp.DataType.Type
    to = node.args["to"]
    if to.this is kind.CHARACTER_SET:  # CONVERT(x USING utf8mb4): every text is Unicode
        return sql("text", node.this)
    if to.this in (kind.UBIGINT, kind.BIGINT):
        to.set("this", kind.BIGINT)
    if to.this in (kind.DATETIME, kind.TIMESTAMPTZ):
        to.set("this", kind.TIMESTAMP)
    return SHARED[exp.Cast](node, reading)


def _from(node: Node, _: Reading) -> None:
    """FROM DUAL is no FROM."""
    table = node.this
    is_bare = isinstance(table, exp.Table) and not (table.args.get("db") or table.alias)
    if is_bare and table.name.upper() == "DUAL" and not table.this.args.get("quoted"):
        node.parent.set("from_", None)


def _division_of_wholes(node: Node, _: Reading) -> Node:
    return sql("div", _number(node.this), _number(node.expression))


_STEPS: Mapping[type, Step] = {
    **SHARED,
    **dict.fromkeys((exp.And, exp.Or, exp.Xor), _logic),
    exp.Not: _not,
    **dict.fromkeys((exp.Where, exp.Having, exp.Join), _clause),
    **dict.fromkeys(_ARITHMETIC, _operands),
    **dict.fromkeys(_COMPARISONS, _comparison),
    exp.Div: _division,
    exp.IntDiv: _division_of_wholes,
    **dict.fromkeys((exp.Neg, exp.BitwiseNot), _negative),
    exp.Select: _select,
    exp.Case: _case,
    exp.Boolean: _boolean,
    exp.Anonymous: _call,
    exp.Substring: _substring,
    exp.GroupConcat: _group_concat,
    exp.RegexpLike: _regexp,
    exp.Like: _like,
    exp.HexString: _hex,
    exp.Group: _rollup,
    exp.Cast: _cast,
    exp.From: _from,
}
