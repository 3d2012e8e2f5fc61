"""What a store answers, in a form by which two stores, or a store and the law, can be held equal.

Nothing local is in it: no row numbers, no order of arrival.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.log.event import EventId
from kioku.replica import Replica
from tests.property.histories import KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from kioku.crdt import lww_set
    from kioku.crdt.standing import Change
    from kioku.replica import View


class FollowingView:
    """The least view there is: it keeps what is shown, and refuses a change that does not fit."""

    version = 1

    def create(self, connection: apsw.Connection) -> None:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS followed(key PRIMARY KEY, event, body, held)"
        )

    def clear(self, connection: apsw.Connection) -> None:
        connection.execute("DELETE FROM followed")

    def scrub(self, connection: apsw.Connection) -> None:
        """A plain table keeps nothing of a row that is gone."""

    def apply(self, connection: apsw.Connection, changes: Sequence[Change]) -> None:
        for change in changes:
            row = connection.execute(
                "SELECT event, body, held FROM followed WHERE key = ?", (change.key,)
            ).fetchone()
            before = change.before
            expected = before and (before.event_id, before.body, before.held)
            assert row == expected, f"the view holds {row}, the fold says {expected}"
            connection.execute("DELETE FROM followed WHERE key = ?", (change.key,))
            after = change.after
            if after is not None:
                values = (change.key, after.event_id, after.body, after.held)
                connection.execute("INSERT INTO followed VALUES(?, ?, ?, ?)", values)


def open_store(path: str = ":memory:", *, seed: int = 0, view: View | None = None) -> Replica:
    """Open a store as the library does, but with seeded chance."""
    return Replica.open(
        path,
        rng=Random(seed),
        name=f"replica {seed}",
        view=view or FollowingView(),
        durability="normal",
        machine_id=b"one machine",
    )


class Known(NamedTuple):
    """What is known of one key."""

    winner: tuple[EventId, bool] | None
    shown: tuple[EventId, bool] | None
    is_purged: bool


class Snapshot(NamedTuple):
    """Everything that a set of events decides."""

    digest: str
    frontier: Any
    keys: dict[bytes, Known]
    retracted: frozenset[EventId]
    with_body: frozenset[EventId]
    with_salt: frozenset[EventId]
    missing: frozenset[EventId]
    followed: frozenset[tuple[bytes, EventId, bool]]


_PLACES = (
    "SELECT l.log_id, e.seq, e.hash FROM event e JOIN branch b ON b.branch = e.branch"
    " JOIN log l ON l.log = b.log"
)


def _ids(rows: Any) -> frozenset[EventId]:
    return frozenset(EventId(*row) for row in rows)


def snapshot(replica: Replica, *, now_ms: int) -> Snapshot:
    """Ask a store everything; what was held until ``now_ms`` is released first."""
    digest, frontier = replica.digest(), replica.frontier()
    with replica.reading(now_ms=now_ms) as reading:
        keys = {}
        for key in KEYS:
            winner, shown = reading.winner(key), reading.shown(key)
            keys[key] = Known(
                winner
                and (EventId(winner.log_id, winner.seq, winner.hash), winner.body is not None),
                None
                if shown is None
                else (EventId(shown.log_id, shown.seq, shown.hash), shown.held),
                reading.is_purged(key),
            )
        ask = reading.connection.execute
        followed = ask(
            "SELECT f.key, l.log_id, e.seq, e.hash, f.held FROM followed f"
            " JOIN event e ON e.event = f.event JOIN branch b ON b.branch = e.branch"
            " JOIN log l ON l.log = b.log"
        )
        return Snapshot(
            digest,
            frontier,
            keys,
            _ids(ask("SELECT log_id, seq, hash FROM retracted")),
            _ids(ask(f"{_PLACES} WHERE e.body IS NOT NULL")),
            _ids(ask(f"{_PLACES} WHERE e.salt IS NOT NULL")),
            _ids(ask(f"{_PLACES} JOIN missing m ON m.event = e.event")),
            frozenset((row[0], EventId(*row[1:4]), bool(row[4])) for row in followed),
        )


def damage(replica: Replica, *, now_ms: int) -> list[str]:
    """What the deep check finds wrong."""
    findings = replica.check(deep=True, now_ms=now_ms)
    return [f"{found.name}: {found.summary}" for found in findings if found.status == "fail"]


def law_of(state: lww_set.State) -> dict[bytes, Known]:
    """What the pure law says of every key."""
    keys = {}
    for key in KEYS:
        winner, shown = state.winner(key), state.shown(key)
        keys[key] = Known(
            winner and (winner.id, state.has_body(winner)),
            None if shown is None else (shown.event.id, shown.is_held),
            state.is_purged(key),
        )
    return keys
