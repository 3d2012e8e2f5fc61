"""The clock: stamps rise, whatever the wall does."""

from __future__ import annotations

import pytest

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

NOW_MS = 1_790_000_000_000
TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000


def test_a_stamp_says_when_it_was_given() -> None:
    assert unix_ms(next_stamp(0, NOW_MS)) == NOW_MS


def test_a_wall_that_stands_or_goes_back_only_counts() -> None:
    last = next_stamp(0, NOW_MS)
    assert next_stamp(last, NOW_MS) == last + 1
    assert next_stamp(last, NOW_MS - TEN_YEARS_MS) == last + 1


def test_a_full_counter_carries_into_the_milliseconds() -> None:
    last = pack(NOW_MS + 1) - 1
    assert unix_ms(last) == NOW_MS
    assert next_stamp(last, NOW_MS) == pack(NOW_MS + 1)


def test_the_horizon_is_a_minute_ahead_and_inclusive() -> None:
    limit = pack(NOW_MS + DRIFT_MS_MAX)
    assert horizon(NOW_MS) == limit
    assert observe(5, limit, NOW_MS) == limit
    assert observe(5, limit + 1, NOW_MS) == 5
    assert observe(limit, 5, NOW_MS) == limit


@pytest.mark.parametrize("wall_ms", [-1, 1 << 47, 1 << 60])
def test_a_wall_out_of_range_is_named(wall_ms: int) -> None:
    with pytest.raises(ClockError, match=str(wall_ms)):
        next_stamp(0, wall_ms)


def test_the_last_stamp_has_no_successor() -> None:
    with pytest.raises(ClockError):
        next_stamp(STAMP_LIMIT - 1, NOW_MS)
    assert next_stamp(STAMP_LIMIT - 2, NOW_MS) == STAMP_LIMIT - 1
