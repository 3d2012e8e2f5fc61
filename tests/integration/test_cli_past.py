"""``--as-of``: what the command line shows of another time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from kioku.memory import open_store
from tests.integration.cli_process import assert_refused, done, run
from tests.unit.memories import Clock, settings

if TYPE_CHECKING:
    from pathlib import Path

# A quarter of an hour in the past: saved at 22:13:20, edited after five minutes, deleted after ten.
SAVED, EDITED, GONE = (f"2023-11-14T22:{minute}:20Z" for minute in (13, 18, 23))
BEFORE = "2023-11-14"


@pytest.fixture
def key(home: Path) -> str:
    """An observation that had two versions and was deleted."""
    clock = Clock(1_700_000_000_000)
    (home / "state").mkdir()
    with open_store(str(home / "state" / "default.db"), settings(), clock=clock) as memory:
        kept = memory.save("first words", project="demo").id
        clock.advance(timedelta(minutes=5))
        memory.edit(kept, content="other words")
        clock.advance(timedelta(minutes=5))
        memory.delete(kept)
        clock.advance(timedelta(minutes=5))
        memory.save("still here")
    return kept


def test_list_shows_what_there_was(key: str) -> None:
    def listed(*flags: str) -> list[str]:
        return [found["content"] for found in done("list", "--json", *flags).json]

    assert listed("--as-of", BEFORE) == []
    assert listed("--as-of", SAVED) == ["first words"]
    assert listed("--as-of", EDITED) == ["other words"]
    assert listed("--as-of", GONE) == []
    assert listed("--as-of", GONE, "--include-deleted") == ["other words"]
    assert listed("--as-of", EDITED, "-p", "other") == []
    assert listed("--as-of", "2999-01-01") == listed() == ["still here"]


def test_search_finds_the_words_of_then(key: str) -> None:
    def hits(*flags: str) -> list[str]:
        return [found["content"] for found in done("search", "words", "--json", *flags).json]

    assert hits() == hits("--as-of", GONE) == hits("--as-of", BEFORE) == []
    assert hits("--as-of", SAVED) == ["first words"]
    assert hits("--as-of", EDITED, "--substring", "--explain") == ["other words"]
    assert done("search", "--as-of", GONE).out == "No matching memories.\n"


def test_get_memory_shows_the_version_of_then(key: str) -> None:
    assert done("get-memory", key, "--as-of", SAVED).out.endswith("first words\n")
    assert done("get-memory", key[:8], "--as-of", EDITED).out.endswith("other words\n")
    assert_refused(run("get-memory", key, "--as-of", GONE), 1, "at that time", "kioku history")


@pytest.mark.parametrize("verb", [["list"], ["search", "words"], ["get-memory", "123456"]])
def test_what_is_no_time_is_a_usage_error(verb: list[str]) -> None:
    assert_refused(run(*verb, "--as-of", "yesterday"), 2, "'yesterday'", "2026-05-22")
