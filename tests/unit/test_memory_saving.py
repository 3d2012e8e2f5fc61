"""Saving through ``Memory``: one, many, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import (
    InvalidObservationError,
)
from kioku.observation import Observation
from tests.unit.memories import NOON_MS, ids

if TYPE_CHECKING:
    from kioku.memory import Memory
    from tests.unit.memories import Clock, Stores

UNKNOWN = "0123456789abcdef" * 2
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)


def test_a_save_gives_what_get_gives(memory: Memory) -> None:
    saved = memory.save(
        "Chose Postgres",
        project="demo",
        tags=["db", "infra"],
        memory_type="decision",
        importance=4,
        subject="database",
        summary="Postgres it is",
        source_files=["a.py"],
        references=["ADR 7"],
        supersedes=[UNKNOWN],
        extra={"votes": {"for": 3}},
    )
    assert memory.get(saved.id) == saved
    assert (saved.tags, saved.supersedes) == (("db", "infra"), (UNKNOWN,))
    assert (saved.agent_family, saved.client_id, saved.host) == ("claude", "tests", "one")
    assert (saved.created_at, saved.updated_at) == (NOON, NOON)
    assert len(saved.id) == 32
    assert not saved.is_held


def test_times_and_lists_are_given_back_as_they_will_be_read(memory: Memory) -> None:
    east = timezone(timedelta(hours=9))
    odd = datetime(2030, 1, 1, 9, 0, 0, 123_456, east)
    saved = memory.save("a", tags=iter(["t"]), expires_at=odd)
    assert memory.get(saved.id) == saved
    assert saved.expires_at == datetime(2030, 1, 1, 0, 0, 0, 123_000, UTC)
    item: Any = Observation("b", tags=["t"], created_at=odd, is_held=True)  # type: ignore[arg-type]
    [other] = memory.save_many([item])
    assert memory.get(other.id) == other
    assert memory.edit(saved.id, ttl=timedelta(microseconds=1500)).expires_at == NOON + timedelta(
        milliseconds=1
    )


def test_defaults(memory: Memory) -> None:
    saved = memory.save("only the content")
    assert (saved.project, saved.tags, saved.memory_type, saved.importance) == ("", (), "note", 2)
    assert saved.expires_at is None


def test_a_session_is_the_memorys_own_unless_named(stores: Stores) -> None:
    one, two = stores.open("one"), stores.open("two")
    assert one.session_id.startswith("s-")
    assert len(one.session_id) == 14
    assert one.session_id != two.session_id
    assert one.save("a").session_id == one.session_id
    assert one.save("b", session_id="mine").session_id == "mine"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tags": "db"}, "tags"),
        ({"source_files": 3}, "source_files"),
        ({"importance": 6}, "importance"),
        ({"importance": True}, "importance"),
        ({"memory_type": "thought"}, "memory_type"),
        ({"supersedes": ["abc"]}, "supersedes"),
        ({"project": "a\x00b"}, "project"),
        ({"expires_at": datetime(2030, 1, 1)}, "expires_at"),  # noqa: DTZ001 - naive on purpose
        ({"ttl": timedelta(0)}, "ttl"),
        ({"ttl": 3}, "ttl"),
        ({"ttl": timedelta.max}, "ttl"),
        ({"ttl": timedelta(1), "expires_at": NOON}, "ttl"),
        ({"extra": {"a": object()}}, "extra"),
        ({"session_id": "x" * 2000}, "session_id"),
    ],
)
def test_a_bad_field_is_refused_by_name(memory: Memory, fields: Any, field: str) -> None:
    with pytest.raises(InvalidObservationError) as caught:
        memory.save("fine", **fields)
    assert caught.value.field == field
    assert memory.statistics().events == 0


@pytest.mark.parametrize("content", [None, 3, b"bytes", "half \ud800"])
def test_content_that_is_no_text_is_refused(memory: Memory, content: Any) -> None:
    with pytest.raises(InvalidObservationError, match="content"):
        memory.save(content)


def test_an_expired_observation_is_not_shown(memory: Memory, clock: Clock) -> None:
    saved = memory.save("tonight", ttl=timedelta(hours=1))
    assert saved.expires_at == NOON + timedelta(hours=1)
    clock.advance(timedelta(hours=1))
    assert memory.get(saved.id) is None
    assert ids(memory) == []
    assert memory.search("tonight") == []


def test_save_many_keeps_the_order_and_reports_progress(memory: Memory) -> None:
    seen: list[tuple[int, int]] = []
    saved = memory.save_many(
        [{"content": f"n{n}", "tags": ["t"]} for n in range(2001)],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [observation.content for observation in saved] == [f"n{n}" for n in range(2001)]
    assert seen == [(1000, 2001), (2000, 2001), (2001, 2001)]
    assert memory.get(saved[1500].id) == saved[1500]
    assert memory.save_many([]) == []


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"content": "a", "colour": "red"}, "colour"),
        ({"content": "a", "id": UNKNOWN}, "id"),
        ({"content": "a", "agent_family": "me"}, "agent_family"),
        ({"project": "a"}, "content"),
        ("a", "item"),
        (Observation("a", id="short"), "id"),
    ],
)
def test_a_bad_item_stops_all(memory: Memory, item: Any, field: str) -> None:
    with pytest.raises(InvalidObservationError) as caught:
        memory.save_many([{"content": "good"}, item])
    assert caught.value.field == field
    assert memory.statistics().events == 0


def test_a_field_of_none_is_not_given(memory: Memory) -> None:
    [saved] = memory.save_many([{"content": "a", "project": None, "ttl": None, "tags": None}])
    assert (saved.project, saved.expires_at, saved.tags) == ("", None, ())


def test_an_observation_without_an_id_gets_one_and_its_author(memory: Memory) -> None:
    item = Observation("a", agent_family="codex")
    [saved] = memory.save_many([item])
    assert (saved.agent_family, saved.client_id, saved.host) == ("codex", "tests", "one")
    assert saved.created_at == NOON
    assert item.id == ""


def test_an_observation_with_an_id_keeps_id_and_identity(memory: Memory) -> None:
    item = Observation("a", id=UNKNOWN, agent_family="codex", created_at=NOON - timedelta(days=9))
    [saved] = memory.save_many([item])
    assert memory.get(UNKNOWN) == saved == replace(item, updated_at=saved.updated_at)
    assert saved.updated_at == NOON
    [edited] = memory.save_many([replace(saved, content="b")])
    assert memory.get(UNKNOWN) == edited
    assert len(memory.history(UNKNOWN)) == 2


def test_an_import_that_keeps_its_times_changes_nothing_twice(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    first = here.save("first")
    doomed = here.save("doomed")
    secret = here.save("secret")
    clock.advance(timedelta(hours=1))
    copies = here.list()
    assert [saved.id for saved in there.save_many(copies, keep_times=True)] == ids(here)
    assert there.get(first.id) == first
    assert there.save_many(copies, keep_times=True) == []
    there.edit(first.id, content="newer")
    there.delete(doomed.id)
    there.purge(secret.id)
    assert there.save_many(copies, keep_times=True) == []
    assert [observation.content for observation in there.list()] == ["newer"]
