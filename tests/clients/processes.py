"""Processes that end in time, with all that they start; and what is left of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS_MAX = 60.0  # far beyond what any client takes; only so that a hang fails


class Done(NamedTuple):
    """A process that ended: its code, what it printed, and both streams for a search of words."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class TooSlowError(AssertionError):
    """A process did not end in its time, and was killed."""


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path | None = None,
    stdin: str = "",
    seconds: float = SECONDS_MAX,
) -> Done:
    """Run a command to its end; what it started in its session is killed with it if it hangs."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=cwd,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(stdin.encode(), timeout=seconds)
        except BaseException as error:
            kill_session(process.pid)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise TooSlowError(f"{command[0]} did not end in {seconds:.0f} s") from None
            raise
    return Done(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def kill_session(session: int) -> None:
    """Kill the processes of a session that we began."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)


def living_with(directory: Path) -> dict[int, str]:
    """Processes whose environment or arguments name a directory of ours: command by id.

    Only Linux tells; elsewhere none is found.
    """
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            if os.fsencode(directory) in words + (entry / "environ").read_bytes() and words:
                found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace").strip()
    found.pop(os.getpid(), None)
    return found
