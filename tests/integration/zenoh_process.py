"""A process of its own that takes part in a mesh over Zenoh, as a test holds it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.links import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A worker in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.zenoh_worker", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._expect("up")

    def obey(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        self._expect("done")

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def end(self) -> tuple[int, str]:
        """Let it end by itself; its exit code and what it complained of."""
        _, complaints = self._process.communicate(timeout=PATIENCE_S)
        return self._process.returncode, complaints

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.strip() == word, self._process.communicate(timeout=PATIENCE_S)
