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
    commas = limits_with_comma(tokens)
    if commas and reading.dialect == "postgres":
        raise reading.fault("LIMIT takes one number; write LIMIT n OFFSET m", commas[0].start)
    found = Counter(token.token_type for token in tokens)
    by_class: dict[type, list[Node]] = {}
    for node in nodes:
        by_class.setdefault(type(node), []).append(node)
    if reading.dialect == "mysql":
        found[TokenType.AND] += found[TokenType.DAMP]
        found[TokenType.OR] += found[TokenType.DPIPE]
    for kind, (classes, tells) in _EXPECTED.items():
        told = (node for one in classes or by_class for node in by_class.get(one, ()))
        count = sum(tells(node) for node in told) + _outside(kind, tokens)
        if found[kind] != count:
            token = next((token for token in tokens if token.token_type is kind), tokens[0])
            word = "," if kind is TokenType.COMMA else kind.name.replace("_", " ")
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


def _always(_: Node) -> bool:
    return True


def _has(key: str) -> Callable[[Node], bool]:
    return lambda node: bool(node.args.get(key))


def _is_branch(node: Node) -> bool:
    return isinstance(node.parent, exp.Case)


def _is_made_up(node: Node) -> bool:
    """Whether sqlglot put the SELECT around the VALUES of a common table or of a set."""
    source = node.args.get("from_")
    return (
        isinstance(node.parent, exp.CTE | exp.SetOperation)
        and source is not None
        and isinstance(source.this, exp.Values)
        and "start" not in node.expressions[0].meta
    )


_Told = tuple[tuple[type, ...], Callable[[Node], int]]
_EXPECTED: Mapping[TokenType, _Told] = {
    TokenType.COMMA: ((), _commas),
    TokenType.AND: ((exp.And, exp.Between), _always),
    TokenType.OR: ((exp.Or,), _always),
    TokenType.BETWEEN: ((exp.Between,), _always),
    TokenType.CASE: ((exp.Case,), _always),
    TokenType.WHEN: ((exp.If,), _is_branch),
    TokenType.THEN: ((exp.If,), _is_branch),
    TokenType.WHERE: ((exp.Where,), _always),
    TokenType.HAVING: ((exp.Having,), _always),
    TokenType.GROUP_BY: ((exp.Group,), _always),
    TokenType.ORDER_BY: ((exp.Order,), _always),
    TokenType.PARTITION_BY: ((exp.Window,), _has("partition_by")),
    TokenType.SELECT: ((exp.Select,), lambda node: not _is_made_up(node)),
    TokenType.FROM: ((exp.From,), lambda node: not _is_made_up(node.parent)),
    TokenType.JOIN: ((exp.Join,), lambda node: not is_comma(node)),
    TokenType.ON: ((exp.Join, exp.Distinct), _has("on")),
    TokenType.USING: ((exp.Join,), _has("using")),
    TokenType.UNION: ((exp.Union,), _always),
    TokenType.EXCEPT: ((exp.Except,), _always),
    TokenType.INTERSECT: ((exp.Intersect,), _always),
    TokenType.LIMIT: ((exp.Limit,), _always),
    TokenType.OFFSET: ((exp.Offset,), _always),
    TokenType.VALUES: ((exp.Values,), _always),
    TokenType.FILTER: ((exp.Filter,), _always),
    TokenType.OVER: ((exp.Window,), _has("over")),
}
"""The classes of nodes that account for tokens of a kind (none: all), and for how many each."""


def _outside(kind: TokenType, tokens: Sequence[Token]) -> int:
    """Tokens that no node tells of: of frames, of IS DISTINCT FROM, of words inside calls, names."""
    match kind:
        case TokenType.AND | TokenType.BETWEEN:
            return _pairs(tokens, _is_frame, TokenType.BETWEEN)
        case TokenType.FROM:
            inside = _inside_calls(tokens, kind, ("EXTRACT", "TRIM", "SUBSTRING"))
            return inside + _pairs(tokens, _is_distinct, TokenType.FROM)
        case TokenType.COMMA | TokenType.OFFSET:
            commas = len(limits_with_comma(tokens))
            if kind is TokenType.OFFSET:
                return -commas
            return commas + _inside_calls(tokens, kind, ("CONVERT",))
        case TokenType.USING:
            return _inside_calls(tokens, TokenType.USING, ("CONVERT",))
        case TokenType.FILTER:
            return _filters_by_name(tokens)
        case _:
            return 0


def _pairs(tokens: Sequence[Token], first: Callable[[Token], bool], second: TokenType) -> int:
    return sum(first(one) and two.token_type is second for one, two in pairwise(tokens))


def _is_frame(token: Token) -> bool:
    return token.token_type in (TokenType.ROWS, TokenType.RANGE) or token.text.upper() == "GROUPS"


def _is_distinct(token: Token) -> bool:
    return token.token_type is TokenType.DISTINCT


def _filters_by_name(tokens: Sequence[Token]) -> int:
    """Those FILTERs that name a table or a column, for they stand neither after ) nor before (."""
    around = zip(tokens, tokens[1:], [*tokens[2:], None], strict=False)
    return sum(
        word.token_type is TokenType.FILTER
        and before.token_type is not TokenType.R_PAREN
        and (after is None or after.token_type is not TokenType.L_PAREN)
        for before, word, after in around
    )


def _inside_calls(tokens: Iterable[Token], kind: TokenType, calls: Sequence[str]) -> int:
    """FROM of EXTRACT, TRIM, SUBSTRING, USING of CONVERT: those right inside such a call."""
    count, names, last = 0, [""], ""
    for token in tokens:
        if token.token_type is TokenType.L_PAREN:
            names.append(last)
        elif token.token_type is TokenType.R_PAREN:
            names.pop()
        elif token.token_type is kind:
            count += names[-1] in calls
        last = token.text.upper()
    return count


def limits_with_comma(tokens: Sequence[Token]) -> list[Token]:
    """The commas of MySQL's LIMIT m, n, which is an OFFSET too."""
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return [
        three
        for one, two, three in triples
        if one.token_type is TokenType.LIMIT
        and two.token_type is TokenType.NUMBER
        and three.token_type is TokenType.COMMA
    ]
