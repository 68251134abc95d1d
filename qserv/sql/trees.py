"""Tokens to sqlglot's tree: functions left as they are written, nothing lost, every node placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token as MadeToken
from sqlglot.tokens import TokenType

from qserv.sql.advice import check_mistakes
from qserv.sql.conservation import check_kept
from qserv.sql.tokens import Node, Reading, Token, check_neighbours, shown, tokens_of
from qserv.sql.words import CALLABLE_WORDS, HIDDEN, OPERANDS, SPECIAL_CALLS


def tree_of(reading: Reading) -> Node:
    """The tree of one query.

    Calls are `exp.Anonymous` with the name as written, but for those with words among their
    arguments. Each node has `meta["line"]` and `meta["col"]`, from 1, of its first character that
    is known. sqlglot repairs a good part of texts that are wrong; what it drops is found here.
    """
    tokens = tokens_of(reading)
    check_mistakes(tokens, reading)
    check_neighbours(tokens, reading)
    try:
        parser = Dialect.get_or_raise(reading.dialect).parser()
        found = parser.parse(_with_hidden_calls(tokens), reading.text)
    except ParseError as error:
        _complain(error, tokens, reading)
    except (SqlglotError, TypeError, AttributeError) as error:
        # Of some texts that lack an operand (`SELECT a ?`) sqlglot builds nodes around None.
        raise reading.fault("this is no query", 0) from error
    except RecursionError:
        raise reading.fault("nested too deeply for this server", 0) from None
    if len(found) != 1 or found[0] is None:
        raise reading.fault("this is no query", 0)
    tree = found[0]
    nodes = list(tree.walk(bfs=False))
    for node in nodes:
        if isinstance(node, exp.Star) and node.meta.get("start") == 0:
            node.meta.clear()  # no text begins with a star: sqlglot made it up
    check_kept(nodes, tokens, reading)
    _place(nodes, reading)
    _unhide(nodes)
    tree.meta["text"] = reading.text
    return tree


def _with_hidden_calls(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with the names of functions changed so that sqlglot knows none of them.

    GROUPS of a window frame, which sqlglot does not know, stands as a kind of ROWS. INTERVAL goes from
    before a text that bounds a frame: sqlglot takes PRECEDING for its unit.
    """
    return [
        _hidden(token)
        if _is_call(tokens, i)
        else (_retyped(token, TokenType.ROWS) if _is_groups(tokens, i) else token)
        for i, token in enumerate(tokens)
        if not _is_interval_bound(tokens, i)
    ]


def _is_interval_bound(tokens: Sequence[Token], i: int) -> bool:
    """Whether INTERVAL 'text' PRECEDING or FOLLOWING begins here."""
    return (
        tokens[i].token_type is TokenType.INTERVAL
        and i + 2 < len(tokens)
        and tokens[i + 1].token_type is TokenType.STRING
        and tokens[i + 2].text.upper() in ("PRECEDING", "FOLLOWING")
    )


def _is_groups(tokens: Sequence[Token], i: int) -> bool:
    """Whether the token begins a frame of groups."""
    if tokens[i].text.upper() != "GROUPS" or i + 1 >= len(tokens):
        return False
    after = tokens[i + 1]
    return after.token_type is TokenType.BETWEEN or (
        after.text.upper() in ("UNBOUNDED", "CURRENT") or after.token_type is TokenType.NUMBER
    )


def _retyped(token: Token, kind: TokenType) -> Token:
    place = (token.line, token.col, token.start, token.end)
    return MadeToken(kind, token.text, *place, token.comments)


def _is_call(tokens: Sequence[Token], i: int) -> bool:
    """Whether the token is the name of a plain function."""
    token = tokens[i]
    if i + 1 >= len(tokens) or tokens[i + 1].token_type is not TokenType.L_PAREN:
        return False
    word = token.text.upper()
    if i and tokens[i - 1].token_type in (TokenType.DCOLON, TokenType.ALIAS):
        return False  # the name of a type, as in `x::char(3)`
    if word == "CHAR" and _stands_in_convert(tokens, i):
        return False
    if word == "MOD":  # MySQL has an operator of that name
        return i == 0 or tokens[i - 1].token_type not in OPERANDS
    if word in ("SUBSTRING", "TRIM"):
        return not _has_words(tokens, i + 1)
    if token.token_type is TokenType.VAR:
        return word not in SPECIAL_CALLS
    return word in CALLABLE_WORDS and token.token_type is not TokenType.IDENTIFIER


def _stands_in_convert(tokens: Sequence[Token], i: int) -> bool:
    """Whether a token is the type of CONVERT(value, type)."""
    if tokens[i - 1].token_type is not TokenType.COMMA:
        return False
    depth = 0
    for k in range(i - 1, 0, -1):
        kind = tokens[k].token_type
        depth += (kind is TokenType.R_PAREN) - (kind is TokenType.L_PAREN)
        if depth < 0:
            return bool(tokens[k - 1].text.upper() == "CONVERT")
    return False


def _has_words(tokens: Sequence[Token], opening: int) -> bool:
    """Whether words divide the arguments of a call, not commas."""
    depth = 0
    for token in tokens[opening:]:
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth == 0:
            return False
        if depth == 1 and token.text.upper() in ("FROM", "FOR", "BOTH", "LEADING", "TRAILING"):
            return True
    return False


def _hidden(token: Token) -> Token:
    place = (token.line, token.col, token.start, token.end)
    return MadeToken(TokenType.VAR, HIDDEN + token.text, *place, token.comments)


def _complain(error: ParseError, tokens: Sequence[Token], reading: Reading) -> NoReturn:
    """sqlglot's complaint as ours: what was not expected, and where."""
    fault = error.errors[0] if error.errors else {}
    at = (fault.get("line"), fault.get("col"))
    token = next((t for t in tokens if (t.line, t.col) == at), None)
    description = str(fault.get("description") or "")
    if token is None:
        raise reading.fault("unexpected end of the text", len(reading.text)) from error
    if token is tokens[-1] and token.token_type not in OPERANDS:
        fault_there = f"something is missing after {shown(token)}"
        raise reading.fault(fault_there, len(reading.text.rstrip())) from error
    if description.startswith("Expecting "):
        wanted = description.removeprefix("Expecting ").rstrip(".")
        raise reading.fault(f"expected {wanted}, found {shown(token)}", token.start) from error
    if description.startswith("Required keyword"):
        raise reading.fault(f"something is missing beside {shown(token)}", token.start) from error
    raise reading.fault(f"unexpected {shown(token)}", token.start) from error


def _place(nodes: Sequence[Node], reading: Reading) -> None:
    """Every node's line and column: its own, or the first of what is in it."""
    for node in reversed(nodes):  # children stand behind their parents
        start = node.meta.get("start")
        inside = node.meta.get("first")
        known = [offset for offset in (start, inside) if offset is not None]
        if not known:
            continue
        first = min(known)
        node.meta["line"], node.meta["col"] = reading.place(first)
        node.meta["offset"] = first
        if node.parent is not None:
            before = node.parent.meta.get("first")
            node.parent.meta["first"] = first if before is None else min(before, first)


def _unhide(nodes: Sequence[Node]) -> None:
    """Names as they were written."""
    for node in nodes:
        if isinstance(node, exp.Anonymous | exp.Identifier | exp.Var):
            name = node.this
            if isinstance(name, str) and name.startswith(HIDDEN):
                node.set("this", name.removeprefix(HIDDEN))
