"""Readers that ask the czar throughout: each answer is of one published state, and never of an older one."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.faults.arena import Arena
from tests.faults.worlds import QUESTIONS, Question, Rows, order_free

_READERS = 2
_TIMEOUT_S = 30.0
_AWAY = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


@dataclass(slots=True, eq=False)
class Readers:
    """Threads that ask all questions again and again."""

    url: str
    catalog: str
    expected: Mapping[str, Sequence[tuple[int, int]]]
    """By question the answers of the states, in their order."""
    pause_s: float = 0.1
    """Between two questions of a reader."""
    answers: int = 0
    faults: list[str] = field(default_factory=list)
    """Answers that no state has, or that came back after a later one."""
    errors: list[str] = field(default_factory=list)
    """Questions that were not answered."""
    over: threading.Event = field(default_factory=threading.Event)

    def ask_on(self) -> None:
        """Ask all questions until it is over."""
        seen = 0
        while not self.over.is_set():
            for question in QUESTIONS:
                seen = self._ask(question, seen)
                self.over.wait(self.pause_s)

    def go_on(self, answers: int) -> None:
        """Wait until so many more have come."""
        enough = self.answers + answers
        until = time.monotonic() + _TIMEOUT_S
        while self.answers < enough:
            assert time.monotonic() < until, f"no {answers} answers: {self.errors[:3]}"
            time.sleep(0.01)

    def _ask(self, question: Question, seen: int) -> int:
        """Ask once; the latest state that was seen."""
        expected = self.expected[question.name]
        try:
            answer = order_free(ask(self.url, question.text.format(c=self.catalog)))
        except urllib.error.HTTPError as error:
            self.errors.append(f"{question.name}: {error.code} {error.read()[-600:]!r}")
        except _AWAY as error:
            self.errors.append(f"{question.name}: {error!r}")
        else:
            self.answers += 1
            if answer in expected[seen:]:
                return expected.index(answer, seen)
            told = f"after state {seen}" if answer in expected else "of no state"
            self.faults.append(f"{question.name}: {answer} {told}; they are {expected}")
        return seen


def ask(url: str, text: str) -> list[str]:
    """The lines of a query's answer without the header."""
    words = urllib.parse.urlencode(
        {"LANG": "ADQL", "QUERY": text, "RESPONSEFORMAT": "csv", "REQUEST": "doQuery"}
    )
    with urllib.request.urlopen(f"{url}/tap/sync?{words}", timeout=_TIMEOUT_S) as answer:
        lines: list[str] = answer.read().decode().splitlines()
        return lines[1:]


@contextmanager
def reading(
    arena: Arena, catalog: str, worlds: Sequence[Rows], *, pause_s: float = 0.1
) -> Iterator[Readers]:
    """Readers at work for the length of the block."""
    expected = {one.name: [one.answer(world) for world in worlds] for one in QUESTIONS}
    readers = Readers(arena.url, catalog, expected, pause_s)
    threads = [threading.Thread(target=readers.ask_on, daemon=True) for _ in range(_READERS)]
    for thread in threads:
        thread.start()
    try:
        yield readers
    finally:
        readers.over.set()
        for thread in threads:
            thread.join(_TIMEOUT_S)


def settle(arena: Arena, catalog: str, world: Rows) -> None:
    """Every question is answered from that state, soon.

    A czar that found the coordinator away answers from what it knows until it has asked again.
    """
    until = time.monotonic() + _TIMEOUT_S
    for question in QUESTIONS:
        found: object = None
        while found != question.answer(world):
            assert time.monotonic() < until, f"{question.name}: {found}"
            with suppress(*_AWAY):
                found = order_free(ask(arena.url, question.text.format(c=catalog)))
            time.sleep(0.02)
