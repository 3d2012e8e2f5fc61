"""The life of the server's process: its streams, its signals and its end.

The rule this module guards: **when the client is gone so is the process**. That waits for nobody: a
store needs no closing to be whole, a call that still runs has nobody left to answer, and a node
publishes later what it could not. So there is a deadline on leaving, and behind it the process
ends, whatever its threads do.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from kioku.errors import KiokuError, UsageError
from kioku.mcp import light, wire
from kioku.mcp.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from kioku.mcp.wire import Wire

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LEAVE_S: Final = 0.5  # for a store to be closed; what still writes is rolled back by the next

_log = logging.getLogger(__name__)


def serve(profile: str, spaces: Sequence[str]) -> int:
    """Speak MCP on the standard streams until the client is gone, then end the process.

    Gives an exit code only where it could not begin.
    """
    taken = wire.take()
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="kioku-mcp: %(levelname)s %(message)s"
    )
    desk = Desk(spaces=spaces)
    try:
        desk.check()
    except KiokuError as error:
        sys.stderr.write(f"kioku-mcp: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    for number in ENDINGS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ending(desk))
    end(desk, _serve(desk, profile, taken._replace(over=partial(_end_soon, desk))))
    raise AssertionError("the process has ended")


def _serve(desk: Desk, profile: str, taken: Wire) -> int:
    try:
        server = light.imported(lambda: import_module("kioku.mcp.server"))
        server.serve(desk, profile, taken)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said in a line
        first = _first(error)
        if not isinstance(first, OSError):
            sys.stderr.write(f"kioku-mcp: ended by {type(first).__name__}: {first}\n")
            return 1
        _log.debug("the client stopped reading: %s", first)
    return 0


def _first(error: BaseException) -> BaseException:
    """What went wrong, of all that did in a group of tasks."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _ending(desk: Desk) -> Callable[[int, FrameType | None], None]:
    """A handler that ends the process; the loop may be anywhere, so a thread does it."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=end, args=(desk, 0), daemon=True).start()

    return handle


def _end_soon(desk: Desk) -> None:
    """The client closed the pipe, and may not read what still is to be said: wait no longer."""
    leaving = threading.Timer(_LEAVE_S, end, (desk, 0))
    leaving.daemon = True
    leaving.start()


def end(desk: Desk, code: int) -> None:
    """Leave the mesh and close what can be closed in time; then there is no process any more."""
    leaving = threading.Thread(target=desk.close, daemon=True)
    leaving.start()
    leaving.join(desk.closing_s + _LEAVE_S)
    sys.stderr.flush()
    os._exit(code)
