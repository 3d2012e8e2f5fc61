"""A cable that can be cut: forwards TCP to an address, counts its bytes, and goes silent when told.

A killed process closes its connections, and a firewall's rule or a pulled cable does not: nothing
comes any more, and nobody says so. That is ``silence``. It needs no privileges, so it is tested
everywhere; it also weighs what really went over the wire, with all that the transport adds.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PIECE_BYTES = 65_536


class Relay:
    """Listens on a port of the loopback and forwards to another, until its block ends."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_open = threading.Event()
        self._is_open.set()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._is_ended = False
        self.bytes_up = 0  # towards the target
        self.bytes_down = 0

    @property
    def endpoint(self) -> str:
        return f"tcp/127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def target_endpoint(self) -> str:
        return f"tcp/127.0.0.1:{self._target[1]}"

    @property
    def bytes_total(self) -> int:
        return self.bytes_up + self.bytes_down

    def silence(self) -> None:
        """Forward nothing any more, and close nothing: as a pulled cable does."""
        self._is_open.clear()

    def restore(self) -> None:
        """Forward again what waits and what comes."""
        self._is_open.set()

    def cut(self) -> None:
        """Close every connection; new ones are taken."""
        with self._lock:
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._sockets.clear()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._is_ended = True
        self._is_open.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._is_ended:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:  # nobody listens there now, and so it must look from here
                near.close()
                continue
            with self._lock:
                self._sockets += [near, far]
            self._start(self._forward, near, far, True)
            self._start(self._forward, far, near, False)

    def _forward(self, source: socket.socket, target: socket.socket, is_up: bool) -> None:
        with source, contextlib.suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                self._is_open.wait()
                target.sendall(piece)
                with self._lock:
                    if is_up:
                        self.bytes_up += len(piece)
                    else:
                        self.bytes_down += len(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
