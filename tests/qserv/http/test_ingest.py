"""Ingests by HTTP, on real servers: steps, pushed streams, tokens, errors."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.options import Site
from qserv.http.ingest import ARROW, IngestAccess
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects
from tests.qserv.http.conftest import Stage, served
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres
TOKEN = "let me in"


@pytest.fixture(scope="module")
def sky(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One shard."""
    with lab(server, SKY, tmp_path_factory.mktemp("http"), shards=1) as made:
        yield made


@pytest.fixture(scope="module")
def client(sky: Lab) -> Iterator[httpx.Client]:
    """A client with the token; files below `open` may be named."""
    (sky.folder / "open").mkdir()
    access = IngestAccess(
        Site(sky.pools, sky.topology, sky.folder / "spool"),
        hashlib.sha256(TOKEN.encode()).hexdigest(),
        folders=(sky.folder / "open",),
        max_body_bytes=1000,
        max_push_bytes=200_000,
    )
    service = dataclasses.replace(Stage().service(), ingests=access)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        served(service) as url,
        httpx.Client(base_url=url.removesuffix("/tap"), headers=headers, timeout=60) as made,
    ):
        yield made


def stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def begun(client: httpx.Client, **more: object) -> int:
    answer = client.post("/ingest", json={"catalog": "lab", **more})
    assert answer.status_code == 201
    number: int = answer.json()["ingest"]
    return number


def push(client: httpx.Client, number: int, body: bytes) -> httpx.Response:
    place = f"/ingest/{number}/contributions?table=Object"
    return client.post(place, content=body, headers={"Content-Type": ARROW})


