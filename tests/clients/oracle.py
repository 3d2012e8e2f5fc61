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

from ruamel.yaml import YAML

from tests.clients.stage import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.clients.home import Home
    from tests.clients.stage import Stage

VARIABLE = "KIOKU_SESSION_ID=oracle"


class Place(NamedTuple):
    """Where a client keeps its servers: add-mcp's name for it, the keys, the files.

    ``project`` is a repository's file, ``""`` if there is none that both know; ``ours`` where we
    write another one, for the reason that stands beside it.
    """

    theirs: str
    keys: tuple[str, ...]
    file: str
    project: str = ""
    ours: str = ""


_SERVERS = ("mcpServers",)
PLACES = {
    "claude-code": Place("claude-code", _SERVERS, ".claude.json", ".mcp.json"),
    "claude-desktop": Place(
        "claude-desktop", _SERVERS, ".config/Claude/claude_desktop_config.json"
    ),
    "codex-cli": Place("codex", ("mcp_servers",), ".codex/config.toml", ".codex/config.toml"),
    "gemini-cli": Place("gemini-cli", _SERVERS, ".gemini/settings.json", ".gemini/settings.json"),
    "opencode": Place(
        "opencode",
        ("mcp",),
        ".config/opencode/opencode.jsonc",
        "opencode.jsonc",
        "opencode.json",  # it reads both; its documents name this one
    ),
    "copilot-cli": Place(
        "github-copilot-cli",
        _SERVERS,
        ".copilot/mcp-config.json",
        ".mcp.json",  # which is Claude Code's, too
    ),
    "cursor": Place("cursor", _SERVERS, ".cursor/mcp.json", ".cursor/mcp.json"),
    "vscode": Place("vscode", ("servers",), ".config/Code/User/mcp.json", ".vscode/mcp.json"),
    "windsurf": Place("windsurf", _SERVERS, ".codeium/windsurf/mcp_config.json"),
    "zed": Place("zed", ("context_servers",), ".config/zed/settings.json", ".zed/settings.json"),
    "goose": Place("goose", ("extensions",), ".config/goose/config.yaml"),
}
# (client, key): what add-mcp writes, what we write, why. None: the key is not there.
ACCEPTED: dict[tuple[str, str], tuple[Any, Any, str]] = {
    ("claude-code", "type"): (None, "stdio", "`claude mcp add` writes it, and it is the default"),
    ("copilot-cli", "type"): ("stdio", "local", "the client's own word; it takes both"),
    ("copilot-cli", "tools"): (None, ["*"], "all; add-mcp writes it for the user only"),
    ("goose", "description"): ("", "A memory shared with other agents and machines", "it is shown"),
    ("vscode", "type"): (None, "stdio", "its documents have it in every entry; it is the default"),
}


def entry(file: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """The entry ``kioku`` of a client's file."""
    found = _load(file)
    for key in (*keys, "kioku"):
        found = found[key]
    return dict(found)


def _load(path: Path) -> Any:
    text = path.read_text("utf-8")
    match PurePosixPath(path).suffix:
        case ".toml":
            return tomllib.loads(text)
        case ".yaml":
            return YAML(typ="safe", pure=True).load(text)
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
    """Compare every client that both know, for the user and in a repository."""
    with stage.home() as ours, stage.home("add-mcp") as theirs:
        repositories = ours.repository("work"), theirs.repository("work")
        project = {client: place for client, place in PLACES.items() if place.project}
        _install(ours, PLACES)
        _install(ours, project, "--project", cwd=repositories[0])
        command = entry(ours.directory / ".cursor/mcp.json", _SERVERS)
        _add(theirs, command, PLACES, "-g")
        _add(theirs, command, project, cwd=repositories[1])
        wrong = []
        for client, place in PLACES.items():
            pair = (entry(home.directory / place.file, place.keys) for home in (theirs, ours))
            wrong += differences(client, *pair)
        for client, place in project.items():
            ours_file = repositories[0] / (place.ours or place.project)
            pair = (
                entry(file, place.keys) for file in (repositories[1] / place.project, ours_file)
            )
            wrong += differences(client, *pair)
    assert not wrong, "; ".join(wrong)


def _install(home: Home, places: Iterable[str], *options: str, cwd: Path | None = None) -> None:
    clients = [part for client in places for part in ("--client", client)]
    home.kioku("mcp", "install", *clients, "-e", VARIABLE, *options, cwd=cwd)


def _add(
    home: Home,
    ours: Mapping[str, Any],
    places: Mapping[str, Place],
    *options: str,
    cwd: Path | None = None,
) -> None:
    """Have add-mcp write the command that we wrote."""
    arguments = [part for one in ours.get("args", []) for part in ("--args", one)]
    agents = [part for place in places.values() for part in ("--agent", place.theirs)]
    chosen = ("--env", VARIABLE, "--name", "kioku", "-y", *options)
    home.run("add-mcp", ours["command"], *arguments, *agents, *chosen, cwd=cwd)


CHECKS = [
    Check(("add-mcp",), f"writes for {len(PLACES)} clients what we write", ours_is_theirs),
]
