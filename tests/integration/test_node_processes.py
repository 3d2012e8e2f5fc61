"""Real processes over real Zenoh on the loopback: who leads, who takes over, how all of it ends.

What takes how long is measured by the processes themselves, and bounded only against hanging.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku.node.node import ask_leader
from tests.integration.child import Child
from tests.integration.mesh import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS_MAX = 60.0  # far beyond anything; only so that what never comes fails instead of lasting
HANG_S = 10.0  # an end that should take two

# Syncs a store as a hub or a spoke, and does what its lines say; "bye" leaves the block.
PROGRAM = """
import sys, time
import kioku

path, role, endpoint = sys.argv[1:4]
memory = kioku.open(path, space="team")
where = {"listen" if role == "hub" else "connect": [endpoint]}
with memory.syncing(**where) as syncing:
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "save":
            memory.save(rest)
            print("saved", flush=True)
        elif word == "level":
            print(syncing.wait_level(60), flush=True)
        elif word == "state":
            print(syncing._node.statistics().spaces[0].state, flush=True)
        elif word == "raise":
            raise ZeroDivisionError("by the test")
        elif word == "bye":
            break
    began = time.monotonic()
print(time.monotonic() - began, flush=True)
"""

# Begins to sync and never ends it: what comes after the loop is the test's.
FORGETFUL = """
import os, sys, threading
import kioku

memory = kioku.open(sys.argv[1], space="team")
syncing = memory.syncing(connect=[sys.argv[2]])
syncing.start()
assert syncing.wait_level(60)
memory.save("saved by who forgot to stop")
print("ready", flush=True)
sys.stdin.readline()
"""

FORKING = """
import os, sys
import kioku

memory = kioku.open(sys.argv[1], space="team")
with memory.syncing(connect=[sys.argv[2]]) as syncing:
    assert syncing.wait_level(60)
    child = os.fork()
    if child:
        print(child, flush=True)
        for line in sys.stdin:
            if line.strip() == "bye":
                break
            memory.save(line.strip())
            print(syncing.wait_level(60), flush=True)
    else:
        with kioku.open(sys.argv[1], space="team") as mine:
            mine.save("saved by the child")
if not child:
    sys.stdout.flush()
    os.read(0, 0)
    os.kill(os.getpid(), 19)  # the child stays, stopped, with all that it has inherited
print("ended", flush=True)
"""


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + SECONDS_MAX
    never = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        never.wait(0.02)


class Mesh:
    """A hub in a process of its own, and a directory for the stores of one spoke."""

    def __init__(self, directory: Path) -> None:
        self.endpoint = f"127.0.0.1:{free_port()}"
        self.hub_store = str(directory / "hub" / "team.db")
        self.spoke_store = str(directory / "spoke" / "team.db")
        for name in ("hub", "spoke"):
            (directory / name).mkdir()

    @contextmanager
    def hub(self) -> Iterator[Child]:
        with Child(PROGRAM, self.hub_store, "hub", self.endpoint) as child:
            assert child.read_line() == "ready", child.finish()
            yield child

    @contextmanager
    def spoke(self) -> Iterator[Child]:
        with Child(PROGRAM, self.spoke_store, "spoke", self.endpoint) as child:
            assert child.read_line() == "ready", child.finish()
            yield child

    def at_hub(self) -> set[str]:
        with kioku.open(self.hub_store, space="team") as memory:
            return {one.content for one in memory.list()}

    def leader(self) -> int:
        """The process that leads the spoke's store; 0 for none."""
        status = ask_leader(self.spoke_store)
        return status.pid if status is not None else 0


def do(child: Child, line: str) -> str:
    child.say(line)
    return child.read_line()


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    return Mesh(tmp_path)


def test_two_machines_are_level_over_a_hub_and_both_end_cleanly(mesh: Mesh) -> None:
    with mesh.hub() as hub, mesh.spoke() as spoke:
        assert do(spoke, "level") == "True"
        for number in range(5):
            assert do(spoke, f"save note {number}") == "saved"
            assert do(spoke, "level") == "True"
            assert f"note {number}" in mesh.at_hub()
        for child in (spoke, hub):
            child.say("bye")
            code, took_s, err = child.finish()
            assert (code, err) == (0, "")
            assert float(took_s) < HANG_S


def test_when_a_leader_is_killed_another_process_takes_over(mesh: Mesh) -> None:
    with mesh.hub(), mesh.spoke() as first:
        assert do(first, "level") == "True"
        with mesh.spoke() as second:
            assert mesh.leader() == first.pid
            assert do(second, "state") == "standby"
            assert do(second, "level") == "True"  # as the first one says
            first.kill()
            until(lambda: mesh.leader() == second.pid)
            assert do(second, "save by the second") == "saved"
            assert do(second, "level") == "True"
            assert mesh.at_hub() == {"by the second"}


