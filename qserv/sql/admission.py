"""What of sqlglot's trees is let through: kinds of nodes, and what may hang on each.

Whatever is not in the table is refused, so that nothing that sqlglot reads is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from qserv.sql.tokens import Node, Reading

_BINARY = ("this", "expression")
_QUERY_TAIL = ("order", "limit", "offset", "with_")

ADMITTED: Mapping[type, tuple[str, ...]] = {
    exp.Select: (
        *("expressions", "from_", "joins", "where", "group", "having", "distinct", "windows"),
        "operation_modifiers",
        *_QUERY_TAIL,
    ),
    exp.Subquery: ("this", "alias", "joins", *_QUERY_TAIL),
    **dict.fromkeys(
        (exp.Union, exp.Except, exp.Intersect), ("this", "expression", "distinct", *_QUERY_TAIL)
    ),
    exp.With: ("expressions", "recursive"),
    exp.CTE: ("this", "alias", "materialized"),
    exp.TableAlias: ("this", "columns"),
    exp.From: ("this",),
    exp.Join: ("this", "side", "kind", "on", "using", "method"),
    exp.Table: ("this", "db", "catalog", "alias", "joins"),
    exp.Lateral: ("this", "alias"),
    exp.Values: ("expressions", "alias", *_QUERY_TAIL),
    exp.Tuple: ("expressions",),
    exp.Where: ("this",),
    exp.Having: ("this",),
    exp.Group: ("expressions", "grouping_sets", "cube", "rollup"),
    exp.GroupingSets: ("expressions",),
    exp.Rollup: ("expressions",),
    exp.Cube: ("expressions",),
    exp.Order: ("this", "expressions"),
    exp.Ordered: ("this", "desc", "nulls_first"),
    exp.Limit: ("expression",),
    exp.Offset: ("expression",),
    exp.Fetch: ("direction", "count", "limit_options"),
    exp.LimitOptions: ("rows",),
    exp.Distinct: ("expressions", "on"),
    exp.Column: ("this", "table", "db", "catalog"),
    exp.Identifier: ("this", "quoted"),
    exp.Star: (),
    exp.Alias: ("this", "alias"),
    exp.Literal: ("this", "is_string"),
    exp.Boolean: ("this",),
    exp.Null: (),
    exp.Var: ("this",),
    exp.Paren: ("this",),
    **dict.fromkeys(
        (
            *(exp.And, exp.Or, exp.Xor, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
            *(exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.IntDiv, exp.Pow, exp.NullSafeEQ),
            *(exp.NullSafeNEQ, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor),
            *(exp.BitwiseLeftShift, exp.BitwiseRightShift, exp.Escape),
        ),
        _BINARY,
    ),
    exp.RegexpLike: _BINARY,
    exp.RegexpILike: _BINARY,
    exp.Div: (*_BINARY, "typed", "safe"),
    exp.DPipe: (*_BINARY, "safe"),
    exp.Like: (*_BINARY, "negate"),
    exp.ILike: (*_BINARY, "negate"),
    exp.Is: (*_BINARY, "negate"),
    exp.Between: ("this", "low", "high", "symmetric"),
    exp.In: ("this", "expressions", "query"),
    exp.Not: ("this",),
    exp.Neg: ("this",),
    exp.BitwiseNot: ("this",),
    exp.Exists: ("this",),
    exp.Array: ("expressions",),
    exp.SimilarTo: _BINARY,
    exp.Any: ("this",),
    exp.All: ("this",),
    exp.Case: ("this", "ifs", "default"),
    exp.If: ("this", "true", "false"),
    exp.Cast: ("this", "to"),
    exp.DataType: ("this", "expressions"),
    exp.DataTypeParam: ("this",),
    exp.Anonymous: ("this", "expressions"),
    exp.Filter: _BINARY,
    exp.WithinGroup: _BINARY,
    exp.Window: ("this", "partition_by", "order", "spec", "alias", "over"),
    exp.WindowSpec: ("kind", "start", "start_side", "end", "end_side", "exclude"),
    exp.Interval: ("this", "unit"),
    exp.Extract: _BINARY,
    exp.Trim: (*_BINARY, "position"),
    exp.Substring: ("this", "start", "length"),
    exp.StrPosition: ("this", "substr"),
    exp.GroupConcat: ("this", "separator"),
    exp.CurrentTimestamp: (),
    exp.CurrentDate: (),
    exp.Localtimestamp: (),
    exp.ByteString: ("this",),
    exp.RawString: ("this",),
    exp.UnicodeString: ("this",),
    exp.HexString: ("this",),
}
_WORDS = {
    exp.Lock: "FOR UPDATE or FOR SHARE",
    exp.Bracket: "a subscript",
    exp.Parameter: "a parameter",
    exp.SessionParameter: "a session's variable",
    exp.Placeholder: "a parameter",
    exp.IgnoreNulls: "IGNORE NULLS",
    exp.RespectNulls: "RESPECT NULLS",
    exp.Dot: "a schema before a function, or a field",
    exp.BitString: "a string of bits",
    exp.National: "N'...'",
    exp.Hint: "a hint",
    exp.TryCast: "TRY_CAST",
    exp.Unnest: "UNNEST",
    exp.Explode: "UNNEST",
    exp.Overlaps: "OVERLAPS",
    exp.Glob: "GLOB",
}
"""What refused nodes are called where the node's name does not say it."""
_ALTERNATIVES: Mapping[type, str] = {
    exp.Lock: "nothing here is written to; leave it out",
    exp.Parameter: "write its value",
    exp.SessionParameter: "write its value",
    exp.Placeholder: "write its value",
    exp.IgnoreNulls: "filter with WHERE x IS NOT NULL in a sub-query",
    exp.RespectNulls: "leave it out",
    exp.Dot: "write the function's name alone",
    exp.BitString: "write a whole number",
    exp.National: "write '...'",
    exp.TryCast: "write CAST",
    exp.Unnest: "list the values, as in (VALUES (1), (2)) AS v (x)",
    exp.Explode: "list the values, as in (VALUES (1), (2)) AS v (x)",
    exp.Overlaps: "write a1 < b2 AND b1 < a2",
}
"""What to write instead."""
_PHRASES = {
    "only": "ONLY (leave it out: tables have no heirs)",
}
"""Parts of nodes, where their names do not say what stands in the text."""
TYPES = (
    "there are BOOLEAN, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE PRECISION, NUMERIC, TEXT, VARCHAR(n),"
    " CHAR(n), DATE and TIMESTAMP"
)

