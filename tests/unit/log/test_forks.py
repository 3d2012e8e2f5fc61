"""A log that became a tree: every branch is stored, stated, exported and folded, and none twice."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from kioku.errors import BrokenChainError
from kioku.log.event import SAVE, EventId
from kioku.log.frontier import Frontier
from kioku.log.hlc import pack
from kioku.log.path import Path
from tests.property.authors import Author
from tests.property.stores import open_store

if TYPE_CHECKING:
    from kioku.replica import Replica

NOW_MS = 1_790_000_000_000


class Tree:
    """genesis ── a ── b ── c,  a ── b2 ── c2,  b2 ── c3: three tips, two splits."""

    def __init__(self) -> None:
        self.author = Author(1, hlc=pack(NOW_MS))
        self.count = 0
        self.genesis = self.author.genesis
        self.a = self.grow(self.genesis)
        self.b = self.grow(self.a)
        self.c = self.grow(self.b)
        self.b2 = self.grow(self.a)
        self.c2 = self.grow(self.b2)
        self.c3 = self.grow(self.b2)

    def grow(self, before: EventId) -> EventId:
        self.count += 1
        key = bytes([self.count]) * 16
        hlc = pack(NOW_MS) + self.count
        return self.author.append(before, SAVE, hlc=hlc, key=key, body=b"%d" % self.count)

    def chunk(self, first: EventId, last: EventId) -> bytes:
        return self.author.chunk(first, last)


@pytest.fixture
def tree() -> Tree:
    return Tree()


def holding(*chunks: bytes) -> Replica:
    replica = open_store()
    for chunk in chunks:
        replica.ingest_chunk(chunk, now_ms=NOW_MS)
    return replica


def count_shown(replica: Replica) -> int:
    with replica.reading(now_ms=NOW_MS) as reading:
        keys = reading.keys_with_prefix("")
        return sum(reading.shown(key) is not None for key in keys)


def test_every_branch_is_a_tip_and_all_are_folded(tree: Tree) -> None:
    replica = holding(
        tree.chunk(tree.genesis, tree.c),
        tree.chunk(tree.genesis, tree.c2),
        tree.chunk(tree.genesis, tree.c3),
    )
    assert set(replica.frontier()) == {tree.c, tree.c2, tree.c3}
    statistics = replica.statistics()
    assert (statistics.logs, statistics.tips, statistics.events) == (1, 3, 7)
    assert count_shown(replica) == 6
    found = replica.check(deep=True, now_ms=NOW_MS)
    assert {one.status for one in found} == {"pass"}


def test_a_chunk_that_begins_before_the_split_stores_only_what_is_new(tree: Tree) -> None:
    replica = holding(tree.chunk(tree.genesis, tree.c))
    counts = replica.ingest_chunk(tree.chunk(tree.genesis, tree.c2), now_ms=NOW_MS)
    assert (counts.events, counts.new_events) == (4, 2)
    counts = replica.ingest_chunk(tree.chunk(tree.genesis, tree.c3), now_ms=NOW_MS)
    assert (counts.events, counts.new_events) == (4, 1)
    assert replica.statistics().events == 7


def test_a_chunk_must_begin_where_a_seal_is(tree: Tree) -> None:
    """Else nobody has signed what it grows from, and it could not be sent on."""
    replica = holding(tree.chunk(tree.genesis, tree.c))
    with pytest.raises(BrokenChainError, match="not sealed"):
        replica.ingest_chunk(tree.chunk(tree.b2, tree.c2), now_ms=NOW_MS)
    assert replica.statistics().events == 4


def test_the_order_in_which_branches_come_does_not_matter(tree: Tree) -> None:
    whole = [tree.chunk(tree.genesis, tip) for tip in (tree.c, tree.c2, tree.c3)]
    digests = {holding(*order).digest() for order in itertools.permutations(whole)}
    assert len(digests) == 1


def test_a_tip_that_another_branch_grows_from_is_no_tip(tree: Tree) -> None:
    replica = holding(tree.chunk(tree.genesis, tree.b2))
    assert set(replica.frontier()) == {tree.b2}
    replica.ingest_chunk(tree.chunk(tree.genesis, tree.b), now_ms=NOW_MS)
    assert set(replica.frontier()) == {tree.b, tree.b2}
    replica.ingest_chunk(tree.chunk(tree.c2, tree.c2), now_ms=NOW_MS)
    assert set(replica.frontier()) == {tree.b, tree.c2}


def test_a_path_goes_from_genesis_to_one_event(tree: Tree) -> None:
    replica = holding(
        tree.chunk(tree.genesis, tree.c),
        tree.chunk(tree.genesis, tree.c2),
        tree.chunk(tree.genesis, tree.c3),
    )
    with replica.reading(now_ms=NOW_MS):
        store = replica._core.store
        path, other = Path(store, tree.c3), Path(store, tree.c)
        for one in (tree.genesis, tree.a, tree.b2, tree.c3):
            assert path.has(one.seq, one.hash)
        for one in (tree.b, tree.c, tree.c2):
            assert not path.has(one.seq, one.hash)
        assert path.hash_before(1) is None
        assert path.hash_before(2) == tree.genesis.hash
        assert path.hash_before(3) == tree.a.hash
        assert path.hash_before(4) == tree.b2.hash
        assert path.split_from(other) == other.split_from(path) == tree.a.seq
        assert path.split_from(Path(store, tree.c2)) == tree.b2.seq
        assert path.split_from(path) == tree.c3.seq
        assert path.last_seal(tree.b2.seq) == 0
        assert path.last_seal(tree.c3.seq) == tree.c3.seq


STARTS = ["genesis", "a", "b", "c", "b2", "c2", "c3"]


@pytest.mark.parametrize("names", [*itertools.combinations(STARTS, 1), ("c", "c2"), ("b", "c3")])
def test_whoever_has_any_part_gets_the_rest(tree: Tree, names: tuple[str, ...]) -> None:
    source = holding(
        tree.chunk(tree.genesis, tree.c),
        tree.chunk(tree.genesis, tree.c2),
        tree.chunk(tree.genesis, tree.c3),
    )
    tips = [getattr(tree, name) for name in names]
    asker = holding(*(tree.chunk(tree.genesis, tip) for tip in tips))
    for chunk in source.export_chunks(asker.frontier()):
        asker.ingest_chunk(chunk, now_ms=NOW_MS)
    assert asker.digest() == source.digest()
    assert count_shown(asker) == 6
    assert not list(source.export_chunks(asker.frontier()))


def test_a_tip_that_was_never_seen_here_costs_a_whole_log_and_no_error(tree: Tree) -> None:
    source = holding(tree.chunk(tree.genesis, tree.c))
    chunks = list(source.export_chunks(Frontier([tree.c2])))
    assert [len(chunk) > 0 for chunk in chunks] == [True]
    asker = holding(tree.chunk(tree.genesis, tree.c2), *chunks)
    assert set(asker.frontier()) == {tree.c, tree.c2}


def test_two_logs_with_one_key_from_the_first_event_on_are_two_branches() -> None:
    """An owner that signs two geneses: both are kept, and both are stated."""
    one, two = Author(1, hlc=pack(NOW_MS)), Author(1, hlc=pack(NOW_MS + 1))
    assert one.log_id == two.log_id
    assert one.genesis != two.genesis
    replica = holding(one.chunk(one.genesis, one.genesis), two.chunk(two.genesis, two.genesis))
    assert set(replica.frontier()) == {one.genesis, two.genesis}
    assert replica.statistics().logs == 1
    other = open_store(seed=1)
    for chunk in replica.export_chunks():
        other.ingest_chunk(chunk, now_ms=NOW_MS)
    assert other.digest() == replica.digest()
