"""Finding through ``Memory``: words, filters, ids, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import (
    AmbiguousIdError,
    InvalidArgumentError,
    InvalidObservationError,
    NotFoundError,
)
from kioku.observation import Observation
from tests.unit.memories import NOON_MS, ids

if TYPE_CHECKING:
    from kioku.memory import Memory
    from tests.unit.memories import Clock

UNKNOWN = "0123456789abcdef" * 2
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)


def test_search_gives_hits(memory: Memory) -> None:
    memory.save("the cache is warmed at start", project="shop")
    saved = memory.save("Chose Postgres as our database", project="demo")
    [hit] = memory.search("which databases", project="demo")
    assert hit.observation == saved
    assert "Postgres" in hit.snippet
    assert not hit.is_substring
    assert memory.search("databases", project="shop") == []


def test_a_blank_query_gives_the_newest(memory: Memory, clock: Clock) -> None:
    saved = []
    for n in range(3):
        clock.advance(timedelta(seconds=1))
        saved.append(memory.save(f"n{n}").id)
    assert [hit.observation.id for hit in memory.search(limit=2)] == [saved[2], saved[1]]
    assert ids(memory) == saved[::-1]
    assert [observation.id for observation in memory.list(limit=1)] == [saved[2]]


def test_filters(memory: Memory, clock: Clock) -> None:
    first = memory.save("one", tags=["a", "b"], importance=4, memory_type="bug", session_id="s1")
    clock.advance(timedelta(minutes=1))
    second = memory.save("two", tags=["a"], session_id="s2", project="p")
    found = {
        "project": memory.list(project="p"),
        "tags": memory.list(tags=["a", "b"]),
        "importance": memory.list(importance=3),
        "type": memory.list(memory_type="bug"),
        "session": memory.list(session_id="s2"),
        "since": memory.list(since=NOON + timedelta(minutes=1)),
        "until": memory.list(until=NOON + timedelta(minutes=1)),
        "family": memory.list(agent_family="codex"),
        "client": memory.list(client_id="tests", host="one"),
    }
    assert {name: [one.id for one in some] for name, some in found.items()} == {
        "project": [second.id],
        "tags": [first.id],
        "importance": [first.id],
        "type": [first.id],
        "session": [second.id],
        "since": [second.id],
        "until": [first.id],
        "family": [],
        "client": [second.id, first.id],
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 0},
        {"limit": 10_001},
        {"limit": True},
        {"limit": "5"},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001 - naive on purpose
        {"until": "yesterday"},
        {"colour": "red"},
        {"project": 3},
        {"project": "\ud800"},
        {"tags": 5},
        {"tags": [5]},
        {"importance": "high"},
        {"importance": 0},
        {"include_superseded": "yes"},
    ],
)
def test_bad_arguments_are_refused(memory: Memory, arguments: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        memory.search("x", **arguments)
    with pytest.raises(InvalidArgumentError):
        memory.list(**arguments)


def test_an_unknown_mode_and_a_query_that_is_no_text_are_refused(memory: Memory) -> None:
    with pytest.raises(InvalidArgumentError, match="mode"):
        memory.search("x", mode="xor")
    with pytest.raises(InvalidArgumentError, match="query"):
        memory.search(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("id", ["", "abc", "g" * 32, UNKNOWN.upper(), None, "0" * 32])
def test_what_is_no_id_is_refused(memory: Memory, id: Any) -> None:
    for call in (memory.get, memory.delete, memory.undelete, memory.purge, memory.history):
        with pytest.raises(InvalidObservationError, match="id"):
            call(id)
    with pytest.raises(InvalidObservationError, match="id"):
        memory.edit(id, content="x")


def test_an_unknown_id_is_nothing_or_not_found(memory: Memory) -> None:
    assert memory.get(UNKNOWN) is None
    for call in (memory.delete, memory.undelete, memory.history):
        with pytest.raises(NotFoundError):
            call(UNKNOWN)
    with pytest.raises(NotFoundError):
        memory.edit(UNKNOWN, content="x")


def test_a_prefix_names_one_id(memory: Memory) -> None:
    one = Observation("a", id="abcdef0" + "1" * 25)
    two = Observation("b", id="abcdef0" + "2" * 25)
    memory.save_many([one, two])
    assert memory.resolve_id("ABCDEF01") == one.id
    assert memory.resolve_id(one.id) == one.id
    with pytest.raises(AmbiguousIdError) as caught:
        memory.resolve_id("abcdef")
    assert caught.value.count == 2
    with pytest.raises(NotFoundError):
        memory.resolve_id("fedcba")
    for bad in ("abcde", "xyzxyz", "a" * 33, None):
        with pytest.raises(InvalidArgumentError):
            memory.resolve_id(bad)  # type: ignore[arg-type]
