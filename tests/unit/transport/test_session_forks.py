"""Logs that forked: the split is found in few questions, and little is sent twice."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.log.event import SAVE, EventId
from kioku.log.hlc import pack
from kioku.transport.holdings import Place
from kioku.transport.message import ChunkReply, decode
from kioku.transport.peek import chunk_start
from kioku.transport.split import SplitSearch
from tests.property.authors import Author
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import open_store
from tests.property.wires import Wire, holdings_of
from tests.unit.transport.scripted import ranges_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.replica import Replica

LOG = b"l" * 16
SPLIT = 1_234


@given(st.data(), st.integers(1, 200) | st.integers(1, 10**6) | st.integers(1, 2**62))
def test_the_last_event_that_both_hold_is_found(data: st.DataObject, length: int) -> None:
    """Whatever the length, and wherever the split: in log 33 questions of at most 32 seqs."""
    held = data.draw(st.integers(0, length - 1))
    search = SplitSearch(EventId(LOG, length, bytes(32)), lambda event: event.seq <= held)
    questions = 0
    while not search.is_done:
        seqs = search.seqs()
        assert 1 <= len(seqs) <= 32
        assert 0 < seqs[0] <= seqs[-1] < length
        search.take([Place(seq, bytes(32)) for seq in seqs])
        questions += 1
    assert (search.split.seq if search.split else 0) == held
    assert 33 ** max(0, questions - 1) <= length


class Branches:
    """A log of three branches: A and B leave it at ``SPLIT``, C leaves A behind it."""

    def __init__(self) -> None:
        self.author = Author(1, hlc=pack(NOW_MS))
        self.common = self.grow(self.author.genesis, SPLIT, b"common")
        self.a = self.grow(self.common, 2_000, b"a")
        self.b = self.grow(self.common, 2_500, b"b")

    def grow(self, before: EventId, seq: int, body: bytes) -> EventId:
        while before.seq < seq:
            hlc = pack(NOW_MS) + before.seq
            before = self.author.append(before, SAVE, hlc=hlc, key=KEYS[0], body=body)
        return before

    def feed(self, replica: Replica, tip: EventId, seals: list[int]) -> None:
        """Give a replica the way to ``tip``, sealed at ``seals`` and there."""
        path = self.author.path(tip)
        edges = [0, *seals, tip.seq]
        for first, last in pairwise(edges):
            run = self.author.chunk(path[first], path[last - 1])
            replica.ingest_chunk(run, now_ms=NOW_MS)


@pytest.fixture(scope="module")
def branches() -> Branches:
    return Branches()


@pytest.fixture
def two() -> Iterator[tuple[Replica, Replica]]:
    with ExitStack() as stack:
        yield (stack.enter_context(open_store(seed=1)), stack.enter_context(open_store(seed=2)))


def check_level_after(ours: Replica, theirs: Replica) -> Wire:
    wire = Wire(holdings_of(ours), holdings_of(theirs))
    outcome = wire.run()
    assert outcome.problem == ""
    assert outcome.events_left == 0
    assert Wire(holdings_of(theirs), holdings_of(ours)).run().is_level
    return wire


def test_a_shorter_branch_is_searched_for_at_once(
    branches: Branches, two: tuple[Replica, Replica]
) -> None:
    """Its tip lies below ours and is not held: it must have left our way somewhere."""
    ours, theirs = two
    branches.feed(ours, branches.b, [1_000, 2_000])
    branches.feed(theirs, branches.a, [1_000])
    wire = check_level_after(ours, theirs)
    assert wire.kinds == ["heads", "hashes", "hashes", "hashes", "range"]
    (question,) = ranges_of(wire)
    assert question.after is not None
    assert question.after.seq == 1_000, "our last seal up to the split"
    first = next(
        message for message in map(decode, wire.replies) if isinstance(message, ChunkReply)
    )
    assert chunk_start(first.data).first_seq == 1_001


def test_a_longer_branch_is_searched_for_when_our_tip_is_not_on_its_way(
    branches: Branches, two: tuple[Replica, Replica]
) -> None:
    ours, theirs = two
    branches.feed(ours, branches.a, [700, SPLIT])
    branches.feed(theirs, branches.b, [1_000, 2_000])
    wire = check_level_after(ours, theirs)
    assert wire.kinds == ["heads", "range", "hashes", "hashes", "hashes", "range"]
    question = ranges_of(wire)[1]
    assert question.after == Place(*branches.common[1:]), "the split itself is sealed here"


def test_of_two_tips_of_ours_the_greater_is_tried_first(
    branches: Branches, two: tuple[Replica, Replica]
) -> None:
    ours, theirs = two
    for replica in (ours, theirs):
        branches.feed(replica, branches.a, [700, SPLIT])
        branches.feed(replica, branches.b, [700, SPLIT, 2_000])
    more = branches.grow(branches.b, 2_510, b"more")
    branches.feed(theirs, more, [700, SPLIT, 2_000, 2_500])
    wire = check_level_after(ours, theirs)
    assert wire.kinds == ["heads", "range"]


def test_a_branch_that_goes_on_behind_the_smaller_tip_is_found(
    branches: Branches, two: tuple[Replica, Replica]
) -> None:
    """Nothing of it is sent twice: the split is our own tip."""
    ours, theirs = two
    branches.feed(ours, branches.a, [700, SPLIT])
    branches.feed(ours, branches.b, [700, SPLIT, 2_000])
    more = branches.grow(branches.a, 2_600, b"more of a")
    branches.feed(theirs, more, [1_000, 2_000])
    wire = check_level_after(ours, theirs)
    assert ranges_of(wire)[-1].after == Place(*branches.a[1:])


def test_three_tips_of_one_log_come_in_one_session(
    branches: Branches, two: tuple[Replica, Replica]
) -> None:
    ours, theirs = two
    other = branches.grow(branches.author.path(branches.a)[1_500], 1_700, b"c")
    for tip in (branches.a, branches.b, other):
        branches.feed(theirs, tip, [1_000, 1_501] if tip is other else [1_000, 1_800])
    check_level_after(ours, theirs)
    assert len(ours.stated_frontier()) == 3
