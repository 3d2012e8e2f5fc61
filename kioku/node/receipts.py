"""What peers confirm to have erased, learned from what they state: whole digests, and comparisons.

A beacon whose digest is ours states our own frontier; with ``erased`` it confirms all that is
erased here. A comparison that was finished states the rest: of each log in which the two differ,
the peer's tips. It is held against what this replica stated when it began, and may take receipts
back as well as give them.

What that means, and that nothing is written but what changes, is the store's (``kioku.meeting``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.log.receipt import Extent
    from kioku.node.peers import Peer
    from kioku.node.site import Site
    from kioku.transport.outcome import Outcome


class Receipts:
    """Notes whom this replica meets, and what they confirm."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def heard(self, peer: Peer, *, keep: bool = False) -> None:
        """Note that a peer was heard; with ``keep`` also when, for it may be heard no more.

        Only one that was compared with: others may be somebody's invention.
        """
        if peer.beacon is not None and peer.compared_ms is not None:
            is_written = self._site.replica.note_peer(
                peer.address.log_id,
                machine=peer.address.machine,
                role=peer.beacon.role,
                version=peer.beacon.version,
                now_ms=peer.heard_wall_ms,
                keep=keep,
            )
            if is_written:
                peer.noted = None  # it may have been forgotten, and what it confirmed with it

    def gone(self, peers: Iterable[Peer]) -> None:
        """Note when peers were heard last, for nobody knows when they will be again."""
        for peer in peers:
            self.heard(peer, keep=True)

    def level(self, peer: Peer) -> None:
        """Note what a peer confirms by stating just what is stated here."""
        statement = (peer.digest, peer.is_erased)
        if statement != peer.noted and peer.compared_ms is not None:
            self._site.replica.note_level(
                peer.address.log_id, peer.digest, is_erased=peer.is_erased
            )
            peer.noted = statement

    def compared(self, peer: Peer, stated: Extent, outcome: Outcome) -> None:
        """Note what a peer confirms, and what not any more, by how its frontier differs."""
        if not outcome.is_compared:
            return
        self.heard(peer)
        self._site.replica.note_statement(
            peer.address.log_id, stated, differing=outcome.differing, is_erased=outcome.erased
        )
        peer.noted = None
