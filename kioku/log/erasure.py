"""Erasure: from "the row is gone" to "no file holds the text any more".

    1  in one transaction: index words deleted, body and salt nulled, ``erase_due`` raised
    2  checkpoint TRUNCATE: the WAL's old pages go, and the file's were overwritten
    3  ``erase_due`` cleared, unless another erasure raised it meanwhile

A reader makes 2 fail and a crash may come before 3, so ``erase_due`` is a counter in the file:
whoever opens the store next goes on, until it is done. A receipt needs it to be zero (DESIGN §9).
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from kioku.errors import StoreBusyError
from kioku.log.schema import read_meta, write_meta

if TYPE_CHECKING:
    import apsw

    from kioku.log.database import Database

_DUE = "erase_due"


def raise_due(connection: apsw.Connection) -> None:
    """Note, in the erasing transaction, that old pages must still be overwritten."""
    write_meta(connection, _DUE, int(read_meta(connection, _DUE, 0)) + 1)


def count_due(connection: apsw.Connection) -> int:
    """Give how many erasures are not physically done; 0 is what a receipt needs."""
    return int(read_meta(connection, _DUE, 0))


def finish(database: Database, timeout_ms: int) -> None:
    """Empty the WAL and clear what was due; waits for readers up to ``timeout_ms``.

    Raises:
        StoreBusyError: if readers stayed; the message names their processes where it can.
    """
    with database.errors():
        due = count_due(database.connection)
    while due:
        if not database.truncate_wal(timeout_ms):
            raise StoreBusyError(_blocked(database.path))
        with database.write() as connection:
            if count_due(connection) == due:
                write_meta(connection, _DUE, 0)
            due = count_due(connection)


def _blocked(path: str) -> str:
    readers = processes_using(path)
    named = f" (processes {', '.join(map(str, readers))})" if readers else ""
    return (
        f"{path}: erased here, but other processes still read the old pages{named};"
        " it is finished as soon as they are done"
    )


def processes_using(path: str) -> list[int]:
    """Give the other processes that have a file open, where the system tells (Linux)."""
    own, real = os.getpid(), os.path.realpath(path)
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit() and int(name) != own:
            with contextlib.suppress(OSError):
                folder = f"/proc/{name}/fd"
                links = (os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder))
                if real in links:
                    found.append(int(name))
    return sorted(found)
