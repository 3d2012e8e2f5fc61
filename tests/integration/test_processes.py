"""Many processes on one store: no save is lost and none is refused (failure 1, invariant 26)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.child import Child
from tests.integration.wholeness import assert_whole, contents, problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROCESSES = 8
SAVES = 50

# Says "ready" once all is imported; then for each line opens that store, works, and says its ids.
WORKER = """
import sys
import cryptography.hazmat.primitives.asymmetric.ed25519
import kioku, kioku.memory

number, count = int(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
for path in sys.stdin:
    with kioku.open(path.rstrip()) as memory:
        ids = [memory.save(f"from process {number} save {n}").id for n in range(count)]
    print(*ids, flush=True)
"""


@contextlib.contextmanager
def workers(code: str, *, saves: int, processes: int = PROCESSES) -> Iterator[list[Child]]:
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(Child(code, number, saves)) for number in range(processes)]
        for child in children:
            assert child.read_line() == "ready", child.finish()
        yield children


def test_failure_1_no_save_is_lost_when_processes_create_and_fill_a_store(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    acknowledged = []
    with workers(WORKER, saves=SAVES) as children:
        for child in children:
            child.say(str(path))
        for number, child in enumerate(children):
            ids = child.read_line().split()
            assert len(ids) == SAVES, child.finish()
            acknowledged += [(one, f"from process {number} save {n}") for n, one in enumerate(ids)]
        ended = [child.finish() for child in children]
    assert ended == [(0, "", "")] * PROCESSES
    with kioku.open(path) as memory:
        assert_whole(memory, acknowledged)
        assert len(contents(memory)) == PROCESSES * SAVES
        assert memory.replica.statistics().logs == 1
    assert len(list(tmp_path.glob("*.key"))) == 1


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_processes_that_meet_at_the_creation_of_a_store_all_save(
    tmp_path: Path, durability: str
) -> None:
    rounds = 15
    code = WORKER.replace("path.rstrip()", f"path.rstrip(), durability={durability!r}")
    with workers(code, saves=1) as children:
        for number in range(rounds):
            path = tmp_path / f"{number}.db"
            for child in children:
                child.say(str(path))
            saved = [child.read_line() for child in children]
            assert all(len(one) == 32 for one in saved), [child.finish() for child in children]
            with kioku.open(path) as memory:
                assert set(contents(memory)) == set(saved)
                assert memory.replica.statistics().logs == 1
                assert problems(memory) == []


MIXED = """
import sys
from random import Random
import cryptography.hazmat.primitives.asymmetric.ed25519
import kioku, kioku.memory

number, count = int(sys.argv[1]), int(sys.argv[2])
random = Random(number)
print("ready", flush=True)
for path in sys.stdin:
    ids = []
    for n in range(count):
        with kioku.open(path.rstrip()) as memory:
            one = memory.save(f"word{number}x{n} shared").id
            what = random.randrange(6)
            if what == 0:
                memory.purge(one)
            elif what == 1:
                memory.delete(one)
            else:
                ids.append(one)
            if what == 2:
                memory.digest()
            elif what == 3:
                assert memory.search("shared")
            elif what == 4:
                memory.rebuild()
            elif what == 5:
                memory.edit(one, importance=5)
    print(*ids, flush=True)
"""


def test_processes_that_open_work_and_close_disturb_nobody(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    with workers(MIXED, saves=12, processes=4) as children:
        for child in children:
            child.say(str(path))
        kept = [one for child in children for one in child.read_line().split()]
        ended = [child.finish() for child in children]
    assert ended == [(0, "", "")] * 4
    with kioku.open(path) as memory:
        assert set(contents(memory)) == set(kept)
        assert problems(memory) == []
        assert memory.replica.statistics().logs == 1


HOLDER = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("holding", flush=True)
sys.stdin.readline()
"""


def test_a_lock_that_is_never_given_back_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kioku.open(tmp_path / "space.db") as memory:
        kept = memory.save("before")
        database = memory.replica._database
        assert database._busy_s_max == 30
        monkeypatch.setattr(database, "_busy_s_max", 0.05)
        with Child(HOLDER, tmp_path / "space.db") as holder:
            assert holder.read_line() == "holding"
            with pytest.raises(kioku.StoreBusyError, match="other processes"):
                memory.save("refused")
            assert contents(memory) == {kept.id: "before"}
        after = memory.save("after")  # a lock ends with its process
        assert_whole(memory, [(kept.id, "before"), (after.id, "after")])


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        with Child(HOLDER, path) as holder:
            assert holder.read_line() == "holding"
        memory.save("after")
        assert problems(memory) == []


ENDLESS = """
import sys
from itertools import count
import cryptography.hazmat.primitives.asymmetric.ed25519
import kioku, kioku.memory

number = int(sys.argv[1])
print("ready", flush=True)
with kioku.open(sys.stdin.readline().rstrip()) as memory:
    for n in count():
        content = f"endless {number} {n}"
        print(memory.save(content).id, content, flush=True)
        if n % 10 == 5:
            memory.digest()
"""


def test_processes_killed_among_others_lose_nothing_and_stop_nobody(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    acknowledged: dict[str, str] = {}

    def hear(line: str) -> None:
        one, _, content = line.partition(" ")
        acknowledged[one] = content

    with kioku.open(path) as memory, workers(ENDLESS, saves=0, processes=4) as children:
        for child in children:
            child.say(str(path))
        for number, child in enumerate(children):
            for _ in range(15 * (number + 1)):
                hear(child.read_line())
            for line in child.kill():
                hear(line)
            acknowledged[memory.save(f"meanwhile {number}").id] = f"meanwhile {number}"
        assert_whole(memory, acknowledged.items())
        assert memory.replica.statistics().logs == 1
        # One save of each may be there that it had no time to say.
        assert len(contents(memory)) <= len(acknowledged) + len(children)
