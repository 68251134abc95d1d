"""A text to its tokens: bounded, and free of what sqlglot would repair in silence."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NoReturn

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from qserv.adql.errors import shortened
from qserv.limits import Limits
from qserv.sql.errors import SqlNotAnswered, SqlSyntaxError
from qserv.sql.words import (
    CLOSING,
    NOT_AFTER,
    OPENING,
    OPERANDS,
    PREFIXES,
    STATEMENTS,
)

Token = Any
"""A token of sqlglot's (its compiled classes carry no types that mypy can read)."""
Node = Any
"""A node of sqlglot's tree, likewise."""

LONGEST_CHAIN = 200
"""How many operators other than AND and OR may follow each other without a comma or a clause
between them: the tree is left-deep, and whoever walks it recurses."""
MOST_JOINS = 200
"""How many JOINs a text may have: sqlglot recurses for each that waits for its condition."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_WHOLE = re.compile(
    r"""'(?:[^'\\]|''|\\.)*' | "(?:[^"\\]|""|\\.)*" | `[^`]*`
    | /\*.*?\*/ | --[^\n]* | \$\$.*?\$\$ | [^'"`]""",
    re.VERBOSE | re.DOTALL,
)
"""What ends where it should; what begins a quotation and is none of these does not."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One text in one language, and how it is complained of."""

    text: str
    language: str
    dialect: str
    limits: Limits
    line_starts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        object.__setattr__(self, "line_starts", starts)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of a character."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def fault(self, message: str, offset: int) -> SqlSyntaxError:
        """The error that the text is wrong at a character."""
        line, column = self.place(min(offset, len(self.text)))
        return SqlSyntaxError(
            message, language=self.language, text=self.text, line=line, column=column
        )

    def refusal(self, message: str, offset: int) -> SqlNotAnswered:
        """The error that what begins at a character is not answered."""
        line, column = self.place(min(offset, len(self.text)))
        return SqlNotAnswered(
            message, language=self.language, text=self.text, line=line, column=column
        )


def tokens_of(reading: Reading) -> list[Token]:
    """The tokens of one query, without the semicolon at its end."""
    text, limits = reading.text, reading.limits
    if len(text.encode("utf-8", "surrogatepass")) > limits.max_text_bytes:
        raise reading.fault(f"the text is longer than {limits.max_text_bytes} bytes", 0)
    unstorable = _UNSTORABLE.search(text)
    if unstorable:
        code = f"U+{ord(unstorable.group()):04X}"
        raise reading.fault(f"the character {code} stands in no text", unstorable.start())
    tokens = _tokenized(reading)
    if len(tokens) > limits.max_tokens:
        last = tokens[limits.max_tokens]
        raise reading.fault(
            f"the text has more than {limits.max_tokens} words and signs", last.start
        )
    tokens = _one_statement(tokens, reading)
    _check_depth(tokens, reading)
    _check_chains(tokens, reading)
    return tokens


def _tokenized(reading: Reading) -> list[Token]:
    try:
        return list(Dialect.get_or_raise(reading.dialect).tokenize(reading.text))
    except SqlglotError as error:
        offset = 0
        while offset < len(reading.text) and (whole := _WHOLE.match(reading.text, offset)):
            offset = whole.end()
        if offset < len(reading.text):
            raise reading.fault("what is quoted here does not end", offset) from error
        raise reading.fault("these characters are no words and signs of SQL", 0) from error


def _one_statement(tokens: list[Token], reading: Reading) -> list[Token]:
    """The tokens of the only statement, which is a query."""
    if not tokens:
        raise reading.fault("expected SELECT, found the end of the text", len(reading.text))
    for i, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            if i + 1 < len(tokens):
                message = "one statement at a time, please: text after ;"
                raise reading.fault(message, tokens[i + 1].start)
            tokens = tokens[:i]
    if not tokens:
        raise reading.fault("expected SELECT, found ;", 0)
    first = tokens[0]
    word = first.text.upper()
    if word not in ("SELECT", "WITH", "VALUES", "("):
        if word in STATEMENTS:
            raise reading.fault(f"{word} is not a query; only SELECT is answered", first.start)
        raise reading.fault(f"expected SELECT, found {shown(first)}", first.start)
    return tokens


def _check_depth(tokens: Sequence[Token], reading: Reading) -> None:
    """Parentheses, CASE and prefix operators within each other; and that parentheses close."""
    opened: list[Token] = []
    prefixes, cases, joins = 0, 0, 0
    for token in tokens:
        kind = token.token_type
        if kind in OPENING:
            opened.append(token)
        elif kind in CLOSING and not _closes(token, opened):
            raise reading.fault(f"{token.text} that nothing opens", token.start)
        cases += (kind is TokenType.CASE) - (kind is TokenType.END)
        prefixes = prefixes + 1 if kind in PREFIXES or token.text == "!" else 0
        joins += kind is TokenType.JOIN
        if len(opened) + max(cases, 0) + prefixes > reading.limits.max_nesting:
            message = f"nested deeper than {reading.limits.max_nesting} levels"
            raise reading.fault(message, token.start)
        if joins > MOST_JOINS:
            raise reading.fault(f"more than {MOST_JOINS} joins in one text", token.start)
    if opened:
        raise reading.fault(f"{opened[-1].text} that nothing closes", opened[-1].start)


