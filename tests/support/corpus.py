"""Reads corpora of queries, one file a language: each query after a line `-- : what it shows`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parents[1] / "cases" / "differential"
CORPUS = _FOLDER / "corpus.sql"
CORPORA = {
    "ADQL": CORPUS,
    "PostgreSQL": _FOLDER / "postgres.sql",
    "MySQL": _FOLDER / "mysql.sql",
}
"""The file of each language."""


class Case(NamedTuple):
    """One query, what it shows, and its language."""

    name: str
    text: str
    language: str = "ADQL"


def every_corpus() -> list[Case]:
    """The queries of all languages."""
    return [
        case._replace(
            language=language, name=f"{language}: {case.name}" if path != CORPUS else case.name
        )
        for language, path in CORPORA.items()
        for case in corpus(path)
    ]


def corpus(path: Path = CORPUS) -> list[Case]:
    """The queries of a file, in its order."""
    pieces = re.split(r"^-- : ", path.read_text(), flags=re.MULTILINE)[1:]
    cases = []
    for piece in pieces:
        name, _, text = piece.partition("\n")
        cases.append(Case(name.strip(), text.strip()))
    return cases