def test_a_stopped_leader_delays_publishing_is_named_and_is_never_replaced(mesh: Mesh) -> None:
    with mesh.hub(), mesh.spoke() as first:
        assert do(first, "level") == "True"
        with mesh.spoke() as second:
            os.kill(first.pid, signal.SIGSTOP)
            with pytest.raises(kioku.NodeSilentError, match=f"process {first.pid} runs the node"):
                ask_leader(mesh.spoke_store)
            assert do(second, "save while it was stopped") == "saved"
            assert do(second, "state") == "standby"
            os.kill(first.pid, signal.SIGCONT)
            until(lambda: mesh.at_hub() == {"while it was stopped"})
            assert mesh.leader() == first.pid


def test_a_program_ends_in_time_though_its_hub_is_frozen(mesh: Mesh) -> None:
    with mesh.hub() as hub, mesh.spoke() as spoke:
        assert do(spoke, "level") == "True"
        os.kill(hub.pid, signal.SIGSTOP)
        assert do(spoke, "save said to nobody") == "saved"
        spoke.say("bye")
        code, took_s, err = spoke.finish()
        assert (code, err) == (0, "")
        assert float(took_s) < HANG_S
        os.kill(hub.pid, signal.SIGCONT)
        with mesh.spoke() as again:
            assert do(again, "level") == "True"
        assert mesh.at_hub() == {"said to nobody"}


def test_a_program_begins_and_ends_though_there_is_no_hub(mesh: Mesh) -> None:
    with mesh.spoke() as spoke:
        assert do(spoke, "save for later") == "saved"
        until(lambda: mesh.leader() == spoke.pid)
        spoke.say("bye")
        code, took_s, err = spoke.finish()
        assert (code, err) == (0, "")
        assert float(took_s) < HANG_S


def test_a_spoke_finds_its_hub_once_that_is_there_and_again_when_it_is_back(mesh: Mesh) -> None:
    with mesh.spoke() as spoke:
        assert do(spoke, "save before any hub") == "saved"
        with mesh.hub() as hub:
            assert do(spoke, "level") == "True"
            hub.kill()
        assert do(spoke, "save between two") == "saved"
        with mesh.hub():
            assert do(spoke, "level") == "True"
            assert mesh.at_hub() == {"before any hub", "between two"}


def test_an_error_ends_the_program_and_the_node_with_it(mesh: Mesh) -> None:
    with mesh.hub(), mesh.spoke() as spoke:
        assert do(spoke, "level") == "True"
        assert do(spoke, "save before the error") == "saved"
        spoke.say("raise")
        code, _, err = spoke.finish()
        assert code == 1
        assert err.rstrip().endswith("ZeroDivisionError: by the test")
        until(lambda: mesh.at_hub() == {"before the error"})


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise SystemExit", 0),
        ("threading.Thread(target=threading.Event().wait, daemon=True).start()", 0),
        ("memory.close()", 0),
    ],
)
def test_a_program_that_forgets_to_stop_ends_all_the_same_and_says_its_last_words(
    mesh: Mesh, ending: str, expected: int
) -> None:
    with mesh.hub(), Child(FORGETFUL + ending, mesh.spoke_store, mesh.endpoint) as child:
        assert child.read_line() == "ready", child.finish()
        code, out, err = child.finish("\n")
        assert (code, out, err) == (expected, "", "")
        assert mesh.leader() == 0
        until(lambda: mesh.at_hub() == {"saved by who forgot to stop"})


def test_a_forked_child_leaves_its_parents_node_alone_and_keeps_nothing_of_it(mesh: Mesh) -> None:
    with mesh.hub(), Child(FORKING, mesh.spoke_store, mesh.endpoint) as parent:
        child = int(parent.read_line())
        until(lambda: _is_stopped(child))
        assert do(parent, "saved by the parent") == "True"
        until(lambda: mesh.at_hub() == {"saved by the child", "saved by the parent"})
        assert mesh.leader() == parent.pid
        os.kill(parent.pid, signal.SIGKILL)
        with mesh.spoke() as next_one:
            until(lambda: mesh.leader() == next_one.pid)


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def test_an_idle_node_writes_nothing_however_often_it_is_asked(mesh: Mesh) -> None:
    with mesh.hub(), mesh.spoke() as spoke:
        assert do(spoke, "level") == "True"
        directory = os.path.dirname(mesh.spoke_store)

        def files() -> dict[str, tuple[int, int]]:
            found = {entry.name: entry.stat() for entry in os.scandir(directory)}
            return {name: (one.st_size, one.st_mtime_ns) for name, one in found.items()}

        before = files()
        began = ask_leader(mesh.spoke_store)
        assert began is not None

        def has_passed() -> bool:
            now = ask_leader(mesh.spoke_store)
            return now is not None and now.uptime_ms > began.uptime_ms + 2_000

        until(has_passed)
        assert files() == before
