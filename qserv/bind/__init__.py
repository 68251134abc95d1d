"""Names, types and units of a statement: the tree of a parser to a bound query. See README.md."""

from qserv.bind.moment import Moment
from qserv.bind.names import Catalogs
from qserv.bind.statement import bind, bind_at

__all__ = ["Catalogs", "Moment", "bind", "bind_at"]
