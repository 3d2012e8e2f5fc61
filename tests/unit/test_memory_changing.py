"""Editing, deleting, bringing back and purging through ``Memory``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from kioku.errors import (
    InvalidArgumentError,
    InvalidObservationError,
    NotFoundError,
    TooLargeError,
)
from kioku.observation import Observation
from tests.unit.memories import NOON_MS, carry

if TYPE_CHECKING:
    from kioku.memory import Memory
    from tests.unit.memories import Clock, Stores

UNKNOWN = "0123456789abcdef" * 2
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)


def test_an_edit_changes_what_it_is_given_alone(memory: Memory, clock: Clock) -> None:
    saved = memory.save("draft", project="p", tags=["a"], extra={"k": [1]}, ttl=timedelta(days=1))
    clock.advance(timedelta(seconds=1))
    edited = memory.edit(saved.id, content="final", expires_at=None)
    assert memory.get(saved.id) == edited
    assert edited == replace(
        saved, content="final", expires_at=None, updated_at=NOON + timedelta(seconds=1)
    )


def test_an_edit_keeps_what_a_newer_kioku_wrote(stores: Stores) -> None:
    newer, older = stores.open("newer"), stores.open("older")
    [saved] = newer.save_many([Observation("a", unknown={20: [1, "two"]})])
    carry(newer, older)
    older.edit(saved.id, importance=5)
    carry(older, newer)
    found = newer.get(saved.id)
    assert found is not None
    assert (found.unknown, found.importance) == ({20: [1, "two"]}, 5)


def test_a_bad_edit_changes_nothing(memory: Memory) -> None:
    saved = memory.save("a")
    for changes in ({"colour": "red"}, {"content": " "}, {"tags": "x"}, {"agent_family": "me"}):
        with pytest.raises(InvalidObservationError):
            memory.edit(saved.id, **changes)  # type: ignore[arg-type]
    assert memory.get(saved.id) == saved
    assert len(memory.history(saved.id)) == 1


def test_an_edit_can_end_an_expiry(memory: Memory, clock: Clock) -> None:
    saved = memory.save("a", ttl=timedelta(hours=1))
    clock.advance(timedelta(hours=2))
    with pytest.raises(NotFoundError, match="expired"):
        memory.edit(saved.id, content="b")
    memory.edit(saved.id, ttl=timedelta(hours=1))
    assert memory.get(saved.id) is not None


def test_delete_and_undelete(memory: Memory) -> None:
    saved = memory.save("a")
    edited = memory.edit(saved.id, content="b")
    with pytest.raises(InvalidArgumentError, match="not deleted"):
        memory.undelete(saved.id)
    memory.delete(saved.id, reason="no longer true")
    assert memory.get(saved.id) is None
    with pytest.raises(NotFoundError):
        memory.delete(saved.id)
    with pytest.raises(NotFoundError):
        memory.edit(saved.id, content="c")
    back = memory.undelete(saved.id)
    assert back == memory.get(saved.id)
    assert back.content == edited.content
    assert [(entry.operation, entry.status) for entry in memory.history(saved.id)] == [
        ("save", "wins"),
        ("tombstone", "older"),
        ("save", "older"),
        ("save", "older"),
    ]
    assert memory.history(saved.id)[1].reason == "no longer true"


def test_a_deletion_needs_a_reason_that_can_be_shown(memory: Memory) -> None:
    saved = memory.save("a")
    for reason in ("two\nlines", "\x1b[31m", None):
        with pytest.raises(InvalidArgumentError):
            memory.delete(saved.id, reason=reason)  # type: ignore[arg-type]
    with pytest.raises(TooLargeError):
        memory.delete(saved.id, reason="x" * 1025)
    assert memory.get(saved.id) == saved


def test_the_deleted_can_be_listed(memory: Memory, clock: Clock) -> None:
    lost = memory.save("lost", project="p")
    kept = memory.save("kept", project="p")
    other = memory.save("other", project="q")
    clock.advance(timedelta(seconds=1))
    memory.delete(lost.id)
    memory.delete(other.id)
    found = memory.list(project="p", include_deleted=True)
    assert [(one.id, one.is_deleted) for one in found] == [(lost.id, True), (kept.id, False)]
    assert found[0].updated_at == NOON + timedelta(seconds=1)
    assert [one.id for one in memory.list(include_deleted=True, limit=1)] == [other.id]
    assert [one.id for one in memory.list(include_deleted=True, until=NOON)] == []


def test_a_purge_erases_for_ever(stores: Stores) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = here.save("secret")
    carry(here, there)
    there.edit(saved.id, content="secret, edited")
    assert here.purge(saved.id) is True
    assert here.purge(saved.id) is False
    carry(there, here)
    carry(here, there)
    for memory in (here, there):
        assert memory.get(saved.id) is None
        statuses = [(entry.operation, entry.status) for entry in memory.history(saved.id)]
        assert sorted(statuses) == [("purge", "wins"), ("save", "purged"), ("save", "purged")]
        with pytest.raises(NotFoundError):
            memory.delete(saved.id)
        with pytest.raises(NotFoundError):
            memory.undelete(saved.id)
    assert here.digest() == there.digest()


def test_a_purge_of_an_unknown_id_refuses_every_later_copy(stores: Stores) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = there.save("secret")
    assert here.purge(saved.id) is False
    assert [entry.operation for entry in here.history(saved.id)] == ["purge"]
    carry(there, here)
    assert here.get(saved.id) is None
    assert here.history(saved.id)[-1].observation is None


def test_history_says_why_the_winner_won(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = here.save("a")
    carry(here, there)
    here.edit(saved.id, content="mine")
    clock.advance(timedelta(seconds=1))
    there.edit(saved.id, content="theirs")
    carry(there, here)
    newest, older, first = here.history(saved.id)
    assert (newest.status, newest.replica, newest.observation and newest.observation.content) == (
        "wins",
        "there",
        "theirs",
    )
    assert newest.why == "its stamp is the greatest"
    assert (older.status, older.replica) == ("older", "here")
    assert older.why == "a greater stamp replaced it"
    assert first.stamped_at == NOON
    assert (len(first.log_id), len(first.hash)) == (32, 64)


def test_an_edit_that_lost_is_not_silent(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = here.save("a")
    assert here.edit(saved.id, content="b").versions == 1  # one log's edits follow one another
    carry(here, there)
    clock.advance(timedelta(seconds=1))
    here.edit(saved.id, content="mine")
    assert there.edit(saved.id, content="theirs").versions == 2
    carry(here, there)
    carry(there, here)
    for memory in (here, there):
        found = memory.get(saved.id)
        assert found is not None
        assert found.versions == 2
        assert [one.versions for one in memory.list()] == [2]
        assert [hit.observation.versions for hit in memory.search(found.content)] == [2]
    clock.advance(timedelta(seconds=1))
    carry(there, here)
    here.gc(history=timedelta(0))
    assert [one.versions for one in here.list()] == [1]
