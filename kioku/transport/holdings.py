"""What a session asks of the store, as a port: reads of what is held, and the ways in.

``kioku.node.holdings`` implements it over a replica. A session knows no SQL and no file; the store
knows no peers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kioku.log.event import EventId
    from kioku.log.frontier import Tip


class Place(NamedTuple):
    """An event of a log that is known: where a range begins."""

    seq: int
    hash: bytes


class Head(NamedTuple):
    """A stated tip with its stamp, so that the newest logs can be fetched first."""

    tip: Tip
    hlc: int


class Body(NamedTuple):
    """An event's content with its salt."""

    event: EventId
    salt: bytes
    body: bytes


class Holdings(Protocol):
    """A replica as its sessions see it. Prefixes are hex digits of a log id, ``""`` for all."""

    def digest(self) -> bytes:
        """Give the fingerprint of the stated frontier: 32 bytes."""

    def count_tips(self, prefix: str) -> int:
        """Count the stated tips of the logs under a prefix."""

    def heads(self, prefix: str) -> list[Head]:
        """Give the stated tips of the logs under a prefix, ascending."""

    def sums(self, prefix: str) -> list[bytes]:
        """Give 16 sums of the tips under a prefix, by the next hex digit: 16 bytes each.

        A sum is the first 16 bytes of the digest of those tips alone, zeros for none.
        """

    def tips_of(self, log_id: bytes) -> list[Tip]:
        """Give a log's stated tips, ascending by seq."""

    def holds(self, event: EventId) -> bool:
        """Whether exactly this event is here and sealed, itself or later, on any branch."""

    def sealed_at_or_below(self, event: EventId) -> Place | None:
        """Give the last sealed event at or before a held one, on its own path; None for none."""

    def hashes(self, goal: EventId, seqs: Sequence[int]) -> list[Place] | None:
        """Give the events at ``seqs`` on the way to ``goal``; None if ``goal`` is not held.

        A seq past the goal or below 1 is left out.
        """

    def read_range(self, goal: EventId, after: Place | None) -> Iterator[bytes] | None:
        """Give the chunks past ``after`` on the way to ``goal``; all for None.

        None if ``goal`` is not held and sealed here, or ``after`` is not on the way to it. The
        chunks begin right after it, whether or not its seal is here too: the asker holds that.
        Each is read in a transaction of its own, when it is asked for.
        """

    def bodies(self, events: Sequence[EventId]) -> list[Body]:
        """Give the bodies that are here, of those events that are."""

    def missing(self, limit: int) -> list[EventId]:
        """Give events whose bodies should be here and are not, the newest first."""

    def ingest(self, data: bytes) -> int:
        """Accept a chunk; gives how many events were new.

        Raises:
            PeerError: the kind that says why it is refused; nothing of it was stored.
        """

    def supply(self, bodies: Sequence[Body]) -> int:
        """Give missing events their bodies; gives how many were accepted.

        Raises:
            BadCommitmentError: if one is not what its event commits to; none was stored.
        """

    def is_erased(self) -> bool:
        """Whether nothing that a purge or retract named is left in any file here.

        Whoever states tips asks this after it has read them: then all that they cover is erased.
        """
