"""After ``kioku mcp install`` each client says itself that the server is connected."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.clients.app_server import AppServer
from tests.clients.oracle import PLACES
from tests.clients.stage import Check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.home import Home
    from tests.clients.stage import Stage

# What any agent is offered, whatever else the server is registered with.
TOOLS = {"save_observation", "search_memory", "recall_context", "get_memory", "delete_memory"}
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def _claude(home: Home) -> None:
    shown = home.run("claude", "mcp", "get", "kioku").out
    assert re.search(r"Scope: User .*\n\s*Status: . Connected\n", shown), shown
    assert re.search(r"kioku: .* - . Connected\n", home.run("claude", "mcp", "list").out)
    begun = claude_begins(home, home.repository("work"))["init"]
    [server] = begun["mcp_servers"]
    assert (server["name"], server["status"]) == ("kioku", "connected"), server
    assert set(begun["tools"]) >= {f"mcp__kioku__{tool}" for tool in TOOLS}, begun


def claude_begins(home: Home, cwd: Path) -> dict[str, dict[str, Any]]:
    """What Claude Code says as a session begins, by kind, before it finds nobody logged in."""
    stream = ("--output-format", "stream-json", "--verbose", "--include-hook-events")
    done = home.run("claude", "-p", "hello", *stream, code=1, cwd=cwd)
    assert "Not logged in" in done.out, done
    said = [json.loads(line) for line in done.out.splitlines()]
    return {message["subtype"]: message for message in said if "subtype" in message}


def _codex(home: Home) -> None:
    [server] = json.loads(home.run("codex", "mcp", "list", "--json").out)
    assert (server["name"], server["enabled"]) == ("kioku", True), server
    with AppServer(home) as codex:
        found = codex.servers()["kioku"]
    assert found["serverInfo"]["name"] == "kioku", found
    assert found["tools"].keys() >= TOOLS, sorted(found["tools"])


def _gemini(home: Home, command: str = "gemini") -> None:
    shown = _plain(home.run(command, "mcp", "list"))
    assert re.search(r"✓ kioku: .* \(stdio\) - Connected\n", shown), shown


def _qwen(home: Home) -> None:
    _gemini(home, "qwen")  # which it was made from


def _opencode(home: Home) -> None:
    shown = _plain(home.run("opencode", "mcp", "list"))
    assert re.search(r"✓ kioku\s+connected\n", shown), shown


def _plain(done: Any) -> str:
    return _COLOUR.sub("", done.said)


_SHOWS = {
    "claude-code": _claude,
    "codex-cli": _codex,
    "gemini-cli": _gemini,
    "opencode": _opencode,
    "qwen-code": _qwen,
}
_FILES = {client: place.file for client, place in PLACES.items()}
_FILES["qwen-code"] = ".qwen/settings.json"


def _check(client: str) -> Check:
    def find_out(stage: Stage) -> None:
        with stage.home(client) as home:
            home.kioku("mcp", "install", "--client", client)
            _SHOWS[client](home)
            home.kioku("mcp", "uninstall", "--client", client)
            file = home.directory / _FILES[client]
            assert not file.exists() or "kioku" not in file.read_text("utf-8"), file

    return Check((client,), "shows the server connected after `kioku mcp install`", find_out)


def inspector(stage: Stage) -> None:
    """Inspector reads the file that ``kioku mcp install`` wrote for Cursor, which is no command."""
    with stage.home("inspector") as home:
        home.kioku("mcp", "install", "--client", "cursor")
        config = home.directory / ".cursor" / "mcp.json"
        for era in ("legacy", "modern"):
            found = home.inspect(
                config, "--protocol-era", era, "--method", "tools/list", "--strict"
            )
            assert {tool["name"] for tool in found["tools"]} >= TOOLS, (era, found)


CHECKS = [
    *map(_check, _SHOWS),
    Check(("inspector",), "is connected, in both eras, by the file written for Cursor", inspector),
]
