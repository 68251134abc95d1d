"""Mistakes that people make, told by what to write instead; found among the tokens, before any parser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from sqlglot.tokens import TokenType

from qserv.sql.tokens import Reading, Token, shown
from qserv.sql.words import OPERANDS

_QUOTES = frozenset("\u2018\u2019\u201c\u201d\u00b4")
_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        ("CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "CURRENT_CATALOG", "CURRENT_SCHEMA"),
        "a query does not know who asks it or where; leave it out",
    ),
    "CURRENT_TIME": "a time of day without its day; write CURRENT_TIMESTAMP or EXTRACT(HOUR FROM t)",
    "UESCAPE": "UESCAPE is not supported; write the characters themselves, or U&'\\0061'",
    "TABLESAMPLE": "TABLESAMPLE is not supported; take a share of the keys, as in MOD(objectId, 100) = 0",
    "INTO": "SELECT INTO is not supported; the answer goes to whoever asks",
    "COLLATE": "COLLATE is not supported; texts compare and sort by code point",
    "PIVOT": "PIVOT is not supported; write SUM(x) FILTER (WHERE ...), or SUM(CASE ...)",
    "QUALIFY": "QUALIFY is not supported; filter the window function from an outer SELECT",
    "STRAIGHT_JOIN": "STRAIGHT_JOIN is not supported; write JOIN, the order of joins is chosen here",
}
"""Words that no query has, unless they are quoted or follow a dot."""


_WATCHED = frozenset({*_REFUSED, "SELECT", "DISTINCT", "AT"})
_SIGNS = frozenset(
    {
        *(TokenType.EQ, TokenType.ARROW, TokenType.DARROW, TokenType.L_BRACKET),
        *(TokenType.L_PAREN, TokenType.AMP),
    }
)
_SETS = frozenset({TokenType.UNION, TokenType.INTERSECT, TokenType.EXCEPT})


def check_mistakes(tokens: Sequence[Token], reading: Reading) -> None:
    """SqlSyntaxError or SqlNotAnswered where a known mistake is found."""
    for i, token in enumerate(tokens):
        is_word = token.text.upper() in _WATCHED or not token.text.isascii()
        if not is_word and token.token_type not in _SIGNS:
            continue
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        before = tokens[i - 1] if i else None
        _check_word(token, before, after, reading)
        _check_sign(token, before, after, reading)
    _check_joins(tokens, reading)
    _check_sets(tokens, reading)


def _check_word(token: Token, before: Token | None, after: Token | None, reading: Reading) -> None:
    word, kind = token.text.upper(), token.token_type
    if kind in (TokenType.IDENTIFIER, TokenType.STRING):
        return
    is_bare = before is None or before.token_type not in (TokenType.DOT, TokenType.ALIAS)
    if word in _REFUSED and is_bare:
        raise reading.refusal(_REFUSED[word], token.start)
    if kind is TokenType.SELECT and after is not None and after.text.upper() == "TOP":
        raise reading.fault("TOP is ADQL's; write LIMIT n at the end", after.start)
    if word == "DISTINCT" and after is not None and after.token_type is TokenType.ON:
        _expect_parenthesis(after, reading)
    if word == "AT" and after is not None and after.text.upper() == "TIME":
        message = "AT TIME ZONE is not supported: times have no zone; leave it out"
        raise reading.refusal(message, token.start)
    quote = next((c for c in token.text if c in _QUOTES), None)
    if quote is not None:
        raise reading.fault(f"{quote} is no quote of SQL; write 'text'", token.start)


def _expect_parenthesis(token: Token, reading: Reading) -> None:
    end = reading.text[token.end + 1 :].lstrip()
    if not end.startswith("("):
        raise reading.fault("write DISTINCT ON (columns)", token.start)


def _check_sign(token: Token, before: Token | None, after: Token | None, reading: Reading) -> None:
    kind = token.token_type
    if token.text == "==" and kind is TokenType.EQ:
        raise reading.fault("== is no operator; write =", token.start)
    if kind in (TokenType.ARROW, TokenType.DARROW):
        raise reading.refusal(f"{shown(token)} of JSON is not supported", token.start)
    follows_value = before is not None and (
        before.token_type in OPERANDS or before.token_type is TokenType.R_BRACKET
    )
    is_empty = after is not None and after.token_type is TokenType.R_BRACKET
    if kind is TokenType.L_BRACKET and follows_value and not is_empty:
        message = "a subscript is not supported; select the whole array"
        raise reading.refusal(message, token.start)
    if before is None or after is None:
        return
    if kind is TokenType.L_PAREN and after.token_type is TokenType.R_PAREN and _is_in(before):
        raise reading.fault("IN needs a value between its parentheses", token.start)
    touching = before.end + 1 == token.start and token.end + 1 == after.start
    is_name = after.token_type is TokenType.IDENTIFIER and before.text.upper() == "U"
    if kind is TokenType.AMP and touching and is_name:
        message = 'U&"..." is not supported; write the name itself in double quotes'
        raise reading.refusal(message, before.start)


def _is_in(token: Token) -> bool:
    return token.token_type is TokenType.IN


def _check_sets(tokens: Sequence[Token], reading: Reading) -> None:
    """VALUES in a set stand without parentheses: sqlglot reads no others."""
    kinds = [token.token_type for token in tokens]
    for place, kind in enumerate(kinds[:-1]):
        if kind is not TokenType.L_PAREN or kinds[place + 1] is not TokenType.VALUES:
            continue
        before = [one for one in kinds[max(place - 2, 0) : place] if one in (*_SETS, TokenType.ALL)]
        if before and before[0] in _SETS:
            message = "VALUES of a set stand without parentheses, as in UNION ALL VALUES (1), (2)"
            raise reading.fault(message, tokens[place].start)


def _check_joins(tokens: Sequence[Token], reading: Reading) -> None:
    """As many conditions as there are joins that need one."""
    joins = [
        token
        for place, token in enumerate(tokens)
        if token.token_type is TokenType.JOIN and not _needs_none(tokens[max(place - 3, 0) : place])
    ]
    conditions = sum(_is_condition(*pair) for pair in pairwise(tokens))
    if len(joins) > conditions:
        message = "JOIN has no condition; write ON a.x = b.x or USING (x), or CROSS JOIN"
        raise reading.fault(message, joins[-1].start)


def _is_condition(before: Token, token: Token) -> bool:
    """Whether a token is a join's ON or USING."""
    kind = token.token_type
    is_on = kind is TokenType.ON and before.token_type is not TokenType.DISTINCT
    return is_on or kind is TokenType.USING


def _needs_none(before: Sequence[Token]) -> bool:
    """Whether the words before JOIN are CROSS or NATURAL [LEFT [OUTER]]."""
    for token in reversed(before):
        word = token.text.upper()
        if word in ("CROSS", "NATURAL"):
            return True
        if word not in ("INNER", "LEFT", "RIGHT", "FULL", "OUTER"):
            return False
    return False
