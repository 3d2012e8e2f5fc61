"""What may be erased because it is long dead, and the retracts that erase it.

The rule this module guards: **only an event condemns**. A version goes because a tombstone lies
over it, because its own body says that it has expired, or because a later version replaced it, each
for longer than the retention. What a view, a peer or a query does not mention is alive: the tables
that are derived only say where to look, and every candidate is judged by its events.

Ages are measured from the smaller of the wall and the newest stamp of any log that is not this
store's own. A wall that runs a year ahead then erases nothing that the others still count as young;
a store that has met nobody has only its own clock.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kioku.errors import InvalidArgumentError
from kioku.log import hlc
from kioku.log.event import SAVE, TOMBSTONE, EventId
from kioku.observation import UnreadableBodyError, decode_body, from_unix_ms, unix_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from kioku.log.store import Entry
    from kioku.observation import Observation
    from kioku.replica import Reading

_FOLDED: Final = ("wins", "older")

_NEWEST_OF_OTHERS: Final = """
    SELECT max((SELECT hlc FROM event e WHERE e.branch = b.branch ORDER BY seq DESC LIMIT 1))
    FROM branch b WHERE b.log NOT IN (SELECT log FROM own)"""

# Keys with a save whose body is here, or should be: all else has nothing left to erase.
_HAS_BODY: Final = """EXISTS(
    SELECT 1 FROM version AS v JOIN event AS e ON e.event = v.event
    WHERE v.slot = w.slot AND e.kind = 1
      AND (e.body IS NOT NULL OR e.event IN (SELECT event FROM missing)))"""

_DELETED: Final = f"""
    SELECT t.key FROM version AS w JOIN event AS t ON t.event = w.event
    WHERE w.wins = 1 AND t.kind = 2 AND t.hlc < ? AND {_HAS_BODY}"""

_EXPIRED: Final = "SELECT key FROM record WHERE expires_ms <= ?"

_BEATEN: Final = f"""
    SELECT t.key FROM version AS w JOIN event AS t ON t.event = w.event
    WHERE w.wins = 0 AND t.kind = 1 AND {_HAS_BODY}"""


@dataclass(frozen=True, slots=True)
class GcCounts:
    """What a garbage collection erased, or would erase.

    Attributes:
        deleted: versions under a tombstone that is older than the retention.
        expired: versions of observations that expired for as long.
        beaten: old versions of observations that still live; 0 unless asked for.
        observations: how many observations those versions belong to.
        body_bytes: bytes of content that go; those that are missing here count nothing.
        now: the time that ages were measured from (aware, UTC): the wall's, or the newest stamp of
            any other log if that is earlier, so that a clock that runs ahead erases nothing early.
        is_dry_run: whether it only counted.
    """

    deleted: int
    expired: int
    beaten: int
    observations: int
    body_bytes: int
    now: datetime
    is_dry_run: bool

    @property
    def versions(self) -> int:
        """How many versions go in all."""
        return self.deleted + self.expired + self.beaten


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long the dead are kept (ms; ``history_ms`` None: replaced versions for ever).

    ``projects`` (any of these names) and ``host`` narrow it to the observations whose last readable
    version has them.
    """

    retention_ms: int
    history_ms: int | None = None
    projects: tuple[str, ...] = ()
    host: str | None = None


@dataclass(slots=True)
class Plan:
    """What a policy condemns, and the time that it measured from."""

    now_ms: int
    targets: list[EventId] = field(default_factory=list)
    deleted: int = 0
    expired: int = 0
    beaten: int = 0
    observations: int = 0
    body_bytes: int = 0

    def counts(self, *, is_dry_run: bool) -> GcCounts:
        """The plan as the caller's result."""
        return GcCounts(
            deleted=self.deleted,
            expired=self.expired,
            beaten=self.beaten,
            observations=self.observations,
            body_bytes=self.body_bytes,
            now=from_unix_ms(self.now_ms),
            is_dry_run=is_dry_run,
        )


def make_policy(
    retention: timedelta, history: timedelta | None, *, project: str | None, host: str | None
) -> Policy:
    """Check what a caller asked for.

    Raises:
        InvalidArgumentError: if an age is no age.
    """
    return Policy(
        retention_ms=_age_ms("retention", retention),
        history_ms=None if history is None else _age_ms("history", history),
        projects=() if project is None else (project,),
        host=host,
    )


