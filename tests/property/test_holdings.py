"""What a session is told of a replica: what its frontier and its events say, whoever wrote them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import BrokenChainError
from kioku.log.chunk import decode_chunk
from kioku.log.event import SAVE
from kioku.log.frontier import Frontier, Tip
from kioku.node.holdings import ReplicaHoldings
from kioku.replica import Draft, Replica
from kioku.transport.holdings import Head, Place
from tests.property.forests import LATER_MS, Delivery, Forest, deliveries, forests
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import damage, open_store, snapshot

STEPS = ("holdings", "other process", "append", "seal", "close own log", "ask")


def _check_level(holdings: ReplicaHoldings, replica: Replica, prefix: str) -> None:
    """What is told of the tips is what the store's own frontier says."""
    frontier = replica.stated_frontier()
    assert holdings.digest() == frontier.digest() == replica.stated_digest()
    under = [tip for tip in frontier if tip.log_id.hex().startswith(prefix)]
    assert [head.tip for head in holdings.heads(prefix)] == under
    assert holdings.count_tips(prefix) == len(under)
    for digit, found in zip("0123456789abcdef", holdings.sums(prefix), strict=True):
        tips = [tip for tip in under if tip.log_id.hex().startswith(prefix + digit)]
        assert found == Frontier(tips).digest()[:16]
    for tip in frontier:
        assert holdings.tips_of(tip.log_id) == frontier.of_log(tip.log_id)


@given(st.data())
def test_holdings_are_level_whoever_changes_the_store(data: st.DataObject) -> None:
    """Chunks through the holdings or beside them, own appends and seals, in any order."""
    forest = data.draw(forests())
    waiting = list(data.draw(deliveries(forest)))
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "store.db"))
        with open_store(path, seed=1) as replica, open_store(path, seed=1) as other:
            holdings = ReplicaHoldings(replica, lambda: NOW_MS)
            for step in data.draw(st.lists(st.sampled_from(STEPS), max_size=14)):
                _take(step, holdings, replica, other, waiting)
                if data.draw(st.booleans()):
                    some_id = forest.authors[0].log_id.hex()
                    _check_level(holdings, replica, data.draw(st.sampled_from(("", some_id[:1]))))
            _check_level(holdings, replica, "")
            assert holdings.reloads() == 1, "changes are found without reading all tips again"


def _take(
    step: str,
    holdings: ReplicaHoldings,
    replica: Replica,
    other: Replica,
    waiting: list[Delivery],
) -> None:
    if step in ("holdings", "other process") and waiting:
        delivery = waiting.pop(0)
        try:
            if step == "holdings":
                holdings.ingest(delivery.data)
            else:
                other.ingest_chunk(delivery.data, now_ms=NOW_MS)
        except BrokenChainError:
            waiting.append(delivery)
    elif step == "append":
        other.append([Draft(SAVE, KEYS[0], b"ours")], now_ms=NOW_MS)
    elif step == "seal":
        other.seal()
    elif step == "close own log":
        replica.close_own_log()
    elif step == "ask":
        holdings.digest()


@given(st.data())
def test_what_is_told_of_events_is_what_was_written(data: st.DataObject) -> None:
    """Against a naive walk through what the authors wrote."""
    forest = data.draw(forests())
    with open_store() as replica:
        holdings = ReplicaHoldings(replica, lambda: NOW_MS)
        sealed: set[object] = set()
        left = list(data.draw(deliveries(forest)))
        for delivery in data.draw(st.permutations(left)):
            try:
                holdings.ingest(delivery.data)
            except BrokenChainError:
                continue
            sealed.add(delivery.run[-1])
        _check_told(holdings, forest, sealed, data)


def _check_told(
    holdings: ReplicaHoldings, forest: Forest, sealed: set[object], data: st.DataObject
) -> None:
    for author in forest.authors:
        for event in author.written:
            path = [one for one in author.path(event) if one.seq <= event.seq]
            is_held = holdings.holds(event)
            places = holdings.hashes(event, [0, *range(1, event.seq + 2)])
            if not is_held:
                assert places is None
                assert holdings.sealed_at_or_below(event) is None
                assert holdings.read_range(event, None) is None
                continue
            assert places == [Place(one.seq, one.hash) for one in path]
            below = [one for one in path if one in sealed]
            expected = Place(below[-1].seq, below[-1].hash) if below else None
            assert holdings.sealed_at_or_below(event) == expected
            if event not in sealed:
                assert holdings.read_range(event, None) is None
    heads = holdings.heads("")
    stamps = {one.id: one.event.hlc for one in forest.events()}
    assert heads == [Head(head.tip, stamps[head.tip]) for head in heads]


