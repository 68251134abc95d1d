"""A whole statement: WITH, then the query it belongs to."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from sqlglot import exp

from qserv.bind.errors import DuplicateName, Node, TypeMismatch, Unsupported
from qserv.bind.expressions import bind_expression
from qserv.bind.lengths import check_lengths
from qserv.bind.moment import Moment
from qserv.bind.names import Catalogs
from qserv.bind.order import row_count, sorted_outside
from qserv.bind.scope import CommonTable, Scope, Statement
from qserv.bind.select import bind_select
from qserv.bind.sets import bind_set
from qserv.bind.values import values_query
from qserv.bound import Query
from schema.errors import LimitExceeded


def bind(tree: Node, catalogs: Catalogs, *, now: datetime, random: float) -> Query:
    """The bound query of a parsed statement.

    Parameters
    ----------
    tree
        sqlglot's tree of one query, as `qserv.adql` builds it.
    now
        What NOW() gives, without zone (UTC).
    random
        What RAND() gives, in [0, 1): one number for the whole statement.

    Raises as `bind_at`.
    """
    return bind_at(tree, catalogs, Moment(now, random))


def bind_at(tree: Node, catalogs: Catalogs, moment: Moment) -> Query:
    """As `bind`; the moment tells afterwards whether the query holds it.

    Raises
    ------
    BindError
        A name, a type or a construct is wrong; it says where.
    LimitExceeded
        The statement is nested too deeply, has too many columns, reads too many tables or
        makes too long texts.
    """
    statement = Statement(catalogs, moment, count(), bind_expression, _bind_query)
    try:
        query = _bind_query(tree, Scope(), statement)
        check_lengths(query)
        return query
    except RecursionError:
        raise LimitExceeded("The statement is nested too deeply") from None


def _bind_query(node: Node, around: Scope, statement: Statement) -> Query:
    """Any query: WITH first, then a block, a set operation, or one of them in parentheses."""
    tables = _common_tables(node, around)
    scope = tables[-1] if tables else around
    match node:
        case exp.Select():
            query = bind_select(node, scope, statement)
        case exp.SetOperation():
            query = bind_set(node, scope, statement)
        case exp.Subquery():
            query = _parenthesised(node, scope, statement)
        case exp.Values():
            query = values_query(node, scope, statement)
        case _:
            raise Unsupported(f"{type(node).__name__.upper()} is not supported as a query", node)
    for table in (common for step in tables for common in step.tables.values()):
        if not table.used:  # its errors are errors all the same
            _check_columns(table, _bind_query(table.node, table.scope, statement))
    return query


def _common_tables(node: Node, around: Scope) -> list[Scope]:
    """One scope per common table expression; each sees those before it."""
    clause = node.args.get("with_")
    if clause is None:
        return []
    if clause.args.get("recursive"):
        _refuse_recursion(clause)
    scopes: list[Scope] = []
    names: set[str] = set()
    for item in clause.expressions:
        name = item.alias.casefold()
        if name in names:
            raise DuplicateName(f"Two queries of WITH are named {item.alias}", item)
        names.add(name)
        scope = scopes[-1] if scopes else around
        columns = tuple(c.name for c in item.args["alias"].args.get("columns") or ())
        common = CommonTable(item.this, scope, columns)
        scopes.append(Scope(outer=scope, tables={name: common}))
    return scopes


def _refuse_recursion(clause: Node) -> None:
    """Unsupported where a query of WITH RECURSIVE names itself; else it is a plain WITH."""
    for item in clause.expressions:
        name = item.alias.casefold()
        for table in item.this.find_all(exp.Table):
            if table.name.casefold() == name and table.args.get("db") is None:
                raise Unsupported(
                    f"WITH RECURSIVE {item.alias} names itself, which is not supported",
                    table,
                    hint="a series of numbers is FROM generate_series(1, 10) AS g (n); else join the"
                    " table with itself as often as there are steps",
                )


def _check_columns(common: CommonTable, query: Query) -> None:
    """TypeMismatch where a common table expression names more columns than it has."""
    if len(common.columns) > len(query.outputs):
        raise TypeMismatch(
            f"{len(common.columns)} column names for {len(query.outputs)} columns", common.node
        )


def _parenthesised(node: Node, scope: Scope, statement: Statement) -> Query:
    """A query in parentheses, perhaps sorted or cut from outside."""
    inner = _bind_query(node.this, scope, statement)
    limit = row_count(node.args.get("limit"), None)
    offset = row_count(node.args.get("offset"), 0) or 0
    order = node.args.get("order")
    if order is None and limit is None and not offset:
        return inner
    return sorted_outside(inner, order, (limit, offset), statement)
