"""A store's file that nobody writes: made, read and put in place, whole or not at all.

A backup is such a file. It is made under a name of its own and gets the one that was asked for
when it is complete, checked and on the disk; so whatever dies in between, that name holds what it
held or all of the new, never a part.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import apsw

from kioku.errors import ExistsError, SchemaVersionError, StoreAccessError, StoreCorruptError
from kioku.log.database import APPLICATION_ID, DRIVER_ERRORS, translate
from kioku.log.files import access_error
from kioku.log.keyfile import sync_directory
from kioku.log.schema import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEP_PAGES: Final = 256
"""Pages copied between two reports of progress: 1 MiB, a millisecond or so."""

_KEPT: Final = ".before-restore-"
_BESIDE: Final = ("", "-wal", "-shm", "-journal")
STORE_MAGIC: Final = b"SQLite format 3\0"
"""What every store, and every other SQLite file, begins with."""


def copy_pages(
    source: apsw.Connection, path: str, progress: Callable[[int, int], object] | None = None
) -> None:
    """Copy a database to a new file, as its open read transaction sees it.

    ``progress`` gets (pages done, pages in all).

    Raises:
        StoreError: if it cannot be read or written; the new file is the caller's to remove.
    """
    with _errors(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        target = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            # Nobody sees this file before it is synced, and what dies with us is thrown away.
            target.execute("PRAGMA synchronous = OFF")
            target.execute("PRAGMA journal_mode = OFF").fetchall()
            with target.backup("main", source, "main") as backup:
                while not backup.done:
                    backup.step(STEP_PAGES)
                    if progress is not None:
                        progress(backup.page_count - backup.remaining, backup.page_count)
        finally:
            target.close()


def carry_over(path: str, elsewhere: str) -> None:
    """Copy a file that nobody writes to another file system, and put it on the disk there.

    Raises:
        StoreError: if it cannot be read or written.
    """
    from shutil import copyfileobj

    with _errors(elsewhere):
        descriptor = os.open(elsewhere, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as target, open(path, "rb") as source:
            copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())


def settle(path: str) -> None:
    """Make a store that nobody has open one file, on the disk: no write-ahead log beside it.

    Raises:
        StoreBusyError: if somebody has it open after all.
        StoreError: if it cannot be written.
    """
    with _errors(path):
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.execute("PRAGMA secure_delete = ON").fetchall()
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
        finally:
            connection.close()
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def still(path: str) -> Iterator[apsw.Connection]:
    """Open a store for reading alone: nothing is created beside it and nothing can be changed.

    Raises:
        StoreCorruptError: if it is no kioku store.
        SchemaVersionError: if a newer kioku wrote it.
        StoreBusyError: if it is in use, or was not closed: then its last events are elsewhere.
        StoreAccessError: if it cannot be read.
    """
    from urllib.parse import quote

    with _errors(path):
        check_whole(path)
        uri = f"file:{quote(os.path.abspath(path))}?immutable=1"
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(uri, flags=flags)
        try:
            for setting in ("temp_store = MEMORY", "cell_size_check = ON", "trusted_schema = OFF"):
                connection.execute(f"PRAGMA {setting}").fetchall()
            _check_kind(connection, path)
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close(True)


def check_whole(path: str) -> None:
    """Refuse a file that is no store, or only a part of one."""
    with open(path, "rb") as file:
        if file.read(len(STORE_MAGIC)) != STORE_MAGIC:
            raise StoreCorruptError(f"{path}: is no kioku store; `kioku backup` makes one")
    wal = f"{path}-wal"
    if os.path.exists(wal) and os.path.getsize(wal):
        raise StoreAccessError(
            f"{path}: is a store in use, its last events are in {wal}; `kioku backup` makes a copy"
        )


def is_still(start: bytes) -> bool:
    """Whether a file that begins so is SQLite's."""
    return start.startswith(STORE_MAGIC)


def check_schema(connection: apsw.Connection, path: str) -> None:
    """Refuse a store with more in it than tables: what runs by itself is none of kioku's.

    A trigger would change the log with the first save. What the log's tables are is exact, for all
    that is verified is read from them.

    Raises:
        StoreCorruptError: if something is there that kioku does not make, or is not there.
    """
    rows: Any = connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
    foreign = [f"{kind} {name}" for kind, name, _ in rows if kind not in ("table", "index")]
    if foreign:
        raise StoreCorruptError(f"{path}: holds what no kioku makes ({', '.join(foreign[:5])})")
    if not {*TABLES} <= {sql for _, _, sql in rows}:
        raise StoreCorruptError(f"{path}: the log's tables are not as kioku makes them")
    counters = "name = 'hlc_last' OR name GLOB 'erase_*'"
    if connection.execute(
        f"SELECT count(*) FROM meta WHERE ({counters}) AND typeof(value) <> 'integer'"
    ).get:
        raise StoreCorruptError(f"{path}: what kioku counts is no number there")


