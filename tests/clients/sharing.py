"""What Codex saves, others find: Inspector on the same machine, and a second machine by a hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.clients.app_server import AppServer
from tests.clients.processes import living_with
from tests.clients.stage import Check
from tests.integration.mesh import free_port, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.home import Home
    from tests.clients.stage import Stage

CONTENT = "Chose Postgres over SQLite for the analytics database"


def _found(home: Home, config: Path) -> str:
    """What Inspector's search finds, as text of all of it."""
    asked = ("--method", "tools/call", "--tool-name", "search_memory")
    return json.dumps(home.inspect(config, *asked, "--tool-arg", "query=which database"))


def codex_saves_and_all_find(stage: Stage) -> None:
    """A hub; a machine with Codex and Inspector; a second machine with Inspector."""
    endpoint = f"tcp/127.0.0.1:{free_port()}"
    with (
        stage.home() as hub,
        stage.home("codex-cli", "inspector") as first,
        stage.home("inspector") as second,
    ):
        hub.kioku("init", "--mode", "hub", "--listen", endpoint)
        node = hub.serve()
        for machine in (first, second):
            machine.kioku("init", "--mode", "spoke", "--connect", endpoint)
            (machine.directory / ".cursor").mkdir()  # found by its directory, Codex by its command
            machine.kioku("mcp", "install", "--all")
        config = first.directory / ".cursor" / "mcp.json"
        with AppServer(first) as codex:
            thread = codex.thread(first.repository("analytics"))
            saved = codex.call_tool(thread, "save_observation", content=CONTENT, tags=["db"])
            assert saved["project"] == "analytics", saved  # the client's directory, not ours
            assert CONTENT in _found(first, config)
            second.kioku("sync")
            found = _found(second, second.directory / ".cursor" / "mcp.json")
        assert saved["id"] in found, (saved, found)
        assert "codex on " in found, found
        node.terminate()


def a_killed_client_leaves_no_server(stage: Stage) -> None:
    """Kill -9 of Codex's app-server: the server that it had started ends by itself."""
    with stage.home("codex-cli") as home:
        home.kioku("mcp", "install", "--client", "codex-cli")
        with AppServer(home) as codex:
            codex.call_tool(codex.thread(home.directory), "save_observation", content=CONTENT)
            until(lambda: _servers(home), lambda: "no server runs")
            codex.process.kill()
            until(lambda: not _servers(home), lambda: f"still there: {_servers(home)}")


def _servers(home: Home) -> list[int]:
    return [pid for pid, words in living_with(home.directory).items() if "kioku-mcp" in words]


CHECKS = [
    Check(
        ("codex-cli", "inspector"),
        "what Codex saves, Inspector finds, and so does a second machine by a hub",
        codex_saves_and_all_find,
    ),
    Check(
        ("codex-cli",),
        "killed with -9, leaves no server behind",
        a_killed_client_leaves_no_server,
    ),
]
