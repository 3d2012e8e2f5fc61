"""The README's three lines from nothing to a working agent are right, as far as no agent is needed.

What the second one registers is started here, and answers; that agents find it is seen by
``make clients``.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from typing import TYPE_CHECKING

from kioku.install import clients
from tests.integration.cli_process import ROOT, done
from tests.integration.mcp_process import Server

if TYPE_CHECKING:
    from pathlib import Path

_LINES = re.compile(r"^## For your agents\n\n```sh\n(.*)\n(.*)\n(.*)\n```$", re.MULTILINE)


def the_three_lines() -> tuple[list[str], ...]:
    found = _LINES.search((ROOT / "README.md").read_text("utf-8"))
    assert found
    return tuple(map(shlex.split, found.groups()))


def test_the_first_line_names_the_package_and_the_extra_that_it_has() -> None:
    *installer, requirement = the_three_lines()[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert installer == ["pip", "install"]
    assert requirement == f"{project['name']}[mcp]"
    assert "mcp" in project["optional-dependencies"]


def test_the_second_line_registers_a_server_that_answers(home: Path) -> None:
    command, *arguments = the_three_lines()[1]
    (home / ".cursor").mkdir()  # a client is here
    assert command == "kioku"
    done(*arguments, PATH="/usr/bin:/bin")
    config = json.loads((home / ".cursor" / "mcp.json").read_text("utf-8"))
    entry = config["mcpServers"]["kioku"]
    with Server(command=(entry["command"], *entry["args"])) as server:
        server.connect("cursor")
        assert server.call("save_observation", content="from nothing")["id"]
        assert server.leave() == (0, "")


def test_the_third_line_starts_a_client_that_kioku_knows() -> None:
    assert the_three_lines()[2][0] in {client.program for client in clients.CLIENTS}
