"""``make clients`` where there is no client: what it says, what it counts as a failure."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.clients import __main__ as command
from tests.clients import oracle, packages, processes
from tests.clients.packages import PACKAGES, VERSIONS, Had, Node, NotHadError
from tests.clients.stage import Check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.stage import Stage


def fails(stage: Stage) -> None:
    raise AssertionError("not connected")


def holds(stage: Stage) -> None:
    assert stage.had


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One client is here, every other can't be had."""
    others = dict.fromkeys(set(PACKAGES) - {"opencode"}, "no registry")
    found = (Node(tmp_path, ()), {"opencode": Had("1", tmp_path)}, others)
    monkeypatch.setattr(command, "have", lambda: found)


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(("code", "state"), [(0, "ok"), (1, "FAILED")])
def test_a_failure_counts_only_of_a_client_that_was_had(
    code: int, state: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [(("opencode",), fails if code else holds), (("opencode", "inspector"), fails)]
    checks = [Check(clients, "does it", run) for clients, run in words]
    monkeypatch.setattr(command, "CHECKS", checks)
    assert command.main() == code
    said = capsys.readouterr().out
    assert re.search(rf"(?m)^{state} +opencode +does it", said)
    assert re.search(r"(?m)^NOT RUN +opencode \+ inspector +does it: no registry$", said)


def test_without_node_nothing_runs_and_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_node() -> Node:
        raise NotHadError("pip exits 1: no route")

    monkeypatch.setattr(command, "find_node", no_node)
    assert command.main() == 0
    said = capsys.readouterr().out
    assert said.count("NOT RUN ") == len(command.CHECKS)
    assert "pip exits 1: no route" in said


def test_an_install_that_fails_is_not_had_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    failing = Node(tmp_path, ("/bin/sh", "-c", "echo npm error nobody answers; exit 1"))
    with pytest.raises(NotHadError, match=r"npm exits 1: npm error nobody answers"):
        packages.install("add-mcp", failing)
    assert list(packages.cache().iterdir()) == []


def test_a_hanging_process_is_killed_with_what_it_started(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    with pytest.raises(processes.TooSlowError):
        processes.run(["sh", "-c", "sleep 60 & wait"], environment=environment, seconds=0.2)
    assert processes.living_with(tmp_path) == {}


def test_the_versions_are_names_and_versions() -> None:
    tables = tomllib.loads(VERSIONS.read_text("utf-8"))
    assert set(tables) == {"node", "npm"}
    assert set(tables["npm"]) == {package.npm for package in PACKAGES.values()}
    for name, version in packages.versions().items():
        assert re.fullmatch(r"(@[\w-]+/)?[\w-]+", name)
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_an_entry_may_differ_only_as_is_accepted() -> None:
    theirs = {"command": "/k", "args": []}
    assert oracle.differences("claude-code", theirs, {**theirs, "type": "stdio"}) == []
    assert oracle.differences("cursor", theirs, {**theirs, "type": "stdio"})
    assert oracle.differences("claude-code", theirs, {**theirs, "type": "http"})
    assert oracle.differences("cursor", theirs, {"command": "/k"})
