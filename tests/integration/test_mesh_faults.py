"""Nodes killed, frozen and cut off at any moment: real processes, real Zenoh, loopback.

Each test ends alike: every machine level, nothing that was acknowledged lost, nothing left running.
These are short; ``make smoke LONG=1`` does the same for as long as a person would wait.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.integration.mesh import Mesh
from tests.integration.mesh_writer import SYNCING, Writer
from tests.integration.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 20_261_127
KILLS = 6
PROCESSES = 8


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    with Mesh(tmp_path) as mesh:
        yield mesh


def test_the_hub_killed_under_five_writers_loses_nothing(mesh: Mesh) -> None:
    hub = mesh.hub()
    spokes = [mesh.spoke(f"spoke-{number}", hub) for number in range(5)]
    mesh.await_level(events=6)
    writers = [Writer(spoke, spoke.name) for spoke in spokes]
    for writer in writers:
        writer.await_saves(20)
    hub.kill()
    for writer in writers:
        writer.await_saves(60)
    hub.serve()
    saved = {key: content for writer in writers for key, content in writer.stop().items()}
    mesh.assert_settled(saved)


def test_processes_killed_at_random_lose_nothing(mesh: Mesh) -> None:
    rng = random.Random(SEED)
    hub = mesh.hub()
    spokes = [mesh.spoke(f"spoke-{number}", hub) for number in range(3)]
    mesh.await_level(events=4)
    saved: dict[str, str] = {}
    writers = {spoke.name: Writer(spoke, f"{spoke.name}-0", pause_s=0.02) for spoke in spokes}
    for number in range(1, KILLS + 1):
        victim = rng.choice([hub, *spokes])
        writer = rng.choice(list(writers.values()))
        writer.await_saves(rng.randrange(5, 15))
        victim.kill()
        victim.serve()
        if victim is not hub and rng.random() < 0.5:
            saved |= writers[victim.name].kill()
            writers[victim.name] = Writer(victim, f"{victim.name}-{number}", pause_s=0.02)
    for writer in writers.values():
        saved |= writer.stop()
    mesh.assert_settled(saved)


def test_a_frozen_spoke_keeps_nobody_waiting(mesh: Mesh) -> None:
    hub = mesh.hub()
    here, there, frozen = (mesh.spoke(name, hub) for name in ("here", "there", "frozen"))
    mesh.await_level(events=4)
    frozen.freeze()
    saved = here.save(*(f"past a frozen spoke {number}" for number in range(500)))
    mesh.await_level(hub, here, there, events=500)
    saved |= frozen.save("beside its frozen node")
    frozen.thaw()
    mesh.assert_settled(saved)


def test_a_frozen_hub_keeps_no_spoke_from_saving_and_ending(mesh: Mesh) -> None:
    hub = mesh.hub()
    here, there = mesh.spoke("here", hub), mesh.spoke("there", hub)
    mesh.await_level(events=3)
    hub.freeze()
    saved = here.save(*(f"past a frozen hub {number}" for number in range(500)))
    assert here.run("save", "by the command line").out.startswith("saved: ")
    there.end()
    saved |= there.save("while its node is away")
    there.serve()
    hub.thaw()
    mesh.assert_settled(saved)
    assert hub.glance().visible == len(saved) + 1


def test_a_cable_that_is_pulled_and_mended_loses_nothing(mesh: Mesh) -> None:
    hub = mesh.hub()
    with Relay(int(hub.endpoint.rpartition(":")[2])) as cable:
        here = mesh.machine("here")
        here.configure("--mode", "spoke", "--connect", cable.endpoint)
        here.serve()
        there = mesh.spoke("there", hub)
        mesh.await_level(events=3)
        cable.silence()
        saved = here.save(*(f"here meanwhile {number}" for number in range(300)))
        saved |= there.save(*(f"there meanwhile {number}" for number in range(300)))
        mesh.await_level(hub, there, events=303)
        cable.restore()
        mesh.await_level(events=603)
        cable.silence()
        saved |= here.save("while it is silent again")
        cable.cut()
        cable.restore()
        mesh.assert_settled(saved)
        mesh.end()


def test_one_of_two_hubs_is_enough(mesh: Mesh) -> None:
    first = mesh.hub("first")
    second = mesh.hub("second", "--connect", first.endpoint)
    here, there = mesh.spoke("here", first, second), mesh.spoke("there", second, first)
    mesh.await_level(events=4)
    saved = here.save("through both")
    mesh.await_level(events=5)
    first.kill()
    saved |= here.save("through the second alone")
    mesh.await_level(second, here, there, events=6)
    first.serve()
    mesh.await_level(events=6)
    second.kill()
    saved |= there.save("through the first alone")
    mesh.await_level(first, here, there, events=7)
    second.serve()
    mesh.assert_settled(saved)


def test_the_leader_of_eight_processes_killed_again_and_again_loses_nothing(mesh: Mesh) -> None:
    hub = mesh.hub()
    spoke = mesh.spoke("spoke", hub, serve=False)
    processes = {
        writer.process.pid: writer
        for writer in (
            Writer(spoke, f"process-{number}", pause_s=0.02, code=SYNCING)
            for number in range(PROCESSES)
        )
    }
    saved: dict[str, str] = {}
    for writer in processes.values():
        writer.await_saves(1)
    for _ in range(PROCESSES // 2):
        leader = spoke.await_leader(set(processes))
        before = hub.glance().events
        saved |= processes.pop(leader).kill()
        spoke.await_leader(set(processes))
        mesh.await_growth(hub, before)
    for writer in processes.values():
        saved |= writer.stop()
    spoke.serve()
    mesh.assert_settled(saved)
