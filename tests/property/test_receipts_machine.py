"""Receipts between real stores: none is false, whatever happens while two of them compare."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kioku.errors import StoreBusyError
from kioku.log.draft import retracts
from kioku.log.event import PURGE, SAVE, EventId
from kioku.node.holdings import ReplicaHoldings
from kioku.replica import Draft, Replica
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import FollowingView

COUNT = 3
REPLICAS = st.integers(0, COUNT - 1)
PAIRS = st.tuples(REPLICAS, REPLICAS).filter(lambda pair: pair[0] != pair[1])


class Step(NamedTuple):
    """Something that happens at one replica, mostly while others compare."""

    what: str
    number: int
    other: int
    key: bytes


STEPS = st.builds(
    Step,
    st.sampled_from(("save", "purge", "purge", "retract", "seal", "pull", "pull", "close")),
    REPLICAS,
    REPLICAS,
    st.sampled_from(KEYS),
)


class ReadReplica(Replica):
    """A replica that others may be reading: then nothing can be erased for good."""

    is_read = False

    def finish_erasure(self, timeout_ms: int) -> None:
        if self.is_read:
            raise StoreBusyError("somebody reads")
        super().finish_erasure(timeout_ms)


def _open(number: int) -> ReadReplica:
    replica = ReadReplica.open(
        ":memory:", rng=Random(number), name=f"replica {number}", view=FollowingView()
    )
    assert isinstance(replica, ReadReplica)
    return replica


class Receipts(RuleBasedStateMachine):
    """Three replicas; what they do, and what they tell each other of what they have."""

    def __init__(self) -> None:
        super().__init__()
        self.replicas = [_open(number) for number in range(COUNT)]
        self.holdings = [ReplicaHoldings(replica, lambda: NOW_MS) for replica in self.replicas]
        self.logs: dict[bytes, int] = {}
        # Which events each had at a moment when nothing was left to erase there.
        self.clean: list[set[EventId]] = [set() for _ in self.replicas]
        for number in range(COUNT):
            self._speak(number)

    def teardown(self) -> None:
        for replica in self.replicas:
            replica.close()

    def _speak(self, number: int) -> bytes:
        """Let a replica seal and have a log to speak under, which the others then know."""
        log_id = self.replicas[number].begin_log(NOW_MS)
        self.replicas[number].seal()
        self.logs[log_id] = number
        for other, replica in enumerate(self.replicas):
            if other != number:
                replica.note_peer(
                    log_id, machine=f"m{number}", role="spoke", version="1", now_ms=NOW_MS
                )
        return log_id

    @rule(step=STEPS)
    def something_happens(self, step: Step) -> None:
        replica = self.replicas[step.number]
        match step.what:
            case "save":
                replica.append([Draft(SAVE, step.key, b"text")], now_ms=NOW_MS)
            case "purge":
                replica.append([Draft(PURGE, step.key)], now_ms=NOW_MS)
            case "retract":
                with replica.transaction(now_ms=NOW_MS) as transaction:
                    versions = transaction.versions(step.key)[:2]
                    transaction.append(retracts(version.entry.id for version in versions))
            case "seal":
                self._speak(step.number)
            case "pull":
                self._pull(step.number, step.other, one_chunk=step.key == KEYS[0])
            case "close":
                replica.close_own_log()
        self.no_receipt_is_false()

    def _pull(self, number: int, other: int, *, one_chunk: bool) -> None:
        """Bring all that another states, or the first chunk of what lacks of each log."""
        ours, theirs = self.holdings[number], self.holdings[other]
        for head in theirs.heads(""):
            held = [tip for tip in ours.tips_of(head.tip.log_id) if theirs.holds(tip)]
            after = ours.sealed_at_or_below(max(held)) if held else None
            for chunk in theirs.read_range(head.tip, after) or ():
                ours.ingest(chunk)
                if one_chunk:
                    break

    @rule(number=REPLICAS, is_read=st.booleans())
    def somebody_reads(self, number: int, is_read: bool) -> None:
        self.replicas[number].is_read = is_read
        if not is_read:
            self.replicas[number].finish_erasure(0)

    # -- what a peer states

    @rule(pair=PAIRS, is_read=st.booleans())
    def beacon(self, pair: tuple[int, int], is_read: bool) -> None:
        """Both have all that the other has, and one tells so in a beacon."""
        ours, theirs = pair
        self.somebody_reads(theirs, is_read)
        log_id = self._speak(theirs)
        self._pull(ours, theirs, one_chunk=False)
        self._speak(ours)
        self._pull(theirs, ours, one_chunk=False)
        digest, is_erased = self.holdings[theirs].digest(), self.holdings[theirs].is_erased()
        self.replicas[ours].note_level(log_id, digest, is_erased=is_erased)

    @rule(pair=PAIRS)
    def old_beacon(self, pair: tuple[int, int]) -> None:
        ours, theirs = pair
        log_id = self._speak(theirs)
        self.replicas[ours].note_level(
            log_id, self.holdings[theirs].digest(), is_erased=self.holdings[theirs].is_erased()
        )

    @rule(pair=PAIRS, before=st.booleans(), meanwhile=st.lists(STEPS, max_size=3))
    def compare(self, pair: tuple[int, int], before: bool, meanwhile: list[Step]) -> None:
        """Hold the logs of one against the other's, one by one; anything may happen between."""
        ours, theirs = pair
        if before:
            self._speak(ours)
            self._pull(theirs, ours, one_chunk=False)
        log_id = self._speak(theirs)
        stated = self.replicas[ours].extent()
        differing = []
        for head in self.holdings[ours].heads(""):
            if meanwhile:
                self.something_happens(meanwhile.pop())
            of_log = head.tip.log_id
            its = self.holdings[theirs].tips_of(of_log)
            if its != self.holdings[ours].tips_of(of_log):
                differing.append((of_log, its))
        is_erased = self.holdings[theirs].is_erased()
        for step in meanwhile:
            self.something_happens(step)
        self.replicas[ours].note_statement(log_id, stated, differing=differing, is_erased=is_erased)

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
            self.somebody_reads(number, is_read=False)
        pairs = [(a, b) for a in range(COUNT) for b in range(COUNT) if a != b]
        for pair in pairs * 2:
            self.beacon(pair, is_read=False)
        for pair in pairs:
            self.old_beacon(pair)
        newest = {replica.begin_log(NOW_MS) for replica in self.replicas}
        for replica in self.replicas:
            for erasure in replica.erasures():
                assert not newest.intersection(peer.log_id for peer in erasure.outstanding)


def _erasing_events(replica: Replica) -> set[EventId]:
    with replica.reading(now_ms=0) as reading:
        sql = """SELECT l.log_id, e.seq, e.hash FROM event e JOIN branch b ON b.branch = e.branch
            JOIN log l ON l.log = b.log WHERE e.kind IN (3, 5)"""
        return {EventId(*row) for row in reading.connection.execute(sql)}


TestReceipts = Receipts.TestCase
# Minimizing takes minutes here: a quick run shows the history that it found.
_QUICK = [phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)]
TestReceipts.settings = settings(
    max_examples=max(20, settings().max_examples // 3),
    stateful_step_count=20,
    phases=settings().phases if settings().max_examples > 500 else _QUICK,
)
