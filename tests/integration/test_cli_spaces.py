"""Spaces on the command line: one, a private one, and several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.cli_process import assert_refused, done, run, saved_id

if TYPE_CHECKING:
    from pathlib import Path


def test_a_private_space_is_not_exported(home: Path) -> None:
    key = saved_id("a secret", "--space", "private")
    refused = run("export", str(home / "out"), "--space", "private")
    assert_refused(refused, 1, "space private is private", "--format jsonl --private")
    assert not (home / "out").exists()
    refused = run("export", "-", "--space", "private", "--private")
    assert_refused(refused, 1, "space private is private")
    refused = run("export", "-", "--space", "private", "--format", "jsonl")
    assert_refused(refused, 1, "space private is private")
    lines = done("export", "-", "--space", "private", "--format", "jsonl", "--private").out
    assert key in lines


def test_status_says_what_is_private() -> None:
    saved_id("a secret", "--space", "private")
    shown = done("status", "--space", "private").out
    assert "private: yes\n" in shown
    assert "digest: none\n" in shown
    assert done("status", "--space", "private", "--json").json["digest"] is None
    assert "private: no\n" in done("status").out
