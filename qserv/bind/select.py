"""One SELECT block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from qserv.bind.conditions import condition, unwrapped
from qserv.bind.distinct import distinct_on, order_of_distinct_on
from qserv.bind.errors import DuplicateName, MisplacedAggregate, Node, Unsupported
from qserv.bind.grouping import check_grouped, group_of
from qserv.bind.hoisted import split
from qserv.bind.order import distinct_sorted, row_count, sort_keys, total_order
from qserv.bind.scope import Env, Frame, Hoisted, Named, Scope, Statement
from qserv.bind.sources import Sources
from qserv.bind.text_functions import display_name
from qserv.bind.units import unit_of
from qserv.bound import Call, Expression, Output, Query, Select, Source
from qserv.traverse import has_aggregate, own_nodes, windows
from schema.catalog import Column as CatalogColumn
from schema.errors import LimitExceeded

MAX_COLUMNS = 1600
"""PostgreSQL's limit of a result's columns is 1664."""
_KNOWN = {
    *("expressions", "from_", "joins", "where", "group", "having"),
    *("order", "limit", "offset", "distinct", "with_", "windows"),
}


def bind_select(node: Node, around: Scope, statement: Statement) -> Query:
    """The bound block of a SELECT; `around` is the scope outside, with the CTEs in sight."""
    _refuse_extras(node)
    source, frame = _from(node, around, statement)
    hoisted = Hoisted()
    scope = Scope(frame, around, hoisted=hoisted)
    env = Env(statement, scope, windows=_windows(node))
    items = _items(node, env)
    outputs = tuple(output for output, _ in items)
    where = node.args.get("where")
    bound_where = None
    if where is not None:
        seen = len(hoisted.found)
        bound_where = condition(where.this, replace(env, clause="WHERE", source=source), "WHERE")
        if len(hoisted.found) > seen:
            raise MisplacedAggregate("A sub-query in WHERE aggregates this query's rows", where)
    named = replace(env, aliases=_aliases(items))
    group, sets = group_of(node.args.get("group"), outputs, named)
    having = node.args.get("having")
    bound_having = None if having is None else condition(having.this, named, "HAVING")
    if bound_having is not None and windows(bound_having):
        raise MisplacedAggregate("A window function is not allowed in HAVING", having)
    order = sort_keys(node.args.get("order"), outputs, named)
    kept_on = distinct_on(node.args.get("distinct"), outputs, named)
    block = Select(
        outputs,
        source=source,
        where=bound_where,
        group=group,
        having=bound_having,
        distinct=node.args.get("distinct") is not None and not kept_on,
        order=order_of_distinct_on(kept_on, order, node),
        limit=row_count(node.args.get("limit"), None),
        offset=row_count(node.args.get("offset"), 0) or 0,
        grouping_sets=sets,
        distinct_on=kept_on,
    )
    return _checked(block, node, items, named)


def _checked(block: Select, node: Node, items: Sequence[tuple[Output, Node]], env: Env) -> Select:
    """The block, its rules checked, and known as grouped where it is; its order total if cut."""
    expressions = [*(o.expression for o in block.outputs), *(key.expression for key in block.order)]
    grouped = (
        node.args.get("group") is not None
        or block.having is not None
        or any(has_aggregate(e) for e in expressions)
    )
    order, hoisted = node.args.get("order"), env.scope.hoisted
    if grouped or (hoisted is not None and hoisted.found):
        block = replace(block, is_grouped=True)
        checked = [(output.expression, item) for output, item in items]
        if block.having is not None:
            checked.append((block.having, node.args["having"]))
        checked += [(key.expression, order or node) for key in block.order]
        own = {relation.id for relation in env.scope.frame.relations()}
        check_grouped(checked, block.group, own, env)
        if hoisted is not None and hoisted.found:
            block = split(block, hoisted, node)
    elif any(_has_grouping(expression) for expression in expressions):
        raise Unsupported("GROUPING needs GROUP BY", node)
    if block.distinct:
        return distinct_sorted(block, order, env.statement)
    return replace(block, order=total_order(block))


def _has_grouping(expression: Expression) -> bool:
    return any(isinstance(n, Call) and n.name == "grouping" for n in own_nodes(expression))


def _refuse_extras(node: Node) -> None:
    """Unsupported for clauses that ADQL does not have."""
    for key, value in node.args.items():
        if value and key not in _KNOWN:
            raise Unsupported(f"{key.rstrip('_').upper()} is not supported", node)


def _from(node: Node, around: Scope, statement: Statement) -> tuple[Source | None, Frame]:
    """The block's source and its names."""
    clause = node.args.get("from_")
    if clause is None:
        return None, Frame()
    found = Sources(statement, around).clause(clause.this, node.args.get("joins") or ())
    return found.source, found.frame


