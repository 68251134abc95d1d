"""VOTable 1.4 documents but for their rows: the head with its FIELDs, the tail, errors.

DALI 1.1, section 4.4: QUERY_STATUS is OK before the table; OVERFLOW and ERROR, where the rows end
early, come after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from qserv.formats.slices import unique_names
from qserv.result import Answer, ResultColumn
from schema.types import SPELLINGS, Type

NullOf = Callable[[Type], int | None]

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
    '<RESOURCE type="results">\n'
)
_CLOSE = "</RESOURCE>\n</VOTABLE>\n"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def head(answer: Answer, null_of: NullOf = lambda _: None) -> bytes:
    """The document up to its table's DATA; `null_of` a type is the number that stands for NULL."""
    infos = {"QUERY_STATUS": "OK", "QUERY_ID": answer.query_id, **_snapshots(answer)}
    written = "".join(_info(name, value) for name, value in infos.items())
    return (_OPEN + written + _table(answer.columns, null_of)).encode()


def tail(answer: Answer) -> bytes:
    """What follows the table's DATA where all rows were written, or cut by a limit."""
    infos = "".join(_info("WARNING", warning) for warning in answer.warnings)
    if answer.overflowed:
        infos += _info("QUERY_STATUS", "OVERFLOW", "A limit cut the rows; there are more.")
    return ("</TABLE>\n" + infos + _CLOSE).encode()


def failed_tail(message: str) -> bytes:
    """What follows the table's DATA where the rest of the rows cannot be had."""
    return ("</TABLE>\n" + _info("QUERY_STATUS", "ERROR", message) + _CLOSE).encode()


def error_document(message: str, facts: Mapping[str, object]) -> bytes:
    """A whole document that says why there is no table; `facts` become INFOs of their own."""
    infos = [_info("QUERY_STATUS", "ERROR", message)]
    infos += [_info(name, str(value)) for name, value in facts.items() if value is not None]
    return (_OPEN + "".join(infos) + _CLOSE).encode()


def describing_document(answer: Answer) -> bytes:
    """A document whose table has columns and no DATA: the metadata of a VOParquet file."""
    return head(answer) + tail(answer)


def _snapshots(answer: Answer) -> dict[str, str]:
    """The snapshots that were read, as one INFO: `dp1@3 users@12`."""
    pinned = " ".join(f"{catalog}@{snapshot}" for catalog, snapshot in answer.snapshots)
    return {"SNAPSHOT": pinned} if pinned else {}


def _info(name: str, value: str, content: str = "") -> str:
    return f"<INFO{_attribute('name', name)}{_attribute('value', value)}>{_text(content)}</INFO>\n"


def _table(columns: Sequence[ResultColumn], null_of: NullOf) -> str:
    fields = (
        _field(column, name, null_of(column.type))
        for column, name in zip(columns, unique_names(columns), strict=True)
    )
    return "<TABLE>\n" + "".join(fields)


@lru_cache(maxsize=4096)
def _field(column: ResultColumn, name: str, null: int | None) -> str:
    """One FIELD; kept, for a light curve has few rows and many columns, asked again and again."""
    spelling = SPELLINGS[column.type]
    attributes = {
        "name": name,
        "datatype": spelling.votable,
        "arraysize": spelling.votable_arraysize,
        "xtype": spelling.votable_xtype,
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
    }
    written = "".join(_attribute(name, value) for name, value in attributes.items() if value)
    inner = f"<DESCRIPTION>{_text(column.description)}</DESCRIPTION>" if column.description else ""
    if null is not None:
        inner += f'<VALUES null="{null}"/>'
    return f"<FIELD{written}>{inner}</FIELD>\n" if inner else f"<FIELD{written}/>\n"


def _attribute(name: str, value: str) -> str:
    return f" {name}={quoteattr(_clean(value))}"


def _text(value: str) -> str:
    return escape(_clean(value))


def _clean(value: str) -> str:
    """Text without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", value)
