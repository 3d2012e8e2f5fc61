"""A machine of somebody who has clients: a home directory, and nothing else of this machine's."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.clients.processes import Done, kill_session, living_with, run
from tests.integration.mesh import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from tests.clients.offline import Offline

QUIET_SECONDS_MAX = 10.0
KIOKU = Path(sys.executable).with_name("kioku")
# What keeps clients from calling home, and Gemini from asking whether a directory may be trusted.
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    # A session of Claude Code else begins before its servers are there, and says "pending".
    "MCP_CONNECTION_NONBLOCKING": "0",
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
    "MCP_INSPECTOR_SECRET_STORE": "memory",
    "NO_COLOR": "1",
}


class Home:
    """A temporary home with these commands on its PATH; when its block ends nothing runs there."""

    def __init__(self, directory: Path, commands: Sequence[Path], offline: Offline) -> None:
        self.directory = directory
        self._offline = offline
        self._sessions: list[subprocess.Popen[Any]] = []
        temporary = directory / "tmp"
        temporary.mkdir(parents=True)
        self.environment = {
            **QUIET,
            **offline.variables,
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "PATH": ":".join([*map(str, commands), "/usr/local/bin", "/usr/bin", "/bin"]),
            "TMPDIR": str(temporary),
        }

    def run(self, *command: str, code: int | None = 0, cwd: Path | None = None) -> Done:
        """Run a command to its end and demand an exit code, unless ``code`` is None."""
        done = run(
            [*self._offline.prefix, *command],
            environment=self.environment,
            cwd=cwd or self.directory,
        )
        assert code is None or done.code == code, f"{' '.join(command)}: {done}"
        return done

    def kioku(self, *arguments: str, code: int | None = 0, cwd: Path | None = None) -> Done:
        """Run ``kioku`` as it is installed beside this Python."""
        return self.run(str(KIOKU), *arguments, code=code, cwd=cwd)

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Start something that is talked to while it runs."""
        process = subprocess.Popen(
            [*self._offline.prefix, *command],
            env=self.environment,
            start_new_session=True,
            text=True,
            **{"cwd": self.directory, **options},
        )
        self._sessions.append(process)
        return process

    def serve(self) -> subprocess.Popen[str]:
        """Start ``kioku serve``, which says what it does in a file."""
        with (self.directory / "serve.log").open("w", encoding="utf-8") as log:
            return self.start(str(KIOKU), "serve", stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def repository(self, name: str) -> Path:
        """A git repository in this home."""
        place = self.directory / name
        self.run("git", "init", "--quiet", str(place))
        return place

    def inspect(self, config: Path, *arguments: str, cwd: Path | None = None) -> Any:
        """What Inspector gets from the server ``kioku`` of a configuration file."""
        chosen = ("--config", str(config), "--server", "kioku", "--format", "json")
        done = self.run("mcp-inspector", "--cli", *chosen, *arguments, cwd=cwd)
        said = [line for line in done.err.splitlines() if not line.startswith("[mcp-inspector]")]
        assert not any(said), said  # words of the server, or doubts about its schemas
        return json.loads(done.out)["result"]

    def await_quiet(self) -> None:
        """Wait until nothing of this home runs any more; a client and its server end at once."""
        deadline = time.monotonic() + QUIET_SECONDS_MAX
        until(
            lambda: not living_with(self.directory) or time.monotonic() > deadline,
            lambda: "the deadline comes first",
            poll_s=0.1,
        )
        assert not (left := living_with(self.directory)), f"left running: {left}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.await_quiet()
        finally:
            for process in self._sessions:
                kill_session(process.pid)
                process.wait()
            for left in living_with(self.directory):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)
