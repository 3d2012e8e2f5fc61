"""The tools that read observations: search, list, get."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from kioku.errors import InvalidArgumentError
from kioku.mcp.asking import Held, Place, held, moment, of_project, places, readable, shown_space
from kioku.mcp.parameters import (
    Id,
    Limit,
    MemoryTypes,
    Name,
    Offset,
    Query,
    Since,
    Space,
    Texts,
    WhereProject,
)
from kioku.mcp.results import Page, Whole
from kioku.mcp.showing import Found, entry, fit, found_by, shown
from kioku.mcp.table import Result
from kioku.mcp.text import DATA, LEGEND, label
from kioku.mcp.whole import show_whole
from kioku.memory.filters import LIMIT_MAX
from kioku.memory.spaces import fuse
from kioku.observation import from_unix_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from kioku.mcp.desk import Desk
    from kioku.mcp.results import Shown
    from kioku.memory.hit import Hit
    from kioku.observation import Observation

NOTHING: Final = "No matching memories."
NARROWER: Final = "this goes no further: ask for something narrower"
SUPERSEDERS_MAX: Final = 3
FETCHED_MAX: Final = 80
"""Observations of one page at most: of the shortest, no more fit into a result."""


def search_memory(
    desk: Desk,
    *,
    query: Annotated[
        Query, Field(description='words; "a phrase", -not, begin*; empty: the newest')
    ] = "",
    agent_family: Name = "",
    client_id: Name = "",
    pc_id: Annotated[Name, Field(description="a machine")] = "",
    session_id: Name = "",
    project: WhereProject = "",
    since_iso: Since = "",
    limit: Limit = 50,
    include_superseded: bool = False,
    search_mode: Annotated[
        Literal["and_or", "and", "or"], Field(description="which words must be there")
    ] = "and_or",
    offset: Offset = 0,
    space: Space = None,
) -> Result[Page]:
    """Find observations by their words, the best first."""
    count = count_of(offset, limit)
    found = searched(
        desk,
        places(desk, space or ""),
        query,
        limit=count,
        mode=search_mode,
        explain=include_superseded,
        agent_family=agent_family,
        client_id=client_id,
        host=pc_id,
        session_id=session_id,
        since=moment("since_iso", since_iso),
        include_superseded=include_superseded,
        **of_project(desk, project),
    )
    order = "best first" if query.strip() else "newest first"
    return page(desk, found, Asked(offset, limit, count, order, project))


def searched(
    desk: Desk, spaces: Sequence[Place], query: str, *, limit: int, **options: Any
) -> list[Found]:
    """Search some spaces as one."""
    found: dict[str, list[Hit]] = {}
    for done, place in enumerate(spaces, 1):
        found[place.space] = place.memory.search(query, limit=limit, **options)
        desk.progress(done, len(spaces))
    return [found_by(one.hit, space=shown_space(desk, one.space)) for one in fuse(found)[:limit]]


def list_memories(
    desk: Desk,
    *,
    project: WhereProject = "",
    memory_types: MemoryTypes = None,
    tags: Texts = None,
    since_iso: Since = "",
    include_deleted: bool = False,
    limit: Limit = 20,
    offset: Offset = 0,
    space: Space = None,
) -> Result[Page]:
    """Give the newest observations."""
    count = count_of(offset, limit)
    options = {
        "memory_type": memory_types,
        "tags": tags,
        "since": moment("since_iso", since_iso),
        **of_project(desk, project),
    }
    if not include_deleted:
        found = searched(desk, places(desk, space or ""), "", limit=count, **options)
        return page(desk, found, Asked(offset, limit, count, "newest first", project))
    options.pop("prefer_project", None)
    lists = [
        [
            Found(one, shown_space(desk, place.space))
            for one in place.memory.list(limit=count, include_deleted=True, **options)
        ]
        for place in places(desk, space or "")
    ]
    newest = list(merge(*lists, key=_changed, reverse=True))[:count]
    return page(desk, newest, Asked(offset, limit, count, "newest first", project))


def _changed(found: Found) -> datetime:
    assert found.observation.updated_at is not None, "it comes from a store"
    return found.observation.updated_at


def get_memory(
    desk: Desk,
    *,
    observation_id: Id,
    offset: Annotated[int, Field(ge=0, description="of the content, to go on")] = 0,
) -> Result[Whole]:
    """Give one observation whole."""
    place = held(desk, observation_id)
    observation = readable(place)
    now = from_unix_ms(place.memory.now_ms())
    found = Found(
        observation, shown_space(desk, place.space), marks=_superseders(place, observation)
    )
    return show_whole(found, offset=offset, now=now)


def _superseders(place: Held, observation: Observation) -> tuple[str, ...]:
    """What replaces an observation: what names it and was changed later."""
    assert observation.updated_at is not None, "it comes from a store"
    return tuple(
        f"superseded by {one.id}"
        for one in place.memory.list(supersedes=place.id, limit=SUPERSEDERS_MAX)
        if one.id != place.id and one.updated_at and one.updated_at >= observation.updated_at
    )


def count_of(offset: int, limit: int) -> int:
    """How many are to be looked for: those of the page, those before it, and one that says that
    there are more.

    Raises:
        InvalidArgumentError: if the page is further on than a search goes.
    """
    if offset >= LIMIT_MAX:
        raise InvalidArgumentError(
            f"offset: a search goes to {LIMIT_MAX:,}; ask for something narrower"
        )
    return min(offset + min(limit, FETCHED_MAX) + 1, LIMIT_MAX)


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of what was found that was asked for.

    ``looked_for`` is how many were looked for: where so many were found, there may be more.
    """

    offset: int
    limit: int
    looked_for: int
    order: str
    project: str = ""


def page(desk: Desk, found: list[Found], asked: Asked) -> Result[Page]:
    """Show the part of what was found that was asked for, as much of it as fits."""
    now = from_unix_ms(desk.memory().now_ms())

    def make(one: Found, width: int) -> tuple[Shown, str]:
        made = shown(one, width, now)
        return made, entry(made)

    offset, are_all = asked.offset, len(found) < asked.looked_for
    made = fit(found[offset : offset + min(asked.limit, FETCHED_MAX)], make)
    if not made:
        nothing = _nothing(desk, found, asked)
        return Result(Page(note=nothing, memories=[], total=len(found)), nothing)
    end = offset + len(made)
    is_more = len(found) > end
    count = f"{len(found)}" if are_all else f"at least {len(found)}"
    on = f"; offset={end} goes on" if is_more else "" if are_all else f"; {NARROWER}"
    head = f"Showing {offset + 1}-{end} of {count}, {asked.order}{on}."
    result = Page(
        note=f"{head} {DATA}",
        memories=[one for one, _ in made],
        total=len(found) if are_all else 0,
        next_offset=end if is_more else 0,
    )
    return Result(result, "\n\n".join([f"{head} {LEGEND}", *(text for _, text in made)]))


def _nothing(desk: Desk, found: list[Found], asked: Asked) -> str:
    if found and len(found) >= asked.looked_for:
        return f"No more memories: {NARROWER}."
    if found:
        return f"No more memories: there are {len(found)}."
    if asked.project and not is_project(desk, asked.project):
        return f"{NOTHING} No project is called {label(asked.project)}: list_projects."
    return f"{NOTHING} Other or fewer words, or fewer filters, may find some."


def is_project(desk: Desk, name: str) -> bool:
    """Whether anything here belongs to a project of that name, or has it as another name."""
    return any(place.memory.list(project=name, limit=1) for place in places(desk, ""))
