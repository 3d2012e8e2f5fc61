"""kioku-mesh, 0.3.0 or 1.2.0, through the calls that its own command line makes.

It saves as it ships: SQLite at ``synchronous=NORMAL``. Imported by name, because it lives in the
peers' environment and nowhere else.
"""

from __future__ import annotations

import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from bench.corpus import Item, items
from bench.workers.protocol import Answer, save_each, serve, timed, wait_for_go

# Where each of the two keeps its backend and its value type.
_MODULES = (
    ("kioku_mesh", "kioku_mesh.memory.backend", "kioku_mesh.core.models"),
    ("mesh_mem", "mesh_mem.backend", "mesh_mem.models"),
)


class Mesh:
    """The peer's backend; ``save`` takes what kioku's does."""

    def __init__(self) -> None:
        backend, models = next(modules for top, *modules in _MODULES if find_spec(top))
        self._backend: Any = import_module(backend).get_backend()
        self._observation: Any = import_module(models).Observation

    def save(self, each: Item) -> None:
        """Save one observation, with the subject and summary that 1.2.0 insists on."""
        self._backend.put_observation(self._observation(**each, subject="bench", summary="bench"))

    def count(self) -> int:
        """Return how many observations the store has."""
        return int(self._backend.get_status().live)


def build(*, count: int, seconds_max: float) -> Answer:
    """Save ``count`` observations, or as many as ``seconds_max`` allows; say how many."""
    mesh, deadline, done = Mesh(), time.monotonic() + seconds_max, 0
    for each in items(0, count):
        if time.monotonic() > deadline:
            break
        mesh.save(each)
        done += 1
    return {"observations": done}


def save_one(*, count: int) -> Answer:
    """Save one by one into a fresh store."""
    mesh, work = Mesh(), list(items(0, count))

    def save() -> None:
        for each in work:
            mesh.save(each)

    return {"seconds": timed(save)}


def writer(*, number: int, count: int) -> Answer:
    """Save ``count`` observations, once all writers are there."""
    mesh, work = Mesh(), items(number * count, count)
    wait_for_go()
    return save_each(mesh.save, work)


def count() -> Answer:
    """Count what is in the store, in a process that wrote none of it."""
    return {"observations": Mesh().count()}


if __name__ == "__main__":
    serve({"build": build, "save_one": save_one, "writer": writer, "count": count})
