"""``as_of``: what a memory held at a moment; tests/property/test_past.py holds the law itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import InvalidArgumentError
from tests.unit.memories import NOON_MS, carry

if TYPE_CHECKING:
    from kioku.memory import Memory
    from tests.unit.memories import Clock, Stores

MINUTE = timedelta(minutes=1)
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)


@pytest.fixture
def told(memory: Memory, clock: Clock) -> Memory:
    """One observation: saved at noon, edited a minute later, deleted after two."""
    kept = memory.save("first words", project="demo")
    clock.advance(MINUTE)
    memory.edit(kept.id, content="other words", tags=["edited"])
    clock.advance(MINUTE)
    memory.delete(kept.id, reason="over")
    clock.advance(MINUTE)
    return memory


def contents(memory: Memory, as_of: datetime, **options: Any) -> list[str]:
    return [seen.content for seen in memory.list(as_of=as_of, **options)]


def test_a_moment_shows_the_version_of_then(told: Memory) -> None:
    assert contents(told, NOON - timedelta(milliseconds=1)) == []
    assert contents(told, NOON) == ["first words"]
    assert contents(told, NOON + MINUTE) == ["other words"]
    assert contents(told, NOON + 2 * MINUTE) == []


def test_get_and_list_agree_on_every_moment(told: Memory) -> None:
    [gone] = told.list(include_deleted=True)
    for step in range(-1, 5):
        at = NOON + step * MINUTE / 2
        seen = told.get(gone.id, as_of=at)
        assert told.list(as_of=at) == ([] if seen is None else [seen])


def test_an_observation_of_then_tells_the_time_of_its_last_change_by_then(told: Memory) -> None:
    [seen] = told.list(as_of=NOON + MINUTE * 1.5)
    assert (seen.updated_at, seen.tags) == (NOON + MINUTE, ("edited",))


def test_what_was_deleted_then_is_listed_if_asked_for(told: Memory, clock: Clock) -> None:
    [gone] = told.list(include_deleted=True)
    told.undelete(gone.id)
    at = NOON + 2.5 * MINUTE
    [seen] = told.list(as_of=at, include_deleted=True)
    assert (seen.content, seen.is_deleted) == ("other words", True)
    assert seen.updated_at == NOON + 2 * MINUTE
    assert told.list(as_of=at, include_deleted=True, since=NOON + 2.1 * MINUTE) == []
    [before] = told.list(as_of=NOON, include_deleted=True)
    assert (before.content, before.is_deleted) == ("first words", False)
    assert [one.is_deleted for one in told.list(include_deleted=True)] == [False]


def test_a_moment_is_its_whole_millisecond(memory: Memory) -> None:
    memory.save_many({"content": f"thought {n}"} for n in range(50))
    assert len(memory.list(as_of=NOON)) == 50
    assert len(memory.list(as_of=NOON + timedelta(microseconds=999))) == 50
    assert memory.list(as_of=NOON - timedelta(microseconds=1)) == []


def test_a_purge_counts_whenever_it_came(told: Memory) -> None:
    [gone] = told.list(include_deleted=True)
    told.purge(gone.id)
    assert contents(told, NOON, include_deleted=True) == []
    assert told.get(gone.id, as_of=NOON) is None


def test_what_gc_erased_is_gone_from_the_past_too(told: Memory, clock: Clock) -> None:
    kept = told.save("kept")
    clock.advance(MINUTE)
    told.edit(kept.id, content="kept, and edited")
    clock.advance(timedelta(days=40))
    told.gc(history=timedelta(days=1))
    assert contents(told, NOON + MINUTE) == []
    assert contents(told, NOON + 3.5 * MINUTE) == []  # never an older version in its stead
    assert contents(told, NOON + 5 * MINUTE) == ["kept, and edited"]


def test_expiry_is_that_of_the_moment(memory: Memory, clock: Clock) -> None:
    brief = memory.save("soon over", ttl=timedelta(minutes=10))
    clock.advance(timedelta(hours=1))
    assert memory.get(brief.id) is None
    assert memory.get(brief.id, as_of=NOON + 9 * MINUTE) is not None
    assert memory.get(brief.id, as_of=NOON + 10 * MINUTE) is None


def test_a_moment_to_come_shows_what_will_have_expired(memory: Memory) -> None:
    memory.save("soon over", ttl=timedelta(minutes=10))
    memory.save("lasting")
    assert contents(memory, NOON + 5 * MINUTE) == ["lasting", "soon over"]
    assert contents(memory, NOON + timedelta(days=36_500)) == ["lasting"]


def test_supersession_is_that_of_the_moment(memory: Memory, clock: Clock) -> None:
    old = memory.save("the old way")
    clock.advance(MINUTE)
    new = memory.save("the new way", supersedes=[old.id])
    clock.advance(MINUTE)
    memory.edit(old.id, content="the old way, again")
    clock.advance(MINUTE)
    memory.delete(new.id)
    assert contents(memory, NOON) == ["the old way"]
    assert contents(memory, NOON + MINUTE) == ["the new way"]
    both = ["the new way", "the old way"]
    assert contents(memory, NOON + MINUTE, include_superseded=True) == both
    assert contents(memory, NOON + 2 * MINUTE) == ["the old way, again", "the new way"]
    assert contents(memory, NOON + 3 * MINUTE) == ["the old way, again"]


def test_filters_are_asked_of_what_was_there(told: Memory) -> None:
    assert contents(told, NOON, project="demo") == ["first words"]
    assert contents(told, NOON, project="other") == []
    assert contents(told, NOON, tags=["edited"]) == []
    assert contents(told, NOON + MINUTE, tags=["edited"]) == ["other words"]
    assert contents(told, NOON + MINUTE, until=NOON + MINUTE) == []
    assert contents(told, NOON + MINUTE, since=NOON + MINUTE) == ["other words"]


def test_the_limit_takes_the_latest_of_both_halves(memory: Memory, clock: Clock) -> None:
    saved = []
    for number in range(6):
        saved.append(memory.save(f"thought {number}"))
        clock.advance(MINUTE)
    for number in (0, 2, 4):
        memory.edit(saved[number].id, content=f"thought {number}, edited")
    at = NOON + 5 * MINUTE
    assert contents(memory, at, limit=3) == ["thought 5", "thought 4", "thought 3"]
    assert contents(memory, at) == [f"thought {number}" for number in reversed(range(6))]


def test_the_limit_is_filled_past_what_is_superseded(memory: Memory, clock: Clock) -> None:
    kept = [memory.save(f"kept {number}") for number in range(3)]
    old = [memory.save(f"old {number}").id for number in range(20)]
    memory.save("the one that counts", supersedes=old)
    clock.advance(MINUTE)
    memory.edit(kept[0].id, content="edited since")
    found = contents(memory, NOON, limit=4)
    assert found == ["the one that counts", "kept 2", "kept 1", "kept 0"]


def test_each_half_supersedes_in_the_other(memory: Memory, clock: Clock) -> None:
    """Of two that hide one each, one has changed since; and so has one of the hidden."""
    first, second = memory.save("first"), memory.save("second")
    changing = memory.save("hides the first, and changes", supersedes=[first.id])
    memory.save("hides the second, and stays", supersedes=[second.id])
    clock.advance(MINUTE)
    memory.edit(changing.id, supersedes=[])
    memory.delete(second.id)
    memory.save("came later", supersedes=[changing.id])
    found = ["hides the second, and stays", "hides the first, and changes"]
    assert contents(memory, NOON) == found


def test_versions_are_counted_as_of_the_moment(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    kept = here.save("first words")
    carry(here, there)
    clock.advance(MINUTE)
    there.edit(kept.id, content="their words")
    carry(there, here)
    assert [seen.versions for seen in here.list()] == [2]
    assert [seen.versions for seen in here.list(as_of=NOON)] == [1]


def test_what_waits_for_the_clock_counts_once_its_time_has_come(
    stores: Stores, clock: Clock
) -> None:
    here, ahead = stores.open("here"), stores.open("ahead")
    kept = here.save("here")
    carry(here, ahead)
    clock.advance(timedelta(hours=2))
    ahead.edit(kept.id, content="from two hours ahead")
    clock.advance(timedelta(hours=-2))
    carry(ahead, here)
    assert contents(here, NOON) == ["here"]
    assert contents(here, NOON + timedelta(hours=1)) == ["here"]
    [then] = here.list(as_of=NOON + timedelta(hours=2))
    assert (then.content, then.is_held) == ("from two hours ahead", False)


@pytest.mark.parametrize("as_of", [datetime(2026, 1, 1), "yesterday", 5])  # noqa: DTZ001
def test_what_is_no_time_is_refused(memory: Memory, as_of: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="as_of: is not a datetime with a time zone"):
        memory.list(as_of=as_of)
    with pytest.raises(InvalidArgumentError, match="as_of: is not a datetime with a time zone"):
        memory.get("0" * 31 + "1", as_of=as_of)


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(("as_of", "count"), [(FIRST, 0), (NOON, 1), (LAST, 1)])
def test_any_time_can_be_asked_about(memory: Memory, as_of: datetime, count: int) -> None:
    memory.save("one")
    assert len(memory.list(as_of=as_of)) == count


def test_looking_back_changes_no_byte_of_the_store(told: Memory) -> None:
    path = told.statistics().path
    files = [Path(path), Path(f"{path}-wal")]
    before = [file.read_bytes() for file in files]
    for step in range(6):
        told.list(as_of=NOON + step * MINUTE / 2, include_deleted=True)
    assert [file.read_bytes() for file in files] == before
