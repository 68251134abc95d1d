"""Cases as text files: what goes in, what must come out, rewritten by `pytest --update-cases`.

    # Why the case is there.
    query
    SELECT a FROM t
    ----
    tree
    ...

A case is a block of lines without a blank one. Comments begin with `#` and stand at its top.
Sections are parted by `----`; a section's first line is its heading. The first section goes in, the
others come out. Rewriting reads the file again for each case, so do it without pytest-xdist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """One case, and where it is written; `number` counts the file's cases from 0."""

    path: Path
    number: int
    comment: str
    sections: dict[str, str]
    """Heading -> text, the first being what goes in."""

    def __str__(self) -> str:
        return f"{self.path.stem}-{self.number + 1}"

    @property
    def text(self) -> str:
        """What goes in."""
        return next(iter(self.sections.values()))

    def check(
        self, outcome: Mapping[str, str], *, owned: Sequence[str], update: bool = False
    ) -> None:
        """Fail unless the sections among `owned` are those of the outcome, or write them so.

        A section of another test (an answer's rows, beside a plan) is left alone.
        """
        expected = {name: text for name, text in self.sections.items() if name in owned}
        found = {name: text.rstrip("\n") for name, text in outcome.items()}
        if update and found != expected:
            self._rewrite(found, owned)
        else:
            assert found == expected

    def _rewrite(self, found: Mapping[str, str], owned: Sequence[str]) -> None:
        kept = {n: t for n, t in self.sections.items() if n not in owned or n in found}
        cases = read_cases(self.path)
        cases[self.number] = Case(self.path, self.number, self.comment, {**kept, **found})
        self.path.write_text("\n".join(_written(case) for case in cases), encoding="utf-8")


def cases_in(folder: str) -> list[Case]:
    """Every case of `tests/cases/<folder>/*.case`."""
    return [case for path in sorted((CASES / folder).glob("*.case")) for case in read_cases(path)]


def read_cases(path: Path) -> list[Case]:
    blocks = [block.strip("\n") for block in path.read_text(encoding="utf-8").split("\n\n")]
    written = [block for block in blocks if block]
    return [_read(path, number, block) for number, block in enumerate(written)]


def _read(path: Path, number: int, block: str) -> Case:
    lines = block.split("\n")
    first = next(index for index, line in enumerate(lines) if not line.startswith("#"))
    body = "\n".join(lines[first:])
    sections = dict(part.partition("\n")[::2] for part in body.split("\n----\n"))
    return Case(path, number, "\n".join(lines[:first]), sections)


def _written(case: Case) -> str:
    body = "\n----\n".join(f"{name}\n{text}" for name, text in case.sections.items())
    return f"{case.comment}\n{body}\n" if case.comment else f"{body}\n"
