"""How the clients' own commands add a server: the words in the order in which each takes them.

Tried with the clients themselves. Each is only ever asked to add what is not there: a second add
fails (Claude Code) or silently drops the variables (Codex).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.install.server import Server

    Adding = Callable[[Server, str], tuple[str, ...] | None]

SECONDS_MAX: Final = 60.0
"""Node takes two seconds on a slow machine; what asks a question takes for ever."""
QUIET: Final = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "GEMINI_TELEMETRY_ENABLED": "false",
    "NO_COLOR": "1",
}
"""Registering a server is no occasion to call home."""


def _variables(server: Server, option: str) -> tuple[str, ...]:
    return tuple(w for name, value in server.environ.items() for w in (option, f"{name}={value}"))


def claude(server: Server, scope: str) -> tuple[str, ...] | None:
    """``claude mcp add``: the name comes before ``-e``, which takes all that follows it."""
    named = ("mcp", "add", server.name, "--scope", scope)
    return (*named, *_variables(server, "-e"), "--", *server.command)


def codex(server: Server, scope: str) -> tuple[str, ...] | None:
    """``codex mcp add``, which knows no project."""
    if scope != "user":
        return None
    return ("mcp", "add", server.name, *_variables(server, "--env"), "--", *server.command)


def gemini(server: Server, scope: str) -> tuple[str, ...] | None:
    """``gemini mcp add``; it would read an argument that begins with a dash as its own."""
    if any(word.startswith("-") for word in server.command[1:]):
        return None
    named = ("mcp", "add", "--scope", scope)
    return (*named, *_variables(server, "-e"), server.name, *server.command)


def qwen(server: Server, scope: str) -> tuple[str, ...] | None:
    """``qwen mcp add``, which was Gemini's."""
    return gemini(server, scope)


def opencode(server: Server, scope: str) -> tuple[str, ...] | None:
    """``opencode mcp add``, which writes the user's config."""
    if scope != "user":
        return None
    return ("mcp", "add", server.name, *_variables(server, "--env"), "--", *server.command)
