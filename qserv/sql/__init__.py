"""The fronts of PostgreSQL's and MySQL's SELECT: a text to a tree. See README.md."""

from qserv.sql.errors import SqlNotAnswered, SqlSyntaxError
from qserv.sql.mysql import parse_mysql
from qserv.sql.postgres import parse_postgres

__all__ = ["SqlNotAnswered", "SqlSyntaxError", "parse_mysql", "parse_postgres"]
