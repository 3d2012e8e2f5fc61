"""The tool that gives what bears on some work: its words, its files, what it refers to.

Each of these is asked by itself and the answers are merged by reciprocal rank, as several spaces
are (docs/adr/0056), so that what bears on it in two ways comes first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field

from kioku.mcp.asking import moment, of_project, places
from kioku.mcp.finding import Asked, count_of, page, searched
from kioku.mcp.parameters import (
    Limit,
    MemoryTypes,
    Offset,
    Query,
    Since,
    Space,
    Texts,
    WhereProject,
)
from kioku.mcp.results import Page
from kioku.mcp.table import Result
from kioku.memory.spaces import RANK_OFFSET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kioku.mcp.desk import Desk
    from kioku.mcp.showing import Found

DEPTH: Final = 240
"""Of each of several ways of asking: the same for every page, so that the pages fit together."""
_BY_WORDS: Final = "words"


def recall_context(
    desk: Desk,
    *,
    query: Annotated[Query, Field(description="the task, in words")] = "",
    project: WhereProject = "",
    memory_types: MemoryTypes = None,
    source_files: Annotated[Texts, Field(description="paths, or their last parts")] = None,
    references: Annotated[Texts, Field(description="such as #12; #1* begins so")] = None,
    since_iso: Since = "",
    limit: Limit = 20,
    offset: Offset = 0,
    space: Space = None,
) -> Result[Page]:
    """Give what bears on a task: by its words, by the files it touches, by what it refers to."""
    spaces = places(desk, space or "")
    options = {"memory_type": memory_types, "since": moment("since_iso", since_iso)}
    options |= of_project(desk, project)
    asked: dict[str, tuple[str, dict[str, Any]]] = {}
    if query.strip() or not (source_files or references):
        asked[_BY_WORDS] = (query, {"mode": "and_or"})
    if source_files:
        asked["its files"] = ("", {"source_file": source_files})
    if references:
        asked["its references"] = ("", {"reference": references})
    depth = count_of(offset, limit) if len(asked) == 1 else DEPTH
    found = {
        way: searched(desk, spaces, words, limit=depth, **how, **options)
        for way, (words, how) in asked.items()
    }
    is_newest = list(found) == [_BY_WORDS] and not query.strip()
    order = "newest first" if is_newest else "what bears most on it first"
    merged = _merged(found)
    are_all = all(len(ones) < depth for ones in found.values())
    looked_for = len(merged) + 1 if are_all else len(merged)
    return page(desk, merged, Asked(offset, limit, looked_for, order, project))


def _merged(found: Mapping[str, Sequence[Found]]) -> list[Found]:
    """One list of several, each observation once, marked with how it was found if not by words."""
    scores: dict[tuple[str, str], float] = {}
    kept: dict[tuple[str, str], Found] = {}
    for way, ones in found.items():
        for place, one in enumerate(ones, 1):
            key = (one.space, one.observation.id)
            scores[key] = scores.get(key, 0.0) + 1 / (RANK_OFFSET + place)
            before = kept.get(key, one)
            marks = before.marks if way == _BY_WORDS else (*before.marks, f"found by {way}")
            kept[key] = replace(before, marks=marks)
    return [kept[key] for key in sorted(kept, key=lambda key: (-scores[key], key))]
