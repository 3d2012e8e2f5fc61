"""The engine: one replica's part in one space, as a machine that a loop drives.

    deliveries ────► handle       ┐          ┌─► link.put   beacons, live chunks
    local appends ─► local_change ├─ Engine ─┼─► link.ask   one session at a time
    time ──────────► advance      ┘          └─► replica    ingest, receipts, peers

Whoever owns it calls it from one thread, hands over one delivery at a time, and calls ``advance``
when the milliseconds that the last call gave are over. It starts no thread, reads only the clock
and draws only the chance that it was given, so a simulation replays it exactly (docs/adr/0075).

The rule this module guards: **what others send changes nothing but counters, or passes the store's
own checks**. A store that fails is reported and tried again; it never ends the engine.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kioku.errors import BrokenChainError, PeerError, StoreError
from kioku.node.answers import Answerer
from kioku.node.clock_setting import ClockSetting
from kioku.node.comparing import Comparer
from kioku.node.forks import ForkWatch
from kioku.node.peers import Peers
from kioku.node.publishing import Publisher
from kioku.node.receipts import Receipts
from kioku.node.site import Clock, Profile, Site
from kioku.node.upkeep import Upkeep
from kioku.transport.link import Address, LinkChange, Put, Query, Reply, ReplyEnd
from kioku.transport.message import Beacon, Leaving, Live, decode
from kioku.transport.peek import chunk_start

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from kioku.node.conversation import Conversation
    from kioku.node.peers import Peer
    from kioku.node.statistics import EngineStatistics
    from kioku.replica import Replica
    from kioku.transport.link import Delivery, Link
    from kioku.transport.session import Outcome

__all__ = ["Clock", "Engine", "Profile"]

NONCE_BYTES: Final = 16
REST_MS: Final = 250
"""After the store failed: what was due is due still, and must not be tried without a pause."""
IDLE_MS_MAX: Final = 1_000
"""The longest that ``advance`` asks its caller to wait."""


class Engine:
    """One replica in one space. Not safe to share between threads."""

    def __init__(
        self, replica: Replica, *, clock: Clock, rng: random.Random, profile: Profile
    ) -> None:
        self._site = Site(replica, clock=clock, rng=rng, profile=profile)
        self._peers = Peers()
        self._publisher = Publisher(self._site, self._peers)
        self._comparer = Comparer(self._site, self._peers, self._compared)
        self._answerer = Answerer(self._site)
        self._forks = ForkWatch(self._site)
        self._clock_setting = ClockSetting(self._site)
        self._receipts = Receipts(self._site)
        self._upkeep = Upkeep(self._site)
        self._rest_until_ms = 0

    # -- beginning and ending

    @property
    def address(self) -> Address:
        """What to join as, once ``prepare`` was called.

        **It may change**: a log that somebody else writes too is closed, and another begun. The
        engine is silent from then on, until its owner has joined as the new address and called
        ``start`` again.
        """
        assert self._site.address is not None, "prepare() gives it"
        return self._site.address

    def prepare(self) -> Address:
        """Make sure that this replica has a log, a name and a nonce; gives what to join as.

        Each time before it is joined; only the first time writes, unless the log was closed.

        Raises:
            PrivateSpaceError: if the space is private.
            StoreError: if it cannot be written.
        """
        site = self._site
        if not site.nonce:
            nonce = site.rng.randbytes(NONCE_BYTES)
            site.replica.note_nonce(nonce)
            site.nonce = nonce
        self._take_log()
        return self.address

    def start(self, link: Link, identity: bytes) -> None:
        """Begin to speak on a link that was joined as ``address``; ``identity`` is its transport's.

        Again whenever it was joined anew.
        """
        self._site.link, self._site.identity = link, identity
        with self._surviving() as now:
            self._publisher.start(now)

    def stop(self) -> None:
        """End: nothing is sent any more. The link and the replica are the caller's to close."""
        with self._surviving():
            self._receipts.gone(self._peers.lose_all())
        self._comparer.cut()
        self._answerer.stop()
        self._publisher.stop()
        self._site.link, self._site.is_up = None, False

    def farewell(self) -> None:
        """Say now what would be said soon, and farewell, for ``stop`` is next."""
        self.local_change()
        with self._surviving() as now:
            self._publisher.connected(now)
            self._publisher.advance(now)
            self._publisher.leave()

    @contextmanager
    def _surviving(self) -> Iterator[int]:
        """Do something now, whatever a peer has sent and whether or not the store works."""
        now = self._site.clock.steady_ms()
        try:
            yield now
        except PeerError:
            self._site.counts["rejected"] += 1
        except StoreError as error:
            self._site.trouble(error)
            self._upkeep.failed(now)
            self._rest_until_ms = now + REST_MS

    # -- our own log

    def local_change(self) -> None:
        """Somebody on this machine wrote to the store: seal it and publish what is ours."""
        with self._surviving() as now:
            is_other = self._take_log()
            self._site.works()
            self._publisher.publish(now)
            if is_other:
                self._note_levels(now)

    def _take_log(self, *, is_shared: bool = False) -> bool:
        """Learn which log is ours, beginning one if need be, and seal it.

        Gives whether something else is stated now. ``is_shared``: if it was closed, then because
        somebody else writes it too.
        """
        site = self._site
        log_id = site.replica.begin_log(site.clock.wall_ms())
        site.replica.seal()
        address = Address(site.replica.space_id(), site.profile.machine, log_id)
        if site.address not in (None, address):
            self._move(is_shared=is_shared and address.log_id != site.own_log_id)
        site.address, site.holdings.space_id = address, address.space_id
        return site.look()

    def _move(self, *, is_shared: bool) -> None:
        """Fall silent until we are joined as who we are now."""
        if is_shared:
            self._forks.left(self.address.log_id)
        self._comparer.cut()
        self._site.link, self._site.is_up = None, False

    # -- what happens

    def handle(self, delivery: Delivery) -> None:
        """Take in one delivery of the link, whatever it holds."""
        with self._surviving() as now:
            match delivery:
                case Put():
                    self._heard(delivery, now)
                case Reply(number, data):
                    self._count_late(known=self._comparer.reply(number, data, now))
                case ReplyEnd(number, problem):
                    self._count_late(known=self._comparer.end(number, problem, now))
                case Query():
                    self._answerer.accept(delivery)
                case LinkChange(is_up):
                    self._link_changed(now, is_up=is_up)

    def _count_late(self, *, known: bool) -> None:
        if not known:
            self._site.counts["late"] += 1

    def _link_changed(self, now_ms: int, *, is_up: bool) -> None:
        self._site.is_up = is_up
        if is_up:
            self._publisher.connected(now_ms)
            for peer in self._peers.find_again(now_ms):
                self._comparer.met(peer, now_ms)
        else:
            self._comparer.cut()
            self._receipts.gone(self._peers.lose_all())

    def advance(self) -> int:
        """Do what is due; gives how many milliseconds from now the next thing is."""
        with self._surviving() as now:
            self._receipts.gone(self._peers.grow_silent(now))
            self._answerer.advance()
            self._comparer.advance(now)
            if self._upkeep.advance(now):
                self._publisher.met(now)  # whoever waits for what was erased here
            self._publisher.advance(now)
        if self._upkeep.retry.is_due(now):
            self._upkeep.retry.clear()
            self.local_change()
        return self._wait_ms(now)

    def _wait_ms(self, now_ms: int) -> int:
        if self._answerer.is_busy:
            return 0
        if now_ms < self._rest_until_ms:
            return self._rest_until_ms - now_ms
        due = (self._publisher.due_ms, self._comparer.due_ms(), self._upkeep.due_ms)
        moments = [moment for moment in due if moment is not None]
        return max(0, min([now_ms + IDLE_MS_MAX, *moments]) - now_ms)

    def compare_now(self) -> None:
        """Compare with every peer that can be reached, also if the digests agree.

        ``statistics().is_comparing`` says when that is over.
        """
        now = self._site.clock.steady_ms()
        self._comparer.ask_all(now)
        self._publisher.met(now)

    # -- what others published

    def _heard(self, put: Put, now_ms: int) -> None:
        message = decode(put.data)
        if put.sender.space_id != self.address.space_id:
            self._site.counts["rejected"] += 1
            return
        self._site.is_up = True
        if isinstance(message, Beacon):
            self._heard_beacon(put.sender, message, now_ms)
        elif isinstance(message, Live):
            self._heard_live(put.sender, message, now_ms)
        elif isinstance(message, Leaving):
            if peer := self._peers.get(put.sender):
                peer.says_farewell(message.nonce)
        else:
            self._site.counts["ignored"] += 1

    def _heard_beacon(self, sender: Address, beacon: Beacon, now_ms: int) -> None:
        if sender.log_id == self.address.log_id:
            if self._forks.heard(beacon, now_ms):
                self._take_log(is_shared=True)
            return
        peer = self._peers.meet(sender)
        if peer is None:
            self._site.counts["dropped"] += 1
            return
        self._peers.succeed(peer, beacon.identity)
        is_new = peer.is_new(beacon) or self._site.is_older(beacon.digest, peer.digest)
        peer.heard(beacon, now_ms, self._site.clock.wall_ms())
        if is_new:  # said once: before anything that a failing store may keep from being done
            self._publisher.met(now_ms)
            self._comparer.met(peer, now_ms)
        self._receipts.heard(peer)
        self._site.look()
        self._comparer.note(peer, now_ms)
        self._note_level(peer, now_ms)
        is_known = peer.compared_ms is not None  # anybody can invent an address that agrees with us
        if is_known and self._clock_setting.heard(peer.offset_ms or 0, now_ms):
            self.local_change()

    def _heard_live(self, sender: Address, live: Live, now_ms: int) -> None:
        peer = self._peers.get(sender)
        start = chunk_start(live.chunk)
        if start.log_id != sender.log_id:
            self._site.counts["rejected"] += 1
            return
        try:
            new = self._site.holdings.ingest(live.chunk)
        except BrokenChainError:
            self._site.counts["hints"] += 1
            if peer is not None:
                peer.is_hinted = True
                self._comparer.note(peer, now_ms)
            return
        if peer is not None:
            peer.heard_ms = now_ms
        if new:
            self._site.works()
            self._site.counts["events_live"] += new
            self._site.look()
            self._publisher.received(now_ms)
            if self._upkeep.has_erased():
                self._publisher.grew(now_ms)
            self._note_levels(now_ms)
        if sender.log_id == self.address.log_id:
            self._take_log(is_shared=True)

    # -- what it comes to

    def _compared(self, running: Conversation, outcome: Outcome | None, now_ms: int) -> None:
        """Learn how a session ended; None if it was cut short."""
        if running.session.statistics().new_events:
            self._site.works()
            self._take_log(is_shared=True)  # our own may have come back to us
            self._publisher.grew(now_ms)
        if outcome is not None:
            self._receipts.compared(running.peer, running.stated, outcome)
            self._note_levels(now_ms)
            if outcome.is_level:  # but for what was refused
                running.peer.was_level(now_ms, self._site.own_tip())

    def _note_levels(self, now_ms: int) -> None:
        for peer in self._peers:
            self._note_level(peer, now_ms)

    def _note_level(self, peer: Peer, now_ms: int) -> None:
        """Note it when a peer stated just what is stated here."""
        if peer.digest == self._site.digest:
            peer.was_level(now_ms, self._site.own_tip())
            self._receipts.level(peer)

    # -- what is told

    def statistics(self) -> EngineStatistics:
        """Give a snapshot of this replica's part in the space."""
        from kioku.node.telling import tell

        return tell(
            self._site, self._peers, self._comparer, self._forks, self._clock_setting.problem
        )
