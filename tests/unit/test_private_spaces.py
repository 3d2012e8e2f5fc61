"""A private space: nothing of it can be taken out, by whatever way, and nothing lifts its mark."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kioku
from kioku.doctor import check
from kioku.errors import ConfigError, InvalidArgumentError, PrivateSpaceError
from kioku.log.event import EventId
from kioku.log.path import Path as LogPath
from kioku.log.transfer import read_chunk, read_run, read_seal
from kioku.node.holdings import ReplicaHoldings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kioku import Memory


def own_tip(memory: Memory) -> EventId:
    """The last event of a store's own log."""
    [entry] = [e for e in all_entries(memory) if e.event_id == memory.replica.statistics().events]
    return EventId(entry.log_id, entry.seq, entry.hash)


def all_entries(memory: Memory) -> list[Any]:
    count = memory.replica.statistics().events
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        return [reading.entry(number) for number in range(1, count + 1)]


def core(memory: Memory) -> Any:
    return memory.replica._core


def holdings(memory: Memory) -> ReplicaHoldings:
    return ReplicaHoldings(memory.replica, memory.now_ms)


def path_of(memory: Memory) -> LogPath:
    return LogPath(core(memory).store, own_tip(memory))


# Everything that makes something for others, from the public API down to single statements.
WAYS_OUT: dict[str, Callable[[Memory], object]] = {
    "memory.frontier": lambda memory: memory.frontier(),
    "memory.digest": lambda memory: memory.digest(),
    "memory.export_chunks": lambda memory: list(memory.export_chunks()),
    "memory.export_chunks after nothing": lambda m: list(m.export_chunks(kioku.Frontier())),
    "replica.seal": lambda memory: memory.replica.seal(),
    "replica.frontier": lambda memory: memory.replica.frontier(),
    "replica.digest": lambda memory: memory.replica.digest(),
    "replica.export_chunks": lambda memory: list(memory.replica.export_chunks()),
    "replica.stated_digest": lambda memory: memory.replica.stated_digest(),
    "replica.stated_frontier": lambda memory: memory.replica.stated_frontier(),
    "replica.stated_changes": lambda memory: memory.replica.stated_changes(-1, None),
    "replica.tips_of": lambda memory: memory.replica.tips_of(own_tip(memory).log_id),
    "replica.holds": lambda memory: memory.replica.holds(own_tip(memory)),
    "replica.stamps_of": lambda memory: memory.replica.stamps_of([own_tip(memory)]),
    "replica.sealed_at_or_below": lambda m: m.replica.sealed_at_or_below(own_tip(m)),
    "replica.hashes": lambda memory: memory.replica.hashes(own_tip(memory), [1]),
    "replica.read_range": lambda memory: memory.replica.read_range(own_tip(memory), None),
    "replica.bodies": lambda memory: memory.replica.bodies([own_tip(memory)]),
    "replica.missing_events": lambda memory: memory.replica.missing_events(1),
    "replica.extent": lambda memory: memory.replica.extent(),
    "replica.note_level": lambda m: m.replica.note_level(bytes(16), bytes(32), is_erased=True),
    "replica.note_peer": lambda memory: memory.replica.note_peer(
        bytes(16), machine="other", role="hub", version="1", now_ms=memory.now_ms()
    ),
    "replica.begin_log": lambda memory: memory.replica.begin_log(memory.now_ms()),
    "replica.adopt_space": lambda memory: memory.replica.adopt_space(bytes(16), "team"),
    "holdings.digest": lambda memory: holdings(memory).digest(),
    "holdings.heads": lambda memory: holdings(memory).heads(""),
    "holdings.sums": lambda memory: holdings(memory).sums(""),
    "holdings.count_tips": lambda memory: holdings(memory).count_tips(""),
    "holdings.tips_of": lambda memory: holdings(memory).tips_of(bytes(16)),
    "store.frontier": lambda memory: core(memory).store.frontier(),
    "store.digest": lambda memory: core(memory).store.digest(),
    "owner.seal_tail": lambda memory: core(memory).owner.seal_tail(),
    "a chunk": lambda memory: read_chunk(core(memory).store, path_of(memory), 0),
    "a seal": lambda memory: read_seal(core(memory).store, path_of(memory), 1),
    "a run": lambda memory: read_run(core(memory).store, path_of(memory), 0, 1000),
}


def own_seals(memory: Memory) -> int:
    """How many events of its own logs a store has signed."""
    sql = "SELECT count(*) FROM seal JOIN branch USING(branch) WHERE log IN (SELECT log FROM own)"
    return int(core(memory).connection.execute(sql).get)


def test_a_space_is_private_by_its_name_or_as_it_was_created() -> None:
    for name, private in (("private", False), ("diary", True), ("diary", False)):
        with kioku.open(space=name, private=private) as memory:
            assert memory.replica.is_private()


