"""A disk that is full or broken at any moment: a clear error, and nothing acknowledged is lost.

Each operation is run with its first write failing, then its second, and so on until it succeeds
without meeting the fault: so no moment is left out (invariant 24).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kioku
from kioku import Memory, StoreAccessError, StoreError, StoreFullError, StoreIOError
from tests.integration.faulty_disk import BROKEN, FULL, FaultyDisk
from tests.integration.wholeness import assert_whole, contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPERATIONS_MAX = 1_000


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    found = FaultyDisk(monkeypatch)
    yield found
    found.unregister()


class Image:
    """A store with a history, put back in place byte by byte so that its log stays its own."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "space.db"
        with kioku.open(self.path) as memory:
            kept = [memory.save(f"kept {number}", tags=["old"]).id for number in range(8)]
            memory.edit(kept[0], content="kept edited")
            memory.delete(kept[1], reason="not needed")
            self.ids = kept
            memory.digest()  # seals
            self.unsealed = memory.save("kept unsealed").id
            self.shown = contents(memory)
        self._files = {file: file.read_bytes() for file in directory.iterdir()}
        with kioku.open(":memory:") as other:
            for chunk in self._export():
                other.ingest_chunk(chunk)
            other.save("from elsewhere")
            other.purge(kept[2])
            other.edit(kept[3], content="edited elsewhere")
            self.chunk = list(other.export_chunks())[-1]

    def _export(self) -> list[bytes]:
        with kioku.open(self.path) as memory:
            return list(memory.export_chunks())

    def restore(self) -> None:
        for file in self.path.parent.iterdir():
            if file not in self._files:
                file.unlink()
        for file, content in self._files.items():
            file.write_bytes(content)


def save(memory: Memory, image: Image) -> None:
    memory.save("new")


def save_many(memory: Memory, image: Image) -> None:
    memory.save_many([{"content": f"one of many {number}"} for number in range(50)])


def edit(memory: Memory, image: Image) -> None:
    memory.edit(image.ids[4], content="edited")


def delete(memory: Memory, image: Image) -> None:
    memory.delete(image.ids[5], reason="a reason")


def purge(memory: Memory, image: Image) -> None:
    memory.purge(image.ids[6])


def ingest(memory: Memory, image: Image) -> None:
    memory.ingest_chunk(image.chunk)


def seal(memory: Memory, image: Image) -> None:
    memory.digest()


def export(memory: Memory, image: Image) -> None:
    for _ in memory.export_chunks():
        pass


def rebuild(memory: Memory, image: Image) -> None:
    memory.rebuild()


def begin_log(memory: Memory, image: Image) -> None:
    next(image.path.parent.glob("*.key")).unlink()
    memory.save("in a new log")


OPERATIONS = [save, save_many, edit, delete, purge, ingest, seal, export, rebuild, begin_log]
CHANGES = {"edit": 4, "delete": 5, "purge": 6}


def expected(image: Image, operation: str) -> dict[str, str]:
    """What is there whether or not the operation was done."""
    changed = {image.ids[CHANGES[operation]]} if operation in CHANGES else set()
    if operation == "ingest":
        changed = {image.ids[2], image.ids[3]}
    return {one: content for one, content in image.shown.items() if one not in changed}


def run(disk: FaultyDisk, fault: str, number: int, work: Callable[[], object]) -> bool:
    """Do the work on a failing disk; gives whether the disk failed at all."""
    raised: StoreError | None = None
    with disk.failing(fault, number):
        try:
            work()
        except StoreError as error:
            raised = error
    if raised is not None:
        assert disk.has_failed, raised
        assert type(raised) is (StoreFullError if fault == FULL else StoreIOError), repr(raised)
        assert "disk" in str(raised) or "space" in str(raised)
    return disk.has_failed


@pytest.mark.parametrize("fault", [FULL, BROKEN])
@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.__name__ for one in OPERATIONS])
def test_a_fault_at_any_moment_loses_nothing(
    tmp_path: Path, disk: FaultyDisk, operation: Callable[[Memory, Image], None], fault: str
) -> None:
    image = Image(tmp_path)
    there = expected(image, operation.__name__).items()
    for number in range(1, OPERATIONS_MAX):
        image.restore()
        with kioku.open(image.path) as memory:
            has_failed = run(disk, fault, number, lambda: operation(memory, image))
            after = memory.save("after the fault")  # the process goes on once the disk does
            assert contents(memory).items() >= there
        with kioku.open(image.path) as memory:
            assert_whole(memory, [*there, (after.id, after.content)])
            assert memory.replica.statistics().erasures_due == 0
        if not has_failed:
            return
    raise AssertionError("the operation never ends")


@pytest.mark.parametrize("fault", [FULL, BROKEN])
def test_a_fault_while_opening_leaves_a_store_that_opens(
    tmp_path: Path, disk: FaultyDisk, fault: str
) -> None:
    image = Image(tmp_path)
    for number in range(1, OPERATIONS_MAX):
        image.restore()

        def work() -> None:
            kioku.open(image.path).close()

        has_failed = run(disk, fault, number, work)
        with kioku.open(image.path) as memory:
            assert_whole(memory, image.shown.items())
        if not has_failed:
            return
    raise AssertionError("opening never ends")


@pytest.mark.parametrize("fault", [FULL, BROKEN])
def test_a_fault_while_a_store_is_created_leaves_one_that_opens(
    tmp_path: Path, disk: FaultyDisk, fault: str
) -> None:
    for number in range(1, OPERATIONS_MAX):
        path = tmp_path / f"{number}.db"
        saved: list[tuple[str, str]] = []

        def work(path: Path = path, saved: list[tuple[str, str]] = saved) -> None:
            with kioku.open(path) as memory:
                first = memory.save("the first")
                saved.append((first.id, first.content))

        has_failed = run(disk, fault, number, work)
        with kioku.open(path) as memory:
            after = memory.save("after the fault")
            assert_whole(memory, [*saved, (after.id, after.content)])
        if not has_failed:
            assert saved
            return
    raise AssertionError("creating never ends")


@pytest.mark.parametrize("fault", [FULL, BROKEN])
def test_what_was_acknowledged_before_a_kill_on_a_failing_disk_is_there(
    tmp_path: Path, disk: FaultyDisk, fault: str
) -> None:
    """The files as they are when the process dies right after the fault, not closed by it."""
    (tmp_path / "store").mkdir()
    image = Image(tmp_path / "store")
    for number in range(1, OPERATIONS_MAX):
        image.restore()
        saved = [*image.shown.items()]
        memory = kioku.open(image.path)

        def work(memory: Memory = memory, saved: list[tuple[str, str]] = saved) -> None:
            for count in range(3):
                one = memory.save(f"saved {count}")
                saved.append((one.id, one.content))

        has_failed = run(disk, fault, number, work)
        left = tmp_path / str(number)
        left.mkdir()
        for file in image.path.parent.iterdir():
            if not file.name.endswith("-shm"):
                (left / file.name).write_bytes(file.read_bytes())
        memory.close()
        with kioku.open(left / "space.db") as survivor:
            assert_whole(survivor, saved)
        if not has_failed:
            return
    raise AssertionError("the saves never end")


def test_a_store_that_is_gone_after_a_fault_is_not_made_anew(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        memory.save("kept")
        assert run(disk, BROKEN, 1, lambda: memory.save("refused"))
        path.rename(tmp_path / "moved.db")
        for work in (memory.list, lambda: memory.save("refused")):
            with pytest.raises(StoreAccessError, match="space"):
                work()
    assert not path.exists()
