"""What is known of each peer, in memory: what its beacons said, and how comparing with it went.

A beacon is a claim. Nothing here decides what is stored: only whom to ask, when, and what a person
is told. The table is bounded, for anybody can invent addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.log.event import EventId
    from kioku.transport.link import Address
    from kioku.transport.message import Beacon

PEERS_MAX: Final = 1_000
"""Twenty times the largest mesh that is promised (fifty machines)."""

SILENCE_MS_MAX: Final = 100_000
"""A peer that says nothing for two of its longest intervals between beacons is not reachable."""

TRIES_MAX: Final = 3
"""Sessions that may fail in a row before only a peer that has been heard since is asked again."""
BACKOFF_BASE_MS: Final = 1_000
BACKOFF_MS_MAX: Final = 60_000


class Refused(NamedTuple):
    """Why what a peer offered could not be taken, and when to ask for it again (None: never)."""

    reason: str
    again_ms: int | None


class Peer:
    """One replica that was heard. Times are of the steady clock unless they say otherwise."""

    __slots__ = (
        "address",
        "ahead",
        "beacon",
        "behind",
        "compared_ms",
        "covered",
        "digest",
        "failed_ms",
        "failures",
        "fruitless",
        "had_turn",
        "has_left",
        "heard_ms",
        "heard_wall_ms",
        "is_erased",
        "is_hinted",
        "is_lost",
        "is_reachable",
        "level_ms",
        "level_tip",
        "must_ms",
        "not_before_ms",
        "noted",
        "offset_ms",
        "patience",
        "problem",
        "refused",
        "wanted_ms",
    )

    def __init__(self, address: Address) -> None:
        self.address = address
        self.beacon: Beacon | None = None
        self.digest = b""
        self.is_erased = False
        """Whether nothing was left to erase when it stated that digest."""
        self.noted: tuple[bytes, bool] | None = None
        """What of these two was noted for a receipt."""
        self.heard_ms = 0
        self.heard_wall_ms = 0
        self.offset_ms: int | None = None
        self.is_reachable = False
        self.has_left = False
        """It said that it ends. Anybody can say that: people are told, it is asked as before."""
        self.is_lost = False
        """It could be reached until our own link broke."""
        # what comparing knows
        self.covered: frozenset[bytes] = frozenset()
        """Digests of its that everything behind is held here."""
        self.must_ms: int | None = None
        """When to compare even if the digests agree: just met, once an hour, or asked to."""
        self.is_hinted = False
        """It has published something that does not fit here yet."""
        self.wanted_ms: int | None = None
        """Since when it is known to have something else."""
        self.patience = (0, 0)
        """How long it is let wait then: around what, and as it was drawn."""
        self.fruitless = 0
        """How often in a row what it said led to nothing."""
        self.had_turn = False
        """Its last session was ended for the others' sake, who come first now."""
        self.compared_ms: int | None = None
        self.level_ms: int | None = None
        """When it stated just what was stated here, and what our own newest event was then."""
        self.level_tip: EventId | None = None
        self.not_before_ms = 0
        self.failures = 0
        self.failed_ms = 0
        self.problem = ""
        self.behind: int | None = None
        self.ahead: int | None = None
        self.refused: dict[EventId, Refused] = {}

    def is_new(self, beacon: Beacon) -> bool:
        """Whether it was not there before, or is another process now."""
        known = self.beacon
        return known is None or not self.is_reachable or known.nonce != beacon.nonce

    def heard(self, beacon: Beacon, now_ms: int, wall_ms: int) -> None:
        """Take in what it says of itself."""
        self.beacon, self.digest, self.is_erased = beacon, beacon.digest, beacon.erased
        self.heard_ms, self.heard_wall_ms = now_ms, wall_ms
        self.offset_ms = beacon.wall_ms - wall_ms
        self.is_reachable = True
        self.has_left = self.is_lost = False

    def says_farewell(self, nonce: bytes) -> None:
        """Note that it ends, unless that was another process of it."""
        self.has_left = self.beacon is not None and self.beacon.nonce == nonce

    @property
    def is_hub(self) -> bool:
        """Whether it says that it is a hub."""
        return self.beacon is not None and self.beacon.role == "hub"

    def was_level(self, now_ms: int, own_tip: EventId | None) -> None:
        """Note that it stated just what is stated here."""
        self.level_ms, self.level_tip = now_ms, own_tip
        self.behind = self.ahead = 0

    def must_by(self, moment_ms: int) -> None:
        """Let it be compared with from a moment on, whatever its digest."""
        self.must_ms = moment_ms if self.must_ms is None else min(self.must_ms, moment_ms)

    def forget_refusals(self, now_ms: int) -> bool:
        """Forget what was refused long enough ago to be asked for again; gives whether any was."""
        old = [
            tip
            for tip, refused in self.refused.items()
            if refused.again_ms is not None and refused.again_ms <= now_ms
        ]
        for tip in old:
            del self.refused[tip]
        return bool(old)

    @property
    def is_worth_asking(self) -> bool:
        """Whether it is there, as far as is known: many of them may be somebody's invention."""
        return self.is_reachable and (self.failures < TRIES_MAX or self.heard_ms > self.failed_ms)

    @property
    def identity(self) -> bytes:
        """What its transport is known by in the mesh; empty while it has not said."""
        return self.beacon.identity if self.beacon is not None else b""

    @property
    def order(self) -> tuple[bool, bool, int, Address]:
        """Whom to compare with first: hubs, then whoever was not compared with for longest.

        Who failed, or had a long turn just now, comes after all others, hub or not: else a few that
        never answer, and call themselves hubs, would keep everybody else waiting for ever.
        """
        if self.had_turn or self.failures:
            return (True, False, max(self.compared_ms or 0, self.failed_ms), self.address)
        compared = -1 if self.compared_ms is None else self.compared_ms
        return (False, not self.is_hub, compared, self.address)

    def failed(self, problem: str, now_ms: int, chance: float) -> None:
        """Leave it alone for a while: longer each time, by full jitter, at most a minute."""
        longest = min(BACKOFF_MS_MAX, BACKOFF_BASE_MS << min(self.failures, 10))
        self.failures += 1
        self.failed_ms = now_ms
        self.problem = problem
        self.not_before_ms = now_ms + int(longest * chance)

    def succeeded(self, now_ms: int) -> None:
        """It has answered all that it was asked."""
        self.failures = 0
        self.problem = ""
        self.not_before_ms = now_ms
        self.compared_ms = now_ms


