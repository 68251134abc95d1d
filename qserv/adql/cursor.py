"""The place in the tokens where the parser stands, and how it complains."""

from __future__ import annotations

import re
from typing import TypeVar

from sqlglot import exp

from qserv.adql.errors import AdqlSyntaxError, shortened
from qserv.adql.tokens import Token, tokenize
from qserv.adql.words import CLAUSE_WORDS
from qserv.limits import Limits
from schema.reserved import RESERVED

Node = TypeVar("Node", bound=exp.Expression)

LONGEST_CHAIN = 200
"""How many operators of one level (`a + b + c`) or set operators may follow each other: the tree
is left-deep, and whoever walks it recurses. AND and OR, which are walked flat, are not counted."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_OF_CONDITIONS = frozenset(
    {"=", "<>", "!=", "<", "<=", ">", ">=", "AND", "OR", "IS", "BETWEEN", "IN", "LIKE", "ILIKE"}
)


def place(node: Node, token: Token) -> Node:
    """The node, told where it stands."""
    meta = node.meta
    meta["line"] = token.line
    meta["col"] = token.column
    return node


class Cursor:
    """Reads the tokens one by one. `token` is the next one, `kind` its kind."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits
        if len(text.encode("utf-8", "surrogatepass")) > limits.max_text_bytes:
            raise self.fault(f"the text is longer than {limits.max_text_bytes} bytes", 1, 1)
        self._refuse_unstorable()
        self.tokens = tokenize(text)
        if len(self.tokens) > limits.max_tokens:
            last = self.tokens[limits.max_tokens]
            raise self.fault_at(last, f"the text has more than {limits.max_tokens} words and signs")
        self.index = 0
        self.depth = 0
        self.token = self.tokens[0]
        self.kind = self.token.kind

    def _refuse_unstorable(self) -> None:
        """Refuse what no database takes, in strings and names too: NUL and lone surrogates."""
        found = _UNSTORABLE.search(self.text)
        if found:
            line_start = self.text.rfind("\n", 0, found.start()) + 1
            line = self.text.count("\n", 0, found.start()) + 1
            code = f"U+{ord(found.group()):04X}"
            message = f"the character {code} stands in no text"
            raise self.fault(message, line, found.start() - line_start + 1)

    # -------------------------------------------------------------- going forward

    def advance(self) -> Token:
        """Take the next token, whatever it is (but never past the end)."""
        taken = self.token
        self.index += 1
        self.token = self.tokens[self.index]
        self.kind = self.token.kind
        return taken

    def take(self, kind: str) -> bool:
        """Take the next token if it is of this kind."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def expect(self, kind: str, wanted: str) -> Token:
        """Take the next token, which must be of this kind."""
        if self.kind != kind:
            raise self.unexpected(wanted)
        return self.advance()

    def peek(self) -> str:
        """The kind of the token after the next one."""
        if self.index + 1 < len(self.tokens):
            return self.tokens[self.index + 1].kind
        return "end"

    def enter(self, token: Token) -> None:
        """Go one level deeper; `leave` undoes it."""
        self.depth += 1
        if self.depth > self.limits.max_nesting:
            raise self.fault_at(token, f"nested deeper than {self.limits.max_nesting} levels")

    def leave(self) -> None:
        self.depth -= 1

    def bound_chain(self, length: int, token: Token) -> None:
        """Refuse a chain of operators that would make too deep a tree."""
        if length > LONGEST_CHAIN:
            raise self.fault_at(token, f"more than {LONGEST_CHAIN} operators in one chain")

    def identifier(self, wanted: str) -> exp.Identifier:
        """A name, bare or in double quotes."""
        if self.kind not in ("name", "quoted"):
            raise self.unexpected(wanted)
        token = self.advance()
        return place(exp.Identifier(this=token.text, quoted=token.kind == "quoted"), token)

    # -------------------------------------------------------------- complaining

    def fault(self, message: str, line: int, column: int) -> AdqlSyntaxError:
        return AdqlSyntaxError(message, text=self.text, line=line, column=column)

    def fault_at(self, token: Token, message: str) -> AdqlSyntaxError:
        return self.fault(message, token.line, token.column)

    def fault_of(self, node: exp.Expression, message: str) -> AdqlSyntaxError:
        """A fault at the place of a node; of the first placed one below it, if it has no own."""
        for part in node.walk():
            if "line" in part.meta:
                return self.fault(message, part.meta["line"], part.meta["col"])
        return self.fault_at(self.token, message)

    def unexpected(self, wanted: str) -> AdqlSyntaxError:
        """The error that the next token is not what it should be."""
        token = self.token
        if token.kind == "fault":
            return self.fault_at(token, token.text)
        hint = self._hint(token, wanted)
        return self.fault_at(token, f"expected {wanted}, found {_shown(token)}{hint}")

    def _hint(self, token: Token, wanted: str) -> str:
        """What to write instead, where it is plain."""
        before = self.tokens[self.index - 1] if self.index else None
        word = token.text.upper()
        if token.kind == "number" and before is not None and before.kind == "number":
            return f" (malformed number {before.text} {token.text}?)"
        if token.kind == "name" and word == "LIMIT":
            return "; LIMIT is not ADQL: write TOP n after SELECT"
        if token.kind == "FETCH":
            return "; FETCH is not ADQL: write TOP n after SELECT"
        if (
            token.kind == "ORDER"
            and self.index > 1
            and self.tokens[self.index - 2].kind == "OFFSET"
        ):
            return "; ORDER BY stands before OFFSET"
        if token.kind == ")" and self.depth == 0:
            return " that no ( opens"
        if token.kind in _OF_CONDITIONS and "value" not in wanted:
            return "; conditions stand in WHERE, HAVING, ON and WHEN, and comparisons do not chain"
        if token.kind in RESERVED and token.kind not in CLAUSE_WORDS and "name" in wanted:
            return f'; {word} is a reserved word, as a name it needs double quotes: "{token.text}"'
        return ""


def _shown(token: Token) -> str:
    """A token as a message shows it; not all of a long one."""
    match token.kind:
        case "end":
            return "the end of the text"
        case "string":
            return "a string"
        case "quoted":
            return f'"{shortened(token.text)}"'
        case "number" | "name":
            return shortened(token.text)
        case _:
            return token.text.upper() if token.kind in RESERVED else repr(token.text)
