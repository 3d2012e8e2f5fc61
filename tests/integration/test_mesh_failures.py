"""What broke in the predecessor's mesh, by its numbers: real processes, real Zenoh, loopback.

Each test ends alike: every machine level, nothing that was acknowledged lost, nothing left running.
Stores meet here by files too, where the order of arrival is what matters: a chunk that was carried
on a stick is the same chunk, and then the mesh brings the rest.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kioku.log.chunk import decode_chunk
from tests.integration.mesh import SECONDS_MAX, Machine, Mesh
from tests.integration.mesh_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku import Memory

LOOPBACK = "0100007F"  # as the system's tables write 127.0.0.1
TCP_LISTENS, UDP_IS_BOUND = "0A", "07"

AWAY = 10_000
"""Saves while a machine is away: ten times what the predecessor had room for."""
OFFLINE = 2_000
"""Saves of a machine that has no hub: twice of what it dropped the oldest."""


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    with Mesh(tmp_path) as mesh:
        yield mesh


def numbered(word: str, count: int) -> list[str]:
    return [f"{word} {number}" for number in range(count)]


def test_failure_2_what_was_saved_while_a_machine_was_away_reaches_it(mesh: Mesh) -> None:
    hub = mesh.hub()
    here, there = mesh.spoke("here", hub), mesh.spoke("there", hub)
    mesh.await_level(events=3)
    there.end()
    saved = here.save(*numbered("while away", AWAY))
    mesh.await_level(hub, here, events=AWAY)
    there.serve()
    mesh.assert_settled(saved)


def test_failure_5_what_is_saved_while_the_router_is_dead_arrives_when_it_is_back(
    mesh: Mesh,
) -> None:
    hub = mesh.hub()
    here, there = mesh.spoke("here", hub), mesh.spoke("there", hub)
    mesh.await_level(events=3)
    writer = Writer(here, "through", pause_s=0)
    writer.await_saves(50)
    hub.kill()
    writer.await_saves(650)
    hub.serve()
    saved = writer.stop()
    mesh.assert_settled(saved)
    assert there.glance().visible == len(saved)


def test_failure_6_any_number_of_saves_offline_is_found_at_once_and_arrives(mesh: Mesh) -> None:
    hub = mesh.hub()
    here = mesh.spoke("here", hub)
    mesh.await_level(events=2)
    hub.kill()
    saved = here.save("the oldest quokka", *numbered("offline", OFFLINE))
    assert "the oldest quokka" in here.run("search", "quokka").out
    hub.serve()
    mesh.assert_settled(saved)
    assert "the oldest quokka" in hub.run("search", "quokka").out


# -- the order of arrival: a third machine gets the later event first, and the mesh brings the rest


def log_of(memory: Memory, machine: Machine) -> list[bytes]:
    """The chunks of one machine's own log alone, as a stick might carry them."""
    with machine.memory() as owner, owner.replica.reading(now_ms=owner.now_ms()) as reading:
        own = reading.own_log()
    assert own is not None
    return [chunk for chunk in memory.export_chunks() if decode_chunk(chunk).log_id == own[0]]


class Triangle:
    """A hub and two spokes that are level, and a third that has met nobody yet."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.hub = mesh.hub()
        self.writer, self.editor = mesh.spoke("writer", self.hub), mesh.spoke("editor", self.hub)
        self.late = mesh.spoke("late", self.hub, serve=False)
        mesh.await_level(self.hub, self.writer, self.editor, events=3)

    def level(self, events: int) -> None:
        self.mesh.await_level(self.hub, self.writer, self.editor, events=3 + events)

    def carry(self, source: Machine) -> None:
        """Bring one machine's log to the late one, and nothing else."""
        with self.editor.memory() as editor:
            chunks = log_of(editor, source)
        assert chunks
        with self.late.memory() as memory:
            for chunk in chunks:
                memory.ingest_chunk(chunk)


@pytest.fixture
def triangle(mesh: Mesh) -> Triangle:
    return Triangle(mesh)


def test_failure_7_a_tombstone_before_its_save_hides_it(triangle: Triangle) -> None:
    [key] = triangle.writer.save("to be deleted")
    triangle.level(1)
    triangle.editor.run("delete", key)
    triangle.level(2)
    triangle.carry(triangle.editor)
    assert triangle.late.glance().visible == 0
    triangle.late.serve()
    triangle.mesh.assert_settled({})
    assert triangle.late.shows() == {}


def test_failure_8_a_copy_that_arrives_after_gc_stays_erased(triangle: Triangle) -> None:
    [key] = triangle.writer.save("to be collected")
    triangle.level(1)
    triangle.carry(triangle.writer)
    assert list(triangle.late.shows()) == [key]
    triangle.editor.run("delete", key)
    triangle.level(2)
    later = triangle.writer.save("by which the collector knows the time")
    triangle.level(3)
    with triangle.editor.memory() as memory:
        assert memory.gc(timedelta(0)).deleted == 1
    triangle.level(4)
    triangle.late.serve()
    triangle.mesh.assert_settled(later)
    assert triangle.late.shows() == later