def ended(client: httpx.Client, number: int) -> dict[str, Any]:
    """What is known of an ingest once its load is over."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"/ingest/{number}").json()
        if found["loader"] is None and found["state"] in ("published", "failed", "loaded"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not end: {found}")


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_files_and_streams_are_loaded_in_the_background(sky: Lab, client: httpx.Client) -> None:
    number = begun(client, label="visit 9")
    file = sky.folder / "open" / "o.parquet"
    pq.write_table(objects(20), file)
    named = {"table": "Object", "files": [str(file)]}
    assert client.post(f"/ingest/{number}/contributions", json=named).json()["added"] == [0]
    assert push(client, number, stream(objects(30, first=100))).json()["added"] == [1]
    assert client.post(f"/ingest/{number}/commit").json()["state"] == "committed"
    assert client.post(f"/ingest/{number}/run", json={"publish": True}).status_code == 202
    found = ended(client, number)
    assert (found["state"], found["tables"], found["label"]) == (
        "published",
        {"Object": 50},
        "visit 9",
    )
    assert sky.rows("Object").num_rows == 50
    assert client.post(f"/ingest/{number}/publish").json()["snapshot"] == found["snapshot"]
    assert client.get("/ingest?catalog=lab").json()[0]["ingest"] == number


def test_without_the_token_nobody_comes_in(client: httpx.Client) -> None:
    for headers in ({"Authorization": "Bearer guess"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = client.get("/ingest", headers=headers)
        assert code_of(answer) == (401, "TOKEN_REFUSED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert code_of(client.post("/ingest/1/abort", headers={"Authorization": ""}))[0] == 401


@pytest.mark.parametrize("place", ["elsewhere.parquet", "open/../elsewhere.parquet", "open/link"])
def test_only_files_of_the_folders_may_be_named(sky: Lab, client: httpx.Client, place: str) -> None:
    number = begun(client)
    target = sky.folder / "elsewhere.parquet"
    pq.write_table(objects(1), target)
    link: Path = sky.folder / "open" / "link"
    if not link.is_symlink():
        link.symlink_to(target)
    named = {"table": "Object", "files": [str(sky.folder / place)]}
    answer = client.post(f"/ingest/{number}/contributions", json=named)
    assert code_of(answer) == (403, "FOLDER_REFUSED")


def test_wrong_requests_are_told_apart(client: httpx.Client) -> None:
    assert code_of(client.get("/ingest/987654")) == (404, "UNKNOWN_INGEST")
    assert code_of(client.post("/ingest", json={"catalog": "nope"})) == (400, "UNKNOWN_CATALOG")
    assert code_of(client.post("/ingest", content=b"{")) == (400, "BAD_REQUEST")
    assert code_of(client.post("/ingest", json={"catalogue": "lab"})) == (400, "BAD_REQUEST")
    assert code_of(client.post("/ingest", content=b" " * 1001)) == (413, "BODY_TOO_LARGE")
    number = begun(client)
    assert code_of(client.post(f"/ingest/{number}/publish")) == (409, "INGEST_STATE")
    assert code_of(push(client, number, b"no stream")) == (400, "BAD_REQUEST")
    assert code_of(push(client, number, b" " * 200_001)) == (413, "BODY_TOO_LARGE")
    assert client.get(f"/ingest/{number}").json()["contributions"] == []


def test_a_load_that_failed_says_why_and_may_be_retried(sky: Lab, client: httpx.Client) -> None:
    number = begun(client)
    rows = objects(10, first=500).set_column(1, "ra", pa.array([None] + [10.0] * 9))
    push(client, number, stream(rows))
    client.post(f"/ingest/{number}/commit")
    client.post(f"/ingest/{number}/run", json={"publish": True})
    failed = ended(client, number)
    assert failed["state"] == "failed"
    assert "1 rows rejected, 0 allowed" in failed["error"]
    client.post(f"/ingest/{number}/retry", json={"max_rejects": 1})
    client.post(f"/ingest/{number}/run", json={"publish": True})
    assert ended(client, number)["rows"] == 9


def test_without_a_token_in_the_configuration_there_is_nothing() -> None:
    with served(Stage().service()) as url:
        assert httpx.get(f"{url.removesuffix('/tap')}/ingest").status_code == 404


def test_an_ingest_is_aborted(client: httpx.Client) -> None:
    number = begun(client)
    push(client, number, stream(objects(10, first=900)))
    assert client.post(f"/ingest/{number}/abort").json() == {
        "ingest": number,
        "state": "aborted",
        "is_gone": True,
    }
    assert code_of(push(client, number, stream(objects(1)))) == (409, "INGEST_STATE")


def test_forms_mappings_and_dry_runs_by_http(sky: Lab, client: httpx.Client) -> None:
    number = begun(client, max_rejects=1)
    (sky.folder / "open" / "old.txt").write_text("ID|ra|dec\n80001|10|20\n80002|10|99\n")
    named = {
        "table": "Object",
        "files": [f"{sky.folder}/open/old*.txt"],
        "form": {"delimiter": "|"},
        "mapping": "tables: {Object: {columns: {objectId: ID, band: {default: r}}}}",
    }
    place = f"/ingest/{number}/contributions"
    told = client.post(place, json={**named, "dry_run": True}).json()
    assert (told["files"][0]["rows"], told["files"][0]["rejects"], told["is_good"]) == (2, 1, False)
    assert client.get(f"/ingest/{number}").json()["contributions"] == []
    assert client.post(place, json=named).json()["added"] == [0]
    client.post(f"/ingest/{number}/commit")
    client.post(f"/ingest/{number}/run", json={"publish": True})
    assert ended(client, number)["state"] == "published"
    (reject,) = client.get(f"/ingest/{number}/rejects").text.splitlines()[1:]
    assert "old.txt,2,position 'dec' is outside" in reject


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"files": ["/etc/pass*"]}, (403, "FOLDER_REFUSED")),
        ({"files": ["https://example.org/x.csv"]}, (400, "URL_REFUSED")),
        ({"form": {"delimeter": "|"}}, (400, "FORM_REFUSED")),
        ({"mapping": "tables: {Nothing: {}}"}, (400, "MAPPING_INVALID")),
        ({"split": "big"}, (400, "WRONG_SIZE")),
    ],
)
def test_inputs_that_cannot_be_are_refused_by_http(
    sky: Lab, client: httpx.Client, said: dict[str, object], code: tuple[int, str]
) -> None:
    (sky.folder / "open" / "one.csv").write_text("objectId,ra,dec\n1,1,1\n")
    named = {"table": "Object", "files": [f"{sky.folder}/open/one.csv"], **said}
    answer = client.post(f"/ingest/{begun(client)}/contributions", json=named)
    assert code_of(answer) == code
