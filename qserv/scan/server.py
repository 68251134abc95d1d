"""A scan engine on the network: Arrow Flight, one token, one request a call.

do_get(ticket: ScanRequest) streams the rows; actions: `cancel` (body: query id), `status`.
"""

from __future__ import annotations

import hmac
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import flight

from qserv.scan.engine import EngineSettings, ScanEngine, ScanFault
from qserv.scan.messages import Fault, ScanRequest


def serve(
    *,
    shard_id: int,
    host: str,
    port: int,
    token: str,
    twins: Path,
    memory_bytes: int,
    threads: int,
) -> None:
    """Run a scan engine until SIGTERM or SIGINT; call it in the main thread."""
    settings = EngineSettings(shard_id, twins, memory_bytes, threads)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ScanServer(settings, host=host, port=port, token=token):
        ended.wait()


class ScanServer(flight.FlightServerBase):  # type: ignore[misc]
    """Flight calls over one engine. Listens once it is made; `port` 0 takes a free one."""

    def __init__(
        self, settings: EngineSettings, *, host: str = "127.0.0.1", port: int = 0, token: str
    ) -> None:
        token_check = _TokenFactory(token)
        self.engine = ScanEngine(settings)
        super().__init__(f"grpc://{host}:{port}", middleware={"token": token_check})
        self.address = f"grpc://{host}:{self.port}"

    def do_get(
        self, _context: flight.ServerCallContext, ticket: flight.Ticket
    ) -> flight.GeneratorStream:
        """The rows of one statement."""
        try:
            columns, batches = self.engine.run(ScanRequest.from_ticket(ticket.ticket))
        except ScanFault as fault:
            raise _wire(fault) from fault
        except ValueError as error:
            raise _wire(ScanFault(Fault.STORE, str(error))) from error
        return flight.GeneratorStream(columns, _faults_on_the_wire(batches))

    def do_action(
        self, _context: flight.ServerCallContext, action: flight.Action
    ) -> Iterator[flight.Result]:
        """`cancel` and `status`."""
        match action.type:
            case "cancel":
                found = self.engine.cancel(action.body.to_pybytes().decode())
                return iter([flight.Result(json.dumps({"cancelled": found}).encode())])
            case "status":
                return iter([flight.Result(json.dumps(self.engine.status()).encode())])
            case _:
                raise flight.FlightServerError(f"no action {action.type!r}")

    def list_actions(self, _context: flight.ServerCallContext) -> list[tuple[str, str]]:
        return [("cancel", "end a query's statements"), ("status", "what the engine does")]

    def shutdown(self) -> None:
        """End what runs, then the server."""
        self.engine.close()
        super().shutdown()

    def __exit__(self, *details: object) -> None:
        self.shutdown()


def _faults_on_the_wire(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches; a fault on the way is told as do_get tells it."""
    try:
        yield from batches
    except ScanFault as fault:
        raise _wire(fault) from fault


def _wire(fault: ScanFault) -> flight.FlightServerError:
    return flight.FlightServerError(
        str(fault), extra_info=json.dumps({"fault": fault.fault}).encode()
    )


class _TokenFactory(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Refuses calls without the cluster's token, in constant time."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("a scan engine needs a token")
        self._expected = f"Bearer {token}".encode()

    def start_call(self, _info: flight.CallInfo, headers: Mapping[str, list[str]]) -> None:
        """Raises FlightUnauthenticatedError; None lets the call go on."""
        given = next(iter(headers.get("authorization", [])), "")
        if not hmac.compare_digest(given.encode(), self._expected):
            raise flight.FlightUnauthenticatedError("this scan engine wants the cluster's token")
