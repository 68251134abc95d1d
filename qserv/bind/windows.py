"""Window functions: OVER, named windows, frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from qserv.bind import aggregates, regression, statistics
from qserv.bind.coercion import cast, describe, unify
from qserv.bind.conditions import unwrapped
from qserv.bind.errors import MisplacedAggregate, Node, TypeMismatch, UnknownName, Unsupported
from qserv.bind.intervals import is_interval, read_interval
from qserv.bind.order import distinct_keys, key_of
from qserv.bind.scope import Env
from qserv.bound import (
    Aggregate,
    Call,
    Expression,
    FrameBound,
    FrameEnd,
    FrameExclusion,
    FrameMode,
    Literal,
    SortKey,
    Window,
    WindowFrame,
)
from qserv.rebuild import rewrite
from qserv.traverse import windows
from schema.types import Type

_RANKS = {
    "ROW_NUMBER": Type.LONG,
    "RANK": Type.LONG,
    "DENSE_RANK": Type.LONG,
    "PERCENT_RANK": Type.DOUBLE,
    "CUME_DIST": Type.DOUBLE,
    "NTILE": Type.INT,
}
_OFFSETS = ("LAG", "LEAD")
_PLACES = ("FIRST_VALUE", "LAST_VALUE", "NTH_VALUE")
NAMES = frozenset({*_RANKS, *_OFFSETS, *_PLACES})
"""Functions that need OVER."""


def window(node: Node, env: Env) -> Expression:
    """`function OVER (...)` or `function OVER name`."""
    if env.clause is not None:
        raise MisplacedAggregate(f"A window function is not allowed in {env.clause}", node)
    inside = replace(env, aliases={})
    partition, order, frame = _definition(node, inside)
    called, kept = node.this, None
    if isinstance(called, exp.Filter):
        if not aggregates.is_aggregate(called.this):
            raise Unsupported("FILTER stands after an aggregate", node)
        kept = aggregates.filter_condition(called, env)
        called = called.this
    if regression.is_regression(called):
        found = regression.regression(called, inside)
        return _each_over(found, (partition, order, frame), kept)
    name, arguments, kind = _function(called, inside)
    inner = [*arguments, *partition, *(key.expression for key in order)]
    if any(windows(expression) for expression in inner):
        raise MisplacedAggregate("A window function stands inside another", node)
    return Window(name, tuple(arguments), partition, order, frame, kept, kind)


def _each_over(
    found: Expression,
    over: tuple[tuple[Expression, ...], tuple[SortKey, ...], WindowFrame | None],
    kept: Expression | None,
) -> Expression:
    """An expression of aggregates with each of them over the window."""

    def widened(node: Expression) -> Expression | None:
        if not isinstance(node, Aggregate):
            return None
        assert node.argument is not None
        return Window(node.name, (node.argument, *node.more), *over, kept, node.type)

    return rewrite(found, widened)


# ------------------------------------------------------------------ functions


def _function(node: Node, env: Env) -> tuple[str, Sequence[Expression], Type]:
    """A window function's name, its arguments cast, and its type."""
    name = str(node.name).upper() if isinstance(node, exp.Anonymous) else ""
    if name in _RANKS:
        return _rank(name, node, env)
    if name in _OFFSETS:
        return _offset(name, node, env)
    if name in _PLACES:
        return _place(name, node, env)
    if aggregates.is_aggregate(node):
        return _aggregate(node, env)
    raise Unsupported("OVER stands after an aggregate or a window function", node)


def _rank(name: str, node: Node, env: Env) -> tuple[str, Sequence[Expression], Type]:
    wanted = 1 if name == "NTILE" else 0
    _expect(name, node, range(wanted, wanted + 1))
    return name.lower(), [_count(name, item, env) for item in node.expressions], _RANKS[name]


