"""Reading the beginning of a small file that anybody may have put there."""

from __future__ import annotations

import os
import stat
from typing import Final

# Never wait for a writer (a fifo), never become a terminal's owner.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def read_start(path: str, bytes_max: int) -> str | None:
    """Give the first ``bytes_max`` bytes of a regular file as text; None if it cannot be read.

    What is not UTF-8 is replaced: it can be no name that we would take.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None  # opening a device may do something
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):  # ValueError: a path with a zero byte
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None  # it was exchanged meanwhile
        return os.read(descriptor, bytes_max).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)
