"""One connection to one file: how it is opened, how it is locked, what its errors mean.

Writers take their lock with ``BEGIN IMMEDIATE``: a transaction that reads first and then writes is
refused by SQLite at once, whatever the timeout. Waiting is ours, not SQLite's: its own busy
handler backs off to 100 ms and starves some of sixteen writers for seconds; short random sleeps
keep the slowest save under one (docs/adr/0012).
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from random import random
from typing import TYPE_CHECKING, Any, Final, Literal

import apsw

from kioku.errors import (
    KiokuError,
    NestedTransactionError,
    ReplicaClosedError,
    SchemaVersionError,
    StoreAccessError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreIOError,
)
from kioku.log.files import access_error, create_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPLICATION_ID: Final = 0x6B696F6B
"""ASCII "kiok", in the file's header: what ``file`` and we know a store by."""

Durability = Literal["full", "normal"]
BUSY_TIMEOUT_MS: Final = 30_000
BESIDE_TIMEOUT_MS: Final = 1_000
"""For what works beside its user, as a node does: it tries again later, and must end when told."""
_SLEEP_S_MAX: Final = 0.003
_VACUUM_MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024
"""A larger file is vacuumed through a temporary one, which holds only what was not erased."""

_SETTINGS: Final = (
    # Erasure: freed pages are overwritten, and nothing spills to a temporary file.
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cache_size = -8000",
    # 16 MiB of WAL: pages that every save touches are copied back once in a thousand saves.
    "PRAGMA wal_autocheckpoint = 4000",
)


DRIVER_ERRORS: Final = (apsw.Error, UnicodeDecodeError)
"""What the driver raises; the second when a damaged file gives a text that is none."""


def translate(error: Exception, path: str) -> KiokuError:
    """Give the error of ours that says who must act on one of the driver's or the system's."""
    if isinstance(error, UnicodeDecodeError):
        return StoreCorruptError(f"{path}: a text in it is damaged; run kioku doctor --deep")
    if isinstance(error, OSError):
        return access_error(path, error)
    for kinds, result, advice in _TRANSLATIONS:
        if isinstance(error, kinds):
            # SQLite's words for a call that left no message on the connection, as a backup's.
            said = "" if str(error) == "not an error" else f" ({error})"
            return result(f"{path}: {advice}{said}")
    return StoreError(f"{path}: {error}")


_TRANSLATIONS: Final[tuple[tuple[Any, Callable[[str], KiokuError], str], ...]] = (
    (
        (apsw.BusyError, apsw.LockedError),
        StoreBusyError,
        "other processes kept the store locked; try again when they are done",
    ),
    (apsw.FullError, StoreFullError, "the disk is full; free some space and try again"),
    (
        (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, apsw.AuthError),
        StoreAccessError,
        "cannot be opened or written; check the directory's owner and permissions",
    ),
    (
        (apsw.CorruptError, apsw.NotADBError, apsw.FormatError),
        StoreCorruptError,
        "the file is damaged or is no kioku store; run kioku doctor --deep",
    ),
    (apsw.ConnectionClosedError, ReplicaClosedError, "is closed; open it again"),
    (
        apsw.IOError,
        StoreIOError,
        "the disk failed a read or a write; nothing was acknowledged, check the disk",
    ),
)