def _offset(name: str, node: Node, env: Env) -> tuple[str, Sequence[Expression], Type]:
    """LAG and LEAD: the value, how many rows away (1), and what stands for no row (NULL)."""
    _expect(name, node, range(1, 4))
    value, *others = node.expressions
    bound = env.bind(value)
    arguments = [bound, *(_count(name, item, env, least=None) for item in others[:1])]
    if len(others) == 2:
        value_typed, default = unify((bound, env.bind(others[1])), node)
        arguments = [value_typed, arguments[1], default]
    return name.lower(), arguments, arguments[0].type


def _place(name: str, node: Node, env: Env) -> tuple[str, Sequence[Expression], Type]:
    wanted = 2 if name == "NTH_VALUE" else 1
    _expect(name, node, range(wanted, wanted + 1))
    value = env.bind(node.expressions[0])
    counts = [_count(name, item, env) for item in node.expressions[1:]]
    return name.lower(), [value, *counts], value.type


def _expect(name: str, node: Node, counts: range) -> None:
    if len(node.expressions) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        raise TypeMismatch(f"{name} takes {wanted} arguments, found {len(node.expressions)}", node)


def _count(name: str, node: Node, env: Env, least: int | None = 1) -> Expression:
    """A constant whole number, of at least `least`."""
    bound = env.bind(node)
    value = bound.value if isinstance(bound, Literal) else None
    if not isinstance(value, int) or (least is not None and value < least):
        raise TypeMismatch(f"{name} takes a whole number, found {describe(bound)}", node)
    return cast(bound, Type.INT, node)


def _aggregate(node: Node, env: Env) -> tuple[str, Sequence[Expression], Type]:
    """An aggregate as a window function."""
    name, found = aggregates.name_of(node), aggregates.given(node)
    assert name is not None
    if name in aggregates.ORDERED_SETS | statistics.NAMES or found.distinct or found.sorted:
        raise Unsupported(
            f"{name.upper()} with DISTINCT, ORDER BY or WITHIN GROUP takes no OVER", node
        )
    if found.arguments and isinstance(found.arguments[0], exp.Star):
        return "count", (), Type.LONG
    arguments = [env.bind(item) for item in found.arguments]
    if not arguments:
        raise TypeMismatch(f"{name.upper()} takes an argument", node)
    typed, more, kind = aggregates.typed_arguments(name, arguments, node)
    return name, (typed, *more), kind


# ------------------------------------------------------------------ the window


def _definition(
    node: Node, env: Env
) -> tuple[tuple[Expression, ...], tuple[SortKey, ...], WindowFrame | None]:
    """PARTITION BY, ORDER BY and the frame, with what a named window brings."""
    partition, order, frame = _own_definition(node, env)
    base = node.args.get("alias")
    if base is None:
        return partition, order, frame
    named = env.windows.get(base.name.casefold())
    if named is None:
        raise UnknownWindow(base.name, node, known=env.windows)
    known = _definition(named, replace(env, windows=_before(env, base.name)))
    if partition or (order and known[1]) or (known[2] is not None and (order or frame)):
        raise Unsupported(f"The window {base.name} says that already", node)
    return known[0], order or known[1], frame or known[2]


class UnknownWindow(UnknownName):
    """OVER names a window that the block's WINDOW clause does not have."""

    code = "UNKNOWN_WINDOW"
    kind = "window"


def _before(env: Env, name: str) -> dict[str, Node]:
    """The named windows that come before one of them."""
    names = list(env.windows)
    return {known: env.windows[known] for known in names[: names.index(name.casefold())]}


def _own_definition(
    node: Node, env: Env
) -> tuple[tuple[Expression, ...], tuple[SortKey, ...], WindowFrame | None]:
    partition = tuple(dict.fromkeys(env.bind(i) for i in node.args.get("partition_by") or ()))
    clause = node.args.get("order")
    items = [] if clause is None else clause.expressions
    order = distinct_keys(key_of(item, env.bind(item.this)) for item in items)
    spec = node.args.get("spec")
    return partition, order, None if spec is None else _frame(spec, order, env)


