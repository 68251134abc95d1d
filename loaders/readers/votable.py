"""VOTables of bounded size. A guard reads them first: astropy would follow links to files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

import numpy as np
import pyarrow as pa
from astropy.io.votable import parse
from astropy.io.votable.exceptions import VOTableSpecError
from defusedxml.common import DefusedXmlException
from defusedxml.sax import parse as guarded_parse
from typing_extensions import override

from loaders.readers.compressed import open_bytes, packing
from loaders.readers.source import SourceBatch, UnreadableFile, numbered, rows_per_batch

MAX_VOTABLE_BYTES = 512 * 2**20
"""A larger VOTable is refused: its parser holds it in memory whole."""


class ForbiddenContent(ValueError):
    """A VOTable refers to something outside itself."""


@dataclass(frozen=True, slots=True)
class VotableSource:
    """The first table of a VOTable."""

    path: Path
    places: Mapping[str, str]
    """The ID of each column by its name."""
    arrays: Any
    """astropy's masked record array; its fields go by ID."""
    fields: tuple[Any, ...] = ()
    """astropy's FIELDs, in the order of `names`: units, UCDs, xtypes."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.places)

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows in slices; masked values are NULL."""
        step = rows_per_batch(len(wanted))
        for first in range(0, len(self.arrays), step):
            rows = self.arrays[first : first + step]
            arrays = [_array(self.path, name, rows[self.places[name]]) for name in wanted]
            yield numbered(pa.RecordBatch.from_arrays(arrays, list(wanted)), first + 1)


def _array(path: Path, name: str, column: Any) -> pa.Array:
    """One column in Arrow."""
    mask = np.ma.getmaskarray(column)
    values = np.ma.getdata(column)
    if values.ndim == 2 and values.shape[1] == 1:
        values, mask = values[:, 0], mask[:, 0]
    if _holds_arrays(values):
        return _arrays(values, mask)
    if values.ndim != 1 or mask.ndim != 1:
        raise UnreadableFile(path, f"column {name!r} holds arrays")
    if values.dtype.kind in "OUS":
        texts = [None if m else _text(v) for v, m in zip(values.tolist(), mask, strict=True)]
        return pa.array(texts, pa.string())
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    return pa.array(values, mask=mask)


def _holds_arrays(values: Any) -> bool:
    """Whether cells are arrays of numbers, of one length or of many."""
    if values.dtype.kind == "O":
        return any(isinstance(v, np.ndarray) and v.dtype.kind in "iuf" for v in values.tolist())
    return values.ndim == 2 and values.dtype.kind in "iuf"


def _arrays(values: Any, mask: Any) -> pa.Array:
    """Arrays of numbers; one whose elements all are masked is NULL."""
    cells = []
    for value, masked in zip(values, mask, strict=True):
        cells.append(
            None if not np.size(value) or np.all(masked) else np.ma.getdata(value).tolist()
        )
    return pa.array(cells)


def _text(value: object) -> str | None:
    """A text cell; an empty one is NULL, as VOTable cannot tell the two apart."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    return text or None


def open_votable(path: Path) -> VotableSource:
    """Guard, then parse the first table of a VOTable."""
    try:
        with _unpacked(path) as plain:
            with plain.open("rb") as stream:
                guard_votable(stream, max_rows=plain.stat().st_size)
            with plain.open("rb") as stream:
                table = parse(stream, verify="ignore").get_first_table()
    except (
        SAXException,
        DefusedXmlException,
        ForbiddenContent,
        VOTableSpecError,
        ValueError,
        IndexError,
        OSError,
        MemoryError,
    ) as error:
        raise UnreadableFile(path, str(error) or "there is not enough memory") from error
    places = {field.name or field.ID: field.ID for field in table.fields}
    return VotableSource(path, places, table.array, tuple(table.fields))


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """A VOTable's own bytes as a file. Raises UnreadableFile where they are too many."""
    if packing(path) is None:
        _check_size(path, path.stat().st_size)
        yield path
        return
    with NamedTemporaryFile() as file, open_bytes(path) as stream:
        while block := stream.read(2**20):
            file.write(block)
            _check_size(path, file.tell())
        file.flush()
        yield Path(file.name)


def _check_size(path: Path, size: int) -> None:
    if size > MAX_VOTABLE_BYTES:
        raise UnreadableFile(
            path,
            f"VOTables up to {MAX_VOTABLE_BYTES} bytes are read; make FITS of it (`stilts tpipe`,"
            " which streams), or several VOTables",
        )


def guard_votable(stream: IO[bytes], *, max_rows: int) -> None:
    """Raise unless a VOTable stands on its own: no links, no entities, no document type.

    Nor may it say that it has more than `max_rows` rows: astropy takes memory for as many as it says.
    Raises ForbiddenContent, xml.sax.SAXException or defusedxml's errors (ValueErrors).
    """
    guarded_parse(stream, _Guard(max_rows), forbid_dtd=True)


class _Guard(ContentHandler):
    """Looks at every element of a VOTable, holding none."""

    def __init__(self, max_rows: int) -> None:
        super().__init__()
        self._max_rows = max_rows

    @override
    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        kind = name.rpartition(":")[2].upper()
        if kind == "TABLE" and int(attrs.get("nrows", "0")) > self._max_rows:
            msg = f"it says nrows={attrs['nrows']}, more than it has bytes"
            raise ForbiddenContent(msg)
        if kind == "STREAM" and "href" in attrs.getNames():
            href = str(attrs.getValue("href"))[:80]
            msg = f"its data lie elsewhere (STREAM href={href!r})"
            raise ForbiddenContent(msg)
