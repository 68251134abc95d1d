"""A loader's lease on an ingest: taken, kept alive by a thread, given back.

A lease that is not renewed lapses after LEASE_S, and another loader may go on with the ingest; at once
where its owner was a process of this machine that has ended. Who finds that he lost his lease stops.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil
import psycopg2

from procedures.ingests import log_event, read_ingest
from procedures.leases import (
    Held,
    read_lease,
    release_lease,
    renew_lease,
    state_if_leased,
    state_of_owner,
    take_lease,
)
from procedures.pools import Pools
from schema.errors import Unavailable, UsageError
from schema.manifest import IngestId

LEASE_S = 60.0
"""How long a loader that no longer renews its lease keeps others out."""
_RENEWALS = 4
"""A lease is renewed so often before it would lapse."""
_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)
_ENDED = ("failed", "aborted")


class IngestBusy(Unavailable):
    """Another loader works on the ingest."""

    code = "INGEST_BUSY"

    def __init__(self, ingest_id: IngestId, held: Held | None) -> None:
        who = "another loader" if held is None else owner_in_words(held.owner)
        left = (
            ""
            if held is None
            else f"; unless it renews its lease, that ends in {held.left_s:.0f} s"
        )
        super().__init__(f"{who} is at work on ingest {ingest_id}{left}")
        self.ingest_id, self.owner = ingest_id, None if held is None else held.owner


class LeaseLost(Unavailable):
    """A loader could not renew its lease in time: another one may have gone on with the ingest."""

    code = "LEASE_LOST"

    def __init__(self, ingest_id: IngestId) -> None:
        super().__init__(f"the lease on ingest {ingest_id} was lost, and nothing more is done here")


class IngestEnded(UsageError):
    """Somebody ended the ingest while a loader was at work on it."""

    code = "INGEST_ENDED"

    def __init__(self, ingest_id: IngestId, state: str) -> None:
        super().__init__(f"ingest {ingest_id} is {state} meanwhile")
        self.state = state


class Lease:
    """The right to work on one ingest. Thread-safe."""

    def __init__(self, pools: Pools, ingest_id: IngestId, owner: str, seconds: float) -> None:
        self.ingest_id, self.owner = ingest_id, owner
        self._pools, self._seconds = pools, seconds
        self._until = time.monotonic() + seconds
        self._fault: Unavailable | IngestEnded | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def check(self) -> None:
        """Raise LeaseLost or IngestEnded where nothing more may be written."""
        if self._fault is not None:
            raise self._fault
        if time.monotonic() > self._until:
            raise LeaseLost(self.ingest_id)

    def locked_state(self, connection: object) -> str:
        """The ingest's state; its row is ours until the transaction ends. Raises LeaseLost."""
        state = state_if_leased(connection, self.ingest_id, self.owner)
        if state is None:
            raise LeaseLost(self.ingest_id)
        return state

    def start(self) -> None:
        """Begin to renew it."""
        self._thread.start()

    def give_back(self) -> None:
        """End it, as far as the coordinator answers; otherwise it lapses."""
        self._is_over.set()
        self._thread.join()
        with suppress(*_AWAY), self._pools.coordinator() as connection:
            release_lease(connection, self.ingest_id, self.owner)
            connection.commit()

    def _keep(self) -> None:
        while not self._is_over.wait(self._seconds / _RENEWALS):
            asked_at = time.monotonic()
            try:
                with self._pools.coordinator() as connection:
                    state = renew_lease(
                        connection, self.ingest_id, self.owner, seconds=self._seconds
                    )
                    connection.commit()
            except _AWAY as error:
                fields = {"ingest": self.ingest_id, "reason": str(error)}
                _log.warning("lease not renewed", extra=fields)
                continue
            self._until = asked_at + self._seconds
            if state is None:
                self._fault = LeaseLost(self.ingest_id)
            elif state in _ENDED:
                self._fault = IngestEnded(self.ingest_id, state)


@contextmanager
def leased(pools: Pools, ingest_id: IngestId, *, seconds: float = LEASE_S) -> Iterator[Lease]:
    """The lease on an ingest, for the length of the block. Raises IngestBusy, UnknownIngest."""
    owner = this_owner()
    with pools.coordinator() as connection:
        before = read_ingest(connection, ingest_id)
        held = read_lease(connection, ingest_id)
        gone = [held.owner] if held is not None and is_gone(held.owner) else []
        if not take_lease(connection, ingest_id, owner, seconds=seconds, gone=gone):
            raise IngestBusy(ingest_id, held)
        if before.lease_owner is not None:
            message = f"taken over from {owner_in_words(before.lease_owner)}"
            log_event(connection, ingest_id, "taken over", message)
        connection.commit()
    lease = Lease(pools, ingest_id, owner, seconds)
    lease.start()
    try:
        yield lease
    finally:
        lease.give_back()


def check_owner(pools: Pools, ingest_id: IngestId, owner: str) -> None:
    """Raise LeaseLost or IngestEnded where nothing may be written in an owner's name any more.

    For tasks that have no Lease: they run in other processes, and may outlive it. Where the coordinator
    does not say whose it is now, it is as good as lost.
    """
    try:
        with pools.coordinator() as connection:
            state = state_of_owner(connection, ingest_id, owner)
    except _AWAY as error:
        raise LeaseLost(ingest_id) from error
    if state is None:
        raise LeaseLost(ingest_id)
    if state in _ENDED:
        raise IngestEnded(ingest_id, state)


def is_gone(owner: str) -> bool:
    """Whether an owner was a process of this machine that has ended; False of other machines'."""
    machine, pid, started, *_ = [*owner.split(" ")[1:], "", "", ""]
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        process = psutil.Process(int(pid))
        is_same = f"{process.create_time():.2f}" == started
        return not is_same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def owner_in_words(owner: str) -> str:
    """Whom a message names."""
    host, _, pid, *_ = [*owner.split(" "), "", ""]
    return f"process {pid} on {host}"


def this_owner() -> str:
    """This process, on this machine, and which of its loaders."""
    pid = os.getpid()
    started = f"{psutil.Process(pid).create_time():.2f}"
    return " ".join([socket.gethostname(), _machine(), str(pid), started, secrets.token_hex(4)])


@cache
def _machine() -> str:
    """This machine since it was started, and the space of process ids that we see of it."""
    return f"{boot_id()}/{_read_link(Path('/proc/self/ns/pid'))}"


@cache
def boot_id() -> str:
    """What is another text after the machine was started anew, and on any other one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"{socket.gethostname()}-{psutil.boot_time():.0f}"


def _read_link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
