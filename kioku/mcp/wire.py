"""The wire: lines of JSON on two descriptors that nothing else in the process writes to.

The rule this module guards: **what is on the wire is the protocol, and waiting for it holds nobody
up**. The descriptors are taken before anything heavy is imported; 1 then is standard error, so that
no library can print into the protocol, and 0 is empty. A line is read in a thread that is left
alone when the server ends, and one that is too long for any request is not kept.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

LINE_BYTES_MAX: Final = 8 * 1024 * 1024
"""The largest content (768 KiB) with each byte escaped takes less."""


class Wire(NamedTuple):
    """The two directions, as binary files."""

    incoming: BinaryIO
    outgoing: BinaryIO
    over: Callable[[], object] = lambda: None
    """Called where the incoming side ends; what still goes out may wait for nobody to read it."""


def take() -> Wire:
    """Move standard input and output to descriptors of their own, harmless ones in their place."""
    _open_all()
    incoming = cast(BinaryIO, os.fdopen(_moved(0), "rb"))
    outgoing = cast(BinaryIO, os.fdopen(_moved(1), "wb"))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return Wire(incoming, outgoing)


def _open_all() -> None:
    """Have all three standard descriptors open: what was closed is empty, and takes anything."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def _moved(descriptor: int) -> int:
    """A copy of a descriptor, above those that have a meaning, which no child inherits."""
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


class Lines:
    """The lines that come in, as text: what the SDK reads messages from."""

    def __init__(self, wire: Wire, is_message: Callable[[str], bool]) -> None:
        """``is_message`` says whether the SDK takes a line; nobody else reads the incoming side."""
        self._incoming = wire.incoming
        self._over = wire.over
        self._is_message = is_message

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """Give the next line; ends where the input does, or cannot be read any more."""
        import anyio.to_thread

        line = await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True)
        if not line:
            self._over()
            raise StopAsyncIteration
        return line

    def _read(self) -> str:
        from kioku.mcp.unreadable import TAIL_BYTES, stand_in

        try:
            line = self._incoming.readline(LINE_BYTES_MAX)
            if len(line) < LINE_BYTES_MAX or line.endswith(b"\n"):
                text = line.decode("utf-8", errors="replace")
                return text if not text.strip() or self._is_message(text) else stand_in(line)
            tail = b""
            while rest := self._incoming.readline(LINE_BYTES_MAX):
                tail = (tail + rest)[-TAIL_BYTES:]
                if rest.endswith(b"\n"):
                    break
        except OSError:
            return ""
        return stand_in(line, tail)
