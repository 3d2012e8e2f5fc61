"""Whole sessions, with a model that we play: what it is shown, and that it can save and find."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.clients.model import results
from tests.clients.stage import Check
from tests.integration.cli_process import ROOT
from tests.integration.mesh import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.home import Home
    from tests.clients.stage import Stage

CONTENT = "Chose Postgres over SQLite for the analytics database"
EARLIER = "Reports are written in Rust"
INSTRUCTIONS = "kioku is a memory that all agents of this person share"
CALLS = [
    ("mcp__kioku__save_observation", {"content": CONTENT, "memory_type": "decision"}),
    ("mcp__kioku__search_memory", {"query": "which database"}),
]


class Player(NamedTuple):
    """How a client is told to work, and to ask our model: ``{}`` in a variable is its address.

    Each wants a key before it asks anybody; ours opens nothing.
    """

    command: tuple[str, ...]
    variables: dict[str, str]


PLAYERS = {
    "claude-code": Player(
        ("claude", "-p", "work", "--allowedTools", "mcp__kioku"),
        {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_BASE_URL": "{}"},
    ),
    "gemini-cli": Player(
        ("gemini", "-p", "work", "--model", "gemini-2.5-pro"),
        {"GEMINI_API_KEY": "none", "GOOGLE_GEMINI_BASE_URL": "{}"},
    ),
    "qwen-code": Player(
        ("qwen", "-p", "work", "--auth-type", "openai"),
        {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": "{}/v1", "OPENAI_MODEL": "played"},
    ),
}


def play(home: Home, cwd: Path, player: Player) -> list[dict[str, Any]]:
    """Let a client work with the model; what it told the model, request by request."""
    heard = home.directory / "heard"
    with heard.open("w", encoding="utf-8") as file:
        module = [sys.executable, "-m", "tests.clients.model", json.dumps(CALLS)]
        model = home.start(*module, stdout=file, cwd=ROOT)
        until(lambda: heard.read_text("utf-8").endswith("\n"), lambda: "the model does not start")
        address = f"http://127.0.0.1:{heard.read_text('utf-8').strip()}"
        for name, value in player.variables.items():
            home.environment[name] = value.format(address)
        home.run(*player.command, cwd=cwd)
        model.kill()
        model.wait()
    return [json.loads(line) for line in heard.read_text("utf-8").splitlines()[1:]]


def begin(home: Home, client: str) -> list[dict[str, Any]]:
    """Play a session of a project in which something was decided, and demand that it is told.

    So must be the server's instructions: how a model knows that there is a memory.
    """
    home.kioku("mcp", "install", "--client", client, "--hooks")
    work = home.repository("analytics")
    home.kioku("save", EARLIER, "--memory-type", "decision", cwd=work)
    heard = play(home, work, PLAYERS[client])
    for words in (EARLIER, INSTRUCTIONS):
        assert any(words in json.dumps(request) for request in heard), f"not told: {words}"
    return heard


def claude_saves_and_finds(stage: Stage) -> None:
    """Claude Code calls both tools, and its model is shown an id, and who saved what it found."""
    with stage.home("claude-code") as home:
        saved, found = max(map(results, begin(home, "claude-code")), key=len)
        [kept, _] = json.loads(home.kioku("list", "--json").out)
        assert (kept["content"], kept["project"]) == (CONTENT, "analytics"), kept
        assert kept["client_id"] == "claude-code", kept
        assert kept["id"] in saved, saved
        assert kept["id"] in found, found
        assert "claude on " in found, found


def gemini_is_told(stage: Stage) -> None:
    """Gemini CLI's hook, in the file of settings that says how it asks its model."""
    with stage.home("gemini-cli") as home:
        settings = home.directory / ".gemini" / "settings.json"
        settings.parent.mkdir()
        chosen = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
        settings.write_text(json.dumps(chosen), "utf-8")
        begin(home, "gemini-cli")


def qwen_is_told(stage: Stage) -> None:
    """Qwen Code's hook."""
    with stage.home("qwen-code") as home:
        begin(home, "qwen-code")


_TOLD = "tells its model (which we play) of the memory, and what is in it"
CHECKS = [
    Check(("claude-code",), f"{_TOLD}; it saves and finds", claude_saves_and_finds),
    Check(("gemini-cli",), _TOLD, gemini_is_told),
    Check(("qwen-code",), _TOLD, qwen_is_told),
]
