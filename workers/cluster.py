"""Ray as a `concurrent.futures.Executor`: tasks on the workers of a cluster, a bounded number in flight.

`cluster` joins a Ray cluster, or starts a small one on this machine for as long as it is needed;
`Cluster.executor` gives one ingest an executor with a fair share of the slots. A task whose worker or
node ends is begun again on another one. Functions, arguments and results are packed and unpacked here, so
that what a task raises arrives as it was raised.

Every node needs the same Skyshard, and the folders that tasks name mounted at the same places.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psutil
import ray
import ray.exceptions
from ray import cloudpickle
from typing_extensions import override

from loaders.tasks import TaskLost
from schema.errors import ConfigError, Unavailable

MAX_RETRIES = 3
"""A task is begun so often again after its worker or node ended."""
QUEUED = 1_000
"""Tasks that wait in an executor at most; `submit` waits for room."""
_RENEW_S = 1.0
_FORGOTTEN_S = 15.0
"""An ingest that did not ask for its share for so long has ended."""
_STORE_BYTES = 80 << 20
"""Ray's store of objects, which hold no rows: near the least that it takes."""
_NAMESPACE, _SHARES = "skyshard", "shares"
_FOLDER, _PREFIX = Path("/tmp"), "skyshard-ray-"  # noqa: S108 (Ray's sockets need a short path)
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class ClusterUnavailable(Unavailable):
    """The Ray cluster does not answer, or there is none at the address."""

    code = "RAY_UNAVAILABLE"

    def __init__(self, address: str, reason: str) -> None:
        first = next(iter(reason.strip().splitlines()), "no reason is given")
        super().__init__(
            f"the Ray cluster at {address} cannot be used: {first}; `ray status` says whether it"
            " runs; without --address the work is done on this machine"
        )
        self.address = address


class ClusterBusy(ConfigError):
    """This process works with another Ray cluster."""

    code = "RAY_IN_USE"


# ------------------------------------------------------------------ a fair share of the slots


def shares(wants: Mapping[str, int], slots: int) -> dict[str, int]:
    """How many of the slots each of some ingests may use, which would use so many.

    Nobody has more than she wants while another one could use it, and nobody has none: where there are
    fewer slots than ingests, Ray's own queue lets them take turns.
    """
    given = dict.fromkeys(wants, 1)
    left = slots - len(given)
    while left > 0:
        hungry = sorted(name for name, want in wants.items() if want > given[name])
        if not hungry:
            break
        least = min(given[name] for name in hungry)
        for name in hungry:
            if given[name] == least and left > 0:
                given[name] += 1
                left -= 1
    return given


class Shares:
    """The ingests that are at work on one cluster. An actor of a cluster that several processes use."""

    def __init__(self) -> None:
        self._wants: dict[str, tuple[int, float]] = {}

    def share(self, name: str, wants: int, slots: int) -> int:
        """How many tasks an ingest may have in flight now."""
        now = time.monotonic()
        self._wants[name] = (wants, now)
        self._wants = {
            one: (want, seen)
            for one, (want, seen) in self._wants.items()
            if now - seen < _FORGOTTEN_S
        }
        return shares({one: want for one, (want, _) in self._wants.items()}, slots)[name]

    def leave(self, name: str) -> None:
        """An ingest has ended."""
        self._wants.pop(name, None)


# ------------------------------------------------------------------ what runs on a worker


def _run_packed(packed: bytes) -> bytes:
    """On a worker: unpack a call, do it, pack what it gives or raises."""
    try:
        work, given, named = cloudpickle.loads(packed)
        result: tuple[bool, object] = (True, work(*given, **named))
    except Exception as error:  # noqa: BLE001 (as every executor does)
        error.add_note(f"on {os.uname().nodename}:\n{''.join(traceback.format_exception(error))}")
        result = (False, error)
    try:
        return bytes(cloudpickle.dumps(result))
    except Exception as error:  # noqa: BLE001 (the caller is to know why nothing arrives)
        return bytes(
            cloudpickle.dumps((False, TypeError(f"{result[1]!r} cannot be sent: {error}")))
        )