class Database:
    """A connection with our settings, and transactions that raise our errors.

    Not safe to share between threads: its owner holds a lock.
    """

    def __init__(
        self, path: str, *, durability: Durability = "full", busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> None:
        """Open or create the file; does not create tables.

        Raises:
            StoreError: the kind that says why it cannot be used. A file that is not a kioku
                store is not touched.
        """
        self.path = path
        self.is_memory = path == ":memory:"
        self.durability: Durability = durability
        self._synchronous = durability.upper()
        self._busy_s_max = busy_timeout_ms / 1000
        self._busy_since = 0.0
        self._pid = os.getpid()
        self.was_there = not self.is_memory and not create_private(path)
        self._connect()

    def _connect(self) -> None:
        with self.errors():
            # Not created here: after a disk error it may be gone, and must not be made anew.
            create = apsw.SQLITE_OPEN_CREATE if self.is_memory else 0
            flags = apsw.SQLITE_OPEN_READWRITE | create
            self.connection = apsw.Connection(self.path, flags=flags)
        try:
            self._configure()
        except BaseException:
            self.connection.close()
            raise
        self.has_failed = False

    def reopen(self) -> None:
        """Connect anew, after a disk error.

        Raises:
            StoreError: if the file cannot be used; the next call tries again.
        """
        with suppress(apsw.Error):
            self.connection.close()
        self.has_failed = True
        self._connect()

    def _configure(self) -> None:
        with self.errors():
            self.connection.set_busy_handler(self._wait)
            # Plans must not depend on values: else SQLite prepares a statement again each time.
            self.connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
            self.is_new = self._check_owner()
            for setting in _SETTINGS:
                self.connection.execute(setting)
            if self.pragma("journal_mode") not in ("wal", "memory"):
                self._begin_wal()
            self.restore_durability()

    def _check_owner(self) -> bool:
        """Say whether the file is still empty; refuse one that another program made."""
        # In this order: a process that creates the store meanwhile sets both in one transaction.
        schema_version = self.pragma("schema_version")
        application_id = self.pragma("application_id")
        if application_id == APPLICATION_ID:
            return False
        if application_id == 0 and schema_version == 0:
            return True
        raise StoreCorruptError(f"{self.path}: is an SQLite file, but no kioku store")

    def _begin_wal(self) -> None:
        """Switch to WAL; two first processes can meet here, and SQLite does not wait by itself."""
        attempt = 0
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = WAL").fetchall()
                return
            except apsw.BusyError:
                if not self._wait(attempt):
                    raise
                attempt += 1

    def _wait(self, attempt: int) -> bool:
        now = time.monotonic()
        if attempt == 0:
            self._busy_since = now
        if now - self._busy_since >= self._busy_s_max:
            return False
        time.sleep(_SLEEP_S_MAX * random())
        return True

    def pragma(self, name: str) -> Any:
        """Read one pragma."""
        return self.connection.execute(f"PRAGMA {name}").get

    def check_schema(self, known: int) -> int:
        """Give the file's schema version.

        Raises:
            SchemaVersionError: if it is newer than ``known``; the file was not touched.
        """
        with self.errors():
            version = int(self.pragma("user_version"))
        if version > known:
            raise SchemaVersionError(
                f"{self.path}: schema {version} is newer than this kioku knows ({known}); upgrade"
            )
        return version

    def failed(self, error: Exception) -> KiokuError:
        """Translate an error of a transaction; after one of the disk the connection is done for."""
        found = translate(error, self.path)
        if isinstance(found, StoreIOError | StoreFullError) and not self.is_memory:
            self.has_failed = True
        return found

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        try:
            yield
        except (*DRIVER_ERRORS, OSError) as error:
            raise translate(error, self.path) from error

    def check_process(self) -> None:
        """Refuse to go on after a fork: two processes on one connection destroy the file.

        Raises:
            ReplicaClosedError: if this process did not open it.
        """
        if os.getpid() != self._pid:
            raise ReplicaClosedError("opened before this process was forked; open it again here")

    def check_idle(self) -> None:
        """Refuse to begin a transaction inside another.

        Raises:
            NestedTransactionError: if one is under way on this connection.
        """
        if self.connection.in_transaction:
            raise NestedTransactionError

    def read(self) -> _Transaction:
        """Read within one transaction; the caller must not keep it open past one call."""
        return _Transaction(self, "BEGIN", "ROLLBACK")

    def write(self, *, full: bool = False) -> _Transaction:
        """Write within one transaction: all of it or, on any error, nothing.

        Args:
            full: survive a power loss once committed, whatever the durability asked for.
        """
        must_raise = full and self._synchronous != "FULL"
        return _Transaction(self, "BEGIN IMMEDIATE", "COMMIT", must_raise=must_raise)

    def restore_durability(self) -> None:
        """Go back to the durability that was asked for, after a transaction at FULL."""
        self.connection.execute(f"PRAGMA synchronous = {self._synchronous}")

    def truncate_wal(self, timeout_ms: int) -> bool:
        """Move all of the WAL into the file and empty it; False while a reader prevents that."""
        return self._maintain("PRAGMA wal_checkpoint(TRUNCATE)", timeout_ms)

    def vacuum(self, timeout_ms: int) -> bool:
        """Write every page anew, so that none holds a stale copy; False while somebody writes."""
        is_large = self.file_bytes() > _VACUUM_MEMORY_BYTES_MAX
        self._maintain(f"PRAGMA temp_store = {'FILE' if is_large else 'MEMORY'}", timeout_ms)
        try:
            return self._maintain("VACUUM", timeout_ms)
        finally:
            self._maintain("PRAGMA temp_store = MEMORY", timeout_ms)

    def _maintain(self, statement: str, timeout_ms: int) -> bool:
        """Run a statement outside of transactions; False if others were in the way all the time.

        SQLite does not wait for another's checkpoint, nor for what is written while a VACUUM
        begins: it gives up at once, so we try again.
        """
        if self.is_memory:
            return True
        self.check_process()
        deadline = time.monotonic() + timeout_ms / 1000
        wait_s = self._busy_s_max
        try:
            while True:
                self._busy_s_max = deadline - time.monotonic()
                if self._try(statement):
                    return True
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_SLEEP_S_MAX * random())
        finally:
            self._busy_s_max = wait_s

    def _try(self, statement: str) -> bool:
        try:
            with self.errors():
                row = self.connection.execute(statement).fetchone()
        except StoreBusyError:
            return False
        return row is None or row[0] != 1  # of a checkpoint: 1 if it was blocked

    def file_bytes(self) -> int:
        """Give the size of the store with its WAL, in bytes; of the pages for one in memory."""
        if self.is_memory:
            return int(self.pragma("page_count")) * int(self.pragma("page_size"))
        paths = (self.path, f"{self.path}-wal")
        with self.errors():
            return sum(os.path.getsize(path) for path in paths if os.path.exists(path))

    def close(self) -> None:
        """Close the connection; safe to call twice, and after a fork it leaves the file alone."""
        if os.getpid() == self._pid:
            with self.errors():
                self.connection.close()


