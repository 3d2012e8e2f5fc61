"""When to compare, and with whom: one session at a time, hubs first, and none between equals.

A peer is compared with when it is new here, once an hour, when somebody asks, when a body that it
may have is missing, when it published what does not fit here, or when its digest is one that this
replica never had and has not compared with. In the last cases a little later: what is still on its
way, live, then needs no session. A peer whose own newest event is here lacks others' events or has
more of them, and gets more time. A spoke asks a hub before it asks another spoke.

A peer that fails is left alone, longer each time; others are asked meanwhile. See docs/adr/0076.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import StoreError
from kioku.node.conversation import Conversation
from kioku.node.peers import Refused
from kioku.node.site import Timer
from kioku.transport.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.node.peers import Peer, Peers
    from kioku.node.site import Site
    from kioku.transport.session import Outcome

SOON_MS: Final = 200
"""Around which a peer that has something new is compared with: live traffic comes before."""
LATER_MS: Final = 4_000
"""The same, if its own events are here already."""
FRUITLESS_MAX: Final = 4
"""How often that doubles while comparing brings nothing: in a busy mesh, up to a minute."""
CRIES_MAX: Final = 3
"""How often in a row what a peer said may lead to nothing before it gets more time as well."""
SPOKE_MS: Final = 4_000
"""What a hub is given to fetch what another spoke has, before that one is asked itself."""
SPOKE_LATER_MS: Final = 60_000
"""The same, if that spoke's own events are here already."""
TURN_MS: Final = 60_000
"""How long a session may go on while other peers wait to be compared with."""
ROUND_MS: Final = 10_000
"""Between looks for what is due although no beacon calls for it."""
HOUR_MS: Final = 3_600_000
MISSING_AGAIN_MS: Final = 600_000
"""Until a peer is asked again for bodies that it did not have."""
REFUSED_MAX: Final = 256
"""Logs of one peer that are remembered as refused."""
REFUSED_AGAIN_MS: Final = 600_000
"""Until a log is asked for again whose refusal may have been the network's fault."""
STORE_AGAIN_MS: Final = 5_000
"""Until it is tried again after the store failed."""


