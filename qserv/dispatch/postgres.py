"""One statement asked of a shard's PostgreSQL; rows come as Arrow, errors as ours."""

from __future__ import annotations

import re
from collections.abc import Generator
from functools import partial

import adbc_driver_manager
import pyarrow as pa

from procedures.pools import Pools
from qserv.running import QueryTimeout, Running
from schema.errors import LimitExceeded, QueryError, SkyshardError, StoreError, Unavailable
from schema.topology import ShardId

_SQLSTATE = re.compile(r"SQLSTATE: ([0-9A-Z]{5})")
_LACK = re.compile(
    r"out of memory|could not extend|could not write|No space left|file size exceeds"
)
_MESSAGE = re.compile(r"(?:ERROR|FATAL|PANIC):\s+([^\n]*)")


class ShardLimit(LimitExceeded):
    """A shard's PostgreSQL ran out of memory, disk or another resource for this statement."""

    code = "SHARD_LIMIT"


class OutOfRange(QueryError):
    """An operator made a DOUBLE too large or too small for PostgreSQL; ask again, carefully."""

    code = "OUT_OF_RANGE"


class ShardUnavailable(Unavailable):
    """A shard's PostgreSQL does not answer, or went away while it did."""

    code = "SHARD_UNAVAILABLE"

    def __init__(self, shard_id: ShardId, reason: str) -> None:
        super().__init__(f"shard {shard_id} does not answer: {reason}")
        self.shard_id = shard_id


class PartMissing(ShardUnavailable):
    """A shard has lost a part that it should hold; another replica has it."""

    code = "PART_MISSING"


class _HungUp(ShardUnavailable):
    """The connection was closed: perhaps long ago, while it lay idle."""


def read_postgres(
    sql: str, shard_id: ShardId, pools: Pools, running: Running, *, is_small: bool = False
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of one statement; stopping the query cancels it on the server.

    The statement names its query in a comment, for who looks into pg_stat_activity and the log.

    Parameters
    ----------
    is_small
        All rows may come at once, which takes one round trip.

    Raises Unavailable (ask another replica), QueryError (the rows do not allow the expression),
    LimitExceeded, StoreError, or what stopped the query.
    """
    ask = partial(_ask, f"/* query {running.query_id} */ {sql}", shard_id, pools, running)
    has_begun = False
    try:
        for batch in ask(is_small=is_small, is_checked=False):
            has_begun = True
            yield batch
        return
    except _HungUp:
        if has_begun:
            raise
    # The server may have been started again since the connection was used last.
    yield from ask(is_small=is_small, is_checked=True)


def _ask(
    sql: str,
    shard_id: ShardId,
    pools: Pools,
    running: Running,
    *,
    is_small: bool,
    is_checked: bool,
) -> Generator[pa.RecordBatch, None, None]:
    seconds = running.remaining_s()
    with pools.arrow(shard_id, timeout_s=seconds, is_checked=is_checked) as connection:
        try:
            with connection.cursor() as cursor, running.stoppable(cursor.adbc_cancel):
                cursor.execute(sql, in_one_trip=is_small)
                try:
                    yield from cursor.fetch_record_batch()
                except BaseException:
                    # Else the connection's next user waits until all rows have come (seconds).
                    cursor.adbc_cancel()
                    raise
        except (adbc_driver_manager.Error, OSError, pa.ArrowException) as error:
            running.check()
            raise translated(error, shard_id, running) from error


def translated(error: BaseException, shard_id: ShardId, running: Running) -> SkyshardError:
    """ADBC's error as ours, by its SQLSTATE; a stream tells it in its text only."""
    state = getattr(error, "sqlstate", None) or _found(_SQLSTATE, error)
    message = _found(_MESSAGE, error) or str(error).split("\n", 1)[0]
    if message.startswith("value out of range: "):
        return OutOfRange(message)
    match state:
        case "57014" if running.is_late():
            return QueryTimeout(running.timeout_s)
        case None if "ERROR:" in str(error):
            return _of_stream(message, shard_id, running)
        case None:
            return _HungUp(shard_id, message)
        case "42P01":
            return PartMissing(shard_id, message)
        case str() if state[:2] in ("08", "57") or state == "53300":
            return ShardUnavailable(shard_id, message)
        case str() if state[:2] in ("22", "21", "P0"):
            return QueryError(_advised(message))
        case str() if state[:2] in ("53", "54"):
            return ShardLimit(f"shard {shard_id}: {message}; narrow the region or aggregate")
        case _:
            return StoreError(f"shard {shard_id}: {message} (SQLSTATE {state})")


def _of_stream(message: str, shard_id: ShardId, running: Running) -> SkyshardError:
    """An error amid the rows: the driver does not tell its SQLSTATE, so by the words."""
    if message.startswith("canceling statement"):
        if running.is_late():
            return QueryTimeout(running.timeout_s)
        return ShardUnavailable(shard_id, message)
    if _LACK.search(message):
        return ShardLimit(f"shard {shard_id}: {message}; narrow the region or aggregate")
    return QueryError(_advised(message))


_ADVICE = {
    "out of range": "CAST a factor or a term to BIGINT or to DOUBLE PRECISION",
    "more than one row returned by a subquery": "take its MIN or MAX, or compare with IN",
    "invalid input syntax for type": "filter such texts out in a sub-query, or leave out the CAST",
    "division by zero": "write NULLIF(divisor, 0)",
}
"""What the author of a query may do about PostgreSQL's errors of data, which have no place."""


def _advised(message: str) -> str:
    advice = next((told for part, told in _ADVICE.items() if part in message), None)
    return message if advice is None else f"{message}: {advice}"


def _found(pattern: re.Pattern[str], error: BaseException) -> str | None:
    match = pattern.search(str(error))
    return match.group(1) if match else None
