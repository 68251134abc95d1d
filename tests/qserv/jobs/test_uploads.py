"""Uploaded tables by HTTP: pyvo sends them with queries and jobs; what is wrong is told."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from astropy.table import Table

from loaders.staging.download import Remote
from qserv.http.service import HttpLimits
from qserv.uploads.files import YOUNG_S
from tests.loaders.lab import Lab
from tests.qserv.jobs.czars import Czar, czar, objects

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyvo.dal import DALQueryError, TAPService

pytestmark = [
    pytest.mark.postgres,
    # pyvo leaves connections to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
BY_KEY = (
    "SELECT u.id, o.ra FROM TAP_UPLOAD.mine AS u JOIN lab.Object AS o ON o.objectId = u.id"
    " ORDER BY u.id"
)
IDS = [3, 7, 10**9]


@pytest.fixture(scope="module")
def tap(one: Czar) -> TAPService:
    return TAPService(one.url)


def mine() -> Table:
    return Table({"id": IDS, "name": ["a", "b", "c"]})


def found(rows: object) -> list[int]:
    return list(rows["id"])  # type: ignore[index]


def test_pyvo_uploads_a_table_with_a_query(tap: TAPService) -> None:
    assert found(tap.run_sync(BY_KEY, uploads={"mine": mine()})) == [3, 7]


def test_pyvo_uploads_a_table_with_a_job(tap: TAPService) -> None:
    job = tap.submit_job(BY_KEY, uploads={"mine": mine()})
    assert job.quote is not None
    job.run().wait(timeout=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found(job.fetch_result()) == [3, 7]
    job.delete()


def test_positions_of_two_uploads_find_their_objects(one: Czar) -> None:
    rows = objects().slice(0, 40).select(["ra", "dec"])
    text = "\n".join(
        ["x,y", *(f"{a!r},{b!r}" for a, b in zip(*rows.to_pydict().values(), strict=True))]
    )
    response = one.client.post(
        "/sync",
        data={
            "QUERY": "SELECT k.id, o.objectId FROM TAP_UPLOAD.Places AS p JOIN lab.Object AS o"
            " ON DISTANCE(p.x, p.y, o.ra, o.dec) < 1.0/3600 JOIN tap_upload.keys AS k"
            " ON k.id = o.objectId ORDER BY k.id",
            "UPLOAD": "places,param:a;keys,param:b",
            "FORMAT": "csv",
        },
        files={"a": ("a.csv", text, "text/csv"), "b": ("b", b"id\n5\n39\n77\n", "text/csv")},
    )
    assert (response.status_code, response.text) == (200, "id,objectId\n5,5\n39,39\n")


def test_a_plain_field_may_be_a_table_too(one: Czar) -> None:
    table = (
        '<VOTABLE version="1.4"><RESOURCE><TABLE><FIELD name="id" datatype="long"/><DATA><TABLEDATA>'
        "<TR><TD>9</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    body = {"QUERY": BY_KEY, "UPLOAD": "mine,param:there", "FORMAT": "csv", "there": table}
    response = one.client.post("/sync", files={name: (None, value) for name, value in body.items()})
    assert response.text.splitlines()[1].startswith("9,")


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        ("mine", "say NAME,param:PART"),
        ("mine,http://127.0.0.1/x.vot", "`uploads.urls` of the configuration allows none"),
        ("mine,file:///etc/passwd", "say NAME,param:PART"),
        ("mine,param:nothing", "the request's parts are"),
        ("mine,kept:../../etc/passwd", "no such part"),
        ("mine,kept:" + "0" * 64 + ".csv", "its file is gone"),
        ("mine,param:part;MINE,param:part", "differ by more than case"),
        ("mine,param:bad", "upload mine: is no CSV table"),
    ],
)
def test_a_wrong_upload_is_told(one: Czar, upload: str, why: str) -> None:
    files = {"part": ("x.csv", b"id\n1\n", "text/csv"), "bad": ("x.csv", b"a,b\n1\n", "text/csv")}
    response = one.client.post("/sync", data={"QUERY": BY_KEY, "UPLOAD": upload}, files=files)
    assert response.status_code == 400
    assert why in response.text


def test_a_table_is_fetched_from_an_allowed_address_only(sky: Lab, tmp_path: Path) -> None:
    (tmp_path / "stars.csv").write_text("id\n11\n")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        there = f"http://127.0.0.1:{site.server_port}/"
        with czar(sky, "fetching", remote=Remote((there,), key="uploads.urls")) as made:

            def ask(address: str) -> httpx.Response:
                body = {"QUERY": BY_KEY, "UPLOAD": f"mine,{address}", "FORMAT": "csv"}
                return made.client.post("/sync", data=body)

            assert ask(f"{there}stars.csv").text.splitlines()[1].startswith("11,")
            assert "the server answers 404" in ask(f"{there}none.csv").text
            assert (
                f"`uploads.urls` of the configuration allows {there}"
                in ask("http://127.0.0.1:1/stars.csv").text
            )
        site.shutdown()


def test_an_upload_of_too_many_bytes_is_refused_while_it_comes(sky: Lab) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.csv"\r\n\r\n'
        for _ in range(100):
            yield b"1,2,3,4\n" * 2**14

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with czar(sky, "small", http=HttpLimits(max_upload_bytes=10**6)) as small:
        try:
            response = small.client.post("/sync", content=endless(), headers=headers)
        except httpx.TransportError:
            return  # the server answered, and closed, while the client still sent
        assert response.status_code == 413


def test_what_no_job_waits_for_is_swept(one: Czar, tap: TAPService) -> None:
    uploads = one.desk.files.uploads
    job = tap.submit_job(BY_KEY, uploads={"mine": mine()})
    one.client.post(
        "/sync",
        data={"QUERY": BY_KEY, "UPLOAD": "mine,param:part"},
        files={"part": ("x.csv", b"id\n123\n", "text/csv")},
    )
    old = time.time() - YOUNG_S - 1
    for path in uploads.folder.iterdir():
        os.utime(path, (old, old))
    assert uploads.sweep(_said(one.client.get(f"/async/{job.job_id}").text)) >= 1
    job.run().wait(timeout=30)
    assert job.phase == "COMPLETED"
    with pytest.raises(DALQueryError):
        tap.run_sync(BY_KEY)


def _said(document: str) -> list[str]:
    """The UPLOAD parameter of a job's document."""
    start = document.index("mine,kept:")
    return [document[start : document.index("<", start)]]
