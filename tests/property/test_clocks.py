"""Clocks in real stores: cause before effect, rising stamps, and nobody's wrong clock spreads.

Invariants 15, 16 and 17 of the design, over chunks and stores instead of over bare integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kioku.log.event import SAVE, TOMBSTONE
from kioku.log.hlc import pack, unix_ms
from kioku.replica import Draft
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import open_store, snapshot

if TYPE_CHECKING:
    from kioku.log.store import Entry
    from kioku.replica import Replica

YEARS_MS = 10 * 365 * 86_400_000
numbers = st.integers(0, 2)


def write(replica: Replica, now_ms: int, *, kind: int = SAVE) -> Entry:
    body = b"body" if kind == SAVE else None
    [entry] = replica.append([Draft(kind, KEYS[0], body)], now_ms=now_ms)
    return entry


def read(replica: Replica, source: Replica, now_ms: int) -> None:
    for chunk in source.export_chunks(replica.frontier()):
        replica.ingest_chunk(chunk, now_ms=now_ms)


@given(
    st.lists(st.integers(-25_000, 25_000), min_size=3, max_size=3),
    st.lists(st.tuples(numbers, numbers, st.integers(0, 3_000)), min_size=1, max_size=8),
)
def test_an_answer_comes_after_what_it_answers(
    offsets_ms: list[int], steps: list[tuple[int, int, int]]
) -> None:
    """Walls may differ by less than a minute: each step one writes, another reads and answers."""
    now_ms = NOW_MS
    with open_store(seed=1) as a, open_store(seed=2) as b, open_store(seed=3) as c:
        stores = (a, b, c)
        for writer, reader, pause_ms in steps:
            now_ms += pause_ms
            cause = write(stores[writer], now_ms + offsets_ms[writer])
            if reader != writer:
                read(stores[reader], stores[writer], now_ms + offsets_ms[reader])
            effect = write(stores[reader], now_ms + offsets_ms[reader], kind=TOMBSTONE)
            assert effect.order > cause.order
            with stores[reader].reading(now_ms=now_ms + offsets_ms[reader]) as reading:
                winner = reading.winner(KEYS[0])
            assert winner is not None
            assert winner.id == effect.id


@given(st.lists(st.sampled_from((0, 1, 60_000, YEARS_MS, -YEARS_MS)), min_size=1, max_size=8))
def test_own_stamps_rise_whatever_the_wall_does(jumps_ms: list[int]) -> None:
    with open_store() as replica:
        stamps = [write(replica, NOW_MS + jump_ms).hlc for jump_ms in jumps_ms]
    assert stamps == sorted(set(stamps))


@given(st.sampled_from((60_001, YEARS_MS)), st.integers(1, 3))
def test_a_clock_that_is_ahead_spreads_to_nobody(ahead_ms: int, count: int) -> None:
    with open_store(seed=1) as wrong, open_store(seed=2) as right:
        for _ in range(count):
            write(wrong, NOW_MS + ahead_ms)
        read(right, wrong, NOW_MS)
        before = snapshot(right, now_ms=NOW_MS).keys[KEYS[0]]
        assert before.winner is None
        assert before.shown is not None
        assert before.shown[1], "what is held is shown marked while nothing else has its key"
        mine = write(right, NOW_MS)
        assert unix_ms(mine.hlc) == NOW_MS
        assert snapshot(right, now_ms=NOW_MS).keys[KEYS[0]].winner == (mine.id, True)
        read(right, wrong, NOW_MS)
        later_ms = NOW_MS + ahead_ms
        released = snapshot(right, now_ms=later_ms).keys[KEYS[0]]
        assert released.winner is not None
        assert released.winner[0].log_id != mine.log_id
        assert write(right, later_ms - 60_000).hlc > pack(later_ms)
