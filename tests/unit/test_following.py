"""Following: a cursor misses nothing and repeats nothing; a difference is a fact about events."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kioku
from kioku.observation import from_unix_ms
from tests.unit.memories import NOON_MS, Clock, Stores, carry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = timedelta(seconds=1)
NOON = from_unix_ms(NOON_MS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(tmp_path: Path, clock: Clock) -> Iterator[Stores]:
    found = Stores(tmp_path, clock)
    with closing(found):
        yield found


def told(changes: kioku.Changes) -> list[tuple[str, str]]:
    return [
        (one.operation, one.observation.content if one.observation else "")
        for one in changes.changes
    ]


# --- changes


def test_changes_are_told_in_order_and_each_by_what_it_did(stores: Stores) -> None:
    memory = stores.open()
    one = memory.save("one")
    memory.edit(one.id, content="two")
    memory.delete(one.id, reason="why")
    memory.undelete(one.id)
    found = memory.changes(0)
    assert told(found) == [("save", "one"), ("edit", "two"), ("delete", "two"), ("undelete", "two")]
    assert [one.reason for one in found.changes] == ["", "", "why", ""]
    assert [one.status for one in found.changes] == ["older", "older", "older", "wins"]
    assert all(change.is_own and change.id == one.id for change in found.changes)


def test_a_cursor_misses_nothing_and_repeats_nothing(stores: Stores) -> None:
    memory = stores.open()
    assert memory.changes() == kioku.Changes([], 0)
    saved = [memory.save(f"number {n}").id for n in range(25)]
    seen: list[str] = []
    cursor = 0
    while True:
        found = memory.changes(cursor, limit=4)
        if not found.changes:
            break
        seen += [one.id for one in found.changes]
        assert found.changes[-1].cursor <= found.cursor
        cursor = found.cursor
    assert seen == saved
    assert memory.changes().cursor == cursor
    with pytest.raises(kioku.InvalidArgumentError, match="no cursor of this store"):
        memory.changes(cursor + 1)


def test_what_is_purged_or_retracted_shows_no_text(stores: Stores, clock: Clock) -> None:
    memory = stores.open()
    secret, old = memory.save("secret"), memory.save("old")
    memory.delete(old.id)
    clock.advance(timedelta(days=40))
    memory.gc()
    memory.purge(secret.id)
    found = memory.changes(0).changes
    assert [(one.operation, one.observation, one.status) for one in found] == [
        ("save", None, "purged"),
        ("save", None, "retracted"),
        ("delete", None, "wins"),
        ("retract", None, "wins"),
        ("purge", None, "wins"),
    ]
    assert [one.operation for one in memory.changes(0, project="").changes] == []


def test_changes_are_narrowed_as_a_list_is_and_the_cursor_goes_on_all_the_same(
    stores: Stores, clock: Clock
) -> None:
    memory = stores.open()
    memory.save("a", project="a")
    clock.advance(SECOND)
    memory.save("b", project="b", tags=["t"])
    found = memory.changes(0, project="b")
    assert told(found) == [("save", "b")]
    assert told(memory.changes(0, tags=["t"])) == [("save", "b")]
    assert told(memory.changes(0, since=NOON + SECOND)) == [("save", "b")]
    assert memory.changes(0, project="none") == kioku.Changes([], found.cursor)
    assert told(memory.last_changes(1)) == [("save", "b")]
    assert told(memory.last_changes(5, project="a")) == [("save", "a")]
    assert told(memory.last_changes(0)) == []


def test_what_comes_from_elsewhere_is_told_with_its_writer_and_its_marks(
    stores: Stores, clock: Clock
) -> None:
    here = stores.open("here")
    there = stores.open("there", Clock(NOON_MS + 3_600_000))
    old = here.save("old")
    carry(here, there)
    there.save("from the future", supersedes=[old.id])
    cursor = here.changes().cursor
    carry(there, here)
    [change] = here.changes(cursor).changes
    assert (change.replica, change.is_own, change.status) == ("there", False, "held")
    assert change.observation is not None
    assert change.observation.is_held
    clock.advance(timedelta(hours=2))
    here.save("later")
    assert here.changes(0).changes[0].is_superseded


@pytest.mark.parametrize("value", [-1, 1.5, "0", True])
def test_a_cursor_that_is_none_is_refused(stores: Stores, value: object) -> None:
    memory = stores.open()
    with pytest.raises(kioku.InvalidArgumentError, match="after"):
        memory.changes(value)  # type: ignore[arg-type]
    with pytest.raises(kioku.InvalidArgumentError, match="limit"):
        memory.changes(0, limit=value)  # type: ignore[arg-type]


def test_watching_gives_what_comes_and_ends_when_told(stores: Stores) -> None:
    memory, other = stores.open(), stores.open()
    memory.save("before")
    stopped: list[bool] = []
    watching = memory.watch(is_stopped=lambda: bool(stopped))
    cursor = memory.changes().cursor
    resumed = memory.watch(cursor, is_stopped=lambda: bool(stopped))
    other.save("from another connection")
    assert next(resumed).observation == other.list()[0]
    memory.save("from this one")
    assert [next(resumed).operation] == ["save"]
    stopped.append(True)
    assert list(watching) == list(resumed) == []


def test_watching_a_file_that_was_replaced_is_an_error(stores: Stores, tmp_path: Path) -> None:
    memory = stores.open()
    memory.save("words")
    (tmp_path / "one.db").rename(tmp_path / "away.db")
    with pytest.raises(kioku.StoreAccessError):
        next(memory.watch())


def test_an_async_memory_watches_while_it_does_other_things(tmp_path: Path) -> None:
    async def follow() -> list[str]:
        seen: list[str] = []
        async with await kioku.open_async(tmp_path / "space.db") as memory:
            await memory.save("first")
            async for change in memory.watch(0):
                assert change.observation is not None
                seen.append(change.observation.content)
                if len(seen) == 3:
                    return seen
                await memory.save(f"after {seen[-1]}")
        return seen

    assert asyncio.run(follow()) == ["first", "after first", "after after first"]


# --- diff


def operations(memory: kioku.Memory, since: datetime, until: datetime | None = None) -> list[str]:
    return [one.operation for one in memory.diff(since=since, until=until)]


def test_a_difference_tells_the_outcome_in_groups(stores: Stores, clock: Clock) -> None:
    memory = stores.open()
    edited, deleted, gone, purged, old = (
        memory.save(text) for text in ("edited", "deleted", "gone", "purged", "old")
    )
    memory.delete(gone.id)
    clock.advance(SECOND)
    since = from_unix_ms(clock.ms)
    added = memory.save("added", supersedes=[old.id])
    memory.edit(edited.id, content="edited again", importance=5)
    memory.delete(deleted.id, reason="why")
    memory.undelete(gone.id)
    memory.purge(purged.id)
    passing = memory.save("passing")
    memory.delete(passing.id)
    found = memory.diff(since=since)
    assert [(one.operation, one.id) for one in found] == [
        ("added", added.id),
        ("edited", edited.id),
        ("undeleted", gone.id),
        ("deleted", deleted.id),
        ("purged", purged.id),
        ("superseded", old.id),
    ]
    edit, delete, superseded = found[1], found[3], found[5]
    assert edit.changed == ("content", "importance")
    assert edit.before is not None
    assert edit.after is not None
    assert (edit.before.content, edit.after.content) == ("edited", "edited again")
    assert (delete.reason, delete.after) == ("why", None)
    assert superseded.superseded_by == added.id
    assert operations(memory, since, since) == []
    assert operations(memory, NOON, since) == ["added"] * 3
    clock.advance(SECOND)
    assert operations(memory, from_unix_ms(clock.ms)) == []


def test_an_edit_that_changes_nothing_and_one_taken_back_are_no_differences(
    stores: Stores, clock: Clock
) -> None:
    memory = stores.open()
    one = memory.save("words", tags=["a"])
    clock.advance(SECOND)
    memory.edit(one.id, tags=["b"])
    memory.edit(one.id, tags=["a"])
    assert operations(memory, NOON + SECOND) == []


def test_every_machine_gives_the_same_differences(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    shared = here.save("shared")
    carry(here, there)
    clock.advance(SECOND)
    here.edit(shared.id, content="from here")
    clock.advance(SECOND)
    there.edit(shared.id, content="from there")
    there.save("more")
    carry(here, there)
    carry(there, here)
    one, two = (memory.diff(since=NOON + SECOND) for memory in (here, there))
    assert one == two
    assert [(found.operation, found.replica) for found in one] == [
        ("added", "there"),
        ("edited", "there"),
    ]
    assert one[1].after is not None
    assert one[1].after.content == "from there"


def test_a_difference_is_narrowed_by_filters(stores: Stores, clock: Clock) -> None:
    memory = stores.open()
    kept = memory.save("a", project="a")
    memory.save("b", project="b")
    memory.purge(memory.save("secret").id)
    clock.advance(SECOND)
    memory.delete(kept.id)
    assert [one.operation for one in memory.diff(since=NOON, project="b")] == ["added"]
    assert [one.id for one in memory.diff(since=NOON + SECOND, project="a")] == [kept.id]
    with pytest.raises(kioku.InvalidArgumentError, match="since"):
        memory.diff()
    with pytest.raises(kioku.InvalidArgumentError, match="until"):
        memory.diff(since=NOON, until=NOON - SECOND)
    with pytest.raises(kioku.InvalidArgumentError, match="since"):
        memory.diff(since=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["save", "edit", "delete", "undelete", "purge"]),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=25,
)


@given(STEPS, st.integers(0, 25), st.integers(0, 25))
def test_what_was_and_the_difference_give_what_is(
    steps: list[tuple[str, int, bool]], one: int, two: int
) -> None:
    first, last = sorted((one, two))
    with TemporaryDirectory() as name:
        from pathlib import Path

        stores = Stores(Path(name), Clock())
        with closing(stores):
            machines = [stores.open("here"), stores.open("there")]
            live(machines, stores.clock, steps)
            memory = machines[0]
            carry(machines[1], memory)
            before, after = (
                {one.id for one in memory.list(as_of=at(n), limit=100, include_superseded=True)}
                for n in (first, last)
            )
            found = memory.diff(
                since=at(first) + timedelta(milliseconds=1),
                until=at(last) + timedelta(milliseconds=1),
            )
    came = {one.id for one in found if one.operation in ("added", "undeleted")}
    went = {one.id for one in found if one.operation == "deleted"}
    edited = {one.id for one in found if one.operation == "edited"}
    assert came == after - before
    assert went == before - after
    assert edited <= before & after


def at(step: int) -> datetime:
    """The moment after so many steps."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=NOON_MS + step * 1_000 + 999)


def live(machines: list[kioku.Memory], clock: Clock, steps: list[tuple[str, int, bool]]) -> None:
    """Do each step on one of two machines, a second after the one before it."""
    ids: list[str] = []
    for operation, which, is_second in steps:
        memory = machines[is_second]
        target = ids[which % len(ids)] if ids else ""
        if operation == "save" or not ids:
            ids.append(memory.save(f"words {len(ids)}").id)
        else:
            carry(machines[not is_second], memory)
            do(memory, operation, target)
        clock.advance(SECOND)


def do(memory: kioku.Memory, operation: str, target: str) -> None:
    try:
        if operation == "edit":
            memory.edit(target, content=f"edited {memory.now_ms()}")
        elif operation == "delete":
            memory.delete(target)
        elif operation == "undelete":
            memory.undelete(target)
        else:
            memory.purge(target)
    except (kioku.NotFoundError, kioku.InvalidArgumentError):
        pass  # it is not in a state for that
