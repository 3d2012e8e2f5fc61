"""Processes that save on a machine of a mesh, beside its node, and tell what was acknowledged."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.integration.mesh import SECONDS_MAX, until

if TYPE_CHECKING:
    from tests.integration.mesh import Machine

# Saves until its input ends, one line a save to a file: what stands there was acknowledged.
WRITER = """
import contextlib, os, select, sys
from kioku.memory import open_store
from kioku.config import load_settings

path, words, pause_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
said = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
settings = load_settings(os.environ)
os.makedirs(settings.state_dir, exist_ok=True)
number = 0
with open_store(settings.store_path, settings, space=settings.space) as memory, RUNNING:
    while not select.select([sys.stdin], [], [], pause_s)[0]:
        content = f"{words} {number}"
        saved = memory.save(content)
        os.write(said, f"{saved.id} {content}\\n".encode())
        number += 1
"""
BESIDE = WRITER.replace("RUNNING", "contextlib.nullcontext()")
SYNCING = WRITER.replace("RUNNING", "memory.syncing()")
"""The same, and part of the mesh itself whenever no other process of its machine is."""


class Writer:
    """A process on a machine that saves one after the other until it is told to stop."""

    def __init__(
        self, machine: Machine, words: str, *, pause_s: float = 0.01, code: str = BESIDE
    ) -> None:
        self._said = machine.directory / f"{words}.said"
        self.process = machine.start(
            *(sys.executable, "-c", code, str(self._said), words, str(pause_s)),
            stdin=subprocess.PIPE,
        )

    @property
    def acknowledged(self) -> dict[str, str]:
        """What it was told is saved, content by id; a line that was cut short does not count."""
        if not self._said.exists():
            return {}
        lines = self._said.read_text("utf-8").split("\n")[:-1]
        return {key: content for key, _, content in (line.partition(" ") for line in lines)}

    def await_saves(self, count: int) -> None:
        """Wait until it has saved so many in all."""
        until(lambda: len(self.acknowledged) >= count, lambda: f"{len(self.acknowledged)} saves")

    def stop(self) -> dict[str, str]:
        """Let it finish, and give all that it was told is saved."""
        self.process.communicate(timeout=SECONDS_MAX)
        assert self.process.returncode == 0
        return self.acknowledged

    def kill(self) -> dict[str, str]:
        """Kill it as a power cut does, and give all that it was told is saved."""
        self.process.kill()
        self.process.communicate()
        return self.acknowledged
