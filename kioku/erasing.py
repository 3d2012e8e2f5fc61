"""How a replica erases for good: in its own files, and in the stores that restores have kept.

``kioku restore --force`` keeps the store that was there under another name, so that nothing is
lost by it. What is purged or retracted later is to be in no file of the directory (DESIGN §9), so
it is purged and retracted there as well, by events of that store's own: it stays a store that can
be opened, imported and restored like any other, less what was erased.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kioku.errors import StoreBusyError, StoreError
from kioku.log.draft import Draft, retracts
from kioku.log.erasure import finish, owe_beside
from kioku.log.event import PURGE, SAVE, TOMBSTONE, EventId
from kioku.log.still import kept_stores
from kioku.log.store import LogStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from kioku.log.database import Database
    from kioku.log.store import Entry
    from kioku.transaction import Core, Reading


class Erasing:
    """What ``Replica`` offers to whoever erases."""

    _database: Database
    _core: Core

    def _opened(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def _open_beside(self, path: str) -> AbstractContextManager[Erasing]:
        """Open another store as this one is open."""
        raise NotImplementedError

    def reading(self, *, now_ms: int) -> AbstractContextManager[Reading]:
        """Read consistently; ``Replica`` says more."""
        raise NotImplementedError

    def append(self, drafts: Iterable[Draft], *, now_ms: int) -> list[Entry]:
        """Append events; ``Replica`` says more."""
        raise NotImplementedError

    def finish_erasure(self, timeout_ms: int) -> None:
        """Overwrite what was erased in every file, waiting for readers up to ``timeout_ms``.

        Raises:
            StoreBusyError: if readers stayed; the message names their processes.
            StoreError: if a store that a restore kept cannot be read or written.
        """
        with self._opened():
            finish(
                self._database,
                timeout_ms,
                self._core.scrub,
                lambda: self._erase_in_kept(timeout_ms),
            )
            self._core.has_erased = False

    def owe_erasure(self) -> None:
        """Let ``finish_erasure`` look once more at the stores that restores have kept.

        Raises:
            StoreError: if it cannot be written.
        """
        with self._opened(), self._database.write() as connection:
            owe_beside(connection)
            self._core.has_erased = True

    def _try_erasing(self) -> None:
        """Finish what was erased, unless somebody reads: then the next one to come does it."""
        if self._core.has_erased:
            with suppress(StoreError):  # what was asked for is done: this can be finished later
                self.finish_erasure(0)

    def _erase_in_kept(self, timeout_ms: int) -> None:
        """Erase in each kept store what is erased here; of one that fails the others are done."""
        if self._database.is_memory:
            return
        failure: StoreError | None = None
        for name in kept_stores(self._database.path):
            try:
                self._erase_in(name, timeout_ms)
            except StoreBusyError as error:
                failure = failure or error
            except StoreError as error:
                failure = failure or StoreError(
                    f"{name}: a restore has kept this store, and what was erased may still be in"
                    f" it, for it cannot be erased there ({error}); delete that file"
                )
        if failure is not None:
            raise failure

    def _erase_in(self, name: str, timeout_ms: int) -> None:
        with self._open_beside(name) as kept:
            with self.reading(now_ms=0) as here, kept.reading(now_ms=0) as there:
                drafts = list(_drafts(here, there))
            if drafts:
                kept.append(drafts, now_ms=0)  # these win whatever their stamp
            kept.finish_erasure(timeout_ms)


def _drafts(here: Reading, there: Reading) -> Iterator[Draft]:
    """Give what must be said in a kept store, so that it erases what is erased here."""
    rows: Any = here.connection.execute("SELECT key FROM purged ORDER BY key").fetchall()
    for (key,) in rows:
        if any(version.entry.body is not None for version in there.versions(key)):
            yield Draft(PURGE, key)
    yield from retracts(_targets(here, there))


def _targets(here: Reading, there: Reading) -> Iterator[EventId]:
    """Give the events whose text was retracted here, and is not here any more.

    A clock that is repaired and a tail that is taken over say an event again and retract the
    first: that text is not erased, and a kept store may have no other copy of it.
    """
    rows: Any = here.connection.execute("SELECT log_id, seq, hash FROM retracted").fetchall()
    store = LogStore(there.connection)
    for row in rows:
        found = store.find(EventId(*row))
        if found is None or found.body is None or found.kind not in (SAVE, TOMBSTONE):
            continue
        if all(version.entry.body != found.body for version in here.versions(found.key)):
            yield found.id