def _age_ms(name: str, age: object) -> int:
    if not isinstance(age, timedelta) or age < timedelta(0):
        raise InvalidArgumentError(f"{name}: is not a timedelta of nothing or more")
    return age // timedelta(milliseconds=1)


def find(reading: Reading, policy: Policy, *, wall_ms: int) -> Plan:
    """Find what ``policy`` condemns; writes nothing.

    Cost: a scan of the keys and, for each candidate, its versions (about 30 µs).
    """
    plan = Plan(measure_now(reading, wall_ms))
    for key in _candidates(reading, policy, plan.now_ms):
        folded = [v.entry for v in reading.versions(key) if v.status in _FOLDED]
        if folded and _is_wanted(folded, policy):
            # Read again with its body checked: a flipped bit must not become an early expiry.
            _judge([reading.entry(folded[0].event_id), *folded[1:]], policy, plan)
    return plan


def measure_now(reading: Reading, wall_ms: int) -> int:
    """Give the time that ages are measured from: the wall's, or what the others last saw."""
    newest: int | None = reading.connection.execute(_NEWEST_OF_OTHERS).get
    return wall_ms if newest is None else min(wall_ms, hlc.unix_ms(newest))


def _candidates(reading: Reading, policy: Policy, now_ms: int) -> Iterable[bytes]:
    dead_ms = now_ms - policy.retention_ms
    queries = [(_DELETED, _before(dead_ms)), (_EXPIRED, dead_ms)]
    keys = {row[0] for sql, at in queries for row in reading.connection.execute(sql, (at,))}
    if policy.history_ms is not None:
        keys.update(row[0] for row in reading.connection.execute(_BEATEN))
    return sorted(keys)


def _before(ms: int) -> int:
    """The first stamp that is later than all of a millisecond's; none is before 1970."""
    return hlc.pack(max(ms + 1, 0))


def _judge(folded: list[Entry], policy: Policy, plan: Plan) -> None:
    """Add to the plan what is dead of one key; ``folded`` is its versions, the winner first."""
    winner = folded[0]
    saves = [entry for entry in folded if entry.kind == SAVE]
    dead_ms = plan.now_ms - policy.retention_ms
    if winner.kind == TOMBSTONE and hlc.unix_ms(winner.hlc) <= dead_ms:
        plan.deleted += len(saves)
    elif _has_expired(winner, dead_ms):
        plan.expired += len(saves)
    else:
        saves = list(_beaten(folded, policy, plan.now_ms))
        plan.beaten += len(saves)
    plan.observations += bool(saves)
    plan.body_bytes += sum(len(entry.body) for entry in saves if entry.body is not None)
    plan.targets += [EventId(entry.log_id, entry.seq, entry.hash) for entry in saves]


def _has_expired(winner: Entry, dead_ms: int) -> bool:
    observation = _observation(winner)
    if observation is None or observation.expires_at is None:
        return False
    return unix_ms(observation.expires_at) <= dead_ms


def _beaten(folded: list[Entry], policy: Policy, now_ms: int) -> Iterator[Entry]:
    """The saves that the next greater version replaced longer ago than the history is kept.

    The last readable one stays: it is shown, or what an undelete brings back.
    """
    if policy.history_ms is None:
        return
    last = next((entry for entry in folded if entry.kind == SAVE and entry.body is not None), None)
    for greater, entry in itertools.pairwise(folded):
        is_old = hlc.unix_ms(greater.hlc) <= now_ms - policy.history_ms
        if entry.kind == SAVE and entry is not last and is_old:
            yield entry


def _is_wanted(folded: list[Entry], policy: Policy) -> bool:
    if not policy.projects and policy.host is None:
        return True
    last = next(filter(None, map(_observation, folded)), None)
    if last is None:
        return False
    is_project = not policy.projects or last.project in policy.projects
    return is_project and (policy.host is None or last.host == policy.host)


def _observation(entry: Entry) -> Observation | None:
    if entry.kind != SAVE or entry.body is None:
        return None
    try:
        return decode_body(entry.body)
    except UnreadableBodyError:
        return None
