"""Codex's app-server: JSON-RPC on its streams, one message a line, as an editor talks to it."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from tests.clients.processes import SECONDS_MAX

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from tests.clients.home import Home


class AppServer:
    """A running app-server; ``process`` is its process, for whoever wants to kill it."""

    def __init__(self, home: Home) -> None:
        pipe = subprocess.PIPE
        self._log = (home.directory / "app-server.log").open("w+", encoding="utf-8")
        self.process = home.start("codex", "app-server", stdin=pipe, stdout=pipe, stderr=self._log)
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._number = 0

    def initialize(self) -> None:
        """Shake hands."""
        about = {"name": "kioku-clients", "title": None, "version": "1"}
        self._call("initialize", clientInfo=about)
        self._say(method="initialized")

    def servers(self) -> dict[str, Any]:
        """What it knows of each MCP server, by name; it starts them to ask."""
        return {one["name"]: one for one in self._call("mcpServerStatus/list")["data"]}

    def thread(self, cwd: Path) -> str:
        """Begin a thread in a directory, as a window of an editor does: its id."""
        return str(self._call("thread/start", cwd=str(cwd))["thread"]["id"])

    def call_tool(self, thread: str, tool: str, **arguments: object) -> dict[str, Any]:
        """Call a tool of the server ``kioku``: its structured result."""
        told = {"threadId": thread, "server": "kioku", "tool": tool, "arguments": arguments}
        result = self._call("mcpServer/tool/call", **told)
        assert not result["isError"], result
        found: dict[str, Any] = result["structuredContent"]
        return found

    def _call(self, method: str, **parameters: object) -> Any:
        self._number += 1
        self._say(id=self._number, method=method, params=parameters)
        while True:
            message = self._next(method)
            if message.get("id") == self._number and "method" not in message:
                assert "result" in message, message
                return message["result"]

    def _say(self, **message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def _next(self, method: str) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=SECONDS_MAX)
        except queue.Empty:
            raise AssertionError(f"no answer to {method}: {self._said()}") from None
        assert line, f"ended at {method}: {self._said()}"
        message: dict[str, Any] = json.loads(line)
        return message

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def __enter__(self) -> Self:
        self.initialize()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        if error is None:
            self.process.wait(SECONDS_MAX)
        else:
            self.process.kill()
        self._reader.join(SECONDS_MAX)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
