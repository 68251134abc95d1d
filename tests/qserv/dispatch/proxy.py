"""A TCP proxy that loses connections when it is told to: a network at its worst."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field


@dataclass(eq=False)
class CuttingProxy:
    """Passes bytes on to a port of the loopback; cuts a connection that sent `cut_after` bytes back.

    `cut_after` None passes everything; `cuts` counts the connections cut.
    """

    target_port: int
    cut_after: int | None = None
    cuts: int = 0
    _listener: socket.socket = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

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
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target_port))
                for source, target, is_back in ((client, server, False), (server, client, True)):
                    threading.Thread(
                        target=self._pass, args=(source, target, is_back), daemon=True
                    ).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_back: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                passed += len(data)
                if is_back and self.cut_after is not None and passed > self.cut_after:
                    with self._lock:
                        self.cuts += 1
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
