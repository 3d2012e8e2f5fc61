"""Strategies for histories: sets of events as the pure law sees them, small enough to collide.

Few logs, keys and stamps, so that ties, branches (one place in a log, two hashes), duplicates and
retracts of retracts are the rule and not the exception.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from hypothesis import strategies as st

from kioku.crdt import lww_set
from kioku.log.event import GENESIS, PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY, EventId
from kioku.log.hlc import pack

NOW_MS = 1_760_000_000_000
KEYS = tuple(bytes((number,)) * 16 for number in (0x11, 0x22, 0x33))
LOGS = tuple(bytes((number,)) * 16 for number in (0xA1, 0xB2, 0xC3))
UNKNOWN_KIND = 77


class Arrival(NamedTuple):
    """An event as it came to one replica: with its body or not, folded at once or held."""

    event: lww_set.Event
    has_body: bool
    is_held: bool

    def state(self) -> lww_set.State:
        return lww_set.fold(self.event, has_body=self.has_body, is_held=self.is_held)


def _hash(*parts: object) -> bytes:
    return blake2b(repr(parts).encode(), digest_size=32).digest()


@st.composite
def events(draw: st.DrawFn, *, size_max: int = 14) -> list[lww_set.Event]:
    """Any set of distinct events; retracts name events of the set, themselves and strangers."""
    offsets_ms = st.sampled_from((-5, 0, 0, 1, 59_999, 60_000, 60_001, 10**9))
    kinds = st.sampled_from((SAVE,) * 4 + (TOMBSTONE,) * 3 + (PURGE, UNKNOWN_KIND, GENESIS))
    drawn = st.tuples(
        st.sampled_from(LOGS), st.integers(1, 3), offsets_ms, kinds, st.sampled_from(KEYS)
    )
    plain = []
    for number, (log_id, seq, offset_ms, kind, key) in enumerate(
        draw(st.lists(drawn, max_size=size_max))
    ):
        stamp = pack(NOW_MS + offset_ms)
        about_no_key = kind == GENESIS or (kind == UNKNOWN_KIND and seq == 3)
        event_key = ZERO_KEY if about_no_key else key
        named = _hash(log_id, seq, stamp, kind, key, number % 2)
        plain.append(lww_set.Event(stamp, log_id, seq, named, kind, event_key))
    ids = [event.id for event in plain] + [EventId(LOGS[0], 9, _hash("stranger"))]
    retracts = []
    for number in range(draw(st.integers(0, 3))):
        targets = draw(st.frozensets(st.sampled_from(ids), min_size=1, max_size=3))
        named = _hash("retract", number, sorted(targets))
        retract = lww_set.Event(pack(NOW_MS), LOGS[1], 50, named, RETRACT, ZERO_KEY, targets)
        retracts.append(retract)
        ids.append(retract.id)
    return list(dict.fromkeys(plain + retracts))


@st.composite
def arrivals(draw: st.DrawFn, *, size_max: int = 14) -> list[Arrival]:
    """A history as one replica met it; what is held was decided by a clock of its own."""
    now_ms = NOW_MS + draw(st.sampled_from((-1, 0, 1, 10**10)))
    return [
        Arrival(
            event,
            has_body=event.kind in (GENESIS, RETRACT)
            or (event.kind != PURGE and draw(st.integers(0, 5)) > 0),
            is_held=lww_set.is_held(event.hlc, event.kind, now_ms),
        )
        for event in draw(events(size_max=size_max))
    ]


def merged(history: list[Arrival]) -> lww_set.State:
    """The state that a history adds up to."""
    state = lww_set.State()
    for arrival in history:
        state = state.merge(arrival.state())
    return state
