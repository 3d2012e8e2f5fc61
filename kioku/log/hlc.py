"""The hybrid logical clock: one integer that orders events and still says when they happened.

    63                    16 15        0
    [ unix milliseconds     | counter  ]        stamp < 2**63

Adding one to a stamp carries from the counter into the milliseconds, so the clock has no overflow
case of its own: a burst of more than 65,535 events in a millisecond runs ahead of the wall by one.
The clock is a number that the caller keeps; nothing here reads the time.

Source: Kulkarni et al. 2014, "Logical Physical Clocks"; DESIGN §4.
"""

from __future__ import annotations

from kioku.errors import ClockError

COUNTER_BITS = 16
STAMP_LIMIT = 1 << 63
DRIFT_MS_MAX = 60_000
"""How far ahead of the wall a foreign stamp may lie and still move our clock, or be folded."""


def pack(unix_ms: int) -> int:
    """Give the smallest stamp of a millisecond.

    Raises:
        ClockError: if the time is before 1970 or after the year 6429.
    """
    stamp = unix_ms << COUNTER_BITS
    if not 0 <= stamp < STAMP_LIMIT:
        raise ClockError(f"the clock says {unix_ms} ms since 1970, out of range; set the clock")
    return stamp


def unix_ms(stamp: int) -> int:
    """Give the millisecond that a stamp belongs to."""
    return stamp >> COUNTER_BITS


def next_stamp(last: int, wall_ms: int) -> int:
    """Give the stamp of the next event: the wall's, or one past ``last`` where that is greater.

    Raises:
        ClockError: if no greater stamp exists.
    """
    stamp = max(pack(wall_ms), last + 1)
    if stamp >= STAMP_LIMIT:
        raise ClockError("the newest stamp is the last there is; kioku doctor names its event")
    return stamp


def observe(last: int, stamp: int, wall_ms: int) -> int:
    """Move ``last`` past a folded event's stamp, unless that lies more than 60 s ahead."""
    return max(last, stamp) if stamp <= horizon(wall_ms) else last


def horizon(wall_ms: int) -> int:
    """Give the greatest stamp that is not yet too far ahead of the wall (60 s, inclusive)."""
    return pack(wall_ms + DRIFT_MS_MAX)
