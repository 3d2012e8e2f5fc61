"""Nodes for tests: real threads and stores, over a mesh in memory."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from random import SystemRandom
from typing import TYPE_CHECKING

from kioku.config import Settings
from kioku.memory.opening import open_replica, open_store
from kioku.node.node import Node, SystemClock
from kioku.node.seat import NodeSpace
from kioku.node.settings import MeshSettings, mesh_settings
from kioku.transport.memory_link import MemoryMesh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kioku.memory import Memory
    from kioku.transport.link import Transport

SECONDS_MAX = 60.0  # far beyond anything; only so that what never comes fails instead of lasting


def until(is_so: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    """Wait until something is so, and fail with what there is instead if it never is."""
    deadline = time.monotonic() + SECONDS_MAX
    never = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, repr(what())
        never.wait(0.01)


def settings_of(machine: str, directory: Path) -> Settings:
    return Settings(
        space="default",
        state_dir=str(directory),
        config_path="",
        durability="normal",
        agent_family="",
        client_id="tests",
        pc_id=machine,
        session_id="",
    )


class Machine:
    """A machine of a mesh in memory: its directory, and nodes over its stores."""

    def __init__(self, name: str, directory: Path, mesh: MemoryMesh, *, is_hub: bool) -> None:
        self.name = name
        self.directory = directory
        self.mesh = mesh
        self.is_hub = is_hub
        directory.mkdir()
        self.settings = settings_of(name, directory)
        self._memories = ExitStack()

    @property
    def mesh_settings(self) -> MeshSettings:
        if self.is_hub:
            return mesh_settings("hub", self.name, listen=("tcp/127.0.0.1:1",))
        return mesh_settings("spoke", self.name, connect=("tcp/127.0.0.1:1",))

    def path(self, space: str = "default") -> str:
        return str(self.directory / f"{space}.db")

    def space(self, name: str = "default", *, is_chosen: bool = True) -> NodeSpace:
        path = self.path(name)
        return NodeSpace(
            name,
            path,
            lambda: open_replica(path, self.settings, space=name, busy_timeout_ms=1_000),
            is_chosen,
        )

    def node(
        self, *spaces: NodeSpace, dial: Callable[[MeshSettings], Transport] | None = None
    ) -> Node:
        return Node(
            self.mesh_settings,
            spaces or (self.space(),),
            version="0",
            dial=dial or (lambda _: self.mesh.connect(is_hub=self.is_hub)),
            clock=SystemClock(),
            rng=SystemRandom(),
        )

    def memory(self, space: str = "default", *, private: bool = False) -> Memory:
        """A memory of one of its stores, open until the mesh ends."""
        opened = open_store(self.path(space), self.settings, space=space, private=private)
        return self._memories.enter_context(opened)

    def close(self) -> None:
        self._memories.close()


class Machines:
    """The machines of one mesh."""

    def __init__(self, directory: Path, mesh: MemoryMesh) -> None:
        self._directory = directory
        self.mesh = mesh
        self.all: list[Machine] = []

    def hub(self, name: str = "cellar") -> Machine:
        return self._add(name, is_hub=True)

    def spoke(self, name: str = "laptop") -> Machine:
        return self._add(name, is_hub=False)

    def _add(self, name: str, *, is_hub: bool) -> Machine:
        machine = Machine(name, self._directory / name, self.mesh, is_hub=is_hub)
        self.all.append(machine)
        return machine


@contextmanager
def machines(directory: Path) -> Iterator[Machines]:
    """A mesh in memory; at its end no thread of a node is left."""
    with MemoryMesh(steady_ms=SystemClock().steady_ms) as mesh:
        made = Machines(directory, mesh)
        try:
            yield made
        finally:
            for machine in made.all:
                machine.close()
    left = [thread.name for thread in threading.enumerate() if thread.name == "kioku-node"]
    assert not left, "a node was left running"


def contents(memory: Memory) -> set[str]:
    return {one.content for one in memory.list(limit=1_000)}


def state_of(node: Node, index: int = 0) -> str:
    """How one of a node's spaces stands."""
    return node.statistics().spaces[index].state