class _Transaction:
    """``BEGIN`` … ``COMMIT`` or ``ROLLBACK`` as a block.

    A class and not a generator: it stands on the path of every save, and costs a third as much.
    """

    __slots__ = ("_begin", "_database", "_end", "_must_raise")

    def __init__(
        self, database: Database, begin: str, end: str, *, must_raise: bool = False
    ) -> None:
        self._database = database
        self._begin = begin
        self._end = end
        self._must_raise = must_raise

    def __enter__(self) -> apsw.Connection:
        database = self._database
        database.check_process()
        database.check_idle()
        try:
            if self._must_raise:
                database.connection.execute("PRAGMA synchronous = FULL")
            database.connection.execute(self._begin)
        except apsw.Error as error:
            self._restore()
            raise database.failed(error) from error
        return database.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        connection = self._database.connection
        try:
            if error is None:
                connection.execute(self._end)
        except apsw.Error as failed:
            self._roll_back()
            raise self._database.failed(failed) from failed
        finally:
            if error is not None:
                self._roll_back()
            self._restore()
        if isinstance(error, DRIVER_ERRORS):
            raise self._database.failed(error) from error

    def _roll_back(self) -> None:
        """End a transaction that SQLite may already have rolled back (disk full, I/O error)."""
        if self._database.connection.in_transaction:
            with suppress(apsw.Error):
                self._database.connection.execute("ROLLBACK")

    def _restore(self) -> None:
        if self._must_raise:
            try:
                self._database.restore_durability()
            except DRIVER_ERRORS as error:
                # What was to be done is done, or is being raised: the next call connects anew.
                self._database.failed(error)
