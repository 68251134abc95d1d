"""A czar's side of one shard's scan engine: one lasting connection, errors as ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import suppress

import pyarrow as pa
from pyarrow import flight

from qserv.running import QueryCancelled, QueryTimeout, Running
from qserv.scan.messages import Fault, ScanRequest
from schema.errors import (
    ConfigError,
    LimitExceeded,
    QueryError,
    SkyshardError,
    StoreError,
    Unavailable,
)

CONTROL_TIMEOUT_S = 4.0
"""For cancel and status."""
GRACE_S = 1.0
"""How much later than the engine the client gives up, so that the engine's own word is heard."""
_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_retries", 0),  # dispatch knows what may be asked again
]


class ScanUnavailable(Unavailable):
    """A scan engine does not answer; PostgreSQL or a replica may."""

    code = "SCAN_UNAVAILABLE"


class TwinMissing(ScanUnavailable):
    """A scan engine lacks a twin, though the manifest says that it has it; others may be there."""

    code = "TWIN_MISSING"


class ScanLimit(LimitExceeded):
    """A scan engine's memory, temporary space or queue is full."""

    code = "SCAN_LIMIT"


class ScanClient:
    """Asks one engine; safe to share between threads. `address` is `grpc://host:port`."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self._headers = [(b"authorization", f"Bearer {token}".encode())]
        self._client = flight.FlightClient(address, generic_options=_OPTIONS)
        self._cancelling: set[str] = set()
        self._lock = threading.Lock()

    def scan(
        self, sql: str, running: Running, *, is_interactive: bool = False
    ) -> Generator[pa.RecordBatch, None, None]:
        """The rows of one statement; stopping the query ends the wait.

        Raises Unavailable (engine or twin lost: ask elsewhere), QueryError (the rows do not allow
        the expression), LimitExceeded, StoreError, or what stopped the query.
        """
        remaining = running.remaining_s()
        request = ScanRequest(running.query_id, sql, remaining, is_interactive)
        options = self._options(None if remaining is None else remaining + GRACE_S)
        with running.stoppable(lambda: self._cancel_once(running.query_id)):
            try:
                reader = self._client.do_get(flight.Ticket(request.to_ticket()), options)
                with running.stoppable(reader.cancel):
                    for chunk in reader:
                        yield chunk.data
            except (flight.FlightError, pa.ArrowException, OSError) as error:
                running.check()
                raise self._translated(error, running) from error

    def cancel(self, query_id: str) -> None:
        """End a query's statements there; Unavailable where the engine does not answer."""
        self._act("cancel", query_id.encode())

    def status(self) -> dict[str, int]:
        """What the engine says of itself; Unavailable where it does not answer."""
        status: dict[str, int] = json.loads(self._act("status", b""))
        return status

    def close(self) -> None:
        with suppress(pa.ArrowException, OSError):
            self._client.close()

    def _cancel_once(self, query_id: str) -> None:
        """Cancel a query's statements, unless another of them is at it: one word ends them all."""
        with self._lock:
            if query_id in self._cancelling:
                return
            self._cancelling.add(query_id)
        try:
            self.cancel(query_id)
        finally:
            with self._lock:
                self._cancelling.discard(query_id)

    def _act(self, name: str, body: bytes) -> bytes:
        try:
            results = self._client.do_action(
                flight.Action(name, body), self._options(CONTROL_TIMEOUT_S)
            )
            return b"".join(result.body.to_pybytes() for result in results)
        except flight.FlightTimedOutError as error:
            raise self._unavailable(error) from error
        except (flight.FlightError, pa.ArrowException, OSError) as error:
            raise self._translated(error, None) from error

    def _options(self, timeout_s: float | None) -> flight.FlightCallOptions:
        return flight.FlightCallOptions(timeout=timeout_s, headers=self._headers)

    def _translated(self, error: BaseException, running: Running | None) -> SkyshardError:
        """Flight's error as ours."""
        told = getattr(error, "extra_info", b"") or b""
        if isinstance(error, flight.FlightServerError) and told:
            return self._told(Fault(json.loads(told)["fault"]), _message(error), running)
        if isinstance(error, flight.FlightUnauthenticatedError):
            return ConfigError(f"the scan engine at {self.address} refuses our token (scan_token)")
        if isinstance(error, flight.FlightTimedOutError) and running is not None:
            return QueryTimeout(running.timeout_s)
        return self._unavailable(error)

    def _told(self, fault: Fault, message: str, running: Running | None) -> SkyshardError:
        """What the engine itself said."""
        match fault:
            case Fault.QUERY:
                return QueryError(message)
            case Fault.LIMIT:
                return ScanLimit(message)
            case Fault.TIMEOUT:
                return QueryTimeout(running.timeout_s if running else None)
            case Fault.CANCELLED if running is not None and running.error is None:
                # Nobody here stopped it: the engine is going down.
                return self._unavailable(message)
            case Fault.CANCELLED:
                return QueryCancelled(running.query_id if running else "")
            case Fault.NO_TWIN:
                return TwinMissing(message)
            case Fault.STORE:
                return StoreError(f"the scan engine at {self.address}: {message}")

    def _unavailable(self, error: object) -> ScanUnavailable:
        return ScanUnavailable(
            f"the scan engine at {self.address} does not answer: {_message(error)}"
        )


def _message(error: object) -> str:
    """The server's words, without gRPC's own."""
    return str(error).split(". Detail: ", 1)[0].split(". gRPC client debug context", 1)[0]
