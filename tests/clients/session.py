"""A whole session of Claude Code, with a model that we play: it saves, and it finds."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

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
CALLS = [
    ("mcp__kioku__save_observation", {"content": CONTENT, "memory_type": "decision"}),
    ("mcp__kioku__search_memory", {"query": "which database"}),
]


def play(home: Home, cwd: Path, *arguments: str) -> list[dict[str, Any]]:
    """Let Claude Code work with the model; what it told the model, request by request."""
    heard = home.directory / "heard"
    with heard.open("w", encoding="utf-8") as file:
        module = [sys.executable, "-m", "tests.clients.model", json.dumps(CALLS)]
        model = home.start(*module, stdout=file, cwd=ROOT)
        until(lambda: heard.read_text("utf-8").endswith("\n"), lambda: "the model does not start")
        port = heard.read_text("utf-8").strip()
        # It wants a key before it asks anybody; this one opens nothing.
        home.environment["ANTHROPIC_API_KEY"] = "none"
        home.environment["ANTHROPIC_BASE_URL"] = f"http://127.0.0.1:{port}"
        home.run("claude", "-p", "work", "--allowedTools", "mcp__kioku", *arguments, cwd=cwd)
        model.kill()
        model.wait()
    return [json.loads(line) for line in heard.read_text("utf-8").splitlines()[1:]]


def a_session_saves_and_finds(stage: Stage) -> None:
    """Claude Code calls both tools; its model is shown what it must be shown.

    That is what was known when the session began, how the memory is used, the id of what it saved,
    and who saved what it found.
    """
    with stage.home("claude-code") as home:
        home.kioku("mcp", "install", "--client", "claude-code", "--hooks")
        work = home.repository("analytics")
        home.kioku("save", EARLIER, "--memory-type", "decision", cwd=work)
        heard = play(home, work)
        assert any(EARLIER in json.dumps(request) for request in heard), "the hook told nothing"
        saved, found = max(map(results, heard), key=len)
        [kept, _] = json.loads(home.kioku("list", "--json").out)
        assert (kept["content"], kept["project"]) == (CONTENT, "analytics"), kept
        assert kept["client_id"] == "claude-code", kept
        assert kept["id"] in saved, saved
        assert kept["id"] in found, found
        assert "claude on " in found, found
        assert any("recall_context" in json.dumps(request) for request in heard), "no instructions"


CHECKS = [
    Check(
        ("claude-code",),
        "in a session with a model that is played, saves and finds",
        a_session_saves_and_finds,
    ),
]
