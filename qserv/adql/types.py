"""The types that CAST may name."""

from __future__ import annotations

from sqlglot import exp

from qserv.adql.cursor import Cursor, place
from qserv.adql.errors import shortened

_TYPES = {
    "BIGINT": exp.DataType.Type.BIGINT,
    "CHAR": exp.DataType.Type.CHAR,
    "DOUBLE": exp.DataType.Type.DOUBLE,
    "INTEGER": exp.DataType.Type.INT,
    "POINT": exp.DataType.Type.POINT,
    "REAL": exp.DataType.Type.FLOAT,
    "SMALLINT": exp.DataType.Type.SMALLINT,
    "TIMESTAMP": exp.DataType.Type.TIMESTAMP,
    "VARCHAR": exp.DataType.Type.VARCHAR,
}
LONGEST_TEXT = 10_485_760
"""PostgreSQL's bound of the n in VARCHAR(n)."""
_USER_TYPES = frozenset({"CIRCLE", "POLYGON"})
_WITH_LENGTH = frozenset({"CHAR", "VARCHAR"})
_NAMES = (
    "CHAR, CHAR(n), VARCHAR, VARCHAR(n), SMALLINT, INTEGER, BIGINT, REAL, DOUBLE PRECISION, "
    "TIMESTAMP, POINT, CIRCLE or POLYGON"
)


class TypeNames(Cursor):
    """Reads a type's name."""

    def type_name(self) -> exp.DataType:
        """One of ADQL's types, as PostgreSQL's parser of sqlglot would give it."""
        token = self.token
        if token.kind in _USER_TYPES:
            name = place(exp.Identifier(this=token.kind, quoted=False), self.advance())
            return place(exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=name), token)
        if token.kind not in _TYPES:
            if token.kind == "fault":
                raise self.unexpected("a type")
            raise self.fault_at(
                token, f"unknown type {shortened(token.text)}; CAST converts to {_NAMES}"
            )
        self.advance()
        if token.kind == "DOUBLE":
            self.expect("PRECISION", "PRECISION after DOUBLE")
        length = self._length() if token.kind in _WITH_LENGTH else {}
        return place(exp.DataType(this=_TYPES[token.kind], nested=False, **length), token)

    def _length(self) -> dict[str, object]:
        """The length of a CHAR or VARCHAR, if one is given."""
        if not self.take("("):
            return {}
        token = self.expect("number", "a length")
        if not token.text.isdigit() or not 0 < int(token.text) <= LONGEST_TEXT:
            raise self.fault_at(token, f"a length is an integer from 1 to {LONGEST_TEXT}")
        self.expect(")", ") after the length")
        literal = place(exp.Literal(this=token.text, is_string=False), token)
        return {"expressions": [place(exp.DataTypeParam(this=literal), token)]}
