"""gc: what is long dead goes, everywhere; nothing else does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import InvalidArgumentError, NotFoundError
from kioku.log.draft import retracts
from kioku.log.event import RETRACT, EventId
from kioku.log.payload import TARGETS_MAX, decode_targets
from kioku.observation import from_unix_ms
from tests.unit.memories import Clock, carry

if TYPE_CHECKING:
    from kioku.memory import Memory
    from tests.unit.memories import Stores

DAY = timedelta(days=1)
AT_ONCE = timedelta(0)


def statuses(memory: Memory, id: str) -> list[str]:
    """How the versions of an observation stand, the newest first."""
    return [entry.status for entry in memory.history(id)]


def test_what_was_deleted_goes_after_the_retention(memory: Memory, clock: Clock) -> None:
    saved = memory.save("a")
    memory.edit(saved.id, content="b")
    memory.delete(saved.id)
    clock.advance(30 * DAY - timedelta(milliseconds=1))
    assert memory.gc().versions == 0
    clock.advance(timedelta(milliseconds=1))
    counts = memory.gc()
    assert (counts.deleted, counts.observations, counts.versions) == (2, 1, 2)
    assert counts.body_bytes > 0
    assert counts.now == from_unix_ms(clock.ms)
    assert statuses(memory, saved.id) == ["wins", "retracted", "retracted"]
    with pytest.raises(NotFoundError):
        memory.undelete(saved.id)
    assert memory.gc().versions == 0


def test_an_undelete_before_gc_keeps_what_it_brought_back(memory: Memory, clock: Clock) -> None:
    saved = memory.save("a")
    memory.delete(saved.id)
    memory.undelete(saved.id)
    clock.advance(60 * DAY)
    assert memory.gc(retention=AT_ONCE).versions == 0
    assert memory.get(saved.id) is not None


def test_what_expired_goes_after_the_retention(memory: Memory, clock: Clock) -> None:
    saved = memory.save("a", ttl=DAY)
    memory.edit(saved.id, importance=5)
    kept = memory.save("b", ttl=40 * DAY)
    clock.advance(31 * DAY - timedelta(milliseconds=1))
    assert memory.gc().versions == 0
    clock.advance(timedelta(milliseconds=1))
    assert memory.gc().expired == 2
    assert statuses(memory, saved.id) == ["retracted", "retracted"]
    assert memory.get(kept.id) is not None


def test_an_edit_that_took_the_expiry_away_keeps_all(memory: Memory, clock: Clock) -> None:
    saved = memory.save("a", ttl=DAY)
    memory.edit(saved.id, expires_at=None)
    clock.advance(60 * DAY)
    assert memory.gc().versions == 0
    assert memory.get(saved.id) is not None


def test_old_versions_go_only_when_asked(memory: Memory, clock: Clock) -> None:
    saved = memory.save("one")
    clock.advance(DAY)
    memory.edit(saved.id, content="two")
    clock.advance(10 * DAY)
    memory.edit(saved.id, content="three")
    clock.advance(DAY)
    assert memory.gc(retention=AT_ONCE).versions == 0
    assert memory.gc(history=12 * DAY).beaten == 0
    assert memory.gc(history=11 * DAY).beaten == 1
    assert statuses(memory, saved.id) == ["wins", "older", "retracted"]
    assert memory.gc(history=AT_ONCE).beaten == 1
    found = memory.get(saved.id)
    assert found is not None
    assert found.content == "three"


def test_a_dry_run_counts_the_same_and_writes_nothing(memory: Memory, clock: Clock) -> None:
    saved = memory.save("a")
    memory.delete(saved.id)
    memory.save("b", ttl=DAY)
    memory.edit(memory.save("c").id, content="d")
    clock.advance(60 * DAY)
    events = memory.statistics().events
    planned = memory.gc(history=DAY, dry_run=True)
    assert (planned.deleted, planned.expired, planned.beaten) == (1, 1, 1)
    assert planned.is_dry_run
    assert memory.statistics().events == events
    done = memory.gc(history=DAY)
    assert (done.deleted, done.expired, done.beaten, done.body_bytes) == (
        planned.deleted,
        planned.expired,
        planned.beaten,
        planned.body_bytes,
    )
    assert memory.statistics().retracted == 3


def test_gc_keeps_to_a_project_or_a_host(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    for memory, project in ((here, "p"), (here, "q"), (there, "p")):
        memory.delete(memory.save(f"in {project}", project=project).id)
    carry(there, here)
    clock.advance(60 * DAY)
    there.save("time has passed")
    carry(there, here)
    assert here.gc(project="p", dry_run=True).deleted == 2
    assert here.gc(host="there", dry_run=True).deleted == 1
    assert here.gc(project="q", host="there", dry_run=True).deleted == 0
    assert here.gc(project="p", host="here").deleted == 1
    assert here.gc().deleted == 2


def test_a_wall_that_runs_ahead_erases_nothing_that_others_count_as_young(
    stores: Stores, clock: Clock
) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = here.save("a")
    here.delete(saved.id)
    there.save("b")
    carry(there, here)
    clock.advance(365 * DAY)
    counts = here.gc()
    assert counts.versions == 0
    assert counts.now < from_unix_ms(clock.ms)
    there.save("c")  # the other one's clock says so too
    carry(there, here)
    assert here.gc().deleted == 1


def test_a_store_of_its_own_has_only_its_own_clock(stores: Stores, clock: Clock) -> None:
    memory = stores.open()
    memory.delete(memory.save("a").id)
    clock.advance(31 * DAY)
    assert memory.gc().deleted == 1


def test_an_edit_that_gc_could_not_see_survives(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = here.save("a")
    carry(here, there)
    here.delete(saved.id)
    carry(here, there)
    there.undelete(saved.id)
    there.edit(saved.id, content="still needed")
    unseen = list(there.export_chunks(after=here.frontier()))
    clock.advance(60 * DAY)
    early = stores.open("early")
    early.save("time has passed")
    carry(early, here)
    assert here.gc().deleted == 1
    for chunk in unseen:
        here.ingest_chunk(chunk)
    carry(here, there)
    for memory in (here, there):
        found = memory.get(saved.id)
        assert found is not None
        assert found.content == "still needed"
    assert here.list() == there.list()


def test_what_is_held_is_never_condemned(stores: Stores, clock: Clock) -> None:
    ahead = Clock(clock.ms + 10**10)
    early, here = stores.open("early", ahead), stores.open("here")
    saved = here.save("a")
    carry(here, early)
    early.edit(saved.id, content="from the future")
    carry(early, here)
    here.delete(saved.id)
    clock.advance(60 * DAY)
    assert here.gc(retention=AT_ONCE).deleted == 1
    clock.advance(timedelta(days=90))
    found = here.get(saved.id)
    assert found is not None
    assert found.content == "from the future"


def test_gc_of_a_missing_body_ends_the_search_for_it(stores: Stores, clock: Clock) -> None:
    """A body that never came is condemned like one that did, and is then missing no more."""
    here, there = stores.open("here"), stores.open("there")
    saved = there.save("a")
    there.save("b")
    carry(there, here)
    with here.replica.transaction(now_ms=clock.ms) as transaction:
        [event] = transaction.connection.execute(
            "SELECT event FROM event WHERE key = ?", (bytes.fromhex(saved.id),)
        ).fetchone()  # type: ignore[misc]
        transaction.connection.execute(
            "UPDATE event SET body = NULL, salt = NULL WHERE event = ?", (event,)
        )
        transaction.connection.execute("INSERT INTO missing VALUES(?)", (event,))
    assert here.statistics().missing == 1
    here.delete(saved.id)
    clock.advance(60 * DAY)
    there.save("time has passed")
    carry(there, here)
    counts = here.gc()
    assert (counts.deleted, counts.body_bytes) == (1, 0)
    assert here.statistics().missing == 0


@pytest.mark.parametrize("age", [-DAY, 30, None, "30"])
def test_what_is_no_age_is_refused(memory: Memory, age: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="retention"):
        memory.gc(retention=age)
    if age is not None:
        with pytest.raises(InvalidArgumentError, match="history"):
            memory.gc(history=age)


def test_a_retention_longer_than_time_itself_erases_nothing(memory: Memory) -> None:
    memory.delete(memory.save("a").id)
    assert memory.gc(retention=timedelta.max).versions == 0


def test_many_targets_take_several_retracts() -> None:
    targets = [EventId(bytes(16), seq, bytes(32)) for seq in range(1, TARGETS_MAX + 3)]
    first, second = retracts(reversed(targets))
    assert (first.kind, second.kind) == (RETRACT, RETRACT)
    assert decode_targets(first.body or b"") == targets[:TARGETS_MAX]
    assert decode_targets(second.body or b"") == targets[TARGETS_MAX:]
