"""Names, types and units of a statement: the tree of a parser to a bound query. See README.md."""

from qserv.bind.errors import BindError
from qserv.bind.moment import Moment
from qserv.bind.names import Catalogs
from qserv.bind.statement import bind, bind_at

__all__ = ["BindError", "Catalogs", "Moment", "bind", "bind_at"]
