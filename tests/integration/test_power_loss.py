"""The power goes at any moment: what was acknowledged at FULL is there, and no log forks.

At ``normal`` the last saves may go, but never what was sealed and so may be known elsewhere: else
the log would go on with other events at the same places (invariants 3 and 4).
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku import Memory
from tests.integration.forgetful_disk import ForgetfulDisk, ForgetfulFile
from tests.integration.wholeness import assert_whole, contents, problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEEDS = [None, 1, 2, 3]


@pytest.fixture
def disk() -> Iterator[ForgetfulDisk]:
    found = ForgetfulDisk()
    yield found
    found.unregister()


def chance(seed: int | None) -> Random | None:
    """None: nothing unsynced is kept; else a random part of it is."""
    return None if seed is None else Random(seed)


def work(memory: Memory, step: int, saved: dict[str, str]) -> None:
    """One of several operations, acknowledged into ``saved`` when it returns."""
    one = memory.save(f"save {step} {'pad ' * (step % 7) * 40}")
    saved[one.id] = one.content
    if step % 3 == 1:
        first = next(iter(saved))
        saved[first] = memory.edit(first, content=f"edited {step}").content
    elif step % 7 == 2:
        memory.purge(one.id)
        del saved[one.id]
    elif step % 5 == 3:
        many = memory.save_many({"content": f"many {step} {n}"} for n in range(20))
        saved.update((each.id, each.content) for each in many)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_acknowledged_at_full_survives(
    tmp_path: Path, disk: ForgetfulDisk, seed: int | None
) -> None:
    path = tmp_path / "space.db"
    saved: dict[str, str] = {}
    images: list[tuple[dict[str, bytes], dict[str, str]]] = []
    with kioku.open(path) as memory:
        for step in range(12):
            work(memory, step, saved)
            images.append((disk.lose_power(chance(seed)), dict(saved)))
    for image, acknowledged in images:
        disk.restart(image)
        with kioku.open(path) as memory:
            assert contents(memory) == acknowledged
            assert problems(memory) == []


@pytest.mark.parametrize("durability", ["full", "normal"])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_others_have_is_never_taken_back(
    tmp_path: Path, disk: ForgetfulDisk, seed: int | None, durability: str
) -> None:
    path = tmp_path / "space.db"
    with kioku.open(":memory:") as peer:
        for cut in range(6):
            saved: dict[str, str] = {}
            with kioku.open(path, durability=durability) as memory:
                before = contents(memory)
                work(memory, 3 * cut, saved)
                for chunk in memory.export_chunks(peer.frontier()):
                    peer.ingest_chunk(chunk)
                exported = contents(peer)
                memory.save(f"after the export {cut}")
                image = disk.lose_power(chance(seed))
            assert before.keys() - exported.keys() == set(), "a restart loses nothing by itself"
            disk.restart(image)
            with kioku.open(path, durability=durability) as memory:
                assert_whole(memory, exported.items())
        with kioku.open(path) as memory:
            for chunk in memory.export_chunks(peer.frontier()):
                peer.ingest_chunk(chunk)
            assert peer.digest() == memory.digest()
        statistics = peer.replica.statistics()
        assert statistics.tips == statistics.logs == 1


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_power_loss_while_a_store_is_created_leaves_one_that_opens(
    tmp_path: Path, disk: ForgetfulDisk, seed: int | None
) -> None:
    """A cut at every write and sync from the first open to the first save."""
    images: list[dict[str, bytes]] = []

    def recorded(name: str) -> Any:
        real = getattr(ForgetfulFile, name)

        def call(self: ForgetfulFile, *arguments: Any) -> Any:
            # A key is synced by itself, so it is there if it was written by now.
            keys = {str(key): key.read_bytes() for key in tmp_path.glob("*.key")}
            images.append({**disk.lose_power(chance(seed)), **keys})
            return real(self, *arguments)

        return call

    path = tmp_path / "space.db"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("xWrite", "xSync"):
            patch.setattr(ForgetfulFile, name, recorded(name))
        with kioku.open(path) as memory:
            first = memory.save("the first")
    for image in images:
        for key in tmp_path.glob("*.key"):
            key.unlink()
        disk.restart({**image, str(path): image.get(str(path), b"")})
        with kioku.open(path) as memory:
            assert contents(memory) in ({}, {first.id: "the first"})
            again = memory.save("again")
            assert_whole(memory, [(again.id, "again")])
    assert len(images) > 20


@pytest.mark.parametrize("durability", ["full", "normal"])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_erased_does_not_come_back(
    tmp_path: Path, disk: ForgetfulDisk, seed: int | None, durability: str
) -> None:
    """The power goes right after the purge: a WAL that was emptied may be full again."""
    path = tmp_path / "space.db"
    with kioku.open(path, durability=durability) as memory:
        kept = memory.save("kept")
        one = memory.save("qzxvwkjy " * 200, tags=["qzxvwkjy"])
        memory.digest()
        assert b"qzxvwkjy" in b"".join(disk.lose_power(None).values())
        memory.purge(one.id)
        image = disk.lose_power(chance(seed))
    if durability == "full":
        assert b"qzxvwkjy" not in b"".join(image.values())
    disk.restart(image)
    with kioku.open(path) as memory:
        if durability == "full":
            assert memory.get(one.id) is None
        elif memory.get(one.id) is not None:
            memory.purge(one.id)  # at normal the last events may go, also a purge
        assert contents(memory) == {kept.id: "kept"}
        assert memory.replica.statistics().erasures_due == 0
        found = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert b"qzxvwkjy" not in found
        assert problems(memory) == []