# ------------------------------------------------------------------ the executor


@dataclass(slots=True, eq=False)
class _Call:
    """A call on its way: its future, and what is sent."""

    future: Future[Any]
    packed: bytes
    answer: Future[bytes] | None = None
    """Ray's own, once it is in flight."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Ray cluster that this process uses."""

    address: str
    ask_share: Callable[[str, int, int], int]
    leave: Callable[[str], None]

    @property
    def slots(self) -> int:
        """Tasks that it runs at a time: its processors, now."""
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def executor(self, *, max_retries: int = MAX_RETRIES) -> RayExecutor:
        """An executor of one ingest; shut it down at the end."""
        return RayExecutor(self, max_retries=max_retries)


class RayExecutor(Executor):
    """Tasks on a Ray cluster: at most a fair share of its slots in flight, the others wait here.

    As with any executor a task that waits can be cancelled, one that runs cannot.
    """

    def __init__(self, cluster: Cluster, *, max_retries: int) -> None:
        self._cluster = cluster
        self._name = secrets.token_hex(8)
        self._remote = ray.remote(num_cpus=1, max_retries=max_retries, retry_exceptions=False)(
            _run_packed
        )
        self._changed = threading.Condition()
        self._waiting: deque[_Call] = deque()
        self._flying: set[_Call] = set()
        self._done: deque[_Call] = deque()
        self._is_over = False
        self._share = 1
        self._asked_at = 0.0
        self._thread = threading.Thread(target=self._keep, name="ray-executor", daemon=True)
        self._thread.start()

    @override
    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """A call on some worker; waits while QUEUED calls do."""
        call = _Call(Future(), bytes(cloudpickle.dumps((fn, args, kwargs))))
        with self._changed:
            while len(self._waiting) >= QUEUED and not self._is_over:
                self._changed.wait()
            if self._is_over:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._waiting.append(call)
            self._changed.notify_all()
        return call.future

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; what waits is done first, or cancelled."""
        with self._changed:
            self._is_over = True
            for call in self._waiting if cancel_futures else ():
                call.future.cancel()
            self._changed.notify_all()
        if wait:
            self._thread.join()

    @property
    def in_flight(self) -> int:
        """Tasks that Ray has now."""
        return len(self._flying)

    def _keep(self) -> None:
        """Send what waits as slots become free, settle what comes back; until all is done."""
        try:
            while True:
                self._renew_share()
                with self._changed:
                    self._send()
                    if self._is_over and not (self._waiting or self._flying or self._done):
                        return
                    if not self._done:
                        self._changed.wait(timeout=_RENEW_S)
                    settled, self._done = self._done, deque()
                for call in settled:
                    _settle(call, self._cluster.address)
        finally:
            with suppress(Exception):  # the share lapses where nobody can be told
                self._cluster.leave(self._name)

    def _renew_share(self) -> None:
        now = time.monotonic()
        if now - self._asked_at < _RENEW_S:
            return
        self._asked_at = now
        try:
            wants = len(self._waiting) + len(self._flying)
            self._share = self._cluster.ask_share(self._name, max(1, wants), self._cluster.slots)
        except (ray.exceptions.RayError, ConnectionError, ValueError) as error:
            _log.warning("share of the cluster not known", extra={"reason": str(error)})

    def _send(self) -> None:
        while self._waiting and len(self._flying) < self._share:
            call = self._waiting.popleft()
            self._changed.notify_all()
            if not call.future.set_running_or_notify_cancel():
                continue
            self._flying.add(call)
            try:
                call.answer = self._remote.remote(call.packed).future()
            except Exception as error:  # noqa: BLE001 (the future tells of it)
                self._flying.discard(call)
                call.future.set_exception(ClusterUnavailable(self._cluster.address, str(error)))
                continue
            call.answer.add_done_callback(partial(self._came, call))

    def _came(self, call: _Call, _: Future[bytes]) -> None:
        """In Ray's thread: an answer is there; our own thread settles it."""
        with self._changed:
            self._flying.discard(call)
            self._done.append(call)
            self._changed.notify_all()


