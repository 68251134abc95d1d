"""The error tree. One class per thing that a caller treats differently.

SkyshardError
├── UsageError            the caller asked for something that is wrong (CLI exit 2, HTTP 400)
│   ├── QueryError        a query text is wrong: syntax, names, types, unsupported
│   ├── CatalogError      a schema, a layout or a catalog's name is wrong
│   ├── InputError        a file to ingest is wrong
│   └── ConfigError       configuration is wrong or incomplete
├── LimitExceeded         a configured limit was reached (HTTP 413 or 429)
├── Unavailable           a shard, a server or the coordinator does not answer (transient)
└── StoreError            the store contradicts itself: a checksum, a missing part, a newer schema

Leaf classes stand beside the code that raises them; each has a `code` with a line in docs/operations.md.
"""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override


class SkyshardError(Exception):
    """Root of every error that Skyshard raises on purpose."""

    code: ClassVar[str] = "SKYSHARD_ERROR"
    transient: ClassVar[bool] = False

    def fields(self) -> dict[str, object]:
        """What a log line or a JSON answer says of this error."""
        return {"code": self.code, "message": str(self), "transient": self.transient}

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        """From another process it comes as it was raised there: class, text and fields."""
        return _revived, (type(self), self.args, dict(self.__dict__))


def _revived(
    kind: type[SkyshardError], args: tuple[object, ...], fields: dict[str, object]
) -> SkyshardError:
    """An error as it was, without calling its class, which makes the text from other arguments."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error


class UsageError(SkyshardError):
    """The caller asked for something wrong; asking again unchanged will fail again."""

    code = "USAGE"


class QueryError(UsageError):
    """A query text is wrong.

    `line` and `column` count from 1 and are None where no place in the text is at fault.
    """

    code = "QUERY_ERROR"

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line, self.column = line, column

    @override
    def fields(self) -> dict[str, object]:
        return {**SkyshardError.fields(self), "line": self.line, "column": self.column}


class CatalogError(UsageError):
    """A schema, a layout or a catalog's name is wrong."""

    code = "CATALOG_ERROR"


class InputError(UsageError):
    """A file to ingest is wrong."""

    code = "INPUT_ERROR"


class ConfigError(UsageError):
    """Configuration is wrong or incomplete."""

    code = "CONFIG_ERROR"


class LimitExceeded(SkyshardError):
    """A configured limit was reached."""

    code = "LIMIT_EXCEEDED"


class Unavailable(SkyshardError):
    """A server does not answer; the same call may succeed later."""

    code = "UNAVAILABLE"
    transient = True


class StoreError(SkyshardError):
    """The store contradicts itself."""

    code = "STORE_ERROR"