def _closes(token: Token, opened: list[Token]) -> bool:
    """Whether a closing sign ends what was opened last, which is then open no longer."""
    return bool(opened) and OPENING.index(opened.pop().token_type) == CLOSING.index(
        token.token_type
    )


_ENDS_CHAIN = frozenset(
    {
        *(TokenType.COMMA, TokenType.AND, TokenType.OR, TokenType.SELECT, TokenType.FROM),
        *(TokenType.WHERE, TokenType.WHEN, TokenType.THEN, TokenType.ELSE, TokenType.END),
        *(TokenType.L_PAREN, TokenType.R_PAREN, TokenType.JOIN, TokenType.ON),
    }
)
_SETS = frozenset({TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT})


def _check_chains(tokens: Sequence[Token], reading: Reading) -> None:
    """Operators in a row, at each depth of parentheses; set operators of the whole text."""
    lengths, sets = [0], 0
    for token in tokens:
        kind = token.token_type
        if kind is TokenType.L_PAREN:
            lengths.append(0)
        elif kind is TokenType.R_PAREN:
            lengths.pop()
        elif kind in _ENDS_CHAIN:
            lengths[-1] = 0
        elif kind not in OPERANDS and kind is not TokenType.DOT:
            lengths[-1] += 1
        sets += kind in _SETS
        if max(lengths[-1], sets) > LONGEST_CHAIN:
            message = f"more than {LONGEST_CHAIN} operators in one chain"
            raise reading.fault(message, token.start)


def check_neighbours(tokens: Sequence[Token], reading: Reading) -> None:
    """Tokens that cannot follow each other."""
    for one, two in pairwise(tokens):
        first, second = one.token_type, two.token_type
        if second in NOT_AFTER.get(first, ()):
            _unexpected(two, reading)
        touching = one.end + 1 == two.start
        if first is TokenType.NUMBER and second is TokenType.VAR and touching:
            raise reading.fault(f"malformed number {shortened(one.text + two.text)}", one.start)
        if first is second and first in (TokenType.LT, TokenType.GT) and not touching:
            _unexpected(two, reading)  # sqlglot takes `< <` for a shift
    if tokens[-1].token_type in (TokenType.COMMA, TokenType.SELECT, TokenType.ALIAS):
        raise reading.fault("expected a value, found the end of the text", len(reading.text))
    for i, token in enumerate(tokens):
        stray = _stray(token, tokens, i)
        if stray is not None:
            _unexpected(stray, reading)


_FRAMES = frozenset({"ROWS", "RANGE", "GROUPS"})
_FRAME_STARTS = frozenset({"UNBOUNDED", "CURRENT", *map(str, range(10))})


def _stray(token: Token, tokens: Sequence[Token], i: int) -> Token | None:
    """The token that spoils a phrase which begins with this one; None where all is well."""
    after = tokens[i + 1 : i + 5]
    before = tokens[i - 1] if i else None
    words = [one.text.upper() for one in after] + [""] * (4 - len(after))
    if not after:
        return None
    match token.token_type:
        case TokenType.FETCH:
            is_whole = words[0] in ("FIRST", "NEXT") and words[2 + words[1].isdigit()] == "ONLY"
            return None if is_whole or "TIES" in words else after[0]
        case TokenType.NOT if before is not None and before.token_type in OPERANDS:
            return after[0] if words[0] == "NULL" else None
        case TokenType.R_PAREN if words[0] == "(" and words[1] in ("SELECT", "WITH", "VALUES"):
            return after[0]
        case _ if token.text.upper() in _FRAMES and words[0] in _FRAME_STARTS:
            return next((one for one in after if one.token_type is TokenType.AND), None)
        case TokenType.WINDOW:
            return None if words[1] == "AS" else after[-1]
        case TokenType.VAR if words[0] == "(" and words[1] in ("SELECT", "WITH", "VALUES"):
            return None if token.text.upper() in ("MATERIALIZED", "SOME") else after[1]
        case _:
            return None


def _unexpected(token: Token, reading: Reading) -> NoReturn:
    raise reading.fault(f"unexpected {shown(token)}", token.start)


def shown(token: Token) -> str:
    """A token as a message shows it; not all of a long one."""
    match token.token_type:
        case TokenType.STRING:
            return "a string"
        case TokenType.IDENTIFIER:
            return f'"{shortened(token.text)}"'
        case TokenType.NUMBER | TokenType.VAR:
            return shortened(token.text)
        case _:
            return token.text.upper() if token.text.isalpha() else repr(shortened(token.text))
