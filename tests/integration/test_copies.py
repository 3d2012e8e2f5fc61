"""Stores that were copied, restored or cloned: each writes its own log, and nothing is lost."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.child import Child
from tests.integration.wholeness import assert_whole, contents, problems

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kioku import Memory

SAVES = 30

# Saves a line's worth each time it is told to, in a process of its own.
WRITER = """
import sys
import kioku

with kioku.open(sys.argv[1]) as memory:
    print("ready", flush=True)
    for line in sys.stdin:
        print(memory.save(line.rstrip()).id, flush=True)
"""


def carry(sender: Memory, receiver: Memory) -> None:
    for chunk in sender.export_chunks(receiver.frontier()):
        receiver.ingest_chunk(chunk)


def assert_level(*memories: Memory) -> None:
    """Carry everything everywhere: all come to the same, whole and without a fork."""
    for _ in range(2):
        for sender in memories:
            for receiver in memories:
                if sender is not receiver:
                    carry(sender, receiver)
    first = memories[0]
    for memory in memories:
        assert contents(memory) == contents(first)
        assert memory.digest() == first.digest()
        assert problems(memory) == []
        statistics = memory.replica.statistics()
        assert statistics.tips == statistics.logs, "a log forked"


def filled(path: Path, contents_wanted: Iterable[str]) -> dict[str, str]:
    with kioku.open(path) as memory:
        return {memory.save(one).id: one for one in contents_wanted}


@pytest.mark.parametrize("is_sealed", [True, False])
@pytest.mark.parametrize("with_keys", [True, False])
def test_two_live_copies_both_write_and_converge(
    tmp_path: Path, with_keys: bool, is_sealed: bool
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    saved = filled(one / "space.db", ["before the copy"])
    if is_sealed:
        with kioku.open(one / "space.db") as memory:
            memory.digest()
    saved |= filled(one / "space.db", ["unsealed"])
    ignore = None if with_keys else shutil.ignore_patterns("*.key")
    shutil.copytree(one, two, ignore=ignore)
    with Child(WRITER, one / "space.db") as first, Child(WRITER, two / "space.db") as second:
        writers = {"one": first, "two": second}
        assert [child.read_line() for child in writers.values()] == ["ready", "ready"]
        for number in range(SAVES):
            for name, child in writers.items():
                child.say(f"{name} {number}")
            saved |= {child.read_line(): f"{name} {number}" for name, child in writers.items()}
        assert [child.finish() for child in writers.values()] == [(0, "", "")] * 2
    assert len(saved) == 2 + 2 * SAVES
    with (
        kioku.open(one / "space.db") as here,
        kioku.open(two / "space.db") as there,
        kioku.open(":memory:") as third,
    ):
        assert here.replica.statistics().logs == 1
        assert there.replica.statistics().logs == 2
        assert_level(here, there, third)
        assert_whole(third, saved.items())
        assert contents(third) == saved


def test_a_copy_of_a_store_that_is_open_is_like_any_other(tmp_path: Path) -> None:
    path, copy = tmp_path / "space.db", tmp_path / "copy.db"
    with kioku.open(path) as memory:
        saved = {memory.save("before").id: "before"}
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        with kioku.open(copy) as other, kioku.open(":memory:") as third:
            saved[memory.save("original").id] = "original"
            saved[other.save("copy").id] = "copy"
            assert_level(memory, other, third)
            assert contents(third) == saved


@pytest.mark.parametrize("has_spread", [True, False])
def test_a_store_restored_over_itself_goes_on_in_a_new_log_once_it_has_spread(
    tmp_path: Path, has_spread: bool
) -> None:
    path, backup = tmp_path / "space.db", tmp_path / "backup"
    saved = filled(path, ["before the backup"])
    shutil.copyfile(path, backup)
    later = filled(path, ["after the backup"])
    with kioku.open(":memory:") as peer:
        if has_spread:
            with kioku.open(path) as memory:
                carry(memory, peer)
            saved |= later  # what a peer has comes back
        shutil.copyfile(backup, path)  # the same inode
        saved |= filled(path, ["after the restore"])
        with kioku.open(path) as memory:
            assert memory.replica.statistics().logs == (2 if has_spread else 1)
            assert_level(memory, peer)
            assert contents(memory) == saved


def test_a_moved_store_begins_one_log_and_no_more(tmp_path: Path) -> None:
    path, moved = tmp_path / "space.db", tmp_path / "elsewhere" / "space.db"
    saved = filled(path, ["before"])
    moved.parent.mkdir()
    path.rename(moved)
    for number in range(3):
        saved |= filled(moved, [f"after {number}"])
    with kioku.open(moved) as memory, kioku.open(":memory:") as peer:
        assert memory.replica.statistics().logs == 2
        assert_level(memory, peer)
        assert contents(peer) == saved


def test_a_store_moved_with_its_keys_goes_on_in_its_log(tmp_path: Path) -> None:
    """The same file under another name of its directory: inode and key still fit."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    saved = filled(before / "space.db", ["before"])
    before.rename(after)
    saved |= filled(after / "space.db", ["after"])
    with kioku.open(after / "space.db") as memory:
        assert contents(memory) == saved
        assert memory.replica.statistics().logs == 1
        assert problems(memory) == []


def test_a_copy_that_only_reads_writes_nothing(tmp_path: Path) -> None:
    path, copy = tmp_path / "space.db", tmp_path / "copy" / "space.db"
    saved = filled(path, ["one", "two"])
    copy.parent.mkdir()
    shutil.copyfile(path, copy)
    before = copy.read_bytes()
    with kioku.open(copy) as memory:
        assert contents(memory) == saved
        assert memory.search("one")
    assert copy.read_bytes() == before
    assert [file.name for file in copy.parent.iterdir()] == ["space.db"]


def test_a_link_to_a_store_is_the_store(tmp_path: Path) -> None:
    """The key lies beside the file, so whichever name it is opened by, it goes on in its log."""
    real, link, directory = tmp_path / "real.db", tmp_path / "link.db", tmp_path / "linked"
    link.symlink_to(real)
    directory.symlink_to(tmp_path)
    saved = filled(link, ["created by the link"])
    for path in (real, link, directory / "real.db", directory / "link.db"):
        saved |= filled(path, [f"by {path.parent.name} {path.name}"])
    with kioku.open(real) as memory, kioku.open(link) as other:
        saved[other.save("while both are open").id] = "while both are open"
        assert contents(memory) == contents(other) == saved
        assert memory.replica.statistics().logs == 1
        assert problems(memory) == []