Step = Callable[[Node, Reading], Node | None]
"""Gives what stands for a node whose children are done already; None keeps it."""


def admit(tree: Node, reading: Reading, steps: Mapping[type, Step]) -> Node:
    """The tree with each node checked, then changed by the step of its class, children first."""
    for node in list(tree.walk(bfs=False)):
        _check(node, reading)
    for node in reversed(list(tree.walk(bfs=False))):
        step = steps.get(type(node))
        changed = None if step is None else step(node, reading)
        if changed is None or changed is node:
            continue
        _keep_place(node, changed)
        if node is tree:
            tree = changed
        else:
            node.replace(changed)
    return tree


def _keep_place(node: Node, changed: Node) -> None:
    """New nodes stand where the old one stood."""
    for name in ("line", "col", "offset"):
        if name in node.meta:
            changed.meta.setdefault(name, node.meta[name])


def _check(node: Node, reading: Reading) -> None:
    """Refuse a node that is not admitted, or that has more to it than is."""
    allowed = ADMITTED.get(type(node))
    if allowed is None:
        raise reading.refusal(_refusal(type(node)), offset_of(node))
    for key, value in node.args.items():
        if not value or key in allowed or key.startswith("_"):
            continue
        first = value[0] if isinstance(value, list) else value
        if isinstance(first, exp.Expression) and type(first) not in ADMITTED:
            raise reading.refusal(_refusal(type(first)), offset_of(first))
        if key in ("nested", "json", "big_int", "value_constructor"):
            continue
        if isinstance(node, exp.DataType):
            if node.this is exp.DataType.Type.CHARACTER_SET:
                continue  # of CONVERT(x USING ...)
            raise reading.refusal(f"there is no type {node.args['kind']}; {TYPES}", offset_of(node))
        word = _PHRASES.get(key) or key.rstrip("_").replace("_", " ").upper()
        raise reading.refusal(f"{word} is not supported after {_name(type(node))}", offset_of(node))


def _name(kind: type) -> str:
    """A kind of node as messages call it."""
    return _WORDS.get(kind) or str(kind.__name__).upper()


def _refusal(kind: type) -> str:
    """That a kind of node is not supported, and what to write instead where that is known."""
    instead = _ALTERNATIVES.get(kind)
    return f"{_name(kind)} is not supported{f'; {instead}' if instead else ''}"


def offset_of(node: Node) -> int:
    """The first known character of a node, else of what is around it."""
    while node is not None:
        if "offset" in node.meta:
            return int(node.meta["offset"])
        node = node.parent
    return 0