# ------------------------------------------------------------------ frames


def _frame(node: Node, order: tuple[SortKey, ...], env: Env) -> WindowFrame:
    """ROWS, RANGE or GROUPS BETWEEN start AND stop EXCLUDE ...; the stop is the current row if not said."""
    mode = FrameMode(str(node.args["kind"]).upper())
    if mode is not FrameMode.ROWS and not order and mode is FrameMode.GROUPS:
        raise Unsupported("GROUPS needs ORDER BY", node)
    start = _bound(node, "start", mode, order, env)
    stop = FrameBound(FrameEnd.CURRENT_ROW)
    if node.args.get("end") is not None:
        stop = _bound(node, "end", mode, order, env)
    places = list(FrameEnd)
    if (
        start.end is FrameEnd.UNBOUNDED_FOLLOWING
        or stop.end is FrameEnd.UNBOUNDED_PRECEDING
        or places.index(start.end) > places.index(stop.end)
    ):
        raise Unsupported("The frame ends before it begins", node)
    return WindowFrame(mode, start, stop, _exclusion(node))


def _exclusion(node: Node) -> FrameExclusion | None:
    left_out = node.args.get("exclude")
    if left_out is None or str(left_out.name).upper() == "NO OTHERS":
        return None
    try:
        return FrameExclusion(str(left_out.name).upper())
    except ValueError:
        raise Unsupported(f"EXCLUDE {left_out.name} is not supported", node) from None


def _bound(
    node: Node, side: str, mode: FrameMode, order: tuple[SortKey, ...], env: Env
) -> FrameBound:
    """One end of a frame."""
    value, direction = node.args[side], str(node.args.get(f"{side}_side") or "").upper()
    word = f"{value.upper()} {direction}".strip() if isinstance(value, str) else direction
    if word not in [str(end) for end in FrameEnd]:
        raise Unsupported("A frame begins and ends at PRECEDING, CURRENT ROW or FOLLOWING", node)
    if isinstance(value, str):
        return FrameBound(FrameEnd(word))
    if mode is FrameMode.RANGE and order and order[0].expression.type is Type.TIMESTAMP:
        return FrameBound(FrameEnd(direction), _span(value, order, node))
    bound = env.bind(value)
    number = bound.value if isinstance(bound, Literal) else None
    end = FrameEnd(direction)
    if mode is FrameMode.RANGE:
        return FrameBound(end, _distance(bound, number, order, node))
    if not isinstance(number, int) or number < 0:
        raise TypeMismatch(f"{mode} takes a whole number, found {describe(bound)}", node)
    return FrameBound(end, cast(bound, Type.LONG, node))


def _distance(
    bound: Expression, number: object, order: tuple[SortKey, ...], node: Node
) -> Expression:
    """The offset of RANGE, of the type of the one sort key."""
    if len(order) != 1 or not order[0].expression.type.is_numeric:
        raise Unsupported("RANGE with an offset needs one ORDER BY, of a number or a time", node)
    if not isinstance(number, int | float) or number < 0:
        raise TypeMismatch(f"RANGE takes a number that is not negative, found {bound}", node)
    return cast(bound, order[0].expression.type, node)


def _span(value: Node, order: tuple[SortKey, ...], node: Node) -> Expression:
    """The offset of RANGE over times: months and microseconds."""
    value = unwrapped(value)
    if isinstance(value, exp.Literal) and value.is_string:
        value = exp.Anonymous(this="sql interval", expressions=[value.copy()])
    if len(order) != 1 or not is_interval(value):
        hint = "write RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW"
        raise Unsupported("RANGE over times needs an INTERVAL and one ORDER BY", node, hint=hint)
    span = read_interval(value)
    if span.months < 0 or span.microseconds < 0:
        raise TypeMismatch("RANGE takes an INTERVAL that is not negative", node)
    parts = Literal(span.months, Type.INT), Literal(span.microseconds, Type.LONG)
    return Call("span", parts, Type.TIMESTAMP)
