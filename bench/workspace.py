"""Where a run works: sizes, folders, the stores it has built, and the processes it starts.

Folders are temporary and go when the run ends; a store that several rows need is built once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.measure import NotMeasuredError
from bench.peers import MESH_12, ROOT, peer_bin, peer_python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SIZE_MIN = 20
MESH_12_SIZE_MAX = 4_000
"""1.2.0 slows in proportion to what it holds (100,000 would take hours to save), so it is measured
at this size, and the table says so."""
MESH_BUILD_SECONDS_MAX = 120.0

# Identity and stores of whoever runs this must not leak into what is measured.
_FORGOTTEN = ("KIOKU_", "MESH_MEM_", "XDG_", "PYTHON", "ZENOH_")
_LAUNCHERS = ("CLAUDECODE", "CODEX_SANDBOX", "GEMINI_CLI", "CURSOR_AGENT", "OPENCODE")


@dataclass(slots=True)
class Workspace:
    """One run's sizes and folders.

    ``scale`` multiplies every size of a workload; the budgets hold for 1.
    """

    directory: Path
    rounds: int = 5
    scale: float = 1.0
    _stores: dict[tuple[str, int], Path] = field(default_factory=dict)
    _mesh_stores: dict[str, tuple[Path, int]] = field(default_factory=dict)
    _folders: int = 0

    def size(self, count: int) -> int:
        """Return a workload's size at this run's scale."""
        return max(round(count * self.scale), SIZE_MIN)

    def folder(self, name: str) -> Path:
        """Make a fresh folder."""
        self._folders += 1
        path = self.directory / f"{self._folders:04}-{name}"
        path.mkdir()
        return path

    def built(self, worker: str, count: int) -> Path:
        """Return the folder of a worker's store of ``count`` observations, built once a run."""
        if (worker, count) not in self._stores:
            folder = self.folder(f"{worker}-{count}")
            work(worker, "build", folder, count=count)
            self._stores[worker, count] = folder
        return self._stores[worker, count]

    def mesh_store(self, peer: str, count: int) -> tuple[Path, int]:
        """Return the folder of a peer's store, and how many observations went in in time.

        The first call of a run decides the size for all.
        """
        if peer not in self._mesh_stores:
            wanted = min(count, MESH_12_SIZE_MAX) if peer == MESH_12 else count
            folder, limit = self.mesh_home(peer), MESH_BUILD_SECONDS_MAX
            answer = work("mesh", "build", folder, peer=peer, count=wanted, seconds_max=limit)
            self._mesh_stores[peer] = folder, answer["observations"]
        return self._mesh_stores[peer]

    def mesh_sizes(self) -> dict[str, int]:
        """Return how many observations the peers' stores of this run hold."""
        return {f"store of {peer}": count for peer, (_, count) in self._mesh_stores.items()}

    def mesh_home(self, peer: str) -> Path:
        """Make a folder in which the peer is configured to save locally."""
        folder = self.folder(peer.replace("==", "-"))
        require(peer)
        command: list[str | Path] = [peer_bin(peer) / "kioku-mesh", "init", "--mode", "local"]
        run(command, folder)
        return folder


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process whose state and home are ``folder``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FORGOTTEN) and name not in _LAUNCHERS
    }
    state = str(folder)
    return kept | {
        "HOME": state,
        "KIOKU_STATE_DIR": state,
        "KIOKU_MESH_STATE_DIR": state,
        "KIOKU_MESH_AGENT_FAMILY": "bench",
        "MESH_MEM_STATE_DIR": state,
        "PYTHONPATH": str(ROOT),
    }


def require(peer: str) -> Path:
    """Return the peer's interpreter.

    Raises:
        NotMeasuredError: if it is not installed.
    """
    python = peer_python(peer)
    if python is None:
        raise NotMeasuredError("not installed (make bench-peers)")
    return python


def run(command: Sequence[str | Path], folder: Path) -> float:
    """Run a whole process and return how many seconds it took, from start to exit.

    Raises:
        NotMeasuredError: if it failed; with the last line of what it said.
    """
    variables = environment(folder)
    began = time.perf_counter()
    done = subprocess.run(
        command, env=variables, cwd=folder, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise NotMeasuredError(_last_line(done.stderr) or f"exit code {done.returncode}")
    return seconds


def start(
    worker: str, task: str, folder: Path, *, peer: str = "", **parameters: object
) -> subprocess.Popen[str]:
    """Start a worker's task in a process of its own, in ``folder``."""
    python = require(peer) if peer else sys.executable
    return subprocess.Popen(
        [python, "-m", f"bench.workers.{worker}_worker", task, json.dumps(parameters)],
        env=environment(folder),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    """Wait for a worker and return its answer.

    Raises:
        NotMeasuredError: if it failed; with the last line of what it said.
    """
    out, err = process.communicate()
    if process.returncode:
        raise NotMeasuredError(_last_line(err) or f"exit code {process.returncode}")
    answer: Mapping[str, Any] = json.loads(_last_line(out))
    return answer


def work(
    worker: str, task: str, folder: Path, *, peer: str = "", **parameters: object
) -> Mapping[str, Any]:
    """Do one task in a process of its own and return its answer."""
    return finish(start(worker, task, folder, peer=peer, **parameters))


def disk_bytes(folder: Path) -> int:
    """Return the bytes of all files under ``folder``."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
