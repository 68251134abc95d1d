"""Text to tokens: one precompiled expression, one pass.

A place that is no token becomes a token of kind "fault" that carries the message, and ends the
list: so the parser reports whichever fault comes first in the text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from qserv.adql.errors import shortened
from schema.reserved import RESERVED

LONGEST_NUMBER = 100
"""How many characters a number may have; no column holds what needs more."""


class Token(NamedTuple):
    """One token, and where it begins; `line` and `column` count from 1.

    `kind` is an upper-case reserved word, an operator's own text, or one of "name", "quoted" (a
    delimited identifier), "number", "string", "fault" and "end". `text` is the name, number or
    operator as written, a string's or delimited identifier's value, or the fault's message.
    """

    kind: str
    text: str
    line: int
    column: int


# No group is possessive: before 3.11.5 Python goes wrong after one that failed (gh-101955).
_TOKEN = re.compile(
    r"""
    (?P<space>  [ \t\r\n\f\v]++ | --[^\n]*+ | /\*(?s:.*?)\*/ )
  | (?P<name>   [A-Za-z][A-Za-z0-9_]*+ (?![^\W\d_]) )
  | (?P<number> (?: [0-9]++(?:\.[0-9]*+)? | \.[0-9]++ ) (?:[eE][+-]?[0-9]++)? (?![\w.]) )
  | (?P<string> '[^']*+(?:''[^']*+)*'(?!') )
  | (?P<quoted> "(?!"(?!"))[^"]*+(?:""[^"]*+)*"(?!") )
  | (?P<mark>   <> | != | <= | >= | \|\| | << | >> | /(?!\*) | =(?!=) | &(?!&) | [-+*%|^~<>(),.;] )
  | (?P<rest>   (?s:.) )
    """,
    re.VERBOSE,
)

_RUN = re.compile(r"[\w.]+|.", re.DOTALL)

_SMART_QUOTES = {"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "‚": "'", "´": "'"}
_STRANGE_SPACES = "\u00a0\u2002\u2003\u2007\u2009\u200b\u202f\u3000\ufeff"


def tokenize(text: str) -> list[Token]:
    """The text's tokens, without spaces and comments; the last is of kind "end" or "fault"."""
    tokens: list[Token] = []
    line, line_start = 1, 0
    for match in _TOKEN.finditer(text):
        start = match.start()
        lexeme = match.group()
        column = start - line_start + 1
        match match.lastgroup:
            case "name":
                upper = lexeme.upper()
                tokens.append(Token(upper if upper in RESERVED else "name", lexeme, line, column))
                continue
            case "mark":
                tokens.append(Token(lexeme, lexeme, line, column))
                continue
            case "number" if len(lexeme) <= LONGEST_NUMBER:
                tokens.append(Token("number", lexeme, line, column))
                continue
            case "string":
                tokens.append(Token("string", lexeme[1:-1].replace("''", "'"), line, column))
            case "quoted":
                tokens.append(Token("quoted", lexeme[1:-1].replace('""', '"'), line, column))
            case "number" | "rest":
                tokens.append(Token("fault", _fault_at(text, start), line, column))
                return tokens
            case _:
                assert match.lastgroup == "space"
        if "\n" in lexeme:
            line += lexeme.count("\n")
            line_start = start + lexeme.rindex("\n") + 1
    tokens.append(Token("end", "", line, len(text) - line_start + 1))
    return tokens


def _fault_at(text: str, position: int) -> str:
    """Why no token begins there."""
    character = text[position]
    run = _RUN.match(text, position)
    word = run.group() if run else character
    match character:
        case "'":
            return "this string has no closing single quote"
        case '"' if text.startswith('""', position):
            return "a name in double quotes must not be empty"
        case '"':
            return "this name has no closing double quote"
        case "/":
            return "this comment has no closing */"
        case "=":
            return "== is not an operator of ADQL; write ="
        case "&":
            return "&& is not an operator of ADQL; write AND"
        case ":" if text.startswith("::", position):
            return ":: is not ADQL; write CAST(... AS ...)"
        case "`":
            return "back-ticks are not ADQL; put a name in double quotes"
        case "[" | "]" | "{" | "}":
            return f"{character!r} is not ADQL; put a name in double quotes"
        case "!":
            return "'!' stands in ADQL only in !=; write NOT"
        case _:
            return _fault_of_character(character, word)


def _fault_of_character(character: str, word: str) -> str:
    """Why a character that no construct of ADQL begins with is wrong; `word` begins with it."""
    if character in _SMART_QUOTES:
        plain = _SMART_QUOTES[character]
        return f"{character} is a typographic quote; type the plain one: {plain}"
    if character in _STRANGE_SPACES:
        return "this is a special space (U+%04X); type a plain one" % ord(character)  # noqa: UP031
    if character in "_0123456789." or character.isalnum():
        return _fault_of_word(word)
    return f"{character!r} is not a character of ADQL"


def _fault_of_word(word: str) -> str:
    """Why a run of letters, digits, underscores and points is neither a name nor a number."""
    shown = shortened(word)
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", word):
        return f"{shown} is a hexadecimal number, which ADQL has not; write it in decimal"
    if word[0] == "_":
        return f'a name begins with a letter; put others in double quotes: "{shown}"'
    if word.isascii() and word[0] in "0123456789.":
        if len(word) > LONGEST_NUMBER:
            return f"this number has more than {LONGEST_NUMBER} characters"
        if re.fullmatch(r"[0-9]+[A-Za-z_]\w*", word) and not re.fullmatch(r"[0-9]+[eE]\d*", word):
            return (
                f"malformed number {shown}; a name begins with a letter, "
                f'others stand in double quotes: "{shown}"'
            )
        return f"malformed number {shown}"
    return f'a bare name has only letters a-z, digits and _; put others in double quotes: "{shown}"'
