"""``kioku-mcp`` before there is a server: honest, short, and silent on standard output."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kioku.mcp import main


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kioku.mcp", *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_the_server_command_says_in_one_line_that_it_cannot_serve() -> None:
    done = _run()
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("kioku-mcp: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("found", "expected"),
    [(None, "pip install 'kioku-log[mcp]'"), (object(), "has no MCP server yet")],
)
def test_the_refusal_names_what_is_missing(
    found: object,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found)
    assert main([]) == 1
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_are_answered(option: str) -> None:
    done = _run(option)
    assert done.returncode == 0
    assert "kioku-mcp" in done.stdout
    assert done.stderr == ""


def test_an_unknown_argument_is_a_usage_error() -> None:
    done = _run("--port", "1")
    assert done.returncode == 2
    assert done.stdout == ""


def test_the_command_does_not_import_the_sdk() -> None:
    code = "import sys, kioku.mcp; kioku.mcp.main([]); sys.exit('mcp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0
