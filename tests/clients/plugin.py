"""Claude Code takes the plugin: it is valid, installs, begins a session with what is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients.connected import claude_begins
from tests.clients.home import KIOKU
from tests.clients.stage import Check

if TYPE_CHECKING:
    from tests.clients.stage import Stage

DECISION = "Chose Postgres over SQLite for the analytics database"


def the_plugin_is_taken(stage: Stage) -> None:
    """It validates without a warning, and what it brings works where ``kioku`` is on PATH."""
    with stage.home("claude-code") as home:
        marketplace = Path(home.kioku("mcp", "plugin").out.strip())
        for place in (marketplace, marketplace / "claude-code"):
            report = home.run("claude", "plugin", "validate", "--strict", "--json", str(place))
            assert json.loads(report.out)["success"], report
        home.environment["PATH"] = f"{KIOKU.parent}:{home.environment['PATH']}"
        home.run("claude", "plugin", "marketplace", "add", str(marketplace))
        home.run("claude", "plugin", "install", "kioku@kioku")
        work = home.repository("analytics")
        home.kioku("save", DECISION, "--memory-type", "decision", cwd=work)
        begun = claude_begins(home, work)
        heard = begun["hook_response"]
        assert (heard["exit_code"], heard["stderr"]) == (0, ""), heard
        assert DECISION in heard["stdout"], heard
        assert [one["status"] for one in begun["init"]["mcp_servers"]] == ["connected"], begun
        home.run("claude", "plugin", "uninstall", "kioku@kioku")


CHECKS = [
    Check(
        ("claude-code",),
        "takes the plugin, which tells a session what is known",
        the_plugin_is_taken,
    ),
]
