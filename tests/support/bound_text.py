"""A bound tree as text that a reader can check: one clause a line, one type after each column.

SELECT r0.objectId: long AS objectId
FROM r0 = dp1.Object
WHERE r0.tract = 5
"""

from __future__ import annotations

from qserv.bound import (
    Aggregate,
    BaseTable,
    Call,
    Case,
    Cast,
    Column,
    Derived,
    Exists,
    Expression,
    Fetched,
    InList,
    InQuery,
    InShape,
    Join,
    Literal,
    Query,
    Scalar,
    Select,
    SortKey,
    Source,
    Values,
    Window,
    WindowFrame,
    Within,
)
from schema.types import Type


def bound_text(query: Query) -> str:
    """The query, its sub-queries indented."""
    return "\n".join(_query(query))


def _query(query: Query) -> list[str]:
    outputs = ", ".join(f"{_of(o.expression)}: {o.type} AS {o.name}" for o in query.outputs)
    if isinstance(query, Select):
        lines = [f"SELECT {_quantifier(query)}{outputs}"]
        if query.source is not None:
            lines += _source(query.source, "FROM ")
        lines += [f"WHERE {_of(query.where)}"] if query.where else []
        lines += [f"GROUP BY {', '.join(map(_of, query.group))}"] if query.group else []
        sets = (f"({', '.join(str(k + 1) for k in one)})" for one in query.grouping_sets)
        lines += [f"GROUPING SETS {', '.join(sets)}"] if query.grouping_sets else []
        lines += ["GROUPED"] if query.is_grouped and not query.group else []
        lines += [f"HAVING {_of(query.having)}"] if query.having else []
    else:
        lines = [f"{query.relation} = {query.kind}{' ALL' if query.all else ''} of {outputs}"]
        lines += _indented(_query(query.left)) + _indented(_query(query.right))
    lines += [f"ORDER BY {_keys(query.order)}"] if query.order else []
    lines += [f"LIMIT {query.limit}"] if query.limit is not None else []
    lines += [f"OFFSET {query.offset}"] if query.offset else []
    return lines


def _quantifier(block: Select) -> str:
    if block.distinct_on:
        return f"DISTINCT ON ({', '.join(map(_of, block.distinct_on))}) "
    return "DISTINCT " if block.distinct else ""


def _keys(order: tuple[SortKey, ...]) -> str:
    return ", ".join(map(_key, order))


def _key(key: SortKey) -> str:
    nulls = {None: "", True: " NULLS FIRST", False: " NULLS LAST"}[key.nulls_first]
    return f"{_of(key.expression)}{' DESC' if key.descending else ''}{nulls}"


def _source(source: Source, before: str) -> list[str]:
    match source:
        case BaseTable():
            return [f"{before}{source.relation} = {source.catalog.name}.{source.table.name}"]
        case Derived():
            lateral = " lateral" if source.is_lateral else ""
            return [f"{before}{source.relation} ={lateral}", *_indented(_query(source.query))]
        case Values():
            rows = ", ".join(f"({', '.join(map(_of, row))})" for row in source.rows)
            types = ", ".join(source.types)
            return [f"{before}{source.relation} ({types}) = values {rows}"]
        case Join():
            on = "" if source.on is None else f" ON {_of(source.on)}"
            left, right = _source(source.left, ""), _source(source.right, "")
            return [f"{before}{source.kind}{on}", *_indented(left), *_indented(right)]
        case Fetched():
            return [f"{before}{source.relation} = fetched {source.fragment}"]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _of(node: Expression) -> str:
    match node:
        case Column():
            return f"{node.relation}.{node.name}"
        case Literal():
            return _literal(node)
        case Call(name="neg" | "not" | "~" as name, arguments=(argument,)):
            return f"({name} {_of(argument)})"
        case Call(name="is null" | "is not null" as name, arguments=(argument,)):
            return f"({_of(argument)} {name})"
        case Call(name=name) if not name.isidentifier() or name in ("and", "or", "like", "ilike"):
            return f"({f' {name} '.join(map(_of, node.arguments))})"
        case Call():
            return f"{node.name}({', '.join(map(_of, node.arguments))})"
        case Aggregate():
            return _aggregate(node)
        case Window():
            return _window(node)
        case Case():
            branches = " ".join(f"when {_of(w)} then {_of(t)}" for w, t in node.branches)
            otherwise = "" if node.otherwise is None else f" else {_of(node.otherwise)}"
            return f"(case {branches}{otherwise} end)"
        case Cast():
            return f"{_of(node.argument)}::{node.type}"
        case InShape():
            numbers = ", ".join(f"{number:g}" for number in node.shape.numbers)
            return f"({_of(node.ra)}, {_of(node.dec)}) in {node.shape.kind}({numbers})"
        case Within():
            points = f"({_of(node.ra1)}, {_of(node.dec1)}) to ({_of(node.ra2)}, {_of(node.dec2)})"
            return f"({points} {'<' if node.strict else '<='} {_of(node.radius)})"
        case InList():
            return f"({_of(node.argument)} {_not(node)}in {', '.join(map(_of, node.items))})"
        case InQuery():
            return f"({_of(node.argument)} {_not(node)}in {_inline(node.query)})"
        case Exists():
            return f"({_not(node)}exists {_inline(node.query)})"
        case Scalar():
            return _inline(node.query)


def _aggregate(node: Aggregate) -> str:
    found = "*" if node.argument is None else ", ".join(map(_of, (node.argument, *node.more)))
    order = f" order by {_keys(node.order)}" if node.order else ""
    kept = f" filter {_of(node.filter)}" if node.filter is not None else ""
    return f"{node.name}({'distinct ' if node.distinct else ''}{found}{order}){kept}"


def _window(node: Window) -> str:
    kept = f" filter {_of(node.filter)}" if node.filter is not None else ""
    partition = f"partition by {', '.join(map(_of, node.partition))}" if node.partition else ""
    order = f"order by {_keys(node.order)}" if node.order else ""
    frame = "" if node.frame is None else _frame(node.frame)
    over = " ".join(filter(None, (partition, order, frame)))
    return f"{node.name}({', '.join(map(_of, node.arguments))}){kept} over ({over})"


def _frame(frame: WindowFrame) -> str:
    start, stop = (
        f"{'' if end.offset is None else _of(end.offset) + ' '}{end.end.lower()}"
        for end in (frame.start, frame.stop)
    )
    left_out = "" if frame.exclusion is None else f" exclude {frame.exclusion.lower()}"
    return f"{frame.mode.lower()} {start} to {stop}{left_out}"


def _literal(node: Literal) -> str:
    """A constant; its type is told where its looks do not tell it."""
    plain = {Type.INT, Type.DOUBLE, Type.TEXT, Type.BOOLEAN}
    value = "null" if node.value is None else repr(node.value)
    is_plain = node.type in plain and node.value is not None
    return value if is_plain else f"{node.value if node.value is not None else 'null'}:{node.type}"


def _not(node: InList | InQuery | Exists) -> str:
    return "not " if node.negated else ""


def _inline(query: Query) -> str:
    return "{" + "; ".join(line.strip() for line in _query(query)) + "}"
