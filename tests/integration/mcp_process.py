"""A ``kioku-mcp`` process and a client that speaks the bare protocol with it, line by line.

The SDK's own client says what it likes when it likes; here a test says exactly what is sent, holds
back what it will, and sees each line that comes.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.integration.child import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

SECONDS_MAX = 60  # far beyond anything; only so that a hang fails instead of lasting
COMMAND = (sys.executable, "-m", "kioku.mcp")
HANDSHAKE = "2025-11-25"


class Server:
    """A server's process; it is dead when its block ends."""

    def __init__(
        self,
        *arguments: str,
        command: tuple[str, ...] = COMMAND,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> None:
        inherited = os.environ if environment is None else environment
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**inherited, "PYTHONPATH": str(ROOT)},
            cwd=directory,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self._ids = count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self.notices: list[dict[str, Any]] = []  # what the server said without being asked
        self._watchdog = threading.Timer(SECONDS_MAX, self.process.kill)
        self._watchdog.start()

    # -- what is said

    def say(self, message: Mapping[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def notify(self, method: str, **params: Any) -> None:
        self.say({"jsonrpc": "2.0", "method": method, "params": params})

    def begin(self, method: str, **params: Any) -> int:
        """Ask, and give the request's id without waiting for the answer."""
        request = next(self._ids)
        self.say({"jsonrpc": "2.0", "id": request, "method": method, "params": params})
        return request

    def begin_call(self, tool: str, **arguments: Any) -> int:
        return self.begin("tools/call", name=tool, arguments=arguments)

    # -- what comes back

    def answer(self, id: int) -> dict[str, Any]:
        """Wait for the answer to a request: the whole message."""
        while id not in self._answers:
            message = self.read()
            assert message, (id, self.process.poll(), self._rest())
            if "method" in message:
                self.notices.append(message)
            else:
                self._answers[message["id"]] = message
        return self._answers.pop(id)

    def read(self) -> dict[str, Any]:
        """The next message; empty once the server has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return dict(json.loads(line)) if line.endswith(b"\n") else {}

    def answered(self) -> set[int]:
        """The requests whose answers have come and were not waited for."""
        return set(self._answers)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        message = self.answer(self.begin(method, **params))
        assert "result" in message, message
        return dict(message["result"])

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that shall not fail; gives what is structured of its result."""
        result = self.ask("tools/call", name=tool, arguments=arguments)
        assert not result.get("isError"), result
        return dict(result["structuredContent"])

    def connect(self, client: str = "claude-code", version: str = HANDSHAKE) -> Self:
        """Shake hands."""
        info = {"name": client, "version": "1"}
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": info}
        answer = self.ask("initialize", **params)
        assert (answer["serverInfo"]["name"], answer["protocolVersion"]) == ("kioku", version)
        self.notify("notifications/initialized")
        return self

    # -- its end

    def leave(self) -> tuple[int, str]:
        """Close its input, as a client that ends does: its exit code, and what it logged."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(SECONDS_MAX), self._rest()

    def _rest(self) -> str:
        assert self.process.stderr is not None
        self.process.kill()
        return self.process.stderr.read().decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
