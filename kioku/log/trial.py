"""Do locks and shared memory work in a directory? Found out by using them, between two processes.

A small store is made there and another process is asked what it sees of it: that a writer's lock
keeps it out, that it does not see what is not committed, and that it sees what is. Network and
shared file systems that pass for local ones fail here.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import apsw

from kioku.log.database import translate

PREFIX: Final = ".kioku-doctor-"
_TIMEOUT_S: Final = 20.0
_VFS: Final = ""

# What the other process does: count the rows, then try to write.
_OTHER: Final = """\
import sys, apsw
connection = apsw.Connection(sys.argv[1], flags=apsw.SQLITE_OPEN_READWRITE)
count = connection.execute("SELECT count(*) FROM trial").get
try:
    connection.execute("BEGIN IMMEDIATE")
    print("free", count)
except apsw.BusyError:
    print("locked", count)
"""


class UntriedError(Exception):
    """No other process could be asked, or no store be made to ask of; ``str`` says why."""


def find_fault(directory: str) -> str:
    """Say what does not work in a directory; empty if all does.

    Raises:
        UntriedError: if this Python cannot start another one, or the disk is full.
        OSError: if nothing can be written there.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix=PREFIX, dir=directory, ignore_cleanup_errors=True) as inside:
        try:
            return _try(os.path.join(inside, "trial.db"))
        except apsw.FullError as error:
            raise UntriedError("the disk is full") from error
        except apsw.Error as error:
            return str(translate(error, inside))


def _try(path: str) -> str:
    connection = apsw.Connection(path, vfs=_VFS or None)
    try:
        if connection.execute("PRAGMA journal_mode = WAL").get != "wal":
            return "memory cannot be shared between processes, so there is no write-ahead log"
        connection.execute("CREATE TABLE trial(x)").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO trial VALUES(1)")
        during = _ask(path)
        connection.execute("COMMIT")
        return judge(during, _ask(path))
    finally:
        connection.close()


def _ask(path: str) -> str:
    from subprocess import TimeoutExpired, run

    # -P: a file called apsw.py in the current directory is not SQLite.
    command = [sys.executable, "-P", "-c", _OTHER, path]
    try:
        # S603: our own interpreter and text; only the path is not constant, and no shell reads it.
        done = run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
    except TimeoutExpired:
        return "no answer"
    except (OSError, ValueError) as error:
        raise UntriedError(str(error)) from error
    if done.returncode and b"ModuleNotFoundError" in done.stderr:
        raise UntriedError("another Python does not find apsw")
    return done.stdout.decode("utf-8", "replace").strip() or "an error"


def judge(during: str, after: str) -> str:
    """Say what is wrong with what another process saw while one row was written, and after.

    Each is ``locked`` or ``free`` and how many rows it saw, or what went wrong instead.
    """
    for answer in (during, after):
        if answer.partition(" ")[0] not in {"locked", "free"}:
            return f"another process cannot use a store here ({answer})"
    if during.startswith("free"):
        return "a lock does not keep another process from writing"
    if after.startswith("locked"):
        return "a lock that was released still keeps another process from writing"
    if during != "locked 0":
        return "another process sees what was not committed"
    if after != "free 1":
        return "another process does not see what was committed"
    return ""
