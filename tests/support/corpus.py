"""Reads a corpus of queries: each after a line `-- : what it shows`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).parents[1] / "cases" / "differential" / "corpus.sql"


class Case(NamedTuple):
    """One query and what it shows."""

    name: str
    text: str


def corpus(path: Path = CORPUS) -> list[Case]:
    """The queries of a file, in its order."""
    pieces = re.split(r"^-- : ", path.read_text(), flags=re.MULTILINE)[1:]
    cases = []
    for piece in pieces:
        name, _, text = piece.partition("\n")
        cases.append(Case(name.strip(), text.strip()))
    return cases
