"""The table of clients: where each keeps its servers, in which form, and with which own command.

The rule this module guards: a client is a row. Where it keeps its config is what its own code does,
its environment variables included; a row without a file is a client that takes no such server.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.install import editing, entries, own_commands
from kioku.install.place import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.install.editing import Format
    from kioku.install.entries import Shape
    from kioku.install.own_commands import Adding
    from kioku.install.place import Place


class Client(NamedTuple):
    """One client.

    Attributes:
        name: what ``--client`` calls it.
        title: what its maker calls it.
        file: its user's config.
        project_file: a project's, from the project's top; ``""`` if it has none.
        container: the names in it under which servers stand.
        format: how the file is written.
        shape: how a server is written in it.
        signs: files and directories, one of which is there where the client is.
        program: its own command, ``""`` if it has none that is asked.
        adding: how that command adds a server; None if it cannot.
        projects: the name in its user's config under which it keeps more servers, by directory.
        project_shape: how a server is written in a project's config, None for the same way.
        check: what a person can do to see that it works.
    """

    name: str
    title: str
    file: Callable[[Place], str]
    project_file: str
    container: tuple[str, ...]
    format: Format
    shape: Shape
    signs: Callable[[Place], tuple[str, ...]]
    check: str
    program: str = ""
    adding: Adding | None = None
    projects: str = ""
    project_shape: Shape | None = None


def _join(*parts: str) -> str:
    return os.path.join(*parts)


def _claude_code(place: Place) -> str:
    return _join(place.told("CLAUDE_CONFIG_DIR") or place.home, ".claude.json")


def _claude_desktop(place: Place) -> str:
    return _join(place.application_data, "Claude", "claude_desktop_config.json")


def _codex(place: Place) -> str:
    return _join(place.told("CODEX_HOME") or _join(place.home, ".codex"), "config.toml")


def _gemini(place: Place) -> str:
    return _join(place.told("GEMINI_CLI_HOME") or place.home, ".gemini", "settings.json")


def _qwen(place: Place) -> str:
    return _join(place.told("QWEN_HOME") or _join(place.home, ".qwen"), "settings.json")


def _opencode(place: Place) -> str:
    if told := place.told("OPENCODE_CONFIG"):
        return told
    directory = _join(place.config_home, "opencode")
    return _first_there(directory, ("opencode.jsonc", "opencode.json"))


def _first_there(directory: str, names: tuple[str, ...]) -> str:
    """The first of some files that is there, the first of all if none is."""
    paths = [_join(directory, *name.split("/")) for name in names]
    return next((path for path in paths if os.path.lexists(path)), paths[0])


def _copilot(place: Place) -> str:
    return _join(place.told("COPILOT_HOME") or _join(place.home, ".copilot"), "mcp-config.json")


def _cursor(place: Place) -> str:
    return _join(place.home, ".cursor", "mcp.json")


def _vscode(place: Place) -> str:
    portable = place.told("VSCODE_PORTABLE")
    root = _join(portable, "user-data") if portable else _join(place.application_data, "Code")
    return _join(root, "User", "mcp.json")


def _windsurf(place: Place) -> str:
    return _join(place.home, ".codeium", "windsurf", "mcp_config.json")


def _zed(place: Place) -> str:
    if place.platform == WINDOWS:
        return _join(place.application_data, "Zed", "settings.json")
    is_mac = place.platform == "darwin"
    home = _join(place.home, ".config") if is_mac else place.config_home
    return _join(place.told("FLATPAK_XDG_CONFIG_HOME") or home, "zed", "settings.json")


def _goose(place: Place) -> str:
    if root := place.told("GOOSE_PATH_ROOT"):
        return _join(root, "config", "config.yaml")
    if place.platform == WINDOWS:
        return _join(place.application_data, "Block", "goose", "config", "config.yaml")
    return _join(place.config_home, "goose", "config.yaml")


def _beside(file: Callable[[Place], str]) -> Callable[[Place], tuple[str, ...]]:
    """A client is here where the directory of its config is."""
    return lambda place: (os.path.dirname(file(place)),)


def _claude_signs(place: Place) -> tuple[str, ...]:
    file = _claude_code(place)
    told = place.told("CLAUDE_CONFIG_DIR")
    return (file, told or _join(place.home, ".claude"))


CLIENTS: Final = (
    Client(
        name="claude-code",
        title="Claude Code",
        file=_claude_code,
        project_file=".mcp.json",
        container=("mcpServers",),
        format=editing.JSON,
        shape=entries.TYPED,
        signs=_claude_signs,
        check="claude mcp get {name}",
        program="claude",
        adding=own_commands.claude,
        projects="projects",
    ),
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        file=_claude_desktop,
        project_file="",
        container=("mcpServers",),
        format=editing.JSON,
        shape=entries.PLAIN,
        signs=_beside(_claude_desktop),
        check="start it again, and look under Settings, Developer",
    ),
    Client(
        name="codex-cli",
        title="Codex",
        file=_codex,
        project_file=".codex/config.toml",
        container=("mcp_servers",),
        format=editing.TOML,
        shape=entries.PLAIN,
        signs=_beside(_codex),
        check="codex mcp list",
        program="codex",
        adding=own_commands.codex,
    ),
    Client(
        name="gemini-cli",
        title="Gemini CLI",
        file=_gemini,
        project_file=".gemini/settings.json",
        container=("mcpServers",),
        format=editing.JSON_WITH_COMMENTS,
        shape=entries.PLAIN,
        signs=_beside(_gemini),
        check="gemini mcp list",
        program="gemini",
        adding=own_commands.gemini,
    ),
    Client(
        name="opencode",
        title="opencode",
        file=_opencode,
        project_file="opencode.json",
        container=("mcp",),
        format=editing.JSON_LENIENT,
        shape=entries.OPENCODE,
        signs=_beside(_opencode),
        check="opencode mcp list",
        program="opencode",
        adding=own_commands.opencode,
    ),
    Client(
        name="qwen-code",
        title="Qwen Code",
        file=_qwen,
        project_file=".qwen/settings.json",
        container=("mcpServers",),
        format=editing.JSON_WITH_COMMENTS,
        shape=entries.PLAIN,
        signs=_beside(_qwen),
        check="qwen mcp list",
        program="qwen",
        adding=own_commands.qwen,
    ),
    Client(
        name="copilot-cli",
        title="Copilot CLI",
        file=_copilot,
        project_file=".mcp.json",
        container=("mcpServers",),
        format=editing.JSON_LENIENT,
        shape=entries.COPILOT,
        signs=_beside(_copilot),
        check="/mcp show in a session",
        program="copilot",
        project_shape=entries.TYPED,  # Claude Code reads that file too
    ),
    Client(
        name="cursor",
        title="Cursor",
        file=_cursor,
        project_file=".cursor/mcp.json",
        container=("mcpServers",),
        format=editing.JSON_LENIENT,
        shape=entries.PLAIN,
        signs=_beside(_cursor),
        check="look under Settings, MCP",
        program="cursor",
    ),
    Client(
        name="vscode",
        title="VS Code",
        file=_vscode,
        project_file=".vscode/mcp.json",
        container=("servers",),
        format=editing.JSON_LENIENT,
        shape=entries.TYPED,
        signs=_beside(_vscode),
        check="run the command MCP: List Servers",
        program="code",
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        file=_windsurf,
        project_file="",
        container=("mcpServers",),
        format=editing.JSON_LENIENT,
        shape=entries.PLAIN,
        signs=_beside(_windsurf),
        check="press refresh under Settings, Cascade, MCP servers",
        program="windsurf",
    ),
    Client(
        name="zed",
        title="Zed",
        file=_zed,
        project_file=".zed/settings.json",
        container=("context_servers",),
        format=editing.JSON_LENIENT,
        shape=entries.ZED,
        signs=_beside(_zed),
        check="look in the settings of the agent panel",
        program="zed",
    ),
    Client(
        name="goose",
        title="goose",
        file=_goose,
        project_file="",
        container=("extensions",),
        format=editing.YAML,
        shape=entries.GOOSE,
        signs=_beside(_goose),
        check="goose info -v",
        program="goose",
    ),
)
BY_NAME: Final = {client.name: client for client in CLIENTS}
BY_HAND: Final = {
    "chatgpt-desktop": (
        "ChatGPT takes remote HTTPS connectors only; it starts no server on this machine",
        "kioku has no HTTP server: use it in another client, or from a shell that ChatGPT can see",
    )
}
"""Clients without a file that a server could be written into: why, and what to do."""
# What people call them elsewhere, the older program included.
OTHER_NAMES: Final = {
    "claude": "claude-code",
    "codex": "codex-cli",
    "gemini": "gemini-cli",
    "qwen": "qwen-code",
    "copilot": "copilot-cli",
    "github-copilot-cli": "copilot-cli",
    "code": "vscode",
    "vs-code": "vscode",
    "chatgpt": "chatgpt-desktop",
}
NAMES: Final = (*BY_NAME, *BY_HAND)


_ALSO_READ: Final = {"opencode": ("opencode.jsonc",), "copilot-cli": (".github/mcp.json",)}
"""Other names of a project's config, where that is there and the first is not."""


def is_here(client: Client, place: Place) -> bool:
    """Whether the client is installed on this machine, or was."""
    if any(os.path.exists(sign) for sign in client.signs(place)):
        return True
    return bool(client.program and place.program(client.program))


def file_of(client: Client, place: Place, scope: str) -> str:
    """The config of a scope, ``user`` or ``project``; ``""`` if the client has none."""
    if scope == "user":
        return client.file(place)
    if not client.project_file:
        return ""
    names = (client.project_file, *_ALSO_READ.get(client.name, ()))
    return _first_there(place.project, names)
