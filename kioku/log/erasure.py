"""Erasure: from "the row is gone" to "no file holds the text any more".

    1  in one transaction: index words deleted, body and salt nulled, ``erase_due`` raised
    2  the view is scrubbed and the file vacuumed: SQLite moves cells between pages and leaves
       copies behind, and FTS5 keeps a deleted word where it parts two pages (docs/adr/0016)
    3  checkpoint TRUNCATE: the WAL's old pages go, and the file's are overwritten
    4  the same in the stores that restores have kept beside this one (kioku/kept.py)
    5  ``erase_done`` brought up to what ``erase_due`` was before 2

A reader makes 3 fail and a crash may come before 5, so both are counters in the file that only
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
_HERE = "erase_here"
"""As ``erase_done``, of this file alone: 2 and 3 are not done again while 4 cannot be."""


def raise_due(connection: apsw.Connection) -> None:
    """Note, in the erasing transaction, that old pages must still be overwritten."""
    write_meta(connection, _DUE, int(read_meta(connection, _DUE, 0)) + 1)


def count_due(connection: apsw.Connection) -> int:
    """Give how many erasures are not physically done; 0 is what a receipt needs."""
    return _raised(connection) - int(read_meta(connection, _DONE, 0))


def _raised(connection: apsw.Connection) -> int:
    return int(read_meta(connection, _DUE, 0))


def _done_here(connection: apsw.Connection) -> int:
    return max(int(read_meta(connection, name, 0)) for name in (_HERE, _DONE))


def owe_beside(connection: apsw.Connection) -> None:
    """Note that a store beside this one must be looked at: of this one nothing was erased."""
    is_level = _done_here(connection) >= _raised(connection)
    raise_due(connection)
    if is_level:
        write_meta(connection, _HERE, _raised(connection))


def finish(
    database: Database,
    timeout_ms: int,
    scrub: Callable[[apsw.Connection], None],
    erase_beside: Callable[[], None],
) -> None:
    """Overwrite what was erased in every file; waits for readers up to ``timeout_ms``.

    Args:
        database: the store.
        timeout_ms: how long to wait for those who read or write.
        scrub: rewrites what a deletion leaves behind in derived tables.
        erase_beside: erases the same in other files that hold it.

    Raises:
        StoreBusyError: if they stayed; the message names their processes where it can.
        StoreError: of ``erase_beside``: this file is done, but the erasure stays due.

    Cost: the file is written anew, about a second for 100 MB; nothing when nothing is due.
    """
    while True:
        with database.read() as connection:
            raised, due = _raised(connection), count_due(connection)
            is_done_here = _done_here(connection) >= raised
        if not due:
            return
        if not is_done_here:
            _overwrite(database, timeout_ms, scrub)
        from kioku.log.still import discard_leftovers  # no save has a use for it

        discard_leftovers(f"{os.path.splitext(database.path)[0]}.restoring-")
        done = [_HERE]
        try:
            erase_beside()
            done.append(_DONE)
        finally:
            with database.write() as connection:
                for name in done:
                    write_meta(connection, name, max(raised, int(read_meta(connection, name, 0))))


def _overwrite(
    database: Database, timeout_ms: int, scrub: Callable[[apsw.Connection], None]
) -> None:
    # First, for if somebody reads, then all the rest would have to be done again.
    if not database.truncate_wal(timeout_ms):
        raise StoreBusyError(_blocked(database.path))
    with database.write() as connection:
        scrub(connection)
    if not (database.vacuum(timeout_ms) and database.truncate_wal(timeout_ms)):
        raise StoreBusyError(_blocked(database.path))


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
