"""MySQL's operators bound as MySQL binds them: sqlglot gives all operators of bits one level.

^   then   * / DIV % MOD   then   + -   then   << >>   then   &   then   |
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from qserv.sql.tokens import Node

_LEVELS: Mapping[type, int] = {
    exp.BitwiseOr: 1,
    exp.BitwiseAnd: 2,
    exp.BitwiseLeftShift: 3,
    exp.BitwiseRightShift: 3,
    exp.Add: 4,
    exp.Sub: 4,
    exp.Mul: 5,
    exp.Div: 5,
    exp.IntDiv: 5,
    exp.Mod: 5,
    exp.BitwiseXor: 6,
}


def rebound(tree: Node) -> Node:
    """The tree with each run of such operators bound anew, from the text's order."""
    roots = [
        node
        for node in tree.walk(bfs=False)
        if type(node) in _LEVELS and type(node.parent) not in _LEVELS
    ]
    for root in roots:
        operands, operators = _flat(root)
        if len(operators) < 2:
            continue
        bound = _climb(operands, operators)
        if bound is not root:
            place = root.parent
            key, index = root.arg_key, root.index
            place.set(key, bound, index)
    return tree


def _flat(root: Node) -> tuple[list[Node], list[Node]]:
    """Operands and operators of a run, in the text's order, without recursion."""
    operands: list[Node] = []
    operators: list[Node] = []
    waiting: list[Node] = []
    node = root
    while True:
        while type(node) in _LEVELS:
            waiting.append(node)
            node = node.this
        operands.append(node)
        if not waiting:
            return operands, operators
        operator = waiting.pop()
        operators.append(operator)
        node = operator.expression


def _climb(operands: list[Node], operators: list[Node]) -> Node:
    """One tree of all of them, all operators binding to the left."""
    values: list[Node] = [operands[0]]
    pending: list[Node] = []

    def close() -> None:
        operator, right = pending.pop(), values.pop()
        operator.set("this", values.pop())
        operator.set("expression", right)
        values.append(operator)

    for operator, operand in zip(operators, operands[1:], strict=True):
        while pending and _LEVELS[type(pending[-1])] >= _LEVELS[type(operator)]:
            close()
        pending.append(operator)
        values.append(operand)
    while pending:
        close()
    return values[0]
