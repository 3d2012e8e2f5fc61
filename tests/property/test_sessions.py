"""Sessions bring replicas level, whatever their histories and whatever the wire does."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import BrokenChainError
from kioku.log.chunk import decode_chunk, encode_chunk
from kioku.log.event import SAVE
from kioku.replica import Draft
from kioku.transport.message import ChunkReply, decode
from kioku.transport.peek import chunk_start
from tests.property.forests import LATER_MS, Delivery, deliveries, forests
from tests.property.histories import KEYS
from tests.property.stores import open_store, snapshot
from tests.property.wires import BadWire, Wire, holdings_of, pull

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.replica import Replica
    from kioku.transport.session import Ask

ROUNDS_MAX = 30


def feed(replica: Replica, runs: Iterable[Delivery]) -> None:
    """Ingest what chains; what does not is what this replica never heard of."""
    for run in runs:
        try:
            replica.ingest_chunk(run.data, now_ms=LATER_MS)
        except BrokenChainError:
            continue


@st.composite
def replicas(draw: st.DrawFn, count: int, stack: ExitStack) -> list[Replica]:
    """Replicas that have heard different parts of one forest, and some have written themselves."""
    forest = draw(forests(size_max=24))
    out = []
    for seed in range(count):
        replica = stack.enter_context(open_store(seed=seed))
        runs = draw(deliveries(forest))
        feed(replica, runs[: draw(st.integers(0, len(runs)))])
        for _ in range(draw(st.integers(0, 2))):
            replica.append([Draft(SAVE, KEYS[0], b"own")], now_ms=LATER_MS)
        replica.seal()
        out.append(replica)
    return out


def check_whole(replica: Replica) -> None:
    found = replica.check(deep=True, now_ms=LATER_MS)
    assert not [finding for finding in found if finding.status == "fail"]


@given(st.data())
def test_two_replicas_are_level_after_a_session_each_way(data: st.DataObject) -> None:
    """Frontiers, views, bodies: of any two histories, forks and missing bodies included."""
    with ExitStack() as stack:
        ours, theirs = data.draw(replicas(2, stack))
        first = pull(ours, theirs, now_ms=LATER_MS)
        assert first.is_level or first.ahead or first.differing
        second = pull(theirs, ours, now_ms=LATER_MS)
        assert first.problem == second.problem == ""
        assert second.is_level
        assert not first.refused
        assert not second.refused
        assert first.events_left == second.events_left == 0
        again = pull(ours, theirs, now_ms=LATER_MS)
        assert again.is_level
        assert not again.differing
        assert again.new_events == again.behind == again.ahead == 0
        assert snapshot(ours, now_ms=LATER_MS) == snapshot(theirs, now_ms=LATER_MS)


@given(st.data())
def test_three_replicas_are_level_after_a_round_of_sessions(data: st.DataObject) -> None:
    """Each pulls from each, in any order, once and then once more."""
    with ExitStack() as stack:
        three = data.draw(replicas(3, stack))
        pairs = data.draw(st.permutations(list(permutations(three, 2))))
        for asker, answerer in pairs * 2:
            pull(asker, answerer, now_ms=LATER_MS)
        first, *others = (snapshot(replica, now_ms=LATER_MS) for replica in three)
        assert all(other == first for other in others)


@given(st.data(), st.integers(0, 2**32))
def test_a_bad_wire_breaks_no_store_and_the_next_session_ends_level(
    data: st.DataObject, seed: int
) -> None:
    """Replies lost, cut off, doubled, swapped, flipped, made up: nothing false is taken or said."""
    with ExitStack() as stack:
        ours, theirs = data.draw(replicas(2, stack))
        before = theirs.stated_digest()
        for number in range(data.draw(st.integers(1, 3))):
            wire = Wire(
                holdings_of(ours, LATER_MS),
                holdings_of(theirs, LATER_MS),
                spoil=BadWire(seed + number),
            )
            outcome = wire.run()
            check_whole(ours)
            assert not any(refusal.is_lasting for refusal in outcome.refused)
            if outcome.is_level:
                assert ours.stated_digest() == theirs.stated_digest()
        assert theirs.stated_digest() == before, "to be asked changes nothing"
        pull(ours, theirs, now_ms=LATER_MS)
        last = pull(theirs, ours, now_ms=LATER_MS)
        assert last.is_level
        assert snapshot(ours, now_ms=LATER_MS) == snapshot(theirs, now_ms=LATER_MS)


@given(st.data(), st.integers(0, 2**32))
def test_sessions_over_a_bad_wire_alone_end_level(data: st.DataObject, seed: int) -> None:
    """No good session is needed: each brings something, and what was brought stays."""
    with ExitStack() as stack:
        ours, theirs = data.draw(replicas(2, stack))
        spoil = BadWire(seed)
        for _ in range(ROUNDS_MAX):
            askers = holdings_of(ours, LATER_MS), holdings_of(theirs, LATER_MS)
            if Wire(*askers, spoil=spoil).run().is_level:
                assert ours.stated_digest() == theirs.stated_digest()
                return
            Wire(*reversed(askers), spoil=spoil).run()
        raise AssertionError(f"not level after {ROUNDS_MAX} rounds")


# -- cut sessions: what was committed is not sent again


def long_log(replica: Replica, count: int, *, body_bytes: int = 60_000) -> None:
    """Four events a chunk."""
    for number in range(count):
        body = number.to_bytes(2, "big") * (body_bytes // 2)
        replica.append([Draft(SAVE, KEYS[number % len(KEYS)], body)], now_ms=LATER_MS)
    replica.seal()


@pytest.mark.parametrize("reply_count", range(12))
def test_a_cut_session_resends_at_most_one_chunk(reply_count: int) -> None:
    """Cut behind any reply, for good: the next one begins behind what was committed."""
    with open_store(seed=1) as ours, open_store(seed=2) as theirs:
        long_log(theirs, 36)
        carried = 0

        def cut(_: Ask, replies: list[bytes]) -> list[bytes]:
            nonlocal carried
            left = max(0, reply_count - carried)
            carried += len(replies)
            return replies[:left]

        first = Wire(holdings_of(ours), holdings_of(theirs), spoil=cut)
        assert first.run().problem
        held = {tip.log_id: tip.seq for tip in ours.stated_frontier()}
        second = Wire(holdings_of(ours), holdings_of(theirs))
        assert second.run().is_level
        resent = 0
        for reply in second.replies:
            message = decode(reply)
            if isinstance(message, ChunkReply):
                start = chunk_start(message.data)
                resent += start.first_seq <= held.get(start.log_id, 0)
        assert resent <= 1
        seen = [r for r in (*first.replies, *second.replies) if r[1] == ChunkReply(b"").encode()[1]]
        assert len(seen) <= len(set(seen)) + 1


def test_each_chunk_is_committed_before_the_next_is_taken() -> None:
    """Whoever looks between two replies sees all that came so far."""
    with open_store(seed=1) as ours, open_store(seed=2) as theirs:
        long_log(theirs, 36)
        seen = []

        def look(_: Ask, replies: list[bytes]) -> Iterable[bytes]:
            for reply in replies:
                seen.append(ours.statistics().events)
                yield reply

        Wire(holdings_of(ours), holdings_of(theirs), spoil=look).run()
        steps = sorted(set(seen))
        assert len(steps) > 9
        assert steps[0] == 0
        assert max(b - a for a, b in pairwise(steps)) <= 5


def test_a_missing_body_comes_from_whoever_has_it() -> None:
    """Not from the first, who lacks it too; and then nothing is asked for any more."""
    with ExitStack() as stack:
        ours, poor, rich = (stack.enter_context(open_store(seed=n)) for n in range(3))
        long_log(rich, 3, body_bytes=10)
        chunks = list(rich.export_chunks())
        bodiless = [_without_bodies(chunk) for chunk in chunks]
        for replica in (ours, poor):
            for chunk in bodiless:
                replica.ingest_chunk(chunk, now_ms=LATER_MS)
        assert ours.statistics().missing == 3
        in_vain = pull(ours, poor)
        assert (in_vain.is_level, in_vain.new_bodies) == (True, 0)
        found = pull(ours, rich)
        assert (found.is_level, found.new_bodies) == (True, 3)
        assert ours.statistics().missing == 0
        assert snapshot(ours, now_ms=LATER_MS) == snapshot(rich, now_ms=LATER_MS)
        wire = Wire(holdings_of(ours), holdings_of(rich))
        wire.run()
        assert [ask.kind for ask in wire.asks] == ["heads"]


def _without_bodies(data: bytes) -> bytes:
    chunk = decode_chunk(data)
    events = [
        event._replace(salt=None, body=None) if event.kind == SAVE else event
        for event in chunk.events
    ]
    return encode_chunk(
        chunk.log_id, chunk.first_seq, chunk.prev, events=events, signature=chunk.signature
    )
