"""A clock that was ahead is set right: nothing visible changes, and from then on all is as usual.

Histories of two stores whose walls jump, with deletions, purges, retracts, logs that are closed,
and exchanges in between; then the wall is right. The oracle is the pure law, asked of all the
events that are in the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kioku import clock_repair
from kioku.crdt import lww_set
from kioku.errors import ClockError
from kioku.log.event import PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY, EventId
from kioku.log.hlc import horizon, unix_ms
from kioku.log.payload import decode_targets, encode_targets
from kioku.replica import Draft
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import damage, law_of, open_store, snapshot

if TYPE_CHECKING:
    from kioku.replica import Replica

DAY_MS = 86_400_000
LATER_MS = NOW_MS + 10 * DAY_MS
AHEAD_MS = (-5, 0, 1, 59_999, 60_000, 60_001, DAY_MS)


class Step(NamedTuple):
    """What one of the two does, at a wall that may be ahead.

    ``what`` is a kind, or: ``close`` (here loses its key), ``give`` and ``take`` (chunks, by here).
    """

    what: int | str
    is_here: bool
    key: int
    ahead_ms: int


steps = st.builds(
    Step,
    st.sampled_from(
        (SAVE,) * 6 + (TOMBSTONE,) * 3 + (PURGE, RETRACT, "close", "give", "give", "take", "take")
    ),
    st.sampled_from((True, True, False)),
    st.integers(0, 2),
    st.sampled_from(AHEAD_MS),
)


@dataclass
class Pair:
    """Two stores, and how many bodies were drawn."""

    here: Replica
    there: Replica
    count: int = 0

    def do(self, step: Step) -> None:
        """Take one step."""
        now_ms = NOW_MS + step.ahead_ms
        if step.what == "close":
            owner = self.here._core.owner
            own = owner.current()
            if own is not None:
                owner._keys.discard(own.log.log_id)
        elif step.what == "give":
            carry(self.here, self.there, NOW_MS)
        elif step.what == "take":
            carry(self.there, self.here, now_ms)
        else:
            assert isinstance(step.what, int)
            self._write(step, now_ms)

    def _write(self, step: Step, now_ms: int) -> None:
        replica = self.here if step.is_here else self.there
        key, body = KEYS[step.key], None
        if step.what == SAVE:
            self.count += 1
            body = b"body %d" % self.count
        elif step.what == RETRACT:
            with replica.reading(now_ms=now_ms) as reading:
                ids = [version.entry.id for version in reading.versions(key)]
            if not ids:
                return
            key, body = ZERO_KEY, encode_targets(ids[:1])
        assert isinstance(step.what, int)
        replica.append([Draft(step.what, key, body)], now_ms=now_ms)


def carry(source: Replica, target: Replica, now_ms: int) -> None:
    for chunk in source.export_chunks(target.frontier()):
        target.ingest_chunk(chunk, now_ms=now_ms)


def repair(replica: Replica, now_ms: int = NOW_MS) -> clock_repair.Survey:
    with replica.transaction(now_ms=now_ms) as transaction:
        return clock_repair.repair(transaction, wall_ms=now_ms)


def rows(replica: Replica, now_ms: int = NOW_MS) -> list[tuple[lww_set.Event, bool, bool, bool]]:
    """Every event, whether its body is here, whether it is held, whether its log is our own."""
    with replica.reading(now_ms=now_ms) as reading:
        found: Any = reading.connection.execute(
            "SELECT e.hlc, l.log_id, e.seq, e.hash, e.kind, e.key, e.body,"
            " EXISTS(SELECT 1 FROM held h WHERE h.event = e.event),"
            " EXISTS(SELECT 1 FROM own o WHERE o.log = l.log)"
            " FROM event e JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log"
        ).fetchall()
    return [
        (
            lww_set.Event._make((*row[:6], _targets(row[4], row[6]))),
            row[6] is not None,
            bool(row[7]),
            bool(row[8]),
        )
        for row in found
    ]


def _targets(kind: int, body: bytes | None) -> frozenset[EventId]:
    return frozenset(decode_targets(body)) if kind == RETRACT and body else frozenset()


def law(replica: Replica) -> lww_set.State:
    """What the pure law makes of all that is in a store."""
    state = lww_set.State()
    for event, has_body, is_held, _ in rows(replica):
        state = state.merge(lww_set.fold(event, has_body=has_body, is_held=is_held))
    return state


def ahead(replica: Replica, *, is_own: bool) -> list[lww_set.Event]:
    """Saves and tombstones that count and lie more than 60 s ahead of the wall."""
    state = law(replica)
    return [
        event
        for event, _, is_held, own in rows(replica)
        if own == is_own
        and event.kind in (SAVE, TOMBSTONE)
        and event.hlc > horizon(NOW_MS)
        and not (is_held or state.is_retracted(event) or state.is_purged(event.key))
    ]


class Visible(NamedTuple):
    """What people see, without ids and stamps."""

    shown: dict[bytes, tuple[bytes, bool] | None]
    versions: dict[bytes, list[tuple[int, bytes | None]]]
    purged: dict[bytes, bool]


def visible(replica: Replica, now_ms: int = NOW_MS) -> Visible:
    """What is shown of each key, and all its versions that count, the greatest first."""
    with replica.reading(now_ms=now_ms) as reading:
        shown = {key: reading.shown(key) for key in KEYS}
        versions = {
            key: [
                (version.entry.kind, version.entry.body)
                for version in reading.versions(key)
                if version.status in ("wins", "older")
            ]
            for key in KEYS
        }
        purged = {key: reading.is_purged(key) for key in KEYS}
    return Visible({k: s and (s.body, s.held) for k, s in shown.items()}, versions, purged)


@given(st.lists(steps, max_size=14))
@example([Step(SAVE, True, 0, 60_000), Step(SAVE, True, 0, DAY_MS)])  # past the limit by one tick
@example([Step(SAVE, True, 0, DAY_MS), Step("close", True, 0, 0)])  # the tail is said again first
@example([Step(SAVE, True, 0, DAY_MS), Step(TOMBSTONE, True, 0, DAY_MS), Step("give", True, 0, 0)])
@example(
    [  # the tail that is said again has a retract, whose stamp is ahead and stays
        *(Step(SAVE, True, 0, 60_001), Step(SAVE, True, 0, 0)),
        *(Step(RETRACT, True, 0, 0), Step("close", True, 0, 0)),
    ]
)
@example(
    [  # the same, at the limit
        *(Step(SAVE, True, 0, 60_000), Step(SAVE, True, 1, 0)),
        *(Step(PURGE, True, 0, 0), Step("close", True, 0, 0)),
    ]
)
@example([Step(PURGE, True, 0, DAY_MS), Step(SAVE, True, 1, 0)])  # only the clock is ahead
def test_the_clock_is_repaired_and_nothing_visible_changes(history: list[Step]) -> None:
    with open_store(seed=1) as here, open_store(seed=2) as there:
        pair = Pair(here, there)
        for step in history:
            pair.do(step)
        before, bad, count = visible(here), ahead(here, is_own=True), len(rows(here))
        if ahead(here, is_own=False):
            with pytest.raises(ClockError, match="other logs"):
                repair(here)
            assert (visible(here), len(rows(here))) == (before, count)
            return
        repair(here)

        assert visible(here) == before
        _assert_mended(here, bad)
        _assert_twice_is_once(here)
        _assert_saves_count(here)
        _assert_all_agree(here, there)


def _assert_mended(here: Replica, bad: list[lww_set.Event]) -> None:
    seen = snapshot(here, now_ms=NOW_MS)  # first, for it seals, which may begin a log
    state = law(here)
    assert seen.keys == law_of(state)
    assert not damage(here, now_ms=NOW_MS)
    left = ahead(here, is_own=True)
    assert all(unix_ms(event.hlc) <= NOW_MS + 60_000 for event in left)
    if not left:
        assert all(state.is_retracted(event) for event in bad)


def _assert_twice_is_once(here: Replica) -> None:
    digest, count = here.digest(), len(rows(here))
    for _ in range(2):
        repair(here)
        assert (here.digest(), len(rows(here))) == (digest, count)


def _assert_all_agree(here: Replica, there: Replica) -> None:
    """Whoever holds the retracts holds what was said again; nothing is left that waits for it."""
    carry(here, there, NOW_MS)
    carry(there, here, NOW_MS)
    ours, theirs = (snapshot(each, now_ms=LATER_MS) for each in (here, there))
    # Bodies are not compared: the unsealed tail of a log that was closed is in its own file alone.
    assert ours._replace(with_body=frozenset(), with_salt=frozenset()) == theirs._replace(
        with_body=frozenset(), with_salt=frozenset()
    )


def _assert_saves_count(here: Replica) -> None:
    """The next save is stamped near the wall, and past everything that it could depend on."""
    for key in KEYS:
        [entry] = here.append([Draft(SAVE, key, b"next")], now_ms=NOW_MS)
        # A clock that would go back by less than a millisecond is left alone.
        assert unix_ms(entry.hlc) <= NOW_MS + 60_001
        with here.reading(now_ms=NOW_MS) as reading:
            winner = reading.winner(key)
            assert reading.is_purged(key) or (winner is not None and winner.id == entry.id)


@given(st.integers(1, 5), st.sampled_from((60_001, DAY_MS)))
def test_a_peers_edit_counts_once_the_clock_is_right(count: int, ahead_ms: int) -> None:
    """Before, an edit made elsewhere lost to a stamp from the future; behind the repair it wins."""
    with open_store(seed=1) as here, open_store(seed=2) as there:
        for _ in range(count):
            here.append([Draft(SAVE, KEYS[0], b"ahead")], now_ms=NOW_MS + ahead_ms)
        repair(here)
        carry(here, there, NOW_MS)
        there.append([Draft(SAVE, KEYS[0], b"edited")], now_ms=NOW_MS)
        carry(there, here, NOW_MS)
        for replica in (here, there):
            shown = visible(replica).shown[KEYS[0]]
            assert shown == (b"edited", False)


@pytest.mark.parametrize("wall_ms", [0, clock_repair.WALL_MS_MIN - 1])
def test_a_wall_before_2025_is_not_believed(wall_ms: int) -> None:
    with open_store() as here:
        here.append([Draft(SAVE, KEYS[0], b"a")], now_ms=NOW_MS)
        digest = here.digest()
        with pytest.raises(ClockError, match="2025"):
            repair(here, wall_ms)
        assert here.digest() == digest


def test_what_is_said_again_comes_before_its_retract() -> None:
    """A chunk that is cut anywhere takes nothing away that it does not bring."""
    with open_store() as here:
        [old] = here.append([Draft(SAVE, KEYS[0], b"a")], now_ms=NOW_MS + DAY_MS)
        repair(here)
        own = sorted((event for event, *_ in rows(here)), key=lambda event: event.seq)
        assert [event.kind for event in own[-2:]] == [SAVE, RETRACT]
        assert own[-1].targets == {EventId(*old.id)}