class Peers:
    """The peers of one space."""

    def __init__(self) -> None:
        self._peers: dict[Address, Peer] = {}

    def __iter__(self) -> Iterator[Peer]:
        return iter(self._peers.values())

    def __len__(self) -> int:
        return len(self._peers)

    def get(self, address: Address) -> Peer | None:
        """Give a peer that was heard."""
        return self._peers.get(address)

    def meet(self, address: Address) -> Peer | None:
        """Give a peer, making room for one that is new; None if there is none."""
        peer = self._peers.get(address)
        if peer is not None:
            return peer
        if len(self._peers) >= PEERS_MAX and not self._forget_one():
            return None
        peer = self._peers[address] = Peer(address)
        return peer

    def _forget_one(self) -> bool:
        """Forget who is silent longest, or else one who never gave what it was asked for."""
        silent = [peer for peer in self if not peer.is_reachable]
        vain = [peer for peer in self if peer.failures and peer.compared_ms is None]
        if not (silent or vain):
            return False
        del self._peers[min(silent or vain, key=lambda peer: peer.heard_ms).address]
        return True

    def succeed(self, peer: Peer, identity: bytes) -> None:
        """Forget who the same process was before it began another log."""
        machine, mine = peer.address.machine, peer.address
        for other in list(self):
            is_same = other.identity == identity and other.address.machine == machine
            if identity and is_same and other.address != mine:
                del self._peers[other.address]

    def reachable(self) -> list[Peer]:
        """Give those that can be asked now, hubs first."""
        return sorted((peer for peer in self if peer.is_reachable), key=lambda peer: peer.order)

    def grow_silent(self, now_ms: int) -> list[Peer]:
        """Note who has not been heard for too long; gives them."""
        return self._lose(now_ms - SILENCE_MS_MAX)

    def lose_all(self) -> list[Peer]:
        """Note that nobody can be reached; gives those who could."""
        lost = self._lose(None)
        for peer in lost:
            peer.is_lost = True
        return lost

    def find_again(self, now_ms: int) -> list[Peer]:
        """Take hubs that were lost with our link for there again; what they have is to be asked.

        They have not missed us, so they would say nothing before their next beacon.
        """
        found = [peer for peer in self if peer.is_lost and peer.is_hub]
        for peer in found:
            peer.is_lost, peer.is_reachable = False, True
            peer.digest, peer.heard_ms = b"", now_ms
        return found

    def _lose(self, before_ms: int | None) -> list[Peer]:
        lost = [
            peer
            for peer in self
            if peer.is_reachable and (before_ms is None or peer.heard_ms < before_ms)
        ]
        for peer in lost:
            peer.is_reachable = False
        return lost