# ------------------------------------------------------------------ the select list


def _items(node: Node, env: Env) -> list[tuple[Output, Node]]:
    """The outputs, each with the node that it came from; stars are spelled out."""
    found: list[tuple[Output, Node]] = []
    for item in node.expressions:
        starred = _star(item, env)
        if starred is None:
            found.append((_output(item, len(found), env), item))
        else:
            found += [(Output(n.expression, n.name, n.metadata), item) for n in starred]
        if len(found) > MAX_COLUMNS:
            raise LimitExceeded(f"The query has more than {MAX_COLUMNS} columns")
    return found


def _star(item: Node, env: Env) -> Iterator[Named] | None:
    """What `*` or `t.*` stands for; None for other items."""
    if isinstance(item, exp.Star):
        if not env.scope.frame.layout:
            raise Unsupported("* without FROM", item)
        return env.scope.frame.star()
    if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
        database = item.args.get("db")
        qualifier = (None if database is None else database.name, item.args["table"].name)
        own = Scope(env.scope.frame)
        relation = own.relation(qualifier, item)
        return (relation.named(one) for one in relation.fields.ordered)
    return None


def _output(item: Node, position: int, env: Env) -> Output:
    """One item of the select list with its name."""
    alias = item.alias if isinstance(item, exp.Alias) else None
    inner = unwrapped(item.this if isinstance(item, exp.Alias) else item)
    if isinstance(inner, exp.Column) and not isinstance(inner.this, exp.Star):
        named = env.scope.named(inner)
        return Output(named.expression, alias or named.name, named.metadata)
    bound, name = env.bind(inner), alias or _name(inner, position)
    return Output(bound, name, _described(inner, bound, name, env))


def _described(node: Node, bound: Expression, name: str, env: Env) -> CatalogColumn | None:
    """What is known of a computed output: its unit, that of IN_UNIT or what follows from columns'."""
    is_converted = isinstance(node, exp.Anonymous) and node.name.upper() == "IN_UNIT"
    unit = str(node.expressions[1].this) if is_converted else unit_of(bound, env)
    return None if unit is None else CatalogColumn(name, bound.type, unit=unit)


def _name(node: Node, position: int) -> str:
    """The name of an output that has none: its function's, else its place."""
    while isinstance(node, exp.Window | exp.Filter | exp.WithinGroup) or _is_wrapped(node):
        node = node.expressions[0] if isinstance(node, exp.Anonymous) else node.this
    if isinstance(node, exp.Anonymous):
        name = display_name(node)
        return name.lower() if name.isupper() else name
    if isinstance(node, exp.Count | exp.Sum | exp.Avg | exp.Min | exp.Max | exp.Coalesce):
        return str(node.key)
    return f"col{position + 1}"


def _is_wrapped(node: Node) -> bool:
    """Whether a front has put a call around what the user wrote."""
    return isinstance(node, exp.Anonymous) and node.name in ("sql number", "sql truth")


def _aliases(items: Sequence[tuple[Output, Node]]) -> dict[str, Expression]:
    """The names that the select list gives, for clauses that may use them."""
    return {
        output.name.casefold(): output.expression
        for output, item in items
        if isinstance(item, exp.Alias)
    }


def _windows(node: Node) -> dict[str, Node]:
    """The block's WINDOW clause, by folded name."""
    found: dict[str, Node] = {}
    for item in node.args.get("windows") or ():
        name = item.name.casefold()
        if name in found:
            raise DuplicateName(f"Two windows are named {item.name}", item)
        found[name] = item
    return found
