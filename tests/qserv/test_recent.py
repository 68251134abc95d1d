"""What is kept of the queries asked last."""

from __future__ import annotations

from qserv.recent import Recent


def test_what_was_put_is_found_under_an_equal_key() -> None:
    recent: Recent[str] = Recent()
    recent.put(("text", 1), "value")
    assert recent.get(("text", 1)) == "value"
    assert recent.get(("text", 2)) is None


def test_what_was_used_longest_ago_is_forgotten() -> None:
    recent: Recent[int] = Recent(2)
    recent.put("one", 1)
    recent.put("two", 2)
    recent.get("one")
    recent.put("three", 3)
    assert [recent.get(name) for name in ("one", "two", "three")] == [1, None, 3]
