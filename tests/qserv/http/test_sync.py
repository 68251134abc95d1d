"""TAP sync as clients see it, by a real server."""

from __future__ import annotations

import gzip
import io
import threading

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io.votable import parse

from tests.qserv.http.conftest import HandMade, wait_for


def sync(base_url: str, **parameters: str) -> httpx.Response:
    return httpx.get(f"{base_url}/sync", params={"LANG": "ADQL", **parameters}, timeout=20)


def statuses(body: bytes) -> list[str]:
    infos = parse(io.BytesIO(body)).resources[0].infos
    return [info.value for info in infos if info.name == "QUERY_STATUS"]


def test_a_query_by_get_returns_a_votable(base_url: str) -> None:
    response = sync(base_url, QUERY="SELECT 5")
    table = parse(io.BytesIO(response.content)).get_first_table().to_table()
    assert response.headers["content-type"] == "application/x-votable+xml"
    assert list(table["objectId"]) == [0, 1, 2, 3, 4]
    assert table["ra"].mask.tolist() == [False, False, False, True, False]
    assert str(table["ra"].unit) == "deg"


def test_parameter_names_are_case_insensitive(base_url: str) -> None:
    body = {"query": "SELECT 2", "lang": "adql", "Request": "doQuery", "responseFormat": "CSV"}
    response = httpx.post(f"{base_url}/sync", data=body)
    assert response.text == "objectId,ra,band\n0,0,u\n1,0.3333333333333333,g\n"


@pytest.mark.parametrize(("asked", "meant"), [("sql", "PostgreSQL"), ("MySQL", "MySQL")])
def test_a_language_is_handed_on_by_its_name(
    base_url: str, hand_made: HandMade, asked: str, meant: str
) -> None:
    assert sync(base_url, QUERY="SELECT 1", LANG=asked).status_code == 200
    assert hand_made.language == meant


def test_older_snapshots_are_asked_for_by_catalog(base_url: str, hand_made: HandMade) -> None:
    url = f"{base_url}/sync?snapshot=dp1@3&SNAPSHOT=prompt@first,ssp@7"
    assert httpx.get(url + "&QUERY=SELECT+1&LANG=ADQL", timeout=20).status_code == 200
    assert hand_made.as_of == ("dp1@3,prompt@first,ssp@7",)


def test_a_multipart_form_is_understood(base_url: str) -> None:
    fields = {"QUERY": (None, "SELECT 1"), "LANG": (None, "ADQL"), "FORMAT": (None, "tsv")}
    response = httpx.post(f"{base_url}/sync", files=fields)
    assert response.text == "objectId\tra\tband\n0\t0\tu\n"


@pytest.mark.parametrize("form", ["json", "application/json"])
def test_a_format_is_named_or_given_as_mime_type(base_url: str, form: str) -> None:
    response = sync(base_url, QUERY="SELECT 1", RESPONSEFORMAT=form)
    assert response.json()["data"] == [[0, 0.0, "u"]]


def test_parquet_streams_into_a_readable_file(base_url: str) -> None:
    response = sync(base_url, QUERY="SELECT 20000", RESPONSEFORMAT="parquet")
    assert pq.read_table(io.BytesIO(response.content)).num_rows == 20_000


def test_a_long_answer_is_chunked(base_url: str) -> None:
    response = sync(base_url, QUERY="SELECT 20000", RESPONSEFORMAT="arrow")
    assert response.headers["transfer-encoding"] == "chunked"
    assert pa.ipc.open_stream(response.content).read_all().num_rows == 20_000


@pytest.mark.parametrize(
    ("accepted", "form", "coding"),
    [
        ("gzip, deflate", "csv", "gzip"),
        ("gzip, deflate, zstd", "csv", "zstd"),
        ("zstd;q=0.5, gzip", "json", "gzip"),
        ("gzip", "votable", None),
        ("*", "votable", "zstd"),
        ("gzip, zstd;q=0", "arrow", None),
        ("zstd", "parquet", None),
        ("identity, *;q=0", "csv", None),
        ("gzip;q=high", "csv", None),
    ],
)
def test_rows_are_compressed_as_the_client_accepts(
    base_url: str, accepted: str, form: str, coding: str | None
) -> None:
    parameters = {"LANG": "ADQL", "QUERY": "SELECT 20000", "RESPONSEFORMAT": form}
    plain = httpx.get(
        f"{base_url}/sync", params=parameters, headers={"Accept-Encoding": "identity"}
    )
    with httpx.stream(
        "GET", f"{base_url}/sync", params=parameters, headers={"Accept-Encoding": accepted}
    ) as response:
        body = b"".join(response.iter_raw())
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept-Encoding"
    match coding:
        case "gzip":
            body = gzip.decompress(body)
        case "zstd":
            body = pa.input_stream(pa.BufferReader(body), compression="zstd").read()
    assert len(body) == len(plain.content)
    assert body[-1000:] == plain.content[-1000:]


def test_what_is_short_is_sent_as_it_is(base_url: str) -> None:
    assert "content-encoding" not in sync(base_url, QUERY="SELECT 1", FORMAT="csv").headers