def test_failure_9_what_supersedes_hides_also_when_it_comes_first(triangle: Triangle) -> None:
    [old] = triangle.writer.save("the old decision")
    triangle.level(1)
    [new] = triangle.editor.save("the new decision", supersedes=[old])
    triangle.level(2)
    triangle.carry(triangle.editor)
    triangle.late.serve()
    triangle.mesh.await_level()
    for machine in triangle.mesh.machines:
        with machine.memory() as memory:
            assert [hit.observation.id for hit in memory.search("decision")] == [new], machine.name
    triangle.mesh.assert_settled({new: "the new decision"})


def test_failure_10_two_edits_at_once_have_the_same_winner_everywhere(triangle: Triangle) -> None:
    [key] = triangle.writer.save("first")
    triangle.level(1)
    triangle.hub.kill()  # neither hears of the other's
    for machine in (triangle.writer, triangle.editor):
        with machine.memory() as memory:
            memory.edit(key, content=f"edited by {machine.name}")
    triangle.hub.serve()
    triangle.late.serve()
    triangle.mesh.assert_settled({})
    [content] = {machine.shows()[key] for machine in triangle.mesh.machines}
    assert content.startswith("edited by")
    with triangle.late.memory() as memory:
        assert memory.search("edited")[0].observation.versions == 2


# -- what surrounds it


EXPOSED = "0.0.0.0:7447"


def listening(pid: int) -> set[str]:
    """The addresses on which a process listens, of those that the system tells of."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(entry))
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text("utf-8").splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if f"socket:[{rest[5]}]" in inodes and state in (TCP_LISTENS, UDP_IS_BOUND):
                found.add(local.partition(":")[0])
    return found


def test_failure_12_nobody_listens_to_other_machines_unless_told_to(mesh: Mesh) -> None:
    hub = mesh.hub()
    mesh.await_level(events=1)
    assert hub.server is not None
    assert listening(hub.server.pid) == {LOOPBACK}
    open_one = mesh.machine("open")
    refused = open_one.run("init", "--mode", "hub", "--listen", EXPOSED, code=2)
    assert "--insecure" in refused.err
    open_one.run("init", "--mode", "hub", "--listen", EXPOSED, "--insecure")
    told = open_one.run("doctor", code=1).out
    assert "[WARN] exposure" in told
    mesh.assert_settled({}, hub)


# Leaves while its hub is frozen, in one of the ways in which programs end.
LEAVER = """
import os, sys
from kioku.config import load_settings
from kioku.memory import open_store

settings = load_settings(os.environ)
os.makedirs(settings.state_dir, exist_ok=True)
with open_store(settings.store_path, settings, space=settings.space) as memory:
    with memory.syncing():
        memory.save("left by " + sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        if sys.argv[1] == "exception":
            raise SystemError("as programs end")
        if sys.argv[1] == "exit":
            sys.exit(3)
"""


def test_failure_17_a_program_ends_at_once_though_its_hub_is_frozen(mesh: Mesh) -> None:
    hub = mesh.hub()
    spoke = mesh.spoke("spoke", hub, serve=False)
    ways = {"end": 0, "exception": 1, "exit": 3}
    for way, code in ways.items():
        program = spoke.start(
            *(sys.executable, "-c", LEAVER, way),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert program.stdout is not None
        assert program.stdout.readline() == b"ready\n", program.communicate()
        mesh.await_level(hub, spoke)
        hub.freeze()
        program.communicate(b"go\n", timeout=SECONDS_MAX)
        assert program.returncode == code
        hub.thaw()
    spoke.serve()
    mesh.await_level()
    shown = set(spoke.shows().values())
    assert shown == {f"left by {way}" for way in ways}
    mesh.assert_settled({})


def test_failure_18_clocks_that_differ_give_no_different_answers(mesh: Mesh) -> None:
    hub = mesh.hub()
    behind, right = mesh.spoke("behind", hub), mesh.spoke("right", hub)
    mesh.await_level(events=3)
    saved: dict[str, str] = {}
    for offset_s in (-50, -12, 12, 50):
        with behind.memory(offset_s=offset_s) as memory:
            one = memory.save(f"by a clock {offset_s} s ahead")
            saved[one.id] = one.content
        saved |= right.save("by a clock that is right")
    mesh.await_level()
    now = time.time()
    for since in (now - 40, now - 6, now + 6, now + 40):
        answers = []
        for machine in mesh.machines:
            with machine.memory() as memory:
                found = memory.search("clock", since=datetime.fromtimestamp(since, UTC))
                answers.append([hit.observation.id for hit in found])
        assert all(answer == answers[0] for answer in answers)
    mesh.assert_settled(saved)
