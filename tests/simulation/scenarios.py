"""Small worlds in which a test says what happens, in place of chance."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.simulation.options import Options
from tests.simulation.running import SHARED_MEMORY, make_template
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulation.machine import Machine


@contextmanager
def scenario(machines: int = 3, *, has_router: bool = False) -> Iterator[World]:
    """Give a world whose machines run and have met; when the test ends, all must agree."""
    home = SHARED_MEMORY if os.path.isdir(SHARED_MEMORY) else None
    directory = tempfile.mkdtemp(prefix="kioku-scenario-", dir=home)
    try:
        template = os.path.join(directory, "m0")
        make_template(template)
        options = Options(
            seed=1,
            machines=machines,
            operations=0,
            troubles=frozenset(),
            has_router=has_router,
            is_thorough=True,
        )
        world = World(options, directory, template, keeps_lines=True)
        world.begin()
        pass_time(world, 3_000)
        try:
            yield world
            world.heal()
        finally:
            world.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def pass_time(world: World, milliseconds: int) -> None:
    """Let that much time pass."""
    world.schedule.run_until(world.schedule.now_ms + milliseconds)


def wait_for(world: World, condition: Callable[[], bool], milliseconds: int) -> None:
    """Let time pass until something holds; it must within ``milliseconds``."""
    end_ms = world.schedule.now_ms + milliseconds
    while not condition():
        assert world.schedule.now_ms < end_ms, world.disagreement()
        pass_time(world, 5)


def outstanding(machine: Machine) -> set[bytes]:
    """The logs of those who have not confirmed the newest purge, as a machine knows it."""
    return {peer.log_id for peer in machine.replica.erasures()[0].outstanding}


def save(machine: Machine, content: str) -> str:
    """Save something on a machine, and give its id."""
    ids: list[str] = []
    machine.use(lambda memory: ids.append(memory.save(content).id))
    return ids[0]


def contents(machine: Machine) -> set[str]:
    """What can be read on a machine."""
    return {one.content for one in machine.memory.list(limit=1_000)}


def is_held(machine: Machine, one: str) -> bool:
    """Whether something waits there until the clock says that its time has come."""
    found = machine.memory.get(one)
    assert found is not None, f"{machine.label} does not show {one}"
    return found.is_held