@given(st.data())
def test_a_range_gives_exactly_what_follows_a_seal_that_the_asker_holds(
    data: st.DataObject,
) -> None:
    """Also where the seal is not here: the two may have got the log in other chunks."""
    forest = data.draw(forests())
    with open_store() as replica, open_store(seed=1) as receiver:
        source = ReplicaHoldings(replica, lambda: NOW_MS)
        target = ReplicaHoldings(receiver, lambda: NOW_MS)
        _fill(source, data.draw(deliveries(forest)))
        _fill(target, data.draw(deliveries(forest))[: data.draw(st.integers(0, 3))])
        for head in source.heads(""):
            after = _last_shared_seal(source, target, head.tip)
            chunks = source.read_range(head.tip, after)
            assert chunks is not None
            seq = after.seq if after else 0
            for data_of_chunk in chunks:
                chunk = decode_chunk(data_of_chunk)
                assert chunk.first_seq == seq + 1
                seq = chunk.last.seq
                target.ingest(data_of_chunk)
            assert seq == head.tip.seq
            assert target.holds(head.tip)


def _last_shared_seal(source: ReplicaHoldings, target: ReplicaHoldings, goal: Tip) -> Place | None:
    """Walk back from a goal to the last event that the target holds, and to its seal there."""
    for place in reversed(source.hashes(goal, range(1, goal.seq + 1)) or []):
        event = goal._replace(seq=place.seq, hash=place.hash)
        if target.holds(event):
            return target.sealed_at_or_below(event)
    return None


@given(st.data())
def test_a_range_is_unknown_where_its_ends_are_not_on_one_way(data: st.DataObject) -> None:
    forest = data.draw(forests())
    with open_store() as replica:
        source = ReplicaHoldings(replica, lambda: NOW_MS)
        _fill(source, data.draw(deliveries(forest)))
        for author in forest.authors:
            for tip in source.tips_of(author.log_id):
                for other in author.written:
                    is_on_way = other in author.path(tip)
                    found = source.read_range(tip, Place(other.seq, other.hash))
                    assert (found is not None) == is_on_way


@given(st.data())
def test_bodies_that_come_late_make_two_stores_equal(data: st.DataObject) -> None:
    """Whatever was purged, retracted or held meanwhile: as if all had come with its chunk."""
    forest = data.draw(forests())
    waiting = data.draw(deliveries(forest, always_whole=True))
    with open_store() as replica, open_store(seed=1) as whole:
        lacking = ReplicaHoldings(replica, lambda: NOW_MS)
        source = ReplicaHoldings(whole, lambda: NOW_MS)
        _fill(source, waiting)
        _fill(lacking, [one for one in waiting if one.bodiless or not _is_doubled(one, waiting)])
        missing = lacking.missing(1000)
        bodies = source.bodies(missing)
        assert {body.event for body in bodies} == set(missing)
        for body in data.draw(st.permutations(bodies)):
            assert lacking.supply([body]) == 1
            assert lacking.supply([body]) == 0
        assert lacking.missing(1000) == []
        assert snapshot(replica, now_ms=LATER_MS) == snapshot(whole, now_ms=LATER_MS)
        assert damage(replica, now_ms=LATER_MS) == []


def _is_doubled(one: Delivery, waiting: list[Delivery]) -> bool:
    return any(other.run == one.run and other.bodiless for other in waiting)


def _fill(holdings: ReplicaHoldings, waiting: list[Delivery]) -> None:
    """Ingest all that can be, whatever the order."""
    is_new = True
    while waiting and is_new:
        refused = []
        for delivery in waiting:
            try:
                holdings.ingest(delivery.data)
            except BrokenChainError:
                refused.append(delivery)
        is_new = len(refused) < len(waiting)
        waiting = refused
