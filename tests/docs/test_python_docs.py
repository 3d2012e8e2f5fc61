"""The examples of docs/python.md run, in order, as one program in an empty directory."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[int, str]]:
    """Every python block of the page: its first line's number in the page, its source."""
    page = PAGE.read_text(encoding="utf-8")
    return [(page.count("\n", 0, found.start(1)), found[1]) for found in _BLOCK.finditer(page)]


def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIOKU_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("KIOKU_CONFIG", str(tmp_path / "config.toml"))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    hub = f"127.0.0.1:{_free_port()}"  # in the page it is the usual one, which may be taken
    for line, written in blocks():
        source = written.replace("127.0.0.1:7447", hub)
        # Empty lines before it make a failure's traceback name the line in the page.
        code = compile("\n" * line + source, str(PAGE), "exec")
        exec(code, namespace)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_there_are_examples_to_run() -> None:
    assert len(blocks()) >= 15


def test_no_fence_is_left_open() -> None:
    assert PAGE.read_text(encoding="utf-8").count("```") % 2 == 0