def _settle(call: _Call, address: str) -> None:
    """Tell a future what became of its call."""
    assert call.answer is not None, "a call came back that was not sent"
    try:
        is_good, found = cloudpickle.loads(call.answer.result())
    except _LOST as error:
        call.future.set_exception(TaskLost(str(error).strip() or type(error).__name__))
    except Exception as error:  # noqa: BLE001 (Ray's own trouble, whatever it is)
        call.future.set_exception(ClusterUnavailable(address, str(error)))
    else:
        if is_good:
            call.future.set_result(found)
        else:
            call.future.set_exception(found)


_LOST = (
    ray.exceptions.WorkerCrashedError,
    ray.exceptions.NodeDiedError,
    ray.exceptions.OutOfMemoryError,
    ray.exceptions.ObjectLostError,
    ray.exceptions.TaskCancelledError,
    ray.exceptions.LocalRayletDiedError,
)


# ------------------------------------------------------------------ the cluster


@contextmanager
def cluster(address: str | None, *, processors: int | None = None) -> Iterator[Cluster]:
    """The Ray cluster at an address (`auto`: the one of this machine), or one of our own.

    Our own has so many `processors` (default: all of this machine), takes seconds to start, and ends with
    the block, its processes and files with it; they also end where this process is killed. Raises
    ClusterUnavailable, ClusterBusy.
    """
    if ray.is_initialized():
        raise ClusterBusy("this process uses a Ray cluster already")
    if address is not None:
        with _joined(address):
            actor = _shared(address)
            yield Cluster(address, partial(_ask_actor, actor), actor.leave.remote)
        return
    with _own(processors or os.cpu_count() or 1):
        known, lock = Shares(), threading.Lock()

        def ask(name: str, wants: int, slots: int) -> int:
            with lock:
                return known.share(name, wants, slots)

        yield Cluster("local", ask, known.leave)


def _ask_actor(actor: Any, name: str, wants: int, slots: int) -> int:
    found: int = ray.get(actor.share.remote(name, wants, slots), timeout=_FORGOTTEN_S)
    return found


@contextmanager
def _joined(address: str) -> Iterator[None]:
    _quieten()
    try:
        ray.init(
            address=address, namespace=_NAMESPACE, log_to_driver=False, configure_logging=False
        )
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise ClusterUnavailable(address, str(error)) from error
    try:
        yield
    finally:
        ray.shutdown()


def _shared(address: str) -> Any:
    """The actor that all who use the cluster ask for their share; it stays when they have gone."""
    named = {"name": _SHARES, "namespace": _NAMESPACE, "get_if_exists": True}
    try:
        return (
            ray.remote(num_cpus=0, max_restarts=-1)(Shares)
            .options(lifetime="detached", **named)
            .remote()
        )
    except (ValueError, ray.exceptions.RayError) as error:
        raise ClusterUnavailable(address, str(error)) from error


@contextmanager
def _own(processors: int) -> Iterator[None]:
    _quieten()
    _clear_dead()
    # Sockets lie in it, whose paths may have 107 characters.
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_FOLDER)
    try:
        ray.init(
            address="local",
            num_cpus=processors,
            namespace=_NAMESPACE,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            object_store_memory=_STORE_BYTES,
            _temp_dir=folder,
        )
        try:
            yield
        finally:
            ray.shutdown()
    except (ConnectionError, ray.exceptions.RaySystemError) as error:
        raise ClusterUnavailable("this machine", str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_dead() -> None:
    """Remove the folders of processes of ours that were killed; Ray's own processes ended with them."""
    for folder in _FOLDER.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)) and os.access(folder, os.W_OK):
            shutil.rmtree(folder, ignore_errors=True)


def _quieten() -> None:
    """No reports of use to Ray's makers, no lines between ours; workers as urgent as we are."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)
