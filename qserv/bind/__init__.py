"""Names, types and units of a statement: the tree of a parser to a bound query. See README.md."""

from qserv.bind.names import Catalogs
from qserv.bind.statement import bind

__all__ = ["Catalogs", "bind"]
