"""Whom a replica has met, and what they have confirmed to have erased.

What a peer says of itself is kept so that a receipt can be waited for while it is away. Nothing is
written but what changes: a mesh in which nothing happens writes nothing to any disk.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kioku.errors import StoreAccessError
from kioku.log.private import refuse_private, space_of
from kioku.log.schema import read_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from kioku.log.database import Database
    from kioku.log.peers import Erasure, Peer, PeerTable, StatedTips
    from kioku.log.receipt import Extent
    from kioku.transaction import Core


class Meeting:
    """What ``Replica`` offers to whoever meets others."""

    _database: Database
    _core: Core

    def _opened(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def _writing(self, now_ms: int, *, full: bool = False) -> AbstractContextManager[None]:
        raise NotImplementedError

    @contextmanager
    def _met(self) -> Iterator[PeerTable]:
        from kioku.log.peers import PeerTable  # no save has a use for it

        with self._opened(), self._database.read():
            yield PeerTable(self._core.store)

    @contextmanager
    def _noting(self) -> Iterator[PeerTable]:
        from kioku.log.peers import PeerTable

        with self._opened(), self._writing(0, full=True):
            yield PeerTable(self._core.store)

    def note_peer(
        self,
        log_id: bytes,
        *,
        machine: str,
        role: str,
        version: str,
        now_ms: int,
        keep: bool = False,
    ) -> bool:
        """Note that a replica was heard of: call it whenever one is; it seldom writes.

        Args:
            log_id: the log that it writes; this store's own, while it is open, is not noted.
            machine: what it calls its machine.
            role: ``"hub"`` or ``"spoke"``.
            version: of its kioku.
            now_ms: the wall, kept as the time when it was seen last.
            keep: write that time also if nothing else changed: no other message may follow.

        Returns:
            Whether something was written.

        Raises:
            PrivateSpaceError: if the space is private: it meets nobody.
        """
        from kioku.log.peers import Sighting

        seen = Sighting(log_id, machine, role, version, now_ms)
        with self._met() as table:
            refuse_private(self._core.connection)
            if not table.is_news(seen, keep=keep):
                return False
        with self._noting() as table:
            return table.write(seen)

    def peers(self) -> list[Peer]:
        """Give the replicas that this one has met and not forgotten, those met first before."""
        with self._met() as table:
            return self._peers(table)

    def _peers(self, table: PeerTable) -> list[Peer]:
        """Read the peers; in a copy that does not know it yet, none has confirmed anything."""
        own = self._core.owner.current()
        is_copy = own is not None and self._core.owner.key_of(own) is None
        return table.read(with_receipts=not is_copy)

    def forget_peer(self, log_id: bytes) -> bool:
        """Wait for a peer no more; False if none such was met. Heard of again, it is met anew."""
        with self._noting() as table:
            return table.delete(log_id)

    def has_met_peers(self) -> bool:
        """Whether this replica ever met another, also one that was forgotten."""
        with self._met() as table:
            return table.has_met

    def _note_meeting(self, space_id: bytes) -> None:
        """Note, where others' events are about to come in, that they do: in the same transaction.

        A store that holds some of them must never become another space's, however the exchange
        with whoever sent them ends.
        """
        from kioku.log.peers import note_meeting

        connection = self._core.connection
        if read_meta(connection, "space_id") != space_id:
            raise StoreAccessError(
                f"space {space_of(connection)}: what came was sent in another space; nothing of it"
                " was stored; wait until the node has joined anew"
            )
        note_meeting(connection)

    # -- receipts

    def extent(self) -> Extent:
        """Give what this replica states at this moment: what a comparison begins with.

        Raises:
            PrivateSpaceError: if the space is private.
        """
        with self._met() as table:
            return table.extent()

    def note_statement(
        self, log_id: bytes, stated: Extent, *, differing: Iterable[StatedTips], is_erased: bool
    ) -> bool:
        """Learn from a comparison that was finished what a peer has confirmed.

        What it covers, and had erased, is confirmed; what it does not cover is not, or not any
        more. Covered is what is an ancestor-or-self of a tip that it stated and that is held here.

        Args:
            log_id: the peer's log; of one that was not met nothing is kept.
            stated: what this replica stated when the comparison began.
            differing: the logs of which it stated other tips than we, and which it stated; of all
                others it covers all that we stated when the comparison began.
            is_erased: whether nothing was left to erase there, at the last of its answers or later.

        Returns:
            Whether something was written.
        """
        tips = tuple(differing)
        with self._met() as table:
            if table.weigh(log_id, stated, tips, is_erased=is_erased) is None:
                return False
        with self._noting() as table:
            receipt = table.weigh(log_id, stated, tips, is_erased=is_erased)
            if receipt is None:
                return False
            table.write_receipt(log_id, receipt)
            return True

    def note_level(self, log_id: bytes, digest: bytes, *, is_erased: bool) -> bool:
        """Learn from a beacon what a peer has confirmed: all, if its digest is ours.

        Returns:
            Whether something was written.
        """
        stated = self.extent()
        if stated.digest != digest:
            return False
        return self.note_statement(log_id, stated, differing=(), is_erased=is_erased)

    def erasures(self, limit: int = 100) -> list[Erasure]:
        """Give the newest purges and retracts, and who has confirmed them: for whoever waits."""
        with self._met() as table:
            return table.erasures(self._peers(table), limit)
