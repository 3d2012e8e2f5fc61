"""What this replica says unasked: its own new events, live, and beacons.

Live publication only makes things faster: what it does not carry is found by comparing. So a few
chunks are published and a longer tail is left to whoever hears the beacon.

A beacon goes out a second after this replica has something that others may lack, when it meets
somebody, when all that was to be erased is, and else every half to one and a half intervals. What
came live is confirmed too, so that whoever saved it soon knows that it is safe: by a hub a second
after the last of it, by others at leisure.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from kioku.node.site import Site, Timer
from kioku.transport.holdings import Place
from kioku.transport.message import Beacon, Leaving, Live

if TYPE_CHECKING:
    from kioku.log.event import EventId
    from kioku.node.peers import Peers
    from kioku.node.site import Role

BEACON_MS: Final = 30_000
"""Between beacons of a replica that has nothing new, half of it more or less."""
DEBOUNCE_MS: Final = 1_000
"""From the first new event to the beacon: a burst of saves makes one, and live goes before it."""
UNHEARD_MS: Final = 250
"""Half of the first pause while nobody is heard: a first beacon may come before subscriptions."""
MET_MS: Final = 200
"""Within which a spoke answers a newcomer, so that fifty do not do it in one moment. A hub does at
once: there are two of them at most, and the newcomer has nobody else to fetch from."""
_RECEIVED: Final[dict[Role, tuple[int, int, int]]] = {
    "hub": (1_000, 500, 10_000),
    "spoke": (3_000, 4_000, 30_000),
}
"""From what came live to the beacon of one who has it: after the last of it, how much of that is
chance, and after the first at most. Fifty spokes answer each save, and a hub that spoke while
others still save would have each of them compare with it."""
LIVE_CHUNKS_MAX: Final = 4
"""Chunks of one tail that are published, 1 MiB at most: a network drops more than that at once."""


class Publisher:
    """Publishes what is new here, and beacons."""

    def __init__(self, site: Site, peers: Peers) -> None:
        self._site = site
        self._peers = peers
        self._published: EventId | None = None
        self._beacon = Timer()
        self._received = Timer()
        self._received_ms: int | None = None
        self._sent_ms = -MET_MS
        self._unheard = 0

    @property
    def due_ms(self) -> int | None:
        """When the next beacon is due, on the steady clock."""
        due = [t.due_ms for t in (self._beacon, self._received) if t.due_ms is not None]
        return min(due, default=None)

    def start(self, now_ms: int) -> None:
        """Begin: whatever is here already is for others to fetch."""
        tip = self._site.own_tip()
        if self._published is None or tip is None or self._published.log_id == tip.log_id:
            self._published = tip
        self.connected(now_ms)
        self.publish(now_ms)

    def connected(self, now_ms: int) -> None:
        """Let whoever is there know of us, again soon if nobody is heard."""
        self._unheard = 0
        self._beacon.by(now_ms)

    def stop(self) -> None:
        """Say nothing any more."""
        self._beacon.clear()
        self._received.clear()

    def leave(self) -> None:
        """Say that this process ends, for whoever would count it as reached until it is missed."""
        self._site.put("beacon", Leaving(self._site.nonce).encode())

    def publish(self, now_ms: int) -> None:
        """Say live what our own log has since the last time."""
        tip, before = self._site.own_tip(), self._published
        if tip is None or tip == before or self._site.link is None:
            return
        self._published = tip
        self._beacon.by(now_ms + DEBOUNCE_MS)
        after = Place(before.seq, before.hash) if before and before.log_id == tip.log_id else None
        chunks = self._site.holdings.read_range(tip, after)
        for chunk in islice(chunks or (), LIVE_CHUNKS_MAX):
            self._site.put("live", Live(chunk).encode())
            self._site.counts["chunks_published"] += 1

    def grew(self, now_ms: int) -> None:
        """Let others know soon that more is here than live publication told them."""
        self._beacon.by(now_ms + DEBOUNCE_MS)

    def received(self, now_ms: int) -> None:
        """Let whoever published something know that it is here, once no more of it comes."""
        if self._received_ms is None:
            self._received_ms = now_ms
        quiet_ms, spread_ms, busy_ms = _RECEIVED[self._site.profile.role]
        quiet = now_ms + quiet_ms + int(self._site.rng.random() * spread_ms)
        self._received = Timer(min(quiet, self._received_ms + busy_ms))

    def met(self, now_ms: int) -> None:
        """Let somebody who is new here know of us; not all at once, and not for each one alone."""
        pause_ms = 0 if self._is_hub else int(self._site.rng.random() * MET_MS)
        self._beacon.by(max(now_ms + pause_ms, self._sent_ms + MET_MS))

    @property
    def _is_hub(self) -> bool:
        return self._site.profile.role == "hub"

    def advance(self, now_ms: int) -> None:
        """Send the beacon that is due."""
        if not (self._beacon.is_due(now_ms) or self._received.is_due(now_ms)):
            return
        self._beacon.clear()
        self._received.clear()
        self._received_ms, self._sent_ms = None, now_ms
        self._beacon.by(now_ms + self._site.jitter(self._pause_ms()))
        if self._site.link is not None:
            self._site.put("beacon", self._state().encode())
            self._site.counts["beacons_sent"] += 1

    def _pause_ms(self) -> int:
        """Give how long to wait for the next: less while nobody is there to have heard it."""
        if any(peer.is_reachable for peer in self._peers):
            self._unheard = 0
            return BEACON_MS
        self._unheard += 1
        return min(BEACON_MS, UNHEARD_MS << min(self._unheard, 10))

    def _state(self) -> Beacon:
        site = self._site
        tip = site.own_tip()
        return Beacon(
            digest=site.holdings.digest(),
            tip_count=site.holdings.count_tips(""),
            own_tip=tip,
            seal=site.seal_of(tip) if tip else None,
            wall_ms=site.clock.wall_ms(),
            nonce=site.nonce,
            version=site.profile.version,
            erased=site.holdings.is_erased(),
            missing=site.count_missing(),
            role=site.profile.role,
            identity=site.identity,
            credential=None,
        )
