"""What the tools answer, as values; the schemas that clients are told are made of these types.

The rule this module guards: **a field that says nothing is not sent**. What has its default value
is left out, so a result costs an agent no more words than it tells. Times are UTC, to the second.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One observation, as lists show it.

    ``content`` may be its beginning, or the place that matched; then ``characters`` is the length
    of all of it. ``marks`` say what is unusual about it, or was left out.
    """

    id: str
    content: str
    memory_type: str
    importance: int
    created_at: str
    origin: str
    session_id: str = ""
    project: str = ""
    subject: str = ""
    summary: str = ""
    tags: list[str] = field(default_factory=list)
    source_files: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    characters: int = 0
    space: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of what was found; ``next_offset`` goes on, 0 if there is no more.

    ``total`` is how many there are; 0 where they are too many to have been counted. ``note`` is
    what the text says above the list, for clients that show a model the structure alone.
    """

    note: str
    memories: list[Shown]
    total: int = 0
    next_offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One observation, all fields; ``next_offset`` goes on in its content, 0 if that is all."""

    note: str
    id: str
    content: str
    memory_type: str
    importance: int
    created_at: str
    updated_at: str
    origin: str
    agent_family: str = ""
    client_id: str = ""
    pc_id: str = ""
    session_id: str = ""
    project: str = ""
    subject: str = ""
    summary: str = ""
    tags: list[str] = field(default_factory=list)
    source_files: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    supersedes: list[str] = field(default_factory=list)
    expires_at: str = ""
    marks: list[str] = field(default_factory=list)
    characters: int = 0
    next_offset: int = 0
    space: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """What a new observation may replace."""

    id: str
    begins: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of a save or an edit."""

    id: str
    space: str = ""
    project: str = ""
    expires_at: str = ""
    is_duplicate: bool = False
    similar: list[Alike] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What became of a deletion, or of taking it back."""

    id: str
    is_deleted: bool
    space: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One event of an observation's past."""

    operation: str
    status: str
    why: str
    at: str
    replica: str
    content: str = ""
    characters: int = 0
    reason: str = ""
    marks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """An observation's past, the newest first."""

    note: str
    id: str
    versions: list[Version]
    total: int
    next_offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectShown:
    """One project."""

    name: str
    observations: int
    updated_at: str = ""
    aliases: list[str] = field(default_factory=list)
    space: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage:
    """Some of the projects, the latest change first."""

    projects: list[ProjectShown]
    total: int
    present: str = ""
    next_offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The memory, and who speaks."""

    version: str
    backend: str
    space: str
    spaces: list[str]
    store: str
    project: str
    project_source: str
    agent_family: str
    client_id: str
    pc_id: str
    session_id: str
    observations: int
    observations_by_family: dict[str, int]
    deleted: int
    held: int
    missing: int
    mesh: str
    mesh_ready: bool
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """That nothing waits."""

    drained: int
    pending: int
    why: str


def as_sent(value: Any) -> Any:
    """A result as JSON has it, without what has its default value."""
    if is_dataclass(value):
        said = ((each, getattr(value, each.name)) for each in fields(value))
        return {each.name: as_sent(one) for each, one in said if not _is_default(each, one)}
    if isinstance(value, list):
        return _all_as_sent(value)
    return value


def _all_as_sent(values: Iterable[Any]) -> list[Any]:
    return [as_sent(value) for value in values]


def _is_default(each: Any, value: Any) -> bool:
    if each.default_factory is not MISSING:
        return not value
    return each.default is not MISSING and value == each.default


_SCALARS: Final = {str: "string", int: "integer", bool: "boolean"}


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of what ``as_sent`` gives of a type; what may be left out is not required."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            "type": "object",
            "properties": {each.name: schema_of(hints[each.name]) for each in fields(kind)},
            "required": [each.name for each in fields(kind) if _is_always_sent(each)],
        }
    if get_origin(kind) is list:
        return {"type": "array", "items": schema_of(get_args(kind)[0])}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": schema_of(get_args(kind)[1])}
    return {"type": _SCALARS[kind]}


def _is_always_sent(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING
