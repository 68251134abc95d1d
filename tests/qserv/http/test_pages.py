"""VOSI documents, health, metrics and the front page."""

from __future__ import annotations

import httpx

from tests.qserv.http.conftest import HandMade


def root(base_url: str) -> str:
    return base_url.removesuffix("/tap")


def test_tables_without_columns_are_short(base_url: str) -> None:
    whole = httpx.get(f"{base_url}/tables").text
    short = httpx.get(f"{base_url}/tables", params={"detail": "min"}).text
    assert "<name>dp1.Object</name>" in short
    assert "<column>" in whole
    assert "<column>" not in short


def test_a_browser_gets_the_tables_as_a_page(base_url: str) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = httpx.get(f"{base_url}/tables", headers=browser)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<code>dp1.Object</code> Objects &lt;of&gt; the survey" in page.text
    assert "<code>objectId</code><td>long" in page.text
    program = httpx.get(
        f"{base_url}/tables", headers={"Accept": "text/html, image/gif, *; q=.2, */*; q=.2"}
    )
    assert program.headers["content-type"] == "application/xml"


def test_one_table_is_named_in_any_case(base_url: str) -> None:
    assert "<name>objectId</name>" in httpx.get(f"{base_url}/tables/DP1.object").text
    assert httpx.get(f"{base_url}/tables/dp1.nothing").status_code == 404


def test_health_tells_what_is_wrong(base_url: str, hand_made: HandMade) -> None:
    assert httpx.get(f"{root(base_url)}/health").json() == {"status": "ok"}
    hand_made.is_away = True
    sick = httpx.get(f"{root(base_url)}/health")
    assert (sick.status_code, sick.json()["reason"]) == (503, "the coordinator does not answer")
    assert "<available>false</available>" in httpx.get(f"{base_url}/availability").text


def test_metrics_count_queries_rows_and_bytes(fresh_url: str) -> None:
    httpx.get(f"{fresh_url}/sync", params={"QUERY": "SELECT 5"})
    httpx.get(f"{fresh_url}/sync", params={"QUERY": "bad"})
    httpx.get(f"{fresh_url}/sync", params={"QUERY": "late failure"})
    page = httpx.get(f"{root(fresh_url)}/metrics").text
    assert 'skyshard_queries_total{outcome="ok"} 1.0' in page
    assert 'skyshard_queries_total{outcome="usage"} 1.0' in page
    assert 'skyshard_queries_total{outcome="failed"} 1.0' in page
    assert "skyshard_rows_total 10005.0" in page
    assert "skyshard_running_queries 0.0" in page


def test_the_front_page_tells_how_to_connect(base_url: str) -> None:
    page = httpx.get(f"{root(base_url)}/").text
    assert base_url in page
    assert "TOPCAT" in page
    assert "dp1" in page
