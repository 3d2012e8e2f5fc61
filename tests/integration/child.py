"""Child processes of the tests: Python code that talks through its streams, and dies when told."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 120  # far beyond anything; only so that a hang fails instead of lasting


class Child:
    """A process that runs ``code`` with ``arguments``; it is dead when its block ends."""

    def __init__(self, code: str, *arguments: object, pass_fds: tuple[int, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            start_new_session=True,  # so that what it forks is killed with it
            pass_fds=pass_fds,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def read_line(self) -> str:
        """The next line that the child says; empty once it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().rstrip("\n")

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def kill(self) -> list[str]:
        """Kill it at once, and give the whole lines that it had said and we had not read."""
        assert self._process.stdout is not None
        self._process.kill()
        lines = [line.decode() for line in self._process.stdout]
        return [line.rstrip("\n") for line in lines if line.endswith("\n")]

    def finish(self, stdin: str = "") -> tuple[int, str, str]:
        """Let it end: its exit code and the rest of what it said."""
        out, err = self._process.communicate(stdin.encode(), timeout=SECONDS_MAX)
        return self._process.returncode, out.decode(), err.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.communicate(timeout=SECONDS_MAX)
