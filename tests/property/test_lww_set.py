"""The pure law: its merge is a semilattice's, and what it answers is what DESIGN §5 says.

The second half states the law again, as one plain question asked of the whole set of events (what
the model checker of the design asks), so that a slip in the sets is not hidden by the sets.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.crdt.lww_set import (
    Event,
    Shown,
    State,
    fold,
    is_held,
)
from kioku.log.event import GENESIS, PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY, EventId
from kioku.log.hlc import pack
from tests.property.histories import (
    KEYS,
    LOGS,
    NOW_MS,
    UNKNOWN_KIND,
    Arrival,
    arrivals,
    events,
    merged,
)

# Stated again, not imported: a slip in the law's own table must not slip into its tests.
FOR_EVER = (PURGE, GENESIS, RETRACT)

states = arrivals(size_max=8).map(merged)


@given(states, states)
def test_merge_is_commutative(one: State, other: State) -> None:
    assert one.merge(other) == other.merge(one)


@given(states, states, states)
def test_merge_is_associative(one: State, two: State, three: State) -> None:
    assert one.merge(two).merge(three) == one.merge(two.merge(three))


@given(states)
def test_merge_is_idempotent_and_empty_is_its_neutral_element(state: State) -> None:
    assert state.merge(state) == state
    assert state.merge(State()) == state


@given(arrivals(), st.data())
def test_any_order_batching_and_duplication_gives_the_same_state(
    history: list[Arrival], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(history), max_size=6)) if history else []
    shuffled = data.draw(st.permutations(history + again))
    cuts = data.draw(st.lists(st.integers(0, len(shuffled)), max_size=3).map(sorted))
    batches = [
        shuffled[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
    ]
    state = State()
    for batch in batches:
        state = state.merge(merged(batch))
    assert state == merged(history)


# --- the same law, as one question asked of the whole history -------------------------------------


def oracle_winner(history: list[Arrival], key: bytes, *, waiting: bool) -> Event | None:
    """The greatest unretracted save or tombstone of a key among those folded, or those waiting."""
    retracted = {target for a in history if a.event.kind == RETRACT for target in a.event.targets}
    best = None
    for arrival in history:
        event = arrival.event
        if event.kind not in (SAVE, TOMBSTONE) or event.key != key:
            continue
        if arrival.is_held == waiting and event.id not in retracted:
            best = event if best is None or event.order > best.order else best
    return best


def oracle_is_erased(history: list[Arrival], event: Event) -> bool:
    purged = {a.event.key for a in history if a.event.kind == PURGE}
    retracted = {target for a in history if a.event.kind == RETRACT for target in a.event.targets}
    if event.kind in FOR_EVER or event.key == ZERO_KEY:
        return False
    return event.key in purged or event.id in retracted


@given(arrivals())
def test_the_winner_is_the_greatest_that_counts(history: list[Arrival]) -> None:
    state = merged(history)
    purged = {a.event.key for a in history if a.event.kind == PURGE}
    for key in KEYS:
        expected = None if key in purged else oracle_winner(history, key, waiting=False)
        assert state.winner(key) == expected


@given(arrivals())
def test_what_is_shown_is_a_winning_save_with_a_body_or_else_the_greatest_that_waits(
    history: list[Arrival],
) -> None:
    state = merged(history)
    for key in KEYS:
        folded = oracle_winner(history, key, waiting=False)
        event = folded or oracle_winner(history, key, waiting=True)
        here = {a.event.id for a in history if a.has_body}
        expected = None
        if event is not None and event.kind == SAVE and event.id in here:
            erased = oracle_is_erased(history, event)
            expected = None if erased else Shown(event, is_held=folded is None)
        assert state.shown(key) == expected


@given(arrivals())
def test_a_body_is_erased_by_its_purge_or_its_retract_and_by_nothing_else(
    history: list[Arrival],
) -> None:
    state = merged(history)
    for arrival in history:
        assert state.is_erased(arrival.event) == oracle_is_erased(history, arrival.event)


# --- what holds for ever --------------------------------------------------------------------------


@given(states, states, st.sampled_from(KEYS))
def test_a_purged_key_is_invisible_for_ever(before: State, after: State, key: bytes) -> None:
    purge = Event(0, LOGS[0], 2, bytes(32), PURGE, key)
    state = before.merge(fold(purge, has_body=False)).merge(after)
    assert state.winner(key) is None
    assert state.shown(key) is None


@given(arrivals(), st.sampled_from(KEYS))
def test_a_deleted_key_returns_only_by_a_greater_save(history: list[Arrival], key: bytes) -> None:
    state = merged(history)
    tombstones = [
        event
        for event in state.candidates
        if event.kind == TOMBSTONE and event.key == key and not state.is_retracted(event)
    ]
    shown = state.shown(key)
    if shown is not None:
        assert all(shown.event.order > tombstone.order for tombstone in tombstones)


@given(arrivals(), events())
def test_a_retract_touches_no_genesis_purge_retract_or_what_is_about_no_key(
    history: list[Arrival], extra: list[Event]
) -> None:
    state = merged(history)
    everything = frozenset(a.event.id for a in history) | {event.id for event in extra}
    retract = Event(pack(NOW_MS), LOGS[2], 60, b"r" * 32, RETRACT, ZERO_KEY, everything)
    after = state.merge(fold(retract, has_body=True))
    assert after.purged == state.purged
    assert after.retracted >= state.retracted
    for arrival in history:
        if arrival.event.kind in FOR_EVER or arrival.event.key == ZERO_KEY:
            assert not after.is_erased(arrival.event)
            assert after.has_body(arrival.event) == state.has_body(arrival.event)
        else:
            assert after.is_erased(arrival.event)


@given(arrivals())
def test_a_held_event_wins_nothing_early_and_takes_effect_once(history: list[Arrival]) -> None:
    state = merged(history)
    now_ms = NOW_MS + 10**9 - 60_000
    early = state.released(now_ms - 1)
    for key in KEYS:
        winner = early.winner(key)
        assert winner is None or not early.is_waiting(winner)
    late = early.released(now_ms)
    assert not any(late.is_waiting(event) for event in late.held)
    assert late.released(now_ms) == late
    never_held = merged([arrival._replace(is_held=False) for arrival in history])
    for key in KEYS:
        assert late.winner(key) == never_held.winner(key)
        assert late.shown(key) == never_held.shown(key)


@given(arrivals())
def test_ties_are_total(history: list[Arrival]) -> None:
    distinct = {arrival.event for arrival in history}
    assert len({event.order for event in distinct}) == len({event.id for event in distinct})


@pytest.mark.parametrize("kind", [SAVE, TOMBSTONE])
@pytest.mark.parametrize(("ahead_ms", "expected"), [(0, False), (60_000, False), (60_001, True)])
def test_a_save_or_tombstone_is_held_beyond_sixty_seconds(
    kind: int, ahead_ms: int, expected: bool
) -> None:
    assert is_held(pack(NOW_MS + ahead_ms), kind, NOW_MS) is expected


@pytest.mark.parametrize("kind", [PURGE, GENESIS, RETRACT, UNKNOWN_KIND])
def test_no_other_kind_is_ever_held(kind: int) -> None:
    assert not is_held(pack(NOW_MS + 10**9), kind, NOW_MS)


# --- the cases that users meet, each by name ------------------------------------------------------

KEY = KEYS[0]


def event(kind: int, ms: int, seq: int, *, targets: frozenset[EventId] = frozenset()) -> Event:
    key = ZERO_KEY if kind == RETRACT else KEY
    return Event(pack(NOW_MS + ms), LOGS[0], seq, bytes((seq,)) * 32, kind, key, targets)


def add(*events: Event) -> State:
    return merged([Arrival(one, one.kind in (SAVE, RETRACT), is_held=False) for one in events])


def test_a_tombstone_that_came_before_its_save_still_deletes_it() -> None:
    save, tombstone = event(SAVE, 0, 2), event(TOMBSTONE, 1, 3)
    assert add(tombstone).shown(KEY) is None
    assert add(tombstone, save).shown(KEY) is None
    assert add(tombstone, save).winner(KEY) == tombstone


def test_a_tie_of_stamps_goes_to_the_greater_event_whatever_the_order() -> None:
    low, high = event(SAVE, 0, 2), event(SAVE, 0, 3)
    for number in range(32):
        # Other hashes, so that a set gives them in other orders.
        one, other = (e._replace(hash=bytes((number,)) * 31 + e.hash[:1]) for e in (low, high))
        assert add(one, other).winner(KEY) == add(other, one).winner(KEY) == other


def test_an_undelete_is_a_greater_save() -> None:
    save, tombstone, again = event(SAVE, 0, 2), event(TOMBSTONE, 1, 3), event(SAVE, 2, 4)
    assert add(again, tombstone, save).shown(KEY) == Shown(again, is_held=False)


def test_a_retract_that_came_before_its_target_brings_the_older_version_back() -> None:
    old, new = event(SAVE, 0, 2), event(SAVE, 1, 3)
    retract = event(RETRACT, 2, 4, targets=frozenset((new.id,)))
    assert add(retract, new, old).shown(KEY) == Shown(old, is_held=False)
    assert add(retract, new).is_erased(new)


def test_a_missing_body_shows_nothing_rather_than_an_older_version() -> None:
    old, new = event(SAVE, 0, 2), event(SAVE, 1, 3)
    state = add(old).merge(fold(new, has_body=False))
    assert state.winner(KEY) == new
    assert state.shown(KEY) is None
    assert state.merge(fold(new, has_body=True)).shown(KEY) == Shown(new, is_held=False)


def test_a_held_save_is_shown_marked_only_while_nothing_folded_has_its_key() -> None:
    held = event(SAVE, 10**6, 5)
    waiting = fold(held, has_body=True, is_held=True)
    assert waiting.shown(KEY) == Shown(held, is_held=True)
    assert waiting.winner(KEY) is None
    save, tombstone = event(SAVE, 0, 2), event(TOMBSTONE, 1, 3)
    assert waiting.merge(add(save)).shown(KEY) == Shown(save, is_held=False)
    assert waiting.merge(add(tombstone)).shown(KEY) is None
    assert (
        waiting.merge(add(event(RETRACT, 0, 4, targets=frozenset((held.id,))))).shown(KEY) is None
    )


def test_a_held_tombstone_shows_nothing_below_it() -> None:
    held, below = event(TOMBSTONE, 10**6 + 1, 6), event(SAVE, 10**6, 5)
    waiting = fold(held, has_body=False, is_held=True).merge(
        fold(below, has_body=True, is_held=True)
    )
    assert waiting.shown(KEY) is None
