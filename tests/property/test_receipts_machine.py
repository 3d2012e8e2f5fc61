"""Receipts between real stores: none is false, whatever happens while two of them compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kioku.log.draft import retracts
from kioku.log.event import PURGE, SAVE, EventId
from kioku.node.holdings import ReplicaHoldings
from kioku.replica import Draft, Replica
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import open_store

if TYPE_CHECKING:
    from kioku.log.receipt import Extent

COUNT = 3
REPLICAS = st.integers(0, COUNT - 1)
SOME_KEY = st.sampled_from(KEYS)


class Comparison(NamedTuple):
    """One that is under way: our logs are held against the peer's one after the other."""

    ours: int
    theirs: int
    peer_log: bytes
    stated: Extent
    todo: list[bytes]
    differing: list[tuple[bytes, list[EventId]]]


class Receipts(RuleBasedStateMachine):
    """Three replicas; every message that a comparison needs is a step of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.replicas = [open_store(seed=number) for number in range(COUNT)]
        self.holdings = [ReplicaHoldings(replica, lambda: NOW_MS) for replica in self.replicas]
        self.logs: dict[bytes, int] = {}
        # Which events each had at a moment when nothing was left to erase there.
        self.clean: list[set[EventId]] = [set() for _ in self.replicas]
        self.under_way: list[Comparison] = []
        for number in range(COUNT):
            self._speak(number)

    def teardown(self) -> None:
        for replica in self.replicas:
            replica.close()

    def _speak(self, number: int) -> bytes:
        """Let a replica state what it has under its log, and let the others know of it."""
        log_id = self.replicas[number].begin_log(NOW_MS)
        self.replicas[number].seal()
        self.logs[log_id] = number
        for other, replica in enumerate(self.replicas):
            if other != number:
                replica.note_peer(
                    log_id, machine=f"m{number}", role="spoke", version="1", now_ms=NOW_MS
                )
        return log_id

    # -- what changes a store

    @rule(number=REPLICAS, key=SOME_KEY)
    def save(self, number: int, key: bytes) -> None:
        self.replicas[number].append([Draft(SAVE, key, b"text")], now_ms=NOW_MS)

    @rule(number=REPLICAS, key=SOME_KEY)
    def purge(self, number: int, key: bytes) -> None:
        self.replicas[number].append([Draft(PURGE, key)], now_ms=NOW_MS)

    @rule(number=REPLICAS, key=SOME_KEY)
    def retract(self, number: int, key: bytes) -> None:
        replica = self.replicas[number]
        with replica.transaction(now_ms=NOW_MS) as transaction:
            transaction.append(retracts(v.entry.id for v in transaction.versions(key)[:2]))

    @rule(number=REPLICAS)
    def owe_an_erasure(self, number: int) -> None:
        self.replicas[number].owe_erasure()

    @rule(number=REPLICAS)
    def finish_erasing(self, number: int) -> None:
        self.replicas[number].finish_erasure(0)

    @rule(number=REPLICAS)
    def seal(self, number: int) -> None:
        self._speak(number)

    @rule(number=REPLICAS)
    def close_own_log(self, number: int) -> None:
        self.replicas[number].close_own_log()

    @rule(number=REPLICAS, other=REPLICAS, part=st.booleans())
    def pull(self, number: int, other: int, part: bool) -> None:
        """Bring all that another states, or only the first chunk of each log."""
        ours, theirs = self.holdings[number], self.holdings[other]
        for head in theirs.heads(""):
            held = [tip for tip in ours.tips_of(head.tip.log_id) if theirs.holds(tip)]
            after = ours.sealed_at_or_below(max(held)) if held else None
            for chunk in theirs.read_range(head.tip, after) or ():
                ours.ingest(chunk)
                if part:
                    break

    # -- what a peer states

    @rule(number=REPLICAS, other=REPLICAS)
    def beacon(self, number: int, other: int) -> None:
        if number != other:
            theirs = self.holdings[other]
            log_id = self._speak(other)
            digest = theirs.digest()
            is_erased = theirs.is_erased()
            self.replicas[number].note_level(log_id, digest, is_erased=is_erased)

    @rule(number=REPLICAS, other=REPLICAS)
    def begin_to_compare(self, number: int, other: int) -> None:
        if number != other:
            stated = self.replicas[number].extent()
            todo = [head.tip.log_id for head in self.holdings[number].heads("")]
            log_id = self._speak(other)
            self.under_way.append(Comparison(number, other, log_id, stated, todo, []))

    @rule(data=st.data())
    def compare_a_log(self, data: Any) -> None:
        """Hold what the peer states of a log now against what we state of it now."""
        if not self.under_way:
            return
        one = data.draw(st.sampled_from(self.under_way))
        if one.todo:
            log_id = one.todo.pop()
            ours, theirs = (self.holdings[n].tips_of(log_id) for n in (one.ours, one.theirs))
            if ours != theirs:
                one.differing.append((log_id, theirs))

    @rule()
    def end_a_comparison(self) -> None:
        ready = [one for one in self.under_way if not one.todo]
        if ready:
            one = ready[0]
            self.under_way.remove(one)
            is_erased = self.holdings[one.theirs].is_erased()
            self.replicas[one.ours].note_statement(
                one.peer_log, one.stated, differing=one.differing, is_erased=is_erased
            )

    # -- what must hold

    @invariant()
    def no_receipt_is_false(self) -> None:
        for number, replica in enumerate(self.replicas):
            if replica.is_erased():
                self.clean[number] |= _erasing_events(replica)
        for replica in self.replicas:
            for erasure in replica.erasures():
                for peer in erasure.confirmed:
                    assert erasure.event in self.clean[self.logs[peer.log_id]]

    @rule()
    def at_quiet_every_receipt_is_given(self) -> None:
        """Once all have all and have said so, nothing is outstanding."""
        for number in range(COUNT):
            self.replicas[number].finish_erasure(0)
            self._speak(number)
        for _ in range(2):
            for number in range(COUNT):
                for other in range(COUNT):
                    self.pull(number, other, part=False)
                    self.replicas[number].finish_erasure(0)
        for number, replica in enumerate(self.replicas):
            for other in range(COUNT):
                self.beacon(number, other)
            for erasure in replica.erasures():
                newest = {self.replicas[n].begin_log(NOW_MS) for n in range(COUNT)}
                waiting = {peer.log_id for peer in erasure.outstanding}
                assert not waiting & newest


def _erasing_events(replica: Replica) -> set[EventId]:
    with replica.reading(now_ms=0) as reading:
        sql = """SELECT l.log_id, e.seq, e.hash FROM event e JOIN branch b ON b.branch = e.branch
            JOIN log l ON l.log = b.log WHERE e.kind IN (3, 5)"""
        return {EventId(*row) for row in reading.connection.execute(sql)}


TestReceipts = Receipts.TestCase
