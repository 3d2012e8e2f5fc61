"""``kioku-mcp`` as a command: what it answers and refuses before there is a client."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from kioku.mcp import main


def _run(*arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kioku.mcp", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, stdin=stdin)


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_are_answered(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([option]) == 0
    said = capsys.readouterr()
    assert "kioku-mcp" in said.out
    assert said.err == ""


@pytest.mark.parametrize("wrong", [["--port", "1"], ["serve"], ["--tools", "some"], ["--space"]])
def test_an_unknown_argument_is_a_usage_error(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(wrong) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage: kioku-mcp" in said.err


def test_a_terminal_is_told_what_the_command_is_for() -> None:
    master, terminal = pty.openpty()
    try:
        done = _run(stdin=terminal)
    finally:
        os.close(terminal)
        os.close(master)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "kioku mcp install" in done.stderr


def test_without_the_sdk_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.stdin", None)
    assert main([]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "kioku-mcp: the MCP SDK is not installed; pip install 'kioku-log[mcp]'\n"


def test_what_needs_no_server_imports_no_sdk() -> None:
    code = (
        "import sys, kioku.mcp; kioku.mcp.main(['--help']); kioku.mcp.main(['--nothing'])\n"
        "sys.exit(bool({'mcp', 'pydantic', 'anyio', 'apsw', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0


def test_no_client_is_no_reason_to_stay() -> None:
    done = _run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
