"""The ADQL 2.1 front: a text to a tree. See README.md for the order to read in."""

from qserv.adql.errors import AdqlSyntaxError, point_at
from qserv.adql.parse import parse_adql

__all__ = ["AdqlSyntaxError", "parse_adql", "point_at"]