def _check_kind(connection: apsw.Connection, path: str) -> None:
    application_id = connection.execute("PRAGMA application_id").get
    version = int(connection.execute("PRAGMA user_version").get)
    if application_id != APPLICATION_ID or version < 1:
        raise StoreCorruptError(f"{path}: is an SQLite file, but no kioku store")
    if version > SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{path}: schema {version} is newer than this kioku knows ({SCHEMA_VERSION}); upgrade"
        )


def put_in_place(temporary: str, path: str, *, overwrite: bool) -> None:
    """Give a file that is on the disk its name.

    Raises:
        ExistsError: if that name is taken and ``overwrite`` is False, also in this very moment.
        StoreError: if it cannot be done: what is there is as it was, or all of the new one whose
            name might not survive a power loss.
    """
    with _errors(path):
        try:
            if overwrite:
                os.replace(temporary, path)
            else:
                os.link(temporary, path)
                os.unlink(temporary)
        except FileExistsError as error:
            raise ExistsError(path) from error
        except OSError:
            # No hard links here (FAT, some shares): the two steps are as good as it can be.
            if overwrite or os.path.exists(path):
                raise
            os.rename(temporary, path)
        sync_directory(os.path.dirname(path) or ".")


def kept_stores(path: str) -> list[str]:
    """Give what restores have kept of the stores that were at ``path``, the oldest first.

    A second name of the store itself is none: opened by two names, a store would have two
    write-ahead logs, and be destroyed.
    """
    return [name for name in _kept_names(path) if not is_same_file(name, path)]


def drop_second_names(path: str) -> None:
    """Remove what a restore leaves that dies before its last step: another name of the store."""
    for name in _kept_names(path):
        if is_same_file(name, path):
            os.unlink(name)


def _kept_names(path: str) -> list[str]:
    directory, start = os.path.split(path + _KEPT)
    ends = [name[len(start) :] for name in os.listdir(directory or ".") if name.startswith(start)]
    return [f"{path}{_KEPT}{end}" for end in sorted(filter(str.isdecimal, ends), key=int)]


def free_name(path: str) -> str:
    """Give the name under which the store at ``path`` can be kept, and no other was."""
    number = 1
    while os.path.lexists(kept := f"{path}{_KEPT}{number}"):
        number += 1
    return kept


def is_same_file(one: str, two: str) -> bool:
    """Whether two names lead to one file that is there."""
    try:
        return os.path.samefile(one, two)
    except OSError:
        return False


def keep_aside(path: str, kept: str) -> bool:
    """Give a store that is about to be replaced another name, under which all of it stays.

    Its own name leads to it until the replacement has it, where the file system has hard links.
    A write-ahead log is moved, or it would be taken for the next store's. False if no store is
    there.

    Raises:
        StoreError: if it cannot be done.
    """
    with _errors(path):
        for suffix in ("-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.rename(path + suffix, kept + suffix)
        if not os.path.lexists(path):
            return False
        try:
            os.link(path, kept)
        except FileExistsError:
            raise
        except OSError:
            os.rename(path, kept)
        sync_directory(os.path.dirname(path) or ".")
        return True


def discard(path: str) -> None:
    """Remove a file that did not get its name, and what SQLite keeps beside it."""
    for suffix in _BESIDE:
        with contextlib.suppress(OSError):
            os.unlink(path + suffix)


def discard_leftovers(prefix: str) -> None:
    """Remove what processes that were killed left under ``temporary_name(prefix)``."""
    directory, start = os.path.split(prefix)
    for name in os.listdir(directory or "."):
        digits = name[len(start) :].split("-")[0] if name.startswith(start) else ""
        if digits.isdigit() and not _is_running(int(digits)):
            discard(prefix + digits)


def temporary_name(prefix: str) -> str:
    """The name under which this process makes a file before it gets its own."""
    return f"{prefix}{os.getpid()}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def _errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise access_error(path, error) from error
    except DRIVER_ERRORS as error:
        raise translate(error, path) from error
