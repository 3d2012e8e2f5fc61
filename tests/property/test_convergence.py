"""Real chunks into real stores: state is a function of the set of events, and it is the pure law's.

Every order, cut, repetition and gap that a network can make is drawn; what comes out must not
depend on it (invariants 9, 10, 11, 13, 17 and 27 of the design).
"""

from __future__ import annotations

from itertools import chain, repeat

from hypothesis import given
from hypothesis import strategies as st

from kioku.crdt import lww_set
from kioku.log.event import GENESIS, PURGE, RETRACT, EventId
from kioku.log.frontier import Frontier
from tests.property.forests import LATER_MS, Forest, Mirror, deliveries, forests
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import damage, law_of, open_store, snapshot

clocks = st.lists(
    st.sampled_from((NOW_MS, NOW_MS, NOW_MS + 1, NOW_MS - 10**9, NOW_MS + 10**9)), max_size=12
)


@given(forests(), st.data())
def test_two_stores_that_were_sent_the_same_events_agree(
    forest: Forest, data: st.DataObject
) -> None:
    seen = []
    for number in range(2):
        with open_store(seed=number) as replica:
            mirror = Mirror(replica)
            sent = data.draw(deliveries(forest, always_whole=True))
            mirror.take_all(sent, chain(data.draw(clocks), repeat(NOW_MS)))
            seen.append(snapshot(replica, now_ms=LATER_MS))
    assert seen[0] == seen[1]
    assert not seen[0].missing


@given(forests(), st.data())
def test_the_fold_over_sqlite_is_the_pure_law(forest: Forest, data: st.DataObject) -> None:
    with open_store() as replica:
        mirror = Mirror(replica)
        clock = data.draw(clocks)
        mirror.take_all(data.draw(deliveries(forest)), chain(clock, repeat(NOW_MS)))
        assert not damage(replica, now_ms=NOW_MS)
        for now_ms in (NOW_MS, NOW_MS + 1, LATER_MS):
            seen = snapshot(replica, now_ms=now_ms)
            state = mirror.state = mirror.state.released(now_ms)
            assert seen.keys == law_of(state)
            assert seen.retracted == state.retracted
            assert seen.with_body == {
                one for one, w in mirror.events.items() if state.has_body(w.law)
            }
            assert seen.with_salt == seen.with_body, "a salt that stays lets a guess be tested"
            assert seen.missing == {
                one
                for one, written in mirror.events.items()
                if written.event.commitment is not None
                and one not in state.bodies
                and not state.is_erased(written.law)
            }
            assert seen.followed == {
                (key, known.shown[0], known.shown[1])
                for key, known in seen.keys.items()
                if known.shown
            }


@given(forests(), st.data())
def test_rebuilding_from_the_log_changes_nothing(forest: Forest, data: st.DataObject) -> None:
    with open_store() as replica:
        mirror = Mirror(replica)
        clock = data.draw(clocks)
        mirror.take_all(data.draw(deliveries(forest)), chain(clock, repeat(NOW_MS)))
        now_ms = data.draw(st.sampled_from((NOW_MS, LATER_MS)))
        before = snapshot(replica, now_ms=now_ms)
        replica.rebuild()
        assert snapshot(replica, now_ms=now_ms) == before
        assert snapshot(replica, now_ms=LATER_MS).keys == law_of(mirror.state.released(LATER_MS))


@given(forests(), st.data())
def test_every_version_of_a_key_is_told_with_how_it_stands(
    forest: Forest, data: st.DataObject
) -> None:
    with open_store() as replica:
        mirror = Mirror(replica)
        mirror.take_all(data.draw(deliveries(forest)), repeat(NOW_MS))
        state = mirror.state.released(NOW_MS)
        with replica.reading(now_ms=NOW_MS) as reading:
            for key in KEYS:
                versions = reading.versions(key)
                orders = [version.entry.order for version in versions]
                assert orders == sorted(orders, reverse=True)
                winners = [v.entry.order for v in versions if v.status == "wins"]
                winner = state.winner(key)
                assert winners == ([winner.order] if winner else [])
                held = {v.entry.order for v in versions if v.status == "held"}
                waiting = {
                    event.order
                    for event in state.held
                    if event.key == key and state.is_waiting(event) and not state.is_erased(event)
                }
                assert held == waiting


@given(forests(), st.data())
def test_what_a_store_exports_is_all_that_it_knows(forest: Forest, data: st.DataObject) -> None:
    with open_store(seed=1) as one, open_store(seed=2) as other:
        Mirror(one).take_all(data.draw(deliveries(forest)), repeat(NOW_MS))
        known = data.draw(deliveries(forest))
        mirror = Mirror(other)
        for delivery in known[: len(known) // 2]:
            mirror.take(delivery, NOW_MS)
        for chunk in one.export_chunks(other.frontier()):
            other.ingest_chunk(chunk, now_ms=NOW_MS)
        for chunk in other.export_chunks(one.frontier()):
            one.ingest_chunk(chunk, now_ms=NOW_MS)
        assert one.digest() == other.digest()
        assert set(one.frontier()) == {tip for author in forest.authors for tip in author.tips()}
        assert not list(one.export_chunks(other.frontier()))


@given(forests(), st.data())
def test_an_export_gives_what_any_stated_frontier_lacks(
    forest: Forest, data: st.DataObject
) -> None:
    """The asker may be ahead, behind, on another branch or name what nobody has: no error."""
    stranger = EventId(bytes(16), 1, bytes(32))
    unknown = EventId(forest.authors[0].log_id, 7, bytes(32))
    everything = [written.id for written in forest.events()]
    stated = data.draw(st.sets(st.sampled_from([*everything, stranger, unknown]), max_size=3))
    with open_store(seed=1) as one, open_store(seed=2) as other:
        Mirror(one).take_all(data.draw(deliveries(forest, always_whole=True)), repeat(NOW_MS))
        for tip in stated:
            for author in forest.authors:
                if tip in author.written:
                    other.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
        for chunk in one.export_chunks(Frontier(stated)):
            other.ingest_chunk(chunk, now_ms=NOW_MS)
        assert snapshot(other, now_ms=NOW_MS) == snapshot(one, now_ms=NOW_MS)


@given(forests(), st.data())
def test_no_erased_body_is_ever_sent(forest: Forest, data: st.DataObject) -> None:
    with open_store() as replica:
        mirror = Mirror(replica)
        mirror.take_all(data.draw(deliveries(forest, always_whole=True)), repeat(NOW_MS))
        exported = b"".join(replica.export_chunks())
        for written in forest.events():
            salt = written.event.salt
            if salt is not None and mirror.state.is_erased(written.law):
                assert salt not in exported


@given(forests(), st.data())
def test_a_chunk_that_comes_again_changes_nothing(forest: Forest, data: st.DataObject) -> None:
    with open_store() as replica:
        sent = data.draw(deliveries(forest, always_whole=True))
        Mirror(replica).take_all(sent, repeat(NOW_MS))
        before = snapshot(replica, now_ms=NOW_MS)
        for delivery in sent:
            counts = replica.ingest_chunk(delivery.data, now_ms=NOW_MS)
            assert (counts.new_events, counts.new_bodies) == (0, 0)
        assert snapshot(replica, now_ms=NOW_MS) == before


def test_the_kinds_that_nothing_takes_back_are_the_laws() -> None:
    assert set(lww_set.PERMANENT_KINDS) == {PURGE, GENESIS, RETRACT}
