"""Files from HTTP servers: what may be asked, and what becomes of answers."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typing_extensions import override

from loaders.staging import download
from loaders.staging.download import DownloadFailed, Remote, UrlRefused, fetch, name_of

CONTENT = bytes(range(256)) * 1000


@dataclass
class Site:
    """A server that cuts answers off, and what it was asked."""

    url: str = ""
    cut: int = 0
    """Answers that end in the midst, from now on."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    tag: str = '"one"'


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(download, "_PAUSE_S", 0.01)
    made = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            made.asked.append((self.path, wanted))
            if self.path.startswith("/to/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/to/"))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if self.path.startswith("/none"):
                self.send_error(404)
                return
            is_same = self.headers.get("If-Range") == made.tag
            first = int(wanted[6:-1]) if wanted and is_same else 0
            self.send_response(206 if first else 200)
            self.send_header("ETag", made.tag)
            self.send_header("Content-Length", str(len(CONTENT) - first))
            self.end_headers()
            rest = CONTENT[first:]
            if made.cut:
                made.cut -= 1
                rest = rest[: len(rest) // 2]
                self.close_connection = True
            self.wfile.write(rest)

        @override
        def log_message(self, *args: object) -> None:
            """Silence."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def test_a_file_comes_whole_and_once(site: Site, tmp_path: Path) -> None:
    remote = Remote((f"{site.url}/data/",))
    path = fetch(f"{site.url}/data/a%20b.csv?x=1", tmp_path / "d", remote)
    assert (path.name, path.read_bytes()) == ("a b.csv", CONTENT)
    fetch(f"{site.url}/data/a%20b.csv?x=1", tmp_path / "d", remote)
    assert site.asked == [("/data/a%20b.csv?x=1", None)]


def test_a_download_goes_on_where_it_was_cut_off(site: Site, tmp_path: Path) -> None:
    site.cut = 2
    path = fetch(f"{site.url}/a.csv", tmp_path, Remote((site.url,)))
    assert path.read_bytes() == CONTENT
    assert [given for _, given in site.asked] == [None, "bytes=128000-", "bytes=192000-"]


def test_a_file_that_has_changed_meanwhile_begins_anew(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".part").write_bytes(b"old")
    (tmp_path / ".part.json").write_text('{"tag": "\\"zero\\""}')
    assert fetch(f"{site.url}/a.csv", tmp_path, Remote((site.url,))).read_bytes() == CONTENT


def test_what_cannot_be_had_says_why(site: Site, tmp_path: Path) -> None:
    remote = Remote((site.url,), max_bytes=1000)
    with pytest.raises(DownloadFailed, match="the server answers 404"):
        fetch(f"{site.url}/none.csv", tmp_path, remote)
    with pytest.raises(DownloadFailed, match="it has 256000 bytes, 1000 are allowed"):
        fetch(f"{site.url}/a.csv", tmp_path, remote)
    site.cut = 99
    with pytest.raises(DownloadFailed, match="5 attempts"):
        fetch(f"{site.url}/b.csv", tmp_path / "b", Remote((site.url,)))


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://169.254.169.254/latest", "of the configuration allows"),
        ("file:///etc/passwd", "it is no address of HTTP"),
        ("http://127.0.0.1:1/x", "of the configuration allows"),
    ],
)
def test_a_redirect_leads_nowhere_else(target: str, why: str, site: Site, tmp_path: Path) -> None:
    with pytest.raises(UrlRefused, match=why):
        fetch(f"{site.url}/to/{target}", tmp_path, Remote((site.url,)))
    assert len(site.asked) == 1


def test_redirects_within_what_is_allowed_are_followed(site: Site, tmp_path: Path) -> None:
    path = fetch(f"{site.url}/to/{site.url}/a.csv", tmp_path, Remote((site.url,)))
    assert path.read_bytes() == CONTENT
    with pytest.raises(DownloadFailed, match="more than 5 redirects"):
        fetch(f"{site.url}/to/{'/to/' * 9}/a", tmp_path / "b", Remote((site.url,)))


@pytest.mark.parametrize(
    "url",
    [
        "http://data.example.org/releases/x.csv",
        "https://data.example.org:8443/releases/x.csv",
        "https://data.example.org.evil.com/releases/x.csv",
        "https://data.example.org@evil.com/releases/x.csv",
        "https://data.example.org/releasesx/x.csv",
        "https://data.example.org/releases/../secret.csv",
        "https://data.example.org/releases/%2e%2e/secret.csv",
        "https://data.example.org\\@evil.com/releases/x",
        "https://data.example.org/releases/x\r\nHost: evil.com",
        "ftp://data.example.org/releases/x.csv",
        "https:///releases/x.csv",
    ],
)
def test_only_what_is_below_a_prefix_is_allowed(url: str) -> None:
    remote = Remote(("https://data.example.org/releases/",))
    remote.check("https://data.example.org/releases/dr1/x.csv")
    with pytest.raises(UrlRefused):
        remote.check(url)


def test_nothing_is_allowed_unless_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UrlRefused, match=r"`ingest.urls` of the configuration allows none"):
        fetch("https://data.example.org/x.csv", tmp_path, Remote())


def test_a_name_that_stands_for_a_private_address_is_not_asked(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(site.url.rpartition(":")[2])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(download.socket, "getaddrinfo", lambda *_, **__: found)
    url = f"http://data.example.org:{port}/a.csv"
    with pytest.raises(UrlRefused, match="addresses that are not public"):
        fetch(url, tmp_path, Remote((url,)))
    allowed = Remote((url,), is_private_allowed=True)
    assert fetch(url, tmp_path, allowed).read_bytes() == CONTENT


def test_names_are_files_names() -> None:
    assert name_of("https://x.org/a/b.csv.gz?y=1") == "b.csv.gz"
    assert name_of("https://x.org/") == "file"
    assert name_of("https://x.org/a/.part") == "part"
