"""The life of the server's process: its streams, its signals and its end.

The rule this module guards: **what is on standard output is the protocol, and when the client is
gone so is the process**. The wire is taken before anything heavy is imported: a copy of descriptor
1 carries it, and 1 itself becomes standard error, so that no library can print into it. The end
waits for nobody: stores need no closing to be whole, and a call that still runs has nobody left to
answer, so after a deadline the process just ends.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO, Final

from kioku.errors import KiokuError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.mcp.desk import Desk

CLOSING_S: Final = 2.5  # a node takes up to two seconds to publish what is left


def serve(profile: str, spaces: Sequence[str]) -> int:
    """Speak MCP on the standard streams until the client is gone; give the exit code."""
    wire_in, wire_out = _take(0, "rb"), _take(1, "wb")
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="kioku-mcp: %(levelname)s %(message)s"
    )
    from kioku.mcp.desk import Desk

    desk = Desk(spaces=spaces)
    try:
        desk.settings  # noqa: B018 - what cannot be used is said now, in one line
    except KiokuError as error:
        sys.stderr.write(f"kioku-mcp: {error}\n")
        return 1
    code = 0
    try:
        import anyio

        from kioku.mcp.server import run

        anyio.run(run, desk, profile, wire_in, wire_out)
    except KeyboardInterrupt:
        code = 130
    except Exception:
        logging.getLogger(__name__).exception("the server ended")
        code = 1
    _end(desk, code)
    return code


def _take(descriptor: int, mode: str) -> BinaryIO:
    """Move a standard stream to a descriptor of its own, and leave a harmless one in its place."""
    own = os.fdopen(os.dup(descriptor), mode)
    if descriptor == 0:
        harmless = os.open(os.devnull, os.O_RDONLY)
        os.dup2(harmless, 0)
        os.close(harmless)
    else:
        os.dup2(2, 1)
    return own  # type: ignore[return-value]  # rb and wb give binary files


def _end(desk: Desk, code: int) -> None:
    """Close what can be closed in time, then end, whatever other threads still do."""
    closing = threading.Thread(target=desk.close, daemon=True)
    closing.start()
    closing.join(CLOSING_S)
    sys.stderr.flush()
    os._exit(code)
