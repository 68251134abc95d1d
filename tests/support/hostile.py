"""Hostile queries: seeds from tests/cases/hostile, and seeded mutations of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

SEEDS = Path(__file__).parents[1] / "cases" / "hostile" / "seeds.sql"
LANGUAGES = ("ADQL", "PostgreSQL", "MySQL")
_TOKEN = re.compile(r"\s+|\w+|'(?:[^']|'')*'|.", re.DOTALL)
_NAMES = (
    *("plain.Object", "plain.Source", "vault.Object", "vault.Note", "mixed.Note", "mixed.Source"),
    *("tap_schema.tables", "pg_class", "skyshard.token", "parts.p1", "information_schema.tables"),
    *("objectId", "ra", "flux", "text", "name", "_healpix_29", "xmin", '"vault"', "`vault`"),
)
_PIECES = (
    *("; DROP TABLE parts.p1; --", " UNION SELECT text FROM mixed.Note ", "' OR '1'='1", "/*", "*/"),
    *("--", "#", "$$", "$x$", "\\", "'", '"', "`", ";", "(", ")", ",", "%", "\t", "\r\n", "::", "||"),
    *(" FROM vault.Object ", " pg_sleep(9) ", " read_csv('/etc/passwd') ", " lo_import('/etc/passwd') "),
    *(" pg_read_file('/etc/passwd') ", " dblink('', 'SELECT 1') ", " (SELECT MAX(text) FROM mixed.Note) "),
    *(" NULL ", " -1 ", " 1e308 ", " 99999999999999999999 ", " CAST(1 AS TEXT) ", " LIMIT 0 ", " TOP 1 "),
    *("\u00e9", "\u200b", "\u202e", "\ufeff", "\U0001f52d", "\uff07", "\u2019", "\x00", "\x1a"),
)  # fmt: skip


def seeds() -> list[str]:
    """The statements of the file."""
    text = SEEDS.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("-- ")]
    return [one.strip() for one in "\n".join(lines).split("\n\n") if one.strip()]


def large() -> list[str]:
    """What is written by no hand: deep, long, and both."""
    nested = "SELECT 1 FROM plain.Filter"
    for _ in range(300):
        nested = f"SELECT * FROM ({nested}) AS q"
    numbers = ", ".join(map(str, range(40_000)))
    return [
        nested,
        f"SELECT {'(' * 5000}1{')' * 5000} FROM plain.Filter",
        f"SELECT {'-' * 1} {' - '.join(['1'] * 20_000)} FROM plain.Filter",
        f"SELECT {'NOT ' * 5000} 1 = 1 FROM plain.Filter",
        f"SELECT objectId FROM plain.Object WHERE {' OR '.join(['ra = 1'] * 4000)}",
        f"SELECT objectId FROM plain.Object WHERE objectId IN ({numbers})",
        f"SELECT objectId FROM vault.Object WHERE objectId IN ({numbers})",
        f"SELECT {', '.join(['ra'] * 5000)} FROM plain.Object",
        f"SELECT 1 FROM {', '.join(f'plain.Filter AS f{n}' for n in range(500))}",
        " UNION ALL ".join(["SELECT 1 FROM plain.Filter"] * 2000),
        f"SELECT '{'x' * 900_000}' FROM plain.Filter",
        f"SELECT {'x' * 100_000} FROM plain.Filter",
        f"SELECT 1 FROM plain.Filter{' ' * 2_000_000}",
        "/*" * 50_000,
        "$$" * 50_001,
        "'" * 99_999,
        "SELECT " + "CASE WHEN 1 = 1 THEN " * 2000 + "1" + " END" * 2000,
    ]


def hostile(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """(language, text): the seeds in all languages, what is large, then mutations; `count` in all."""
    given = [(language, text) for text in (*seeds(), *large()) for language in LANGUAGES]
    rng = random.Random(seed)
    if count < len(given):
        yield from rng.sample(given, count * 2 // 3)
        count -= count * 2 // 3
    else:
        yield from given
        count -= len(given)
    texts = seeds()
    for _ in range(count):
        yield rng.choice(LANGUAGES), mutated(rng, texts)


def mutated(rng: random.Random, texts: list[str]) -> str:
    """One of the texts, changed a few times."""
    text = rng.choice(texts)
    for _ in range(rng.randint(1, 4)):
        text = rng.choice(_WAYS)(rng, text, texts)
    return text


def _inserted(rng: random.Random, text: str, _: list[str]) -> str:
    tokens = _TOKEN.findall(text)
    tokens.insert(rng.randint(0, len(tokens)), rng.choice(_PIECES))
    return "".join(tokens)


def _without(rng: random.Random, text: str, _: list[str]) -> str:
    tokens = _TOKEN.findall(text)
    if tokens:
        del tokens[rng.randrange(len(tokens))]
    return "".join(tokens)


def _swapped(rng: random.Random, text: str, _: list[str]) -> str:
    tokens = _TOKEN.findall(text)
    if len(tokens) > 1:
        one, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        tokens[one], tokens[other] = tokens[other], tokens[one]
    return "".join(tokens)


def _renamed(rng: random.Random, text: str, _: list[str]) -> str:
    tokens = _TOKEN.findall(text)
    words = [place for place, token in enumerate(tokens) if token.isidentifier()]
    if words:
        tokens[rng.choice(words)] = rng.choice(_NAMES)
    return "".join(tokens)


def _commented(rng: random.Random, text: str, _: list[str]) -> str:
    comment = rng.choice(["/**/", "/* ' */", "/*! */", "--\n", "/* /* */", "/*+ hint */"])
    return "".join(
        comment if t.isspace() and rng.random() < 0.5 else t for t in _TOKEN.findall(text)
    )


def _cut(rng: random.Random, text: str, _: list[str]) -> str:
    return text[: rng.randint(0, len(text))]


def _cased(rng: random.Random, text: str, _: list[str]) -> str:
    return "".join(rng.choice([c.upper(), c.lower()]) for c in text)


def _nested(rng: random.Random, text: str, texts: list[str]) -> str:
    other = rng.choice(texts)
    return rng.choice(
        [
            f"SELECT * FROM ({text}) AS q",
            f"({text}) UNION ALL ({other})",
            f"WITH q AS ({text}) SELECT * FROM q",
            f"SELECT objectId FROM plain.Object WHERE objectId IN ({text})",
            f"SELECT objectId FROM plain.Object WHERE EXISTS ({text})",
            f"SELECT ({text}) FROM plain.Filter",
            f"EXPLAIN {text}",
            f"{text}; {other}",
        ]
    )


_Way = Callable[[random.Random, str, list[str]], str]
_WAYS: tuple[_Way, ...] = (
    *(_inserted, _inserted, _without, _swapped, _renamed, _renamed),
    *(_commented, _cut, _cased, _nested, _nested),
)
