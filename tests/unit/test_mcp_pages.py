"""The way to go on: page by page, an agent is given all that there is, and each of it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kioku.mcp import recalling
from tests.unit.callers import Caller, desk_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 95
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("list_memories", {}),
    ("list_memories", {"include_deleted": True}),
    ("search_memory", {}),
    ("search_memory", {"query": "word"}),
    ("recall_context", {"query": "word"}),
    ("recall_context", {"query": "word", "source_files": ["a.py"], "references": ["#1"]}),
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One connection, and more short memories than fit into a result."""
    with desk_at(tmp_path_factory.mktemp("many")) as desk, Caller(desk) as caller:
        desk.memory().save_many(
            {
                "content": f"word {number}",
                "source_files": ["a.py"] if number % 2 else [],
                "references": ["#1"] if number % 3 else [],
            }
            for number in range(COUNT)
        )
        yield caller


def pages_of(caller: Caller, tool: str, limit: int, named: dict[str, Any]) -> list[str]:
    """The ids on all pages, as ``next_offset`` leads from one to the next."""
    ids: list[str] = []
    offset = 0
    while True:
        page = caller.call(tool, limit=limit, offset=offset, **named)
        ids += page.ids
        begin, end = offset + 1, offset + len(page.ids)
        assert page.text.startswith(f"Showing {begin}-{end} of "), page.text[:80]
        offset = page.structured.get("next_offset", 0)
        assert (f"offset={offset} goes on" in page.text) == bool(offset)
        if not offset:
            assert page["total"] == COUNT
            return ids


@pytest.mark.parametrize(("tool", "named"), WAYS)
def test_the_pages_of_any_size_are_the_whole_in_one_order(
    many: Caller, tool: str, named: dict[str, Any]
) -> None:
    found = [pages_of(many, tool, limit, named) for limit in (9, 50, 500)]
    assert len(found[0]) == len(set(found[0])) == COUNT
    assert found[0] == found[1] == found[2]


def test_where_there_may_be_more_than_is_looked_for_the_last_page_says_so(
    many: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalling, "DEPTH", 20)
    asked = {"query": "word", "source_files": ["a.py"]}
    ids, offset = [], 0
    while True:
        page = many.call("recall_context", limit=7, offset=offset, **asked)
        ids += page.ids
        offset = page.structured.get("next_offset", 0)
        if not offset:
            break
    assert len(ids) == len(set(ids)) >= 20
    assert "total" not in page.structured
    assert "ask for something narrower" in page.text
    assert "ask for something narrower" in page["note"]
    assert "narrower" in many.call("recall_context", offset=len(ids), **asked).text


def test_a_lone_memory_of_any_length_fits_into_a_result(tmp_path: Path) -> None:
    with desk_at(tmp_path) as desk, Caller(desk) as caller:
        for content in ("設計" * 5_000, "\U0001f600" * 9_000, 'a\n"' * 9_000):
            desk.memory().save(content)
            shown = caller.call("list_memories", limit=1)
            assert shown["memories"][0]["characters"] == len(content)
