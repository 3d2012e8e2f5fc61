"""What ``kioku mcp install`` writes is what ``add-mcp`` writes, for each client that both know.

add-mcp is somebody else's knowledge of the same files. Both write into an empty home; the two
files must be the same place and hold the same entry, but for the differences listed here with
their reasons.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.clients.stage import Check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.home import Home
    from tests.clients.stage import Stage

VARIABLE = "KIOKU_SESSION_ID=oracle"


class Place(NamedTuple):
    """Where a client keeps its servers: add-mcp's name for it, the file, and the keys in it."""

    theirs: str
    file: str
    keys: tuple[str, ...]


PLACES = {
    "claude-code": Place("claude-code", ".claude.json", ("mcpServers",)),
    "claude-desktop": Place(
        "claude-desktop", ".config/Claude/claude_desktop_config.json", ("mcpServers",)
    ),
    "codex-cli": Place("codex", ".codex/config.toml", ("mcp_servers",)),
    "gemini-cli": Place("gemini-cli", ".gemini/settings.json", ("mcpServers",)),
    "opencode": Place("opencode", ".config/opencode/opencode.jsonc", ("mcp",)),
    "copilot-cli": Place("github-copilot-cli", ".copilot/mcp-config.json", ("mcpServers",)),
    "cursor": Place("cursor", ".cursor/mcp.json", ("mcpServers",)),
    "vscode": Place("vscode", ".config/Code/User/mcp.json", ("servers",)),
    "windsurf": Place("windsurf", ".codeium/windsurf/mcp_config.json", ("mcpServers",)),
    "zed": Place("zed", ".config/zed/settings.json", ("context_servers",)),
    "goose": Place("goose", ".config/goose/config.yaml", ("extensions",)),
}
# (client, key): what add-mcp writes, what we write, why. None: the key is not there.
ACCEPTED: dict[tuple[str, str], tuple[Any, Any, str]] = {
    ("claude-code", "type"): (None, "stdio", "`claude mcp add` writes it, and it is the default"),
    ("copilot-cli", "type"): ("stdio", "local", "the client's own word; it takes both"),
}


def entry(home: Home, place: Place) -> dict[str, Any]:
    """The entry ``kioku`` of a client's file."""
    found = _load(home.directory / place.file)
    for key in (*place.keys, "kioku"):
        found = found[key]
    return dict(found)


def _load(path: Path) -> Any:
    text = path.read_text("utf-8")
    match PurePosixPath(path).suffix:
        case ".toml":
            return tomllib.loads(text)
        case ".yaml":
            return {}
        case _:
            return json.loads(text)


def differences(client: str, theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """What differs in two entries and is not accepted."""
    found = []
    for key in sorted(theirs.keys() | ours.keys()):
        pair = (theirs.get(key), ours.get(key))
        accepted = ACCEPTED.get((client, key))
        if pair[0] != pair[1] and (accepted is None or accepted[:2] != pair):
            found.append(f"{client}, {key}: add-mcp has {pair[0]!r}, we have {pair[1]!r}")
    return found


def ours_is_theirs(stage: Stage) -> None:
    """Compare every client that both know."""
    with stage.home("add-mcp") as home, stage.home() as other:
        for client in PLACES:
            home.kioku("mcp", "install", "--client", client, "-e", VARIABLE)
        cursor = entry(home, PLACES["cursor"])
        arguments = [part for one in cursor.get("args", []) for part in ("--args", one)]
        agents = [part for place in PLACES.values() for part in ("--agent", place.theirs)]
        command = (cursor["command"], *arguments, "--env", VARIABLE, "--name", "kioku", "-g", "-y")
        other.environment["PATH"] = home.environment["PATH"]
        other.run("add-mcp", *command, *agents)
        wrong = [
            difference
            for client, place in PLACES.items()
            for difference in differences(client, entry(other, place), entry(home, place))
        ]
    assert not wrong, "; ".join(wrong)


CHECKS = [
    Check(("add-mcp",), f"writes for {len(PLACES)} clients what we write", ours_is_theirs),
]
