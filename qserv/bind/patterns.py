"""Regular expressions on which PostgreSQL and DuckDB agree; all others are refused."""

from __future__ import annotations

import re

from qserv.bind.errors import Node, TypeMismatch, Unsupported

_TOKEN = re.compile(
    r"""
      (?P<atom> \\[dwDW] | \\[^A-Za-z0-9\s] | \[\^?[^\[\]\\^]+\] | [^\\\[\](){}|*+?^$] )
    | (?P<anchor> [\^$] )
    | (?P<quantifier> [*+?] | \{ (?P<least>\d{1,3}) (?: , (?P<most>\d{0,3}) )? \} )
    | (?P<open> \( (?!\?) )
    | (?P<close> \) )
    | (?P<or> \| )
    """,
    re.VERBOSE,
)
_MOST_TIMES = 255
_LONGEST = 1000


def check_pattern(pattern: str, node: Node) -> None:
    """Unsupported for a pattern that is wrong, or that the engines may read differently.

    Let through: characters, `.`, `[...]` of characters and ranges, `\\d \\w \\D \\W`, an escaped sign,
    `^ $ | ( )`, and one of `* + ? {m} {m,} {m,n}` after what it repeats.
    """
    place, depth, repeatable = 0, 0, False
    if not pattern or len(pattern) > _LONGEST:
        raise Unsupported(f"A regular expression has 1 to {_LONGEST} characters", node)
    while place < len(pattern):
        found = _TOKEN.match(pattern, place)
        kind = None if found is None else found.lastgroup
        if found is not None and found["quantifier"]:
            kind = "quantifier"
        depth += (kind == "open") - (kind == "close")
        if found is None or depth < 0 or (kind == "quantifier" and not repeatable):
            _refuse(pattern, place, node)
        assert found is not None
        if kind == "quantifier" and not _are_counts(found):
            _refuse(pattern, place, node)
        if kind == "close" and pattern[place - 1] in "(|":
            _refuse(pattern, place, node)
        repeatable = kind in ("atom", "close")
        place = found.end()
    if depth or pattern[-1] == "|" or pattern[0] == "|" or "||" in pattern or "(|" in pattern:
        _refuse(pattern, len(pattern), node)


def _are_counts(found: re.Match[str]) -> bool:
    """Whether a quantifier's numbers are in order and in range."""
    least, most = found["least"], found["most"]
    if least is None:
        return True
    counts = [int(least), int(most) if most else int(least)]
    return counts[0] <= counts[1] <= _MOST_TIMES


def _refuse(pattern: str, place: int, node: Node) -> None:
    shown = pattern[place : place + 20] or "the end"
    raise Unsupported(f"This regular expression is not supported at {shown!r}", node)


def folded_pattern(pattern: str, node: Node) -> str:
    """The pattern with its letters in lower case, but for classes such as `\\D`."""
    for first, last in re.findall(r"(?<=[\[^\w])(\w)-(\w)", pattern):
        if first.isupper() != last.isupper() or first.isalpha() != last.isalpha():
            raise Unsupported(f"The range {first}-{last} without regard to case", node)
    return re.sub(r"\\.|[A-Z]+", lambda m: m[0] if m[0][0] == "\\" else m[0].lower(), pattern)


_WILD = {"%": ".*", "_": "."}


def similar_pattern(pattern: str, escape: str, node: Node) -> str:
    """SIMILAR TO's pattern as a regular expression, as PostgreSQL makes one of it."""
    found, is_class, characters = "", False, iter(pattern)
    for character in characters:
        if character == escape:
            following = next(characters, None)
            if following is None:
                raise TypeMismatch("The pattern ends with its escape character", node)
            found += f"\\{following}"
        elif is_class:
            is_class = character != "]"
            found += "\\\\" if character == "\\" else character
        elif character == "[":
            is_class = True
            found += character
        else:
            is_plain = character in "\\.^$"
            found += f"\\{character}" if is_plain else _WILD.get(character, character)
    return f"^({found})$" if found else "^$"
