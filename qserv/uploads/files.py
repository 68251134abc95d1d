"""Uploaded files until their query has run: in one folder that all czars see, named by what is in them.

TAP's `UPLOAD=NAME,param:PART` becomes `NAME,kept:FILE` where a request comes in; that is what a job keeps.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO

from loaders.readers.read import ENDINGS
from loaders.staging.download import Remote, fetch
from qserv.uploads.read import DEFAULT_LIMITS, UploadLimits, read_upload
from qserv.uploads.tables import NO_UPLOADS, UploadRefused, Uploads
from schema.errors import UsageError

KEPT = "kept:"
PARAM = "param:"
URLS = ("http://", "https://")
NO_ADDRESSES = Remote(key="uploads.urls")
"""Tables are fetched from nowhere."""
YOUNG_S = 3600.0
"""Files younger than that are not swept: their query may be about to begin."""
_STEP = 2**20
_FILE = re.compile(r"[0-9a-f]{64}\.[a-z]{0,8}")
_TYPES = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/fits": "fits",
    "image/fits": "fits",
    "application/x-votable+xml": "votable",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
}


class WrongUpload(UsageError):
    """The parameter UPLOAD is not well-formed, or names a part that the request has not."""

    code = "WRONG_UPLOAD"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a request: its bytes, its name and media type where the client tells them."""

    content: IO[bytes]
    name: str = ""
    media_type: str = ""

    @property
    def form(self) -> str:
        """The format that it says; empty where it says none."""
        said = _TYPES.get(self.media_type.partition(";")[0].strip().lower())
        path = PurePath(self.name.lower())
        endings = path.suffixes[-2:]
        return said or next((ENDINGS[e] for e in reversed(endings) if e in ENDINGS), "")


def parse_upload(value: str) -> tuple[tuple[str, str], ...]:
    """(name, address) of each table of an UPLOAD parameter: `a,param:x;b,param:y`.

    Raises WrongUpload.
    """
    found = []
    for item in filter(None, (item.strip() for item in value.split(";"))):
        name, comma, address = (part.strip() for part in item.partition(","))
        if not (name and comma and address):
            raise WrongUpload(f"UPLOAD={item[:60]!r}: say NAME,param:PART")
        if not address.lower().startswith((KEPT, PARAM, *URLS)):
            raise WrongUpload(f"UPLOAD={item[:60]!r}: say NAME,param:PART or NAME,https://...")
        found.append((name, address))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class UploadFiles:
    """The folder of uploads, and what one may be."""

    folder: Path
    limits: UploadLimits = DEFAULT_LIMITS
    remote: Remote = NO_ADDRESSES
    """Which addresses tables may be fetched from."""

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep_all(self, value: str, parts: Mapping[str, Part]) -> str:
        """An UPLOAD parameter with the request's parts kept, and named as they are kept.

        Raises WrongUpload where a part is not there, UploadRefused where it is too large.
        """
        return ";".join(
            f"{name},{self._kept(name, address, parts)}" for name, address in parse_upload(value)
        )

    def _kept(self, name: str, address: str, parts: Mapping[str, Part]) -> str:
        """The address of a table once its part is kept."""
        if address.startswith(KEPT):
            return address
        if address.lower().startswith(URLS):
            return KEPT + self._fetched(name, address)
        part = parts.get(address.removeprefix(PARAM))
        if part is None:
            known = ", ".join(sorted(parts)) or "none"
            raise WrongUpload(f"UPLOAD={name},{address}: the request's parts are {known}")
        return KEPT + self._keep(name, part)

    def _fetched(self, name: str, address: str) -> str:
        """Keep what an address gives. Raises UrlRefused, DownloadFailed."""
        with tempfile.TemporaryDirectory(dir=self.folder, suffix=".fetch") as folder:
            path = fetch(address, Path(folder), self.remote)
            with path.open("rb") as content:
                return self._keep(name, Part(content, path.name))

    def _keep(self, name: str, part: Part) -> str:
        """Write a part; the same bytes are one file, which is young again."""
        digest, size = hashlib.sha256(), 0
        part.content.seek(0)  # two tables may be of one part
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as out:
            path = Path(out.name)
            try:
                while chunk := part.content.read(_STEP):
                    size += len(chunk)
                    if size > self.limits.max_bytes:
                        msg = f"upload {name}: has more than {self.limits.max_bytes:,} bytes"
                        raise UploadRefused(msg)
                    digest.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
                file = f"{digest.hexdigest()}.{part.form}"
                path.rename(self.folder / file)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return file

    def read(self, said: Sequence[tuple[str, str]]) -> Uploads:
        """The tables of (name, address) pairs whose files are kept. Raises UploadRefused, WrongUpload."""
        if not said:
            return NO_UPLOADS
        tables = []
        for name, address in said:
            file = address.removeprefix(KEPT)
            if not _FILE.fullmatch(file):
                raise WrongUpload(f"UPLOAD={name},{address}: no such part")
            path = self.folder / file
            if not path.is_file():
                raise UploadRefused(f"upload {name}: its file is gone; send it again")
            form = file.partition(".")[2]
            tables.append(read_upload(name, path, form=form, limits=self.limits))
        return Uploads(tables)

    def sweep(self, wanted: Collection[str]) -> int:
        """Remove the files that no UPLOAD parameter among these names, young ones aside; how many."""
        named = {
            address.removeprefix(KEPT) for value in wanted for _, address in parse_upload(value)
        }
        swept = 0
        for path in list(self.folder.iterdir()):
            with suppress(FileNotFoundError):
                is_old = time.time() - path.stat().st_mtime > YOUNG_S
                if path.is_file() and path.name not in named and is_old:
                    path.unlink()
                    swept += 1
        return swept
