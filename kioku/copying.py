"""How a replica is copied while it is in use: for a backup, and whoever else needs its whole file.

A WAL store has one writer and any number of readers that nobody waits for. So a copy is one long
read, on a connection of its own, that begins at a moment when everything is sealed: what is in the
copy has been stated, and stays true of its log whatever the store goes on to write.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kioku.errors import StoreAccessError
from kioku.log.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import apsw

    from kioku.transaction import Core

SEAL_ATTEMPTS: Final = 1_000
"""Others must save in the microseconds between a seal and the next lock to make it try again."""


class Copying:
    """What ``Replica`` offers to whoever copies it."""

    _database: Database
    _core: Core

    def _opened(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def seal(self) -> int:
        """Sign this store's own log up to its end; ``Replica`` says more."""
        raise NotImplementedError

    def is_private(self) -> bool:
        """Whether nothing here is ever signed; ``Replica`` says more."""
        raise NotImplementedError

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """Read the file as it is now, all of it sealed, on a connection of its own.

        Nobody waits for that: others go on saving, and what they save is not seen here. A process
        that may not write sees the last events unsealed, and so does everybody of a private space.
        A store in memory has one connection alone, and everybody waits.

        Raises:
            StoreError: if it cannot be read.
        """
        if self._database.is_memory:
            with self._opened():
                if not self.is_private():
                    self.seal()
                yield self._database.connection
            return
        with self._opened():
            self._core.owner.check_file()
            reader = Database(self._database.path)
        try:
            self._begin_sealed(reader)
            yield reader.connection
        finally:
            reader.close()

    def _begin_sealed(self, reader: Database) -> None:
        """Begin to read while nobody can write and nothing is left to seal."""
        for _ in range(0 if self.is_private() else SEAL_ATTEMPTS):
            try:
                self.seal()
                with self._opened(), self._database.write():
                    if not self._core.owner.count_unsealed():
                        _begin(reader)
                        return
            except StoreAccessError:
                break
        _begin(reader)

    def check_file(self) -> None:
        """Ask whether the store is still where it was opened.

        Raises:
            StoreAccessError: if it was moved, deleted or replaced since.
        """
        with self._opened():
            self._core.owner.check_file()

    def disown(self) -> None:
        """Close this store's own log for ever, as that of a copy: the next append begins another.

        What peers had confirmed when the copy was made is to be confirmed again.

        Raises:
            StoreError: if it cannot be written.
        """
        from kioku.log.peers import forget_receipts

        with self._opened(), self._database.write() as connection:
            own = self._core.owner.current()
            if own is not None:
                self._core.owner.close(own)
            forget_receipts(connection)


def _begin(reader: Database) -> None:
    """Fix what a connection sees: SQLite does so with the first read, not with BEGIN."""
    with reader.errors():
        reader.connection.execute("BEGIN")
        reader.connection.execute("SELECT count(*) FROM meta").fetchall()