def test_a_late_failure_leaves_a_compressed_stream_without_its_end(base_url: str) -> None:
    parameters = {"LANG": "ADQL", "QUERY": "late failure, long", "FORMAT": "csv"}
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{base_url}/sync", params=parameters, headers={"Accept-Encoding": "gzip"})


def test_maxrec_cuts_the_rows_and_says_so(base_url: str) -> None:
    response = sync(base_url, QUERY="SELECT 5", MAXREC="3")
    assert statuses(response.content) == ["OK", "OVERFLOW"]
    assert len(parse(io.BytesIO(response.content)).get_first_table().array) == 3


def test_maxrec_0_gives_columns_only(base_url: str) -> None:
    response = sync(base_url, QUERY="SELECT 5", MAXREC="0")
    table = parse(io.BytesIO(response.content)).get_first_table()
    assert [f.name for f in table.fields] == ["objectId", "ra", "band"]
    assert len(table.array) == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "QUERY is missing"),
        ({"QUERY": "SELECT 1", "MAXREC": "-1"}, "not a whole number"),
        ({"QUERY": "SELECT 1", "MAXREC": "9" * 5000}, "more than 30 digits"),
        ({"QUERY": "SELECT 1", "LANG": "PQL"}, "there are ADQL"),
        ({"QUERY": "SELECT 1", "REQUEST": "getData"}, "only doQuery"),
        ({"QUERY": "SELECT 1", "RESPONSEFORMAT": "parket"}, "did you mean 'parquet'"),
        ({"QUERY": "SELECT 1", "UPLOAD": "t,http://x"}, "UPLOAD is not offered"),
        ({"QUERY": "SELECT 1", "SNAPSHOT": "3"}, "say CATALOG@NUMBER or CATALOG@TAG"),
        ({"QUERY": "SELECT 1", "SNAPSHOT": "a@3,A@4"}, "two snapshots of A"),
        ({"QUERY": "bad"}, "did you mean 'ra'"),
    ],
)
def test_a_wrong_request_is_400_and_a_votable(
    base_url: str, parameters: dict[str, str], message: str
) -> None:
    response = sync(base_url, **parameters)
    assert response.status_code == 400
    assert message in response.text
    assert statuses(response.content) == ["ERROR"]


@pytest.mark.parametrize(
    ("text", "status"), [("big", 413), ("away", 503), ("early failure", 500), ("broken", 500)]
)
def test_a_failure_has_the_status_of_its_kind(base_url: str, text: str, status: int) -> None:
    response = sync(base_url, QUERY=text)
    assert response.status_code == status
    assert statuses(response.content) == ["ERROR"]


def test_what_broke_inside_is_not_told(base_url: str) -> None:
    assert "a bug" not in sync(base_url, QUERY="broken").text


def test_the_place_of_a_mistake_is_told(base_url: str) -> None:
    infos = parse(io.BytesIO(sync(base_url, QUERY="bad").content)).resources[0].infos
    facts = {info.name: info.value for info in infos}
    assert (facts["code"], facts["line"], facts["column"]) == ("QUERY_ERROR", "1", "8")


def test_a_late_failure_ends_a_votable_with_error(base_url: str) -> None:
    response = sync(base_url, QUERY="late failure")
    assert response.status_code == 200
    assert statuses(response.content) == ["OK", "ERROR"]


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "arrow"])
def test_a_late_failure_cuts_off_any_other_format(base_url: str, form: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        sync(base_url, QUERY="late failure, long", RESPONSEFORMAT=form, MAXREC="9")


def test_a_client_that_goes_away_cancels_a_stream(base_url: str, hand_made: HandMade) -> None:
    with httpx.stream("GET", f"{base_url}/sync", params={"QUERY": "endless"}) as response:
        next(response.iter_raw())
    assert hand_made.closed.wait(5)


def test_a_client_that_goes_away_cancels_a_silent_query(base_url: str, hand_made: HandMade) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{base_url}/sync", params={"QUERY": "slow"}, timeout=0.3)
    assert hand_made.closed.wait(5)


def test_a_query_too_many_is_refused(base_url: str, hand_made: HandMade) -> None:
    waiting = [
        threading.Thread(target=sync, args=(base_url,), kwargs={"QUERY": "slow"}) for _ in range(2)
    ]
    for thread in waiting:
        thread.start()
    wait_for(lambda: len(hand_made.asked) == 2)
    response = sync(base_url, QUERY="SELECT 1")
    hand_made.closed.set()
    for thread in waiting:
        thread.join()
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


def test_a_body_too_large_is_refused(base_url: str) -> None:
    response = httpx.post(f"{base_url}/sync", data={"QUERY": "x" * 20_000})
    assert response.status_code == 413


def test_anonymous_users_are_held_to_their_limits(base_url: str, hand_made: HandMade) -> None:
    sync(base_url, QUERY="SELECT 1", MAXREC="7")
    text, limits, max_rows = hand_made.asked[0]
    assert (text, limits.max_rows, max_rows) == ("SELECT 1", 20_000, 7)
