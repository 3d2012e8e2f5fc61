"""Erasure: from "the row is gone" to "no file holds the text any more".

    1  in one transaction: index words deleted, body and salt nulled, ``erase_due`` raised
    2  the view is scrubbed and the file vacuumed: SQLite moves cells between pages and leaves
       copies behind, and FTS5 keeps a deleted word where it parts two pages (docs/adr/0016)
    3  checkpoint TRUNCATE: the WAL's old pages go, and the file's are overwritten
    4  ``erase_done`` brought up to what ``erase_due`` was before 2

A reader makes 3 fail and a crash may come before 4, so both are counters in the file that only
rise: whoever opens the store next goes on until they are level, and an erasure that comes between
can't be taken for done. A receipt needs them level (DESIGN §9).
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from kioku.errors import StoreBusyError
from kioku.log.schema import read_meta, write_meta

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw

    from kioku.log.database import Database

_DUE = "erase_due"
_DONE = "erase_done"


def raise_due(connection: apsw.Connection) -> None:
    """Note, in the erasing transaction, that old pages must still be overwritten."""
    write_meta(connection, _DUE, int(read_meta(connection, _DUE, 0)) + 1)


def count_due(connection: apsw.Connection) -> int:
    """Give how many erasures are not physically done; 0 is what a receipt needs."""
    return _raised(connection) - int(read_meta(connection, _DONE, 0))


def _raised(connection: apsw.Connection) -> int:
    return int(read_meta(connection, _DUE, 0))


def finish(database: Database, timeout_ms: int, scrub: Callable[[apsw.Connection], None]) -> None:
    """Overwrite what was erased in every file; waits for readers up to ``timeout_ms``.

    Args:
        database: the store.
        timeout_ms: how long to wait for those who read or write.
        scrub: rewrites what a deletion leaves behind in derived tables.

    Raises:
        StoreBusyError: if they stayed; the message names their processes where it can.

    Cost: the file is written anew, about a second for 100 MB; nothing when nothing is due.
    """
    while True:
        with database.read() as connection:
            raised, due = _raised(connection), count_due(connection)
        if not due:
            return
        # First, for if somebody reads, then all the rest would have to be done again.
        if not database.truncate_wal(timeout_ms):
            raise StoreBusyError(_blocked(database.path))
        with database.write() as connection:
            scrub(connection)
        if not (database.vacuum(timeout_ms) and database.truncate_wal(timeout_ms)):
            raise StoreBusyError(_blocked(database.path))
        from kioku.log.still import discard_leftovers  # no save has a use for it

        discard_leftovers(f"{os.path.splitext(database.path)[0]}.restoring-")
        with database.write() as connection:
            write_meta(connection, _DONE, max(raised, int(read_meta(connection, _DONE, 0))))


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
