"""Words of PostgreSQL's and MySQL's texts, as far as the tree of sqlglot leaves them to us."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlglot.tokens import TokenType

HIDDEN = "\0"
"""Stands before a function's name while sqlglot parses, so that it leaves the call as it is.

No text that comes this far has the character."""

SPECIAL_CALLS = frozenset(
    {
        *("CAST", "CONVERT", "EXTRACT", "TRIM", "SUBSTRING", "POSITION", "OVERLAY", "GROUP_CONCAT"),
        *("GROUP", "MATERIALIZED", "SYMMETRIC", "SEPARATOR", "WITHIN", "RECURSIVE", "ONLY"),
        *("FIRST", "NEXT", "ROLLUP", "CUBE", "OVER", "FILTER", "USING", "ROW", "WINDOW", "MOD"),
    }
)
"""Names before a parenthesis that are no functions, or functions with words among the arguments."""
CALLABLE_WORDS = frozenset(
    {
        *("LEFT", "RIGHT", "REPLACE", "IF", "TRUNCATE", "INSERT", "REPEAT", "FORMAT", "DATABASE"),
        *("SCHEMA", "CHAR", "DATE", "REVERSE", "CURRENT_TIMESTAMP", "CURRENT_DATE", "LOCALTIME"),
        *("LOCALTIMESTAMP", "CURRENT_TIME", "VERSION", "USER", "ANY_VALUE", "POINT", "POLYGON"),
        *("CIRCLE", "BOX", "CEIL", "CEILING", "FLOOR", "YEAR", "TIME", "COLLATE", "GROUPING"),
    }
)
"""Keywords that name functions where a parenthesis follows."""

SOFT_WORDS = frozenset(
    {
        *("WITHIN", "GROUP", "BOTH", "LEADING", "TRAILING", "SYMMETRIC", "IGNORE", "RESPECT"),
        *("NULLS", "FIRST", "LAST", "MATERIALIZED", "UNBOUNDED", "PRECEDING", "FOLLOWING"),
        *("EXCLUDE", "CURRENT", "TIES", "NO", "OTHERS", "CAST", "EXTRACT", "TRIM", "SUBSTRING"),
        *("POSITION", "NEXT", "ONLY", "ROLLUP", "CUBE", "WITHOUT", "TIME", "ZONE", "PRECISION"),
        *("DOUBLE", "VARYING", "CHARACTER", "SIGNED", "UNSIGNED", "INTEGER", "SEPARATOR", "DIV"),
        *("GROUP_CONCAT", "FOR", "SQL_NO_CACHE", "MOD", "GROUPS", "CONVERT"),
        *("UTF8", "UTF8MB3", "UTF8MB4", "LATIN1", "ASCII"),
        *("YEAR", "YEARS", "QUARTER", "MONTH", "MONTHS", "WEEK", "WEEKS", "DAY", "DAYS", "HOUR"),
        *("HOURS", "MINUTE", "MINUTES", "SECOND", "SECONDS", "MICROSECOND", "MICROSECONDS"),
        *("MILLISECOND", "MILLISECONDS", "EPOCH", "DOW", "DOY", "ISODOW", "DECADE", "CENTURY"),
    }
)
"""Words that the tree has no node for. Any other name, number or string must be in the tree."""

STATEMENTS = frozenset(
    {
        *("INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "COPY"),
        *("GRANT", "REVOKE", "BEGIN", "COMMIT", "ROLLBACK", "SET", "RESET", "CALL", "DO", "LOCK"),
        *("EXECUTE", "PREPARE", "DEALLOCATE", "DECLARE", "FETCH", "VACUUM", "ANALYZE", "LOAD"),
        *("REPLACE", "USE", "KILL", "LISTEN", "NOTIFY", "TABLE", "START", "SAVEPOINT", "SHOW"),
        *("DESCRIBE", "DESC", "EXPLAIN", "HANDLER", "REINDEX", "CLUSTER", "COMMENT", "IMPORT"),
    }
)
"""What begins a statement that is no query."""

OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)
PREFIXES = frozenset({TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE})
OPERANDS = frozenset(
    {TokenType.VAR, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.STRING, TokenType.R_PAREN}
)
WORTHY = frozenset({TokenType.VAR, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.STRING})
"""Tokens that a tree must not lose."""
_CLAUSES = frozenset(
    {
        *(TokenType.FROM, TokenType.WHERE, TokenType.HAVING, TokenType.GROUP_BY),
        *(TokenType.ORDER_BY, TokenType.LIMIT, TokenType.OFFSET, TokenType.UNION),
        *(TokenType.EXCEPT, TokenType.INTERSECT, TokenType.SEMICOLON, TokenType.JOIN, TokenType.ON),
        *(TokenType.THEN, TokenType.ELSE, TokenType.END, TokenType.WHEN, TokenType.ALIAS),
    }
)
_SIGNS = frozenset(
    {
        *(TokenType.COMMA, TokenType.R_PAREN, TokenType.AND, TokenType.OR, TokenType.EQ),
        *(TokenType.SLASH, TokenType.LT, TokenType.GT, TokenType.DOT, TokenType.GTE),
        *(TokenType.LTE, TokenType.NEQ),
    }
)
NOT_AFTER: Mapping[TokenType, frozenset[TokenType]] = MappingProxyType(
    {
        TokenType.COMMA: _CLAUSES | _SIGNS,
        TokenType.SELECT: _CLAUSES | _SIGNS,
        TokenType.DISTINCT: _CLAUSES - {TokenType.ON, TokenType.FROM} | _SIGNS,
        TokenType.ALIAS: frozenset({TokenType.NUMBER, TokenType.ALIAS}) | _SIGNS,
        TokenType.OVER: _CLAUSES | _SIGNS,
        TokenType.L_PAREN: frozenset({TokenType.COMMA, TokenType.ALIAS, TokenType.DOT}),
        TokenType.STAR: frozenset({TokenType.STAR}),
        **dict.fromkeys(
            (
                *(TokenType.FROM, TokenType.WHERE, TokenType.LIMIT, TokenType.OFFSET),
                *(TokenType.ORDER_BY, TokenType.GROUP_BY, TokenType.PARTITION_BY),
                TokenType.JOIN,
            ),
            _CLAUSES | _SIGNS,
        ),
        TokenType.NUMBER: frozenset({TokenType.NUMBER}),
    }
)
"""What no text has after such a token; sqlglot passes over most of it."""
