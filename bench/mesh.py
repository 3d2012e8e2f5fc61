"""Machines of a mesh for a workload: a hub and spokes as they are run, and workers beside them.

The harness is the tests' own (``tests/integration/mesh.py``), so that what is measured is what is
tested: processes of ``kioku serve``, each with a directory of its own, over the loopback.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.corpus import items
from bench.measure import NotMeasuredError
from bench.workspace import finish, start
from tests.integration.mesh import Mesh, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from bench.workspace import Workspace
    from tests.integration.mesh import Machine

PAGE_BYTES = 256 * 1024
BATCH = 10_000


@contextmanager
def meshed(workspace: Workspace) -> Iterator[Mesh]:
    """Give a mesh in a fresh folder; whatever fails in it is a workload that cannot be measured."""
    try:
        with Mesh(workspace.folder("mesh")) as mesh:
            yield mesh
    except AssertionError as error:
        raise NotMeasuredError(str(error)) from error


class Worker:
    """A task of ``bench.workers.node_worker`` on a machine, in a process of its own."""

    def __init__(self, machine: Machine, task: str, **parameters: object) -> None:
        self._process: subprocess.Popen[Any] = machine.start(
            *(sys.executable, "-m", "bench.workers.node_worker", task, json.dumps(parameters)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def await_ready(self) -> None:
        """Wait until it has said that it is ready."""
        stdout = self._process.stdout
        assert stdout is not None
        if not any(line == "ready\n" for line in stdout):
            self.finish()

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def finish(self) -> Mapping[str, Any]:
        """Wait for its answer."""
        return finish(self._process)


class ZenohRouter:
    """A plain router of raw Zenoh in a process of its own, until its block ends."""

    def __init__(self, folder: Path) -> None:
        self.endpoint = f"tcp/127.0.0.1:{free_port()}"
        self._process = start("zenoh", "router", folder, endpoint=self.endpoint)

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        if not any(line == "ready\n" for line in self._process.stdout):
            finish(self._process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        finish(self._process)


def raw_pages_seconds(workspace: Workspace, total_bytes: int) -> float:
    """How long raw Zenoh takes to bring so many bytes from one process through a router."""
    folder = workspace.folder("zenoh")
    pages = max(round(total_bytes / PAGE_BYTES), 1)
    size = total_bytes // pages
    with ZenohRouter(folder) as router:
        source = start(
            *("zenoh", "offer_pages", folder), endpoint=router.endpoint, pages=pages, size=size
        )
        try:
            asked = start("zenoh", "fetch_pages", folder, endpoint=router.endpoint, pages=pages)
            return float(finish(asked)["seconds"])
        finally:
            finish(source)


def build(machine: Machine, *, start_at: int, count: int) -> None:
    """Fill a machine's store with a part of the corpus, before anything runs there."""
    for first in range(start_at, start_at + count, BATCH):
        with machine.memory() as memory:
            memory.save_many(items(first, min(BATCH, start_at + count - first)))


def lacking_bytes(source: Machine, target: Machine) -> int:
    """The bytes of the chunks that one machine has and the other lacks."""
    with target.memory() as memory:
        frontier = memory.frontier()
    with source.memory() as memory:
        return sum(len(chunk) for chunk in memory.export_chunks(after=frontier))
