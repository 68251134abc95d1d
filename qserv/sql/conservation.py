"""Nothing is lost between a text and its tree: what sqlglot drops or makes up is found by counting.

It passes over most of what is wrong (a comma too many, BETWEEN without AND, WHEN without THEN, FILTER
without WHERE). Names, numbers and strings are accounted for one by one, by their places; words and
commas by how many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokens import TokenType

from qserv.sql.tokens import Node, Reading, Token, shown
from qserv.sql.words import SOFT_WORDS, WORTHY


def check_kept(nodes: Sequence[Node], tokens: Sequence[Token], reading: Reading) -> None:
    """SqlSyntaxError where tokens of the text are not in the tree, or the tree has more."""
    _check_names(nodes, tokens, reading)
    found = Counter(token.token_type for token in tokens)
    if reading.dialect == "mysql":
        found[TokenType.AND] += found[TokenType.DAMP]
        found[TokenType.OR] += found[TokenType.DPIPE]
    for kind, expected in _EXPECTED.items():
        count = sum(expected(node) for node in nodes) + _outside(kind, tokens)
        if found[kind] != count:
            token = next((token for token in tokens if token.token_type is kind), tokens[0])
            word = "," if kind is TokenType.COMMA else token.text.upper()
            raise reading.fault(f"{word} is missing or stands where it cannot", token.start)


def _check_names(nodes: Sequence[Node], tokens: Sequence[Token], reading: Reading) -> None:
    """Every name, number and string is in the tree; a string is no name in PostgreSQL."""
    kept = {node.meta["start"]: node for node in nodes if "start" in node.meta}
    for i, token in enumerate(tokens):
        if token.token_type not in WORTHY:
            continue
        node = kept.get(token.start)
        is_soft = token.token_type is TokenType.VAR and token.text.upper() in SOFT_WORDS
        is_lost = node is None and not is_soft and not _is_of_interval(tokens, i)
        is_name = token.token_type is TokenType.STRING and isinstance(node, exp.Identifier)
        if is_lost or (is_name and reading.dialect == "postgres"):
            raise reading.fault(f"unexpected {shown(token)}", token.start)


def _is_of_interval(tokens: Sequence[Token], i: int) -> bool:
    """Whether a token is the quantity of an INTERVAL, which sqlglot takes apart."""
    return i > 0 and tokens[i - 1].token_type is TokenType.INTERVAL


# ------------------------------------------------------------------ words


def _of(*kinds: type) -> Callable[[Node], int]:
    return lambda node: isinstance(node, kinds)


def _with(key: str, kind: type) -> Callable[[Node], int]:
    return lambda node: isinstance(node, kind) and bool(node.args.get(key))


def _commas(node: Node) -> int:
    """The commas between the items of a node's lists; of a FROM, those between sources."""
    count = 0
    for key, value in node.args.items():
        if not isinstance(value, list) or not value:
            continue
        if key == "joins":
            count += sum(is_comma(join) for join in value)
        elif key not in ("ifs", "locks", "rollup", "cube", "grouping_sets"):
            count += len(value) - 1
    return count


def is_comma(join: Node) -> bool:
    """Whether a Join node is a comma of FROM."""
    return not any(join.args.get(key) for key in ("kind", "side", "method", "on", "using"))


def _joins(node: Node) -> int:
    return isinstance(node, exp.Join) and not is_comma(node)


def _ons(node: Node) -> int:
    return bool(isinstance(node, exp.Join | exp.Distinct) and node.args.get("on"))


def _is_made_up(node: Node) -> bool:
    """Whether sqlglot put the SELECT around the VALUES of a common table."""
    source = node.args.get("from_")
    return (
        isinstance(node.parent, exp.CTE)
        and source is not None
        and isinstance(source.this, exp.Values)
        and "start" not in node.expressions[0].meta
    )


_EXPECTED: Mapping[TokenType, Callable[[Node], int]] = {
    TokenType.COMMA: _commas,
    TokenType.AND: _of(exp.And, exp.Between),
    TokenType.OR: _of(exp.Or),
    TokenType.BETWEEN: _of(exp.Between),
    TokenType.CASE: _of(exp.Case),
    TokenType.WHEN: lambda node: isinstance(node, exp.If) and isinstance(node.parent, exp.Case),
    TokenType.THEN: lambda node: isinstance(node, exp.If) and isinstance(node.parent, exp.Case),
    TokenType.WHERE: _of(exp.Where),
    TokenType.HAVING: _of(exp.Having),
    TokenType.GROUP_BY: _of(exp.Group),
    TokenType.ORDER_BY: _of(exp.Order),
    TokenType.PARTITION_BY: _with("partition_by", exp.Window),
    TokenType.SELECT: lambda node: isinstance(node, exp.Select) and not _is_made_up(node),
    TokenType.FROM: lambda node: isinstance(node, exp.From) and not _is_made_up(node.parent),
    TokenType.JOIN: _joins,
    TokenType.ON: _ons,
    TokenType.USING: _with("using", exp.Join),
    TokenType.UNION: _of(exp.Union),
    TokenType.EXCEPT: _of(exp.Except),
    TokenType.INTERSECT: _of(exp.Intersect),
    TokenType.LIMIT: _of(exp.Limit),
    TokenType.OFFSET: _of(exp.Offset),
    TokenType.VALUES: _of(exp.Values),
    TokenType.FILTER: _of(exp.Filter),
    TokenType.OVER: lambda node: isinstance(node, exp.Window) and bool(node.args.get("over")),
}
"""How many tokens of a kind each node accounts for."""


def _outside(kind: TokenType, tokens: Sequence[Token]) -> int:
    """Tokens that no node tells of: of frames, of IS DISTINCT FROM, of words inside calls."""
    match kind:
        case TokenType.AND | TokenType.BETWEEN:
            return _pairs(tokens, _is_frame, TokenType.BETWEEN)
        case TokenType.FROM:
            inside = _inside_calls(tokens)
            return inside + _pairs(tokens, _is_distinct, TokenType.FROM)
        case TokenType.COMMA | TokenType.OFFSET:
            commas = _limits_with_comma(tokens)
            return commas if kind is TokenType.COMMA else -commas
        case _:
            return 0


def _pairs(tokens: Sequence[Token], first: Callable[[Token], bool], second: TokenType) -> int:
    return sum(first(one) and two.token_type is second for one, two in pairwise(tokens))


def _is_frame(token: Token) -> bool:
    return token.token_type in (TokenType.ROWS, TokenType.RANGE) or token.text.upper() == "GROUPS"


def _is_distinct(token: Token) -> bool:
    return token.token_type is TokenType.DISTINCT


def _inside_calls(tokens: Iterable[Token]) -> int:
    """FROM of EXTRACT, TRIM, SUBSTRING: those right inside the parenthesis of such a call."""
    count, names, last = 0, [""], ""
    for token in tokens:
        if token.token_type is TokenType.L_PAREN:
            names.append(last)
        elif token.token_type is TokenType.R_PAREN:
            names.pop()
        elif token.token_type is TokenType.FROM:
            count += names[-1] in ("EXTRACT", "TRIM", "SUBSTRING")
        last = token.text.upper()
    return count


def _limits_with_comma(tokens: Sequence[Token]) -> int:
    """MySQL's LIMIT m, n, which is an OFFSET too."""
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return sum(
        one.token_type is TokenType.LIMIT
        and two.token_type is TokenType.NUMBER
        and three.token_type is TokenType.COMMA
        for one, two, three in triples
    )