@pytest.fixture(params=["by its name", "as created", "reopened", "in memory", "by a file's name"])
def private(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    """A private memory with something in it, made in each way in which one comes to be."""
    match request.param:
        case "by its name":
            memory = kioku.open(space="private")
        case "as created":
            memory = kioku.open(space="diary", private=True)
        case "reopened":
            kioku.open(space="diary", private=True).close()
            memory = kioku.open(space="diary")
        case "in memory":
            memory = kioku.open(":memory:", private=True)
        case _:
            memory = kioku.open(tmp_path / "private.db")
    memory.save("a secret")
    yield memory
    memory.close()


@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_of_a_private_space_can_be_taken_out(private: Memory, way: str) -> None:
    with pytest.raises(PrivateSpaceError, match="is private"):
        WAYS_OUT[way](private)
    assert own_seals(private) == 0


def test_a_private_space_says_that_it_is_one(private: Memory) -> None:
    assert private.is_private()
    assert private.statistics().is_private
    assert private.replica.is_private()


def test_any_other_space_is_not_private() -> None:
    with kioku.open() as memory:
        memory.save("no secret")
        assert not memory.is_private()
        assert not memory.statistics().is_private
        assert len(memory.digest()) == 64
        assert list(memory.export_chunks())


def test_the_error_names_the_space() -> None:
    with (
        kioku.open(space="diary", private=True) as memory,
        pytest.raises(PrivateSpaceError) as caught,
    ):
        memory.frontier()
    assert caught.value.space == "diary"
    assert "space diary is private" in str(caught.value)


@pytest.mark.parametrize(
    ("space", "private"), [("work", True), ("private", True), ("private", False)]
)
def test_what_may_have_left_already_cannot_be_made_private(
    home: Path, space: str, private: bool
) -> None:
    """A store that is there was not private: also one that got the private one's file name."""
    with kioku.open(space="work") as memory:
        memory.save("seen by others")
    if space == "private":
        shutil.copy(home / "state" / "work.db", home / "state" / "private.db")
    with pytest.raises(InvalidArgumentError, match=f"{space}.db: .* not private"):
        kioku.open(space=space, private=private)
    with kioku.open(space="work") as memory:
        assert not memory.is_private()
        assert memory.list()


def test_no_setting_lifts_the_mark(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with kioku.open(space="diary", private=True) as memory:
        memory.save("a secret")
    monkeypatch.setenv("KIOKU_SPACE", "diary")
    monkeypatch.setenv("KIOKU_PRIVATE", "0")
    with kioku.open(durability="normal", private=False) as memory:
        assert memory.is_private()
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text("private = false\n")
    with pytest.raises(ConfigError, match="unknown key 'private'"):
        kioku.open()


def test_a_copy_under_any_name_is_as_private(home: Path) -> None:
    with kioku.open(space="diary", private=True) as memory:
        memory.save("a secret")
    shutil.copy(home / "state" / "diary.db", home / "state" / "open.db")
    with kioku.open(space="open") as memory:
        assert memory.is_private()
        with pytest.raises(PrivateSpaceError):
            memory.frontier()


def test_a_copy_goes_on_without_saying_everything_again(home: Path) -> None:
    """Nobody waits for its tail, so what a restored store holds stays where it is."""
    with kioku.open(space="private") as memory:
        kept = [memory.save(f"secret {n}").id for n in range(20)]
        memory.delete(kept.pop())
        before = memory.replica.statistics().events
    (home / "else").mkdir()
    shutil.copy(home / "state" / "private.db", home / "else" / "private.db")
    with kioku.open(home / "else" / "private.db") as memory:
        kept.append(memory.save("one more").id)
        assert memory.replica.statistics().events == before + 2  # a genesis and the save
        shown = memory.list()
        assert {one.id for one in shown} == set(kept)
        memory.rebuild()
        assert memory.list() == shown
        assert check(memory, deep=True).ok


def test_a_private_space_takes_in_what_others_give_and_gives_none_of_it() -> None:
    with kioku.open() as other, kioku.open(space="private") as memory:
        other.save("for all")
        memory.save("for me")
        for chunk in other.export_chunks():
            assert memory.ingest_chunk(chunk).new_events
            assert not memory.ingest_chunk(chunk).new_events
        assert {one.content for one in memory.list()} == {"for all", "for me"}
        for way in WAYS_OUT.values():
            with pytest.raises(PrivateSpaceError):
                way(memory)


def test_the_doctor_finds_nothing_wrong_with_a_private_space(private: Memory) -> None:
    report = check(private, deep=True)
    assert not [one for one in report.checks if one.status == "fail"]


STEPS = st.lists(
    st.sampled_from(["save", "edit", "delete", "undelete", "purge", "gc", "ingest", "rebuild"]),
    max_size=8,
)


@given(STEPS)
def test_no_history_signs_anything_of_a_private_space(steps: list[str]) -> None:
    """Whatever was done to it, each way out is closed and its own logs bear no seal."""
    with kioku.open(":memory:", private=True) as memory, kioku.open(":memory:") as other:
        key = memory.save("first").id
        for step in steps:
            key = _take(step, memory, other, key)
        for way in WAYS_OUT.values():
            with pytest.raises(PrivateSpaceError):
                way(memory)
        assert own_seals(memory) == 0


def _take(step: str, memory: Memory, other: Memory, key: str) -> str:
    """Take one step, and give the id that the next one is about."""
    match step:
        case "edit" if memory.get(key):
            memory.edit(key, content="changed")
        case "delete" if memory.get(key):
            memory.delete(key)
        case "purge":
            memory.purge(key)
        case "gc":
            memory.gc(retention=timedelta(0))
        case "ingest":
            other.save("from elsewhere")
            for chunk in other.export_chunks():
                memory.ingest_chunk(chunk)
        case "rebuild":
            memory.rebuild()
        case _:
            return memory.save("another").id
    return key
