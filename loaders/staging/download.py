"""Input files from the HTTP(S) servers that the configuration names, into the spool; cut off, it goes on.

Only addresses below an allowed prefix are asked, at each redirect anew; a name is looked up once, and the
connection goes to the address that was looked at, so that it cannot become another one in between. An
address that is not public is refused unless the prefix names it by number, or the configuration allows it.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from loaders.staging.spool import make_private
from schema.errors import InputError

_REDIRECTS = 5
_ATTEMPTS = 5
_PAUSE_S = 0.5
_BLOCK_BYTES = 2**20
_TIMEOUT = urllib3.Timeout(connect=10.0, read=60.0)
_PORTS = {"http": 80, "https": 443}
_MAX_URL = 4_000


class UrlRefused(InputError):
    """An address that nothing is fetched from."""

    code = "URL_REFUSED"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url[:200]} is not fetched: {reason}")
        self.url = url


class DownloadFailed(InputError):
    """A server did not give a file."""

    code = "DOWNLOAD_FAILED"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"cannot fetch {url[:200]}: {reason}")
        self.url = url


@dataclass(frozen=True, slots=True)
class Remote:
    """Which addresses files may be fetched from; none unless some are named."""

    prefixes: tuple[str, ...] = ()
    """Such as `https://data.example.org/releases/`."""
    is_private_allowed: bool = False
    """Whether names may stand for addresses that are not public."""
    max_bytes: int = 64 * 2**30
    """Of one file."""
    key: str = "ingest.urls"
    """What of the configuration names the prefixes."""

    def check(self, url: str) -> None:
        """Raise UrlRefused unless an address is below a prefix."""
        parts = _parts(url)
        if not any(_is_below(parts, prefix) for prefix in self.prefixes):
            allowed = ", ".join(self.prefixes) or "none"
            raise UrlRefused(url, f"`{self.key}` of the configuration allows {allowed}")


NOWHERE = Remote()


def is_url(text: str) -> bool:
    """Whether a text is an address, not a path."""
    return text.lower().startswith(("http://", "https://"))


def name_of(url: str) -> str:
    """The file's name in an address."""
    return PurePosixPath(unquote(urlsplit(url).path)).name[-120:].lstrip(".") or "file"


def fetch(url: str, folder: Path, remote: Remote) -> Path:
    """The file of an address, in the folder; what is there of it is not fetched again.

    Raises UrlRefused, DownloadFailed.
    """
    remote.check(url)
    make_private(folder)
    path, part = folder / name_of(url), folder / ".part"
    if path.exists():
        return path
    for attempt in range(_ATTEMPTS):
        try:
            if _fetch_on(url, part, remote):
                part.rename(path)
                return path
            reason = "the answer ended too early"
        except (HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
        time.sleep(_PAUSE_S * 2**attempt)
    raise DownloadFailed(url, f"{reason} ({_ATTEMPTS} attempts)")


def _fetch_on(url: str, part: Path, remote: Remote) -> bool:
    """Fetch what is missing; whether the file is whole. Raises what may be tried again, too."""
    facts = part.with_name(".part.json")
    known = _read(facts) if part.exists() else {}
    have = part.stat().st_size if known else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "skyshard"}
    if have and known.get("tag"):
        headers |= {"Range": f"bytes={have}-", "If-Range": known["tag"]}
    with _Answer(url, headers, remote) as answer:
        response = answer.response
        if response.status == 416:
            part.unlink()
            return False
        if response.status not in (200, 206):
            if response.status >= 500 or response.status == 429:
                raise OSError(f"status {response.status}")
            raise DownloadFailed(url, f"the server answers {response.status}")
        is_rest = response.status == 206
        have = have if is_rest else 0
        length = response.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        if total is not None and total > remote.max_bytes:
            raise DownloadFailed(url, f"it has {total} bytes, {remote.max_bytes} are allowed")
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
        strong = tag if tag and not tag.startswith("W/") else None
        facts.write_text(json.dumps({"tag": strong}), encoding="utf-8")
        with part.open("ab" if is_rest else "wb") as file:
            for block in response.stream(_BLOCK_BYTES, decode_content=False):
                have += len(block)
                if have > remote.max_bytes:
                    raise DownloadFailed(url, f"it has more than {remote.max_bytes} bytes")
                file.write(block)
    return total is None or have == total


def _read(facts: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(facts.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


class _Answer:
    """One request with its redirects, each to an address that was looked at."""

    def __init__(self, url: str, headers: Mapping[str, str], remote: Remote) -> None:
        self._url, self._headers, self._remote = url, headers, remote
        self._pool: urllib3.HTTPConnectionPool | None = None

    def __enter__(self) -> Self:
        url = self._url
        for _ in range(_REDIRECTS + 1):
            self._remote.check(url)
            self.response = self._ask(url)
            target = self.response.get_redirect_location()
            if not target:
                return self
            self._close()
            url = urljoin(url, str(target))
        raise DownloadFailed(self._url, f"more than {_REDIRECTS} redirects")

    def __exit__(self, *_: object) -> None:
        self._close()

    def _ask(self, url: str) -> urllib3.BaseHTTPResponse:
        scheme, host, port, target = _parts(url)
        address = _address(url, host, port, self._remote)
        if scheme == "https":
            self._pool = urllib3.HTTPSConnectionPool(
                address, port, timeout=_TIMEOUT, server_hostname=host, assert_hostname=host
            )
        else:
            self._pool = urllib3.HTTPConnectionPool(address, port, timeout=_TIMEOUT)
        bare = f"[{host}]" if ":" in host else host
        name = bare if port == _PORTS[scheme] else f"{bare}:{port}"
        return self._pool.request(
            "GET",
            target,
            headers={**self._headers, "Host": name},
            redirect=False,
            retries=False,
            preload_content=False,
        )

    def _close(self) -> None:
        if hasattr(self, "response"):
            self.response.close()
        if self._pool is not None:
            self._pool.close()


_Parts = tuple[str, str, int, str]


def _parts(url: str) -> _Parts:
    """Scheme, host, port, and path with query. Raises UrlRefused."""
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError as error:
        raise UrlRefused(url, str(error)) from error
    if found.scheme not in _PORTS or not found.hostname or len(url) > _MAX_URL:
        raise UrlRefused(url, "it is no address of HTTP or HTTPS")
    if found.username is not None or found.password is not None:
        raise UrlRefused("an address", "it has a user's name or password in it")
    if not url.isascii() or any(sign <= " " or sign == "\\" for sign in url):
        raise UrlRefused(url, "it has signs that an address has not")
    path = found.path or "/"
    if any(part in ("..", ".") for part in unquote(path).split("/")):
        raise UrlRefused(url, "its path goes up")
    target = f"{path}?{found.query}" if found.query else path
    return found.scheme, found.hostname.lower(), port or _PORTS[found.scheme], target


def _is_below(parts: _Parts, prefix: str) -> bool:
    scheme, host, port, target = _parts(prefix)
    path = parts[3].partition("?")[0]
    folder = target if target.endswith("/") else f"{target}/"
    return parts[:3] == (scheme, host, port) and (path == target or path.startswith(folder))


def _address(url: str, host: str, port: int, remote: Remote) -> str:
    """The number of a host that may be asked. Raises UrlRefused; OSError where nobody knows it."""
    try:
        ipaddress.ip_address(host)
        return host  # A prefix names it.
    except ValueError:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        number = ipaddress.ip_address(address.partition("%")[0])
        if remote.is_private_allowed or number.is_global:
            return address
    raise UrlRefused(url, "its name stands for addresses that are not public")
