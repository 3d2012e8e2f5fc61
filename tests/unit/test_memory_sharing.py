"""Sharing and keeping a store: exchange, statistics, threads, opening, closing."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import apsw
import pytest

import kioku
from kioku.errors import (
    ClockError,
    InvalidArgumentError,
    MalformedMessageError,
    ReplicaClosedError,
    StoreBusyError,
)
from kioku.memory import open as open_memory
from kioku.observation import Observation
from tests.unit.memories import NOON_MS, carry, chunks, ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kioku.memory import Memory
    from tests.unit.memories import Clock, Stores

UNKNOWN = "0123456789abcdef" * 2
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)


def test_two_stores_agree_after_an_exchange(stores: Stores) -> None:
    here, there = stores.open("here"), stores.open("there")
    here.save("from here")
    there.save("from there")
    assert here.digest() != there.digest()
    assert carry(here, there) + carry(there, here) == 4  # two saves, two geneses
    assert here.digest() == there.digest()
    assert len(here.digest()) == 64
    assert here.frontier() == there.frontier()
    assert here.list() == there.list()
    assert carry(here, there) == 0


def test_a_chunk_that_is_none_is_refused(memory: Memory) -> None:
    with pytest.raises(MalformedMessageError):
        memory.ingest_chunk(b"nonsense")
    assert memory.statistics().events == 0


@pytest.mark.parametrize("chunk", [None, "text", 3, bytearray(b"x")])
def test_what_is_not_bytes_is_refused(memory: Memory, chunk: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="chunk"):
        memory.ingest_chunk(chunk)


def test_a_chunk_can_come_twice(stores: Stores) -> None:
    here, there = stores.open("here"), stores.open("there")
    here.save("a")
    [chunk] = chunks(here)
    assert there.ingest_chunk(chunk).new_events == 2
    assert there.ingest_chunk(chunk).new_events == 0


def test_an_observation_from_a_clock_ahead_is_held(stores: Stores, clock: Clock) -> None:
    ahead = type(clock)(clock.ms + 3_600_000)
    early, here = stores.open("early", ahead), stores.open("here")
    saved = early.save("from the future")
    carry(early, here)
    found = here.get(saved.id)
    assert found is not None
    assert found.is_held
    assert [one.is_held for one in here.list()] == [True]
    assert [hit.observation.is_held for hit in here.search("future")] == [True]
    clock.advance(timedelta(hours=1))
    assert here.get(saved.id) == saved


def test_statistics_count(memory: Memory) -> None:
    for n in range(3):
        memory.save(f"n{n}")
    memory.save_many([Observation("x", agent_family="codex")])
    gone = memory.save("gone")
    memory.delete(gone.id)
    memory.purge(UNKNOWN)
    statistics = memory.statistics()
    assert statistics.observations == 4
    assert statistics.by_family == {"claude": 3, "codex": 1}
    assert (statistics.deleted, statistics.purged, statistics.logs) == (1, 1, 1)
    assert statistics.events == 8  # genesis, five saves, a tombstone, a purge
    assert statistics.is_erased
    assert statistics.space == "one"
    assert statistics.path.endswith("one.db")


def test_a_purge_waits_for_readers_and_says_so(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kioku.memory.forgetting.ERASURE_WAIT_MS", 50)
    memory = stores.open()
    saved = memory.save("kwyjibo")
    reader = apsw.Connection(memory.statistics().path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM event").get == 2
    with pytest.raises(StoreBusyError, match="read"):
        memory.purge(saved.id)
    assert memory.get(saved.id) is None
    assert not memory.statistics().is_erased
    reader.close()
    memory.save("the next one to come finishes it")
    assert memory.statistics().is_erased
    for file in stores.directory.iterdir():
        assert b"kwyjibo" not in file.read_bytes()


def test_a_rebuild_changes_no_answer(memory: Memory) -> None:
    saved = memory.save_many([{"content": f"word{n} common"} for n in range(50)])
    memory.delete(saved[0].id)
    before = (memory.list(limit=100), memory.search("common", limit=100), memory.digest())
    done: list[tuple[int, int]] = []
    memory.rebuild(lambda some, total: done.append((some, total)))
    assert (memory.list(limit=100), memory.search("common", limit=100), memory.digest()) == before
    assert done[-1][0] == done[-1][1]


def test_threads_share_a_memory(memory: Memory) -> None:
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda n: memory.save(f"thought {n}"), range(80)))
        found = list(pool.map(lambda one: memory.get(one.id), saved))
    assert found == saved
    assert len(ids(memory)) == 80


def test_edits_of_two_openings_both_last(stores: Stores) -> None:
    one, two = stores.open("same"), stores.open("same")
    saved = one.save("a")

    def edit(number: int) -> None:
        memory = (one, two)[number % 2]
        if number % 2:
            memory.edit(saved.id, importance=number % 5 + 1)
        else:
            memory.edit(saved.id, subject=f"subject {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(edit, range(40)))
    history = one.history(saved.id)
    assert len(history) == 41
    assert [entry.status for entry in history] == ["wins"] + ["older"] * 40
    changed = [
        sum(
            getattr(newer.observation, name) != getattr(older.observation, name)
            for name in ("subject", "importance")
        )
        for newer, older in itertools.pairwise(history)
    ]
    assert max(changed) == 1  # each edit changed its own field of what the one before left


def test_after_close_every_call_says_so(memory: Memory) -> None:
    memory.save("a")
    export = memory.export_chunks()
    [chunk] = chunks(memory)
    memory.close()
    memory.close()
    calls: list[Callable[[], object]] = [
        lambda: memory.save("b"),
        lambda: memory.save_many([{"content": "b"}]),
        lambda: memory.search("a"),
        lambda: memory.get(UNKNOWN),
        memory.list,
        lambda: memory.edit(UNKNOWN, content="b"),
        lambda: memory.delete(UNKNOWN),
        lambda: memory.undelete(UNKNOWN),
        lambda: memory.purge(UNKNOWN),
        lambda: memory.history(UNKNOWN),
        memory.gc,
        lambda: memory.resolve_id("abcdef"),
        memory.frontier,
        memory.digest,
        memory.statistics,
        memory.rebuild,
        lambda: next(export),
        lambda: memory.ingest_chunk(chunk),
    ]
    for call in calls:
        with pytest.raises(ReplicaClosedError):
            call()


def test_open_finds_the_store_of_the_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOKU_AGENT_FAMILY", "codex")
    with kioku.open() as memory:
        saved = memory.save("a")
    assert (home / "state" / "default.db").is_file()
    with kioku.open() as memory:
        assert memory.get(saved.id) == saved
        assert saved.agent_family == "codex"
    with kioku.open(space="work", session_id="s", client_id="c") as memory:
        assert memory.get(saved.id) is None
        assert memory.statistics().space == "work"
        assert (memory.session_id, memory.save("b").client_id) == ("s", "c")


def test_open_takes_a_path_or_none_at_all(tmp_path: Path) -> None:
    with open_memory(tmp_path / "notes.db", durability="normal") as memory:
        saved = memory.save("a")
    with open_memory(str(tmp_path / "notes.db")) as memory:
        assert memory.get(saved.id) == saved
    with open_memory(":memory:") as memory:
        assert memory.get(saved.id) is None


@pytest.mark.parametrize("path", [3, "a\0b", ["a"]])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="path"):
        open_memory(path)


def test_a_clock_beyond_all_stamps_is_refused(memory: Memory, clock: Clock) -> None:
    saved = memory.save("a")
    for ms in (-1, 1 << 47, 1 << 60):
        clock.ms = ms
        for call in (memory.list, lambda: memory.save("b"), lambda: memory.get(saved.id)):
            with pytest.raises(ClockError):
                call()


@pytest.mark.parametrize(
    "arguments", [{"space": "../up"}, {"durability": "none"}, {"agent_family": "a/b"}]
)
def test_open_refuses_bad_settings(arguments: Any) -> None:
    with pytest.raises(kioku.KiokuError):
        kioku.open(**arguments)


def test_open_says_when_the_directory_cannot_be_made(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("in the way")
    monkeypatch.setenv("KIOKU_STATE_DIR", str(home / "file" / "below"))
    with pytest.raises(kioku.StoreError, match="KIOKU_STATE_DIR"):
        kioku.open()
