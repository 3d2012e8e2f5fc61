"""Resources: what a client, or the person before it, can read without asking a tool.

Each is what a tool answers, as text, so it has the same limit, the same marks and the same margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku import suggestions
from kioku.errors import NotFoundError
from kioku.mcp.asking import places
from kioku.mcp.finding import get_memory, is_project, list_memories
from kioku.mcp.knowing import get_memory_status
from kioku.mcp.table import Resource
from kioku.mcp.text import label
from kioku.memory.intake import ID_DIGITS

if TYPE_CHECKING:
    from kioku.mcp.desk import Desk

_HEX_DIGITS: Final = frozenset("0123456789abcdef")


def _memory(desk: Desk, id: str) -> str:
    return get_memory(desk, observation_id=id).text


def _project(desk: Desk, name: str) -> str:
    if not is_project(desk, name):
        raise NotFoundError(
            f"no project {label(name)} has memories here; list_projects shows those that have"
        )
    return list_memories(desk, project=name).text


def _recent(desk: Desk) -> str:
    return list_memories(desk).text


def _status(desk: Desk) -> str:
    return get_memory_status(desk).text


def complete_id(desk: Desk, begin: str) -> list[str]:
    """The ids that begin so, the newest first."""
    digits = begin.strip().lower()
    if len(digits) > ID_DIGITS or not _HEX_DIGITS.issuperset(digits):
        return []
    found: list[str] = []
    for _, memory in places(desk, ""):
        with memory.replica.reading(now_ms=memory.now_ms()) as reading:
            found += [one for one, _ in suggestions.ids(reading.connection, digits)]
    return list(dict.fromkeys(found))


def complete_project(desk: Desk, begin: str) -> list[str]:
    """The projects whose names begin so; the present one first."""
    found = {desk.project} if desk.project.startswith(begin) else set()
    names: set[str] = set()
    for _, memory in places(desk, ""):
        with memory.replica.reading(now_ms=memory.now_ms()) as reading:
            names.update(suggestions.names(reading.connection, "project", begin))
    return [*(found - {""}), *sorted(names - found)]


RESOURCES: Final = (
    Resource(
        "kioku://recent",
        _recent,
        "recent",
        "Newest memories",
        "The newest memories, those of the present project first.",
        mime_type="text/plain",
    ),
    Resource(
        "kioku://status",
        _status,
        "status",
        "Status of the memory",
        "How the memory stands, and who this connection is in it.",
        mime_type="text/plain",
    ),
    Resource(
        "kioku://memory/{id}",
        _memory,
        "memory",
        "A memory",
        "One memory, all fields; 6 digits of its id or more.",
        mime_type="text/plain",
        complete=complete_id,
    ),
    Resource(
        "kioku://project/{name}",
        _project,
        "project",
        "A project's memories",
        "The newest memories of a project; percent-encode its name.",
        mime_type="text/plain",
        complete=complete_project,
    ),
)