class Comparer:
    """Decides whom to compare with, and runs that one session."""

    def __init__(
        self, site: Site, peers: Peers, on_end: Callable[[Conversation, Outcome | None, int], None]
    ) -> None:
        """``on_end`` is told how each session ended: with its outcome, or None for cut short."""
        self._site = site
        self._peers = peers
        self._on_end = on_end
        self._not_before_ms = 0
        self._round = Timer(ROUND_MS)
        self._missing = 0
        self.conversation: Conversation | None = None

    # -- what calls for a session

    def met(self, peer: Peer, now_ms: int) -> None:
        """Note that a peer is new here, or is back: its heads are compared, whatever its digest.

        It may have been set back, and then what it had confirmed is true no more. A spoke lets
        hubs come first, for what it lacks itself is best had from one.
        """
        is_first = peer.is_hub or self._site.profile.role == "hub"
        wait_ms = 0 if is_first else self._site.jitter(self._spoke_patience())
        peer.must_by(now_ms + wait_ms)

    def _spoke_patience(self) -> int:
        return SPOKE_MS if any(peer.is_hub for peer in self._peers.reachable()) else SOON_MS

    def ask_all(self, now_ms: int) -> None:
        """Compare with everybody who can be reached, at once."""
        for peer in self._peers.reachable():
            peer.must_by(now_ms)
            peer.not_before_ms = now_ms

    def note(self, peer: Peer, now_ms: int) -> None:
        """Look at what a peer has said anew: is there something to fetch, and how soon?"""
        if not (peer.is_hinted or self._may_offer(peer)):
            peer.wanted_ms = None
            return
        base = self._patience(peer)
        if peer.wanted_ms is None:
            peer.wanted_ms, peer.patience = now_ms, (0, 0)
        if peer.patience[0] != base:
            peer.patience = (base, self._site.jitter(base))

    def _may_offer(self, peer: Peer) -> bool:
        """Whether a peer may have something that is not here."""
        digest = peer.digest
        return bool(digest) and digest not in peer.covered and not self._site.has_had(digest)

    def _patience(self, peer: Peer) -> int:
        is_crying = peer.fruitless >= CRIES_MAX
        if peer.is_hub:  # it seldom writes, and seldom speaks
            return LATER_MS if is_crying else SOON_MS
        is_known = not peer.is_hinted and self._holds_its_own(peer)
        if self._has_hub_before(peer):
            return SPOKE_LATER_MS if is_known else SPOKE_MS
        if is_known or is_crying:
            return LATER_MS << min(peer.fruitless, FRUITLESS_MAX)
        return SOON_MS

    def _holds_its_own(self, peer: Peer) -> bool:
        tip = peer.beacon.own_tip if peer.beacon else None
        return tip is not None and self._site.holdings.holds(tip)

    def _has_hub_before(self, peer: Peer) -> bool:
        """Whether this spoke should hear from a hub before it asks another spoke."""
        if self._site.profile.role == "hub" or peer.is_hub:
            return False
        return any(other.is_hub and not other.failures for other in self._peers.reachable())

    def _due_of(self, peer: Peer) -> int | None:
        """When to compare with a peer; None for no reason to, or nobody there."""
        must_ms, wanted_ms = peer.must_ms, peer.wanted_ms
        if (must_ms is None and wanted_ms is None) or not peer.is_worth_asking:
            return None
        if wanted_ms is not None:
            wanted_ms += peer.patience[1]
            must_ms = wanted_ms if must_ms is None else min(must_ms, wanted_ms)
        return max(must_ms or 0, peer.not_before_ms, self._not_before_ms)

    def _look_around(self, now_ms: int) -> None:
        """Find whom to compare with although its beacons call for nothing."""
        self._round = Timer(now_ms + ROUND_MS)
        missing = self._site.count_missing()
        is_more, self._missing = missing > self._missing, missing
        again_ms = MISSING_AGAIN_MS if missing else HOUR_MS
        for peer in self._peers.reachable():
            if peer.forget_refusals(now_ms):
                peer.covered = frozenset()
                self.note(peer, now_ms)
            is_old = peer.compared_ms is not None and now_ms - peer.compared_ms > again_ms
            if is_more or is_old:
                peer.must_by(now_ms)

    @property
    def is_busy(self) -> bool:
        """Whether a session runs, or must as soon as it may."""
        is_due = any(p.must_ms is not None and p.is_worth_asking for p in self._peers)
        return self.conversation is not None or is_due

    # -- the one session

    def due_ms(self) -> int | None:
        """When something is to be done here."""
        if self.conversation is not None:
            return self.conversation.due_ms
        if self._site.link is None:
            return None
        due = (self._due_of(peer) for peer in self._peers)
        return min((moment for moment in due if moment is not None), default=self._round.due_ms)

    def advance(self, now_ms: int) -> None:
        """Give up what got no answer, conclude what ended, begin what is due."""
        self._step(lambda running: running.advance(now_ms), now_ms)
        self._take_turns(now_ms)
        if self._round.is_due(now_ms):
            self._look_around(now_ms)
        if self._site.link is None:
            return
        while self.conversation is None and (peer := self._choose(now_ms)) is not None:
            self._begin(peer, now_ms)

    def _choose(self, now_ms: int) -> Peer | None:
        due = [peer for peer in self._peers if self._is_due(peer, now_ms)]
        for peer in sorted(due, key=lambda peer: peer.order):
            self.note(peer, now_ms)  # what was on its way may have come since
            if self._is_due(peer, now_ms):
                return peer
        return None

    def _is_due(self, peer: Peer, now_ms: int) -> bool:
        due = self._due_of(peer)
        return due is not None and due <= now_ms

    def _begin(self, peer: Peer, now_ms: int) -> None:
        peer.forget_refusals(now_ms)
        session = Session(self._site.holdings, rng=self._site.rng, refused=tuple(peer.refused))
        self.conversation = Conversation(self._site, peer, session)
        peer.had_turn = False
        # Kept there, so that what calls for another session meanwhile is not taken for met by this.
        self.conversation.must_ms, peer.must_ms = peer.must_ms, None
        self._step(lambda running: running.begin(now_ms), now_ms)

    def reply(self, number: int, data: bytes, now_ms: int) -> bool:
        """Hand a reply to the session that asked; gives whether one had."""
        return self._step(lambda running: running.reply(number, data, now_ms), now_ms)

    def end(self, number: int, problem: str, now_ms: int) -> bool:
        """Tell the session that asked that no more replies come; gives whether one had."""
        return self._step(lambda running: running.end(number, problem, now_ms), now_ms)

    def _step(self, act: Callable[[Conversation], bool], now_ms: int) -> bool:
        """Let the session go on; a store that fails cuts it, as a link that fails does."""
        running = self.conversation
        if running is None:
            return False
        try:
            is_known = act(running)
        except StoreError as error:
            self._site.trouble(error)
            self._not_before_ms = now_ms + self._site.jitter(STORE_AGAIN_MS)
            self.cut()
            return True
        if running.outcome is not None:
            self.conversation = None
            try:
                self._conclude(running, running.outcome, now_ms)
            except StoreError:  # what it says of receipts may not be kept: ask for it again
                running.peer.must_by(now_ms + self._site.jitter(STORE_AGAIN_MS))
                raise
        elif running.problem:
            self._leave(running, now_ms)
        return is_known

    def cut(self) -> None:
        """Drop what runs: the link is gone. What it has brought stays, and what called for it."""
        running, self.conversation = self.conversation, None
        if running is not None and running.must_ms is not None:
            running.peer.must_by(running.must_ms)

    def _leave(self, running: Conversation, now_ms: int) -> None:
        """End a session that its peer let down."""
        self.cut()
        self._site.counts["sessions_failed"] += 1
        running.peer.failed(running.problem, now_ms, self._site.rng.random())
        running.peer.behind = running.events_left or None
        self._on_end(running, None, now_ms)

    def _take_turns(self, now_ms: int) -> None:
        """Let others have a turn when one session takes long: it goes on from where it is."""
        running = self.conversation
        if running is None or now_ms - running.began_ms < TURN_MS:
            return
        if any(p is not running.peer and self._is_due(p, now_ms) for p in self._peers):
            self.cut()
            running.peer.compared_ms = now_ms
            running.peer.had_turn = True
            running.peer.behind = running.events_left or None
            self._on_end(running, None, now_ms)

    # -- what it came to

    def _conclude(self, running: Conversation, outcome: Outcome, now_ms: int) -> None:
        peer = running.peer
        is_fruitless = peer.wanted_ms is not None and not outcome.new_events
        peer.fruitless = peer.fruitless + 1 if is_fruitless else 0
        self._remember_refused(peer, outcome, now_ms)
        if outcome.problem:
            if running.must_ms is not None:
                peer.must_by(running.must_ms)
            peer.failed(outcome.problem, now_ms, self._site.rng.random())
            self._site.counts["sessions_failed"] += 1
        else:
            self._cover(running, outcome, now_ms)
            self._site.counts["sessions"] += 1
        if outcome.is_compared:
            peer.behind, peer.ahead = outcome.events_left, outcome.ahead
        self._on_end(running, outcome, now_ms)

    def _cover(self, running: Conversation, outcome: Outcome, now_ms: int) -> None:
        """Note that all that a peer had is here, both as it was and as it told it.

        Unless some of it did not come, for the peer itself has it no more, or not any longer so.
        """
        peer = running.peer
        peer.succeeded(now_ms)
        peer.is_hinted = False
        peer.wanted_ms = None
        told = outcome.peer_digest or running.digest
        is_all = outcome.events_left <= outcome.events_refused
        peer.covered = frozenset((running.digest, told) if is_all else ())
        if peer.digest == running.digest:
            peer.digest, peer.is_erased = told, outcome.erased
        self.note(peer, now_ms)

    def _remember_refused(self, peer: Peer, outcome: Outcome, now_ms: int) -> None:
        """Note what not to ask a peer for again: until it offers another tip, or for a while."""
        peer.forget_refusals(now_ms)
        for refusal in outcome.refused[:REFUSED_MAX]:
            again_ms = None if refusal.is_lasting else now_ms + REFUSED_AGAIN_MS
            peer.refused[refusal.tip] = Refused(refusal.reason, again_ms)
            self._site.counts["logs_refused"] += 1
        while len(peer.refused) > REFUSED_MAX:
            del peer.refused[next(iter(peer.refused))]
