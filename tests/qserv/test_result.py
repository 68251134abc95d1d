"""Answers: what they hold is freed at the end, whatever fails."""

from __future__ import annotations

import pytest

from qserv.result import Answer


def test_closing_frees_the_rest_where_something_fails() -> None:
    freed: list[str] = []

    def broken() -> None:
        raise OSError("the disk is gone")

    answer = Answer("q", (), iter(()))
    answer.on_close += [lambda: freed.append("spool"), broken, lambda: freed.append("query")]
    with pytest.raises(OSError, match="the disk is gone"):
        answer.close()
    assert freed == ["query", "spool"]


def test_closing_twice_frees_once() -> None:
    freed: list[str] = []
    answer = Answer("q", (), iter(()), on_close=[lambda: freed.append("spool")])
    answer.close()
    answer.close()
    assert freed == ["spool"]
