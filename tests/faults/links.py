"""A link to a server that breaks as networks do: cut with a reset, or a hole that swallows every packet.

The hole is real: a filter on the sockets drops all that comes in below TCP, so nothing is acknowledged, no
end is told, and only the ends' own timeouts can find out.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
from dataclasses import dataclass, field
from enum import Enum

_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER of Linux."""
_COPY = b"PGCOPY"
_PIECE = 4096


class Break(Enum):
    """What becomes of a link."""

    CUT = 1
    HOLE = 2


class _Instruction(ctypes.Structure):
    """One of the classic packet filter: `ret 0`, keep nothing."""

    _fields_ = [
        ("code", ctypes.c_ushort),
        ("true", ctypes.c_ubyte),
        ("false", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


_DROP = _Instruction(0x06, 0, 0, 0)
_DROP_ALL = _Program(1, ctypes.pointer(_DROP))


@dataclass(slots=True, eq=False)
class Link:
    """Passes bytes on to a port of the loopback, and breaks connections that send too much.

    The next `breaks` connections of which one sends more than `after` bytes of a COPY are broken.
    """

    target_port: int
    how: Break = Break.CUT
    after: int = 0
    breaks: int = 0
    broken: int = 0
    _listener: socket.socket = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _held: list[socket.socket] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in (self._listener, *self._held):
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target_port))
                except OSError:
                    client.close()
                    continue
                for source, target, is_sent in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pass, args=(source, target, is_sent), daemon=True
                    ).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_sent: bool) -> None:
        passed: int | None = None
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                if is_sent and _COPY in data:
                    passed = 0
                if passed is not None:
                    passed += len(data)
                if (passed or 0) > self.after and self._is_next():
                    self._break(source, target)
                    return
                target.sendall(data)
        for one in (source, target):
            if one not in self._held:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def _is_next(self) -> bool:
        with self._lock:
            if self.broken >= self.breaks:
                return False
            self.broken += 1
            return True

    def _break(self, *ends: socket.socket) -> None:
        for end in ends:
            if self.how is Break.HOLE:
                self._held.append(end)
                end.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, bytes(_DROP_ALL))
            else:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
                end.close()
