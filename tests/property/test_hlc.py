"""The clock's laws (Kulkarni et al. 2014): stamps rise, stay near the wall, and order cause before
effect, whatever the walls do within what a receiver believes.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import ClockError
from kioku.log.hlc import (
    DRIFT_MS_MAX,
    STAMP_LIMIT,
    horizon,
    next_stamp,
    observe,
    pack,
    unix_ms,
)

walls = st.integers(0, 1 << 46)
stamps = st.integers(0, (1 << 62) - 1)


@given(walls)
def test_a_stamp_gives_back_its_millisecond(wall_ms: int) -> None:
    assert unix_ms(pack(wall_ms)) == wall_ms
    assert unix_ms(pack(wall_ms) + 0xFFFF) == wall_ms
    assert pack(wall_ms + 1) == pack(wall_ms) + 0x1_0000


@given(walls, walls)
def test_stamps_order_as_their_milliseconds_do(one: int, other: int) -> None:
    assert (one < other) == (pack(one) < pack(other))


@given(stamps, walls)
def test_the_next_stamp_is_the_least_above_the_last_and_not_below_the_wall(
    last: int, wall_ms: int
) -> None:
    stamp = next_stamp(last, wall_ms)
    assert stamp > last
    assert stamp >= pack(wall_ms)
    assert stamp in (last + 1, pack(wall_ms))


@given(st.lists(walls, min_size=1, max_size=40))
def test_own_stamps_rise_strictly_whatever_the_wall_does(readings: list[int]) -> None:
    last, issued = 0, []
    for wall_ms in readings:
        last = next_stamp(last, wall_ms)
        issued.append(last)
    assert issued == sorted(set(issued))
    assert unix_ms(last) <= max(readings) + 1


def test_a_burst_carries_from_the_counter_into_the_milliseconds() -> None:
    assert next_stamp(pack(7) + 0xFFFF, 7) == pack(8)


@given(stamps, stamps, walls)
def test_a_stamp_that_is_too_far_ahead_does_not_move_the_clock(
    last: int, stamp: int, wall_ms: int
) -> None:
    after = observe(last, stamp, wall_ms)
    assert after >= last
    assert after == (max(last, stamp) if stamp <= horizon(wall_ms) else last)


@given(walls)
def test_the_horizon_is_sixty_seconds_ahead_and_inclusive(wall_ms: int) -> None:
    inside, outside = pack(wall_ms + DRIFT_MS_MAX), pack(wall_ms + DRIFT_MS_MAX) + 1
    assert DRIFT_MS_MAX == 60_000
    assert observe(0, inside, wall_ms) == inside
    assert observe(0, outside, wall_ms) == 0


@given(
    st.lists(st.integers(-20_000, 20_000), min_size=2, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5_000)), max_size=30),
)
def test_cause_comes_before_effect_while_clocks_differ_by_less_than_a_minute(
    offsets_ms: list[int], steps: list[tuple[int, int, int]]
) -> None:
    """Each step one machine writes and another, that has read it, answers."""
    now_ms = 1_760_000_000_000
    last = [0] * len(offsets_ms)
    for writer, reader, pause_ms in steps:
        one, other = writer % len(last), reader % len(last)
        now_ms += pause_ms
        cause = last[one] = next_stamp(last[one], now_ms + offsets_ms[one])
        last[other] = observe(last[other], cause, now_ms + offsets_ms[other])
        effect = last[other] = next_stamp(last[other], now_ms + offsets_ms[other])
        assert effect > cause


@pytest.mark.parametrize("wall_ms", [-1, STAMP_LIMIT >> 16, 1 << 80])
def test_a_wall_that_no_stamp_can_hold_is_refused(wall_ms: int) -> None:
    with pytest.raises(ClockError):
        pack(wall_ms)


def test_the_last_stamp_has_no_next() -> None:
    assert next_stamp(STAMP_LIMIT - 2, 0) == STAMP_LIMIT - 1
    with pytest.raises(ClockError):
        next_stamp(STAMP_LIMIT - 1, 0)
