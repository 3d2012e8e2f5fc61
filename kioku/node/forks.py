"""Whether our own log is still ours alone, and what is done once it is not.

A store that is copied with its key, machine and all, leaves two machines that write one log. Each
finds out by itself: it is shown an event of its own log that it does not hold (the store then
closes the log as it ingests it), or it hears a beacon under its own log's id with a nonce that no
node of this store has written down, or that shows an end which is not held here. Either way the log
is closed, the next one names it as its parent, and nothing is lost: both ends stay, and are folded.

A beacon can be invented, so one that is believed must show an end of our log that our key signed;
that can be replayed, so no more than a few logs an hour are closed for a beacon's sake.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from kioku.errors import BadSealError
from kioku.log.seal import verify

if TYPE_CHECKING:
    from kioku.node.site import Site
    from kioku.transport.message import Beacon

CLOSINGS_MAX: Final = 3
CLOSINGS_MS: Final = 3_600_000
SENTENCES_MAX: Final = 8


class ForkWatch:
    """Watches over our own log."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._closings: deque[int] = deque(maxlen=CLOSINGS_MAX)
        self.sentences: tuple[str, ...] = ()
        """What happened, for people."""

    def heard(self, beacon: Beacon, now_ms: int) -> bool:
        """Take in a beacon under our own log's id; gives whether the log was closed for it."""
        if not self._is_anothers(beacon):
            self._site.counts["echoes"] += 1
            return False
        if not self._may_close(now_ms):
            self._site.counts["rejected"] += 1
            return False
        self._closings.append(now_ms)
        self._site.replica.close_own_log(self._site.own_log_id)
        return True

    def _is_anothers(self, beacon: Beacon) -> bool:
        """Whether our key has signed what it shows, and no node of this store says it."""
        tip, seal = beacon.own_tip, beacon.seal
        public_key = self._site.public_key()
        if tip is None or seal is None or tip.log_id != self._site.own_log_id or not public_key:
            return False
        try:
            verify(public_key, tip, seal)
        except BadSealError:
            return False
        is_ours = self._site.replica.has_nonce(beacon.nonce) and self._site.replica.holds(tip)
        return not is_ours  # a nonce is copied too, where a machine is copied with its memory

    def _may_close(self, now_ms: int) -> bool:
        if len(self._closings) < CLOSINGS_MAX:
            return True
        return now_ms - self._closings[0] > CLOSINGS_MS

    def left(self, log_id: bytes) -> None:
        """Note that a log was closed because somebody else writes it too."""
        sentence = (
            f"this store was copied: the log {log_id.hex()[:8]} of {self._site.profile.machine} is"
            " written by two machines; it was closed here, and another begun; nothing is lost"
        )
        self.sentences = (*self.sentences[1 - SENTENCES_MAX :], sentence)
