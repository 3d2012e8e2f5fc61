"""The tools: functions over a desk, and the table that clients are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from kioku.mcp.results import Found, Hits, Saved, Status
from kioku.mcp.table import Result, Tool

if TYPE_CHECKING:
    from kioku.mcp.desk import Desk
    from kioku.observation import Observation


def save_observation(
    desk: Desk,
    *,
    content: Annotated[str, Field(description="what to remember")],
    project: Annotated[str, Field(description="default: the client's repository")] = "",
) -> Result[Saved]:
    """Save one observation."""
    saved = desk.memory().save(content, project=project or desk.project)
    return Result(Saved(saved.id, saved.project, _origin(saved)), f"saved: {saved.id}")


def search_memory(
    desk: Desk,
    *,
    query: Annotated[str, Field(description="words")] = "",
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> Result[Hits]:
    """Find observations by their words."""
    found = [hit.observation for hit in desk.memory().search(query, limit=limit, mode="and_or")]
    shown = [Found(one.id, one.content, _origin(one), one.project) for one in found]
    text = "\n".join(f"{one.content} ({one.origin}) <id={one.id}>" for one in shown)
    return Result(Hits(shown), text or "No matching memories.")


def get_memory_status(desk: Desk) -> Result[Status]:
    """Say how the memory stands, and who this connection is."""
    counts = desk.memory().statistics()
    status = Status(
        counts.space,
        counts.session_id,
        counts.agent_family,
        counts.client_id,
        counts.host,
        desk.project,
        counts.observations,
    )
    return Result(status, f"{status.observations} observations in {status.space}")


def _origin(observation: Observation) -> str:
    return f"{observation.agent_family or 'someone'} on {observation.host}"


_ALL: Final = frozenset({"agent", "all"})
_READING: Final = frozenset({"agent", "read-only", "all"})

TOOLS: Final = (
    Tool(
        "save_observation",
        save_observation,
        "Save an observation",
        "Save one thing worth remembering.",
        read_only=False,
        destructive=False,
        idempotent=False,
        open_world=False,
        profiles=_ALL,
    ),
    Tool(
        "search_memory",
        search_memory,
        "Search the memory",
        "Find what was saved, the best first.",
        read_only=True,
        destructive=False,
        idempotent=True,
        open_world=False,
        profiles=_READING,
    ),
    Tool(
        "get_memory_status",
        get_memory_status,
        "Status of the memory",
        "How the memory stands, and who you are in it.",
        read_only=True,
        destructive=False,
        idempotent=True,
        open_world=False,
        profiles=_READING,
    ),
)
