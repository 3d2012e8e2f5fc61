"""The tools that change the memory: save, edit, delete."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, WithJsonSchema

from kioku.errors import InvalidArgumentError, NotFoundError
from kioku.mcp.asking import (
    NO_PROJECT,
    explained,
    held,
    moment,
    named_project,
    project_of_save,
    shown_space,
)
from kioku.mcp.parameters import (
    Content,
    Id,
    Ids,
    MemoryType,
    Moment,
    OptionalContent,
    OptionalText,
    Seconds,
    Space,
    Text,
    Texts,
)
from kioku.mcp.results import Alike, Deleted, Saved
from kioku.mcp.showing import shortened
from kioku.mcp.table import Result
from kioku.mcp.text import label, quoted, time_text
from kioku.observation import from_unix_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.mcp.desk import Desk
    from kioku.memory.facade import Memory
    from kioku.observation import Observation

ALIKE_MAX: Final = 3
HOW_TO_REPLACE: Final = (
    "much like what is listed as similar: if this replaces one of them, say so (edit_memory with"
    " supersedes) or delete_memory the old one"
)
_ALIKE_CHARACTERS: Final = 160
Clearable = Literal[
    "project", "tags", "subject", "summary", "source_files", "references", "supersedes",
    "expires_at",
]  # fmt: skip
_EMPTY: Final[dict[str, Any]] = {
    "project": "",
    "subject": "",
    "summary": "",
    "expires_at": None,
    "tags": (),
    "source_files": (),
    "references": (),
    "supersedes": (),
}


def save_observation(
    desk: Desk,
    *,
    content: Annotated[Content, Field(description="one fact, decision or lesson, with its why")],
    project: Annotated[Text, Field(description='empty: the present repository; "-": none')] = "",
    tags: Texts = None,
    memory_type: MemoryType = "note",
    importance: Annotated[int, Field(ge=1, le=5)] = 2,
    subject: Text = "",
    summary: Text = "",
    source_files: Texts = None,
    references: Texts = None,
    supersedes: Annotated[Ids, Field(description="ids of what this replaces")] = None,
    expires_at: Annotated[Moment, Field(description="ISO time")] = "",
    ttl_sec: Seconds = 0,
    space: Space = None,
) -> Result[Saved]:
    """Save one observation; what the project says already, word for word, is not saved twice."""
    memory = desk.memory(space or "")
    name = space or desk.spaces[0]
    until = moment("expires_at", expires_at)
    if until is not None and until <= from_unix_ms(memory.now_ms()):
        raise InvalidArgumentError(
            f"expires_at: {time_text(until)} is past, so nobody would see it; nothing was saved"
        )
    saved = memory.save(
        content,
        if_duplicate="return",
        project=project_of_save(desk, project),
        tags=tags,
        memory_type=memory_type,
        importance=importance,
        subject=subject,
        summary=summary,
        source_files=source_files,
        references=references,
        supersedes=_whole_ids(memory, supersedes),
        expires_at=until,
        ttl=timedelta(seconds=ttl_sec) if ttl_sec else None,
    )
    similar = [] if saved.is_duplicate or saved.supersedes else _alike(memory, saved)
    done = "already saved" if saved.is_duplicate else "saved"
    return _receipt(desk, saved, space=name, done=done, similar=similar)


def edit_memory(
    desk: Desk,
    *,
    observation_id: Id,
    content: Annotated[OptionalContent, Field(description="the whole new content")] = None,
    project: OptionalText = None,
    tags: Texts = None,
    memory_type: Annotated[MemoryType | None, WithJsonSchema({"type": "string"})] = None,
    importance: Annotated[
        Annotated[int, Field(ge=1, le=5)] | None,
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 5}),
    ] = None,
    subject: OptionalText = None,
    summary: OptionalText = None,
    source_files: Texts = None,
    references: Texts = None,
    supersedes: Ids = None,
    expires_at: OptionalText = None,
    clear: Annotated[
        list[Clearable] | None,
        WithJsonSchema({"type": "array", "items": {"type": "string"}}),
        Field(description="names of fields to empty"),
    ] = None,
) -> Result[Saved]:
    """Change fields of an observation; what is not given, or empty, stays."""
    place = held(desk, observation_id)
    given: dict[str, Any] = {
        "content": content,
        "project": "" if project == NO_PROJECT else named_project(desk, project or ""),
        "tags": tags,
        "memory_type": memory_type,
        "importance": importance,
        "subject": subject,
        "summary": summary,
        "source_files": source_files,
        "references": references,
        "supersedes": _whole_ids(place.memory, supersedes),
        "expires_at": moment("expires_at", expires_at or ""),
    }
    changes = {name: value for name, value in given.items() if value}
    cleared = {*(clear or ()), *(["project"] if project == NO_PROJECT else [])}
    if both := changes.keys() & cleared:
        raise InvalidArgumentError(f"clear: {min(both)} is given too; leave it out of one of them")
    changes |= {name: _EMPTY[name] for name in cleared}
    if not changes:
        raise InvalidArgumentError("nothing to change was given; name the fields that are new")
    with explained(place):
        edited = place.memory.edit(place.id, **changes)
    done = f"edited ({', '.join(sorted(changes))})"
    return _receipt(desk, edited, space=place.space, done=done)


def delete_memory(
    desk: Desk,
    *,
    observation_id: Id,
    reason: Text = "",
    undo: bool = False,
) -> Result[Deleted]:
    """Delete an observation everywhere, or bring it back."""
    place = held(desk, observation_id)
    with explained(place):
        if undo:
            place.memory.undelete(place.id)
        else:
            place.memory.delete(place.id, reason)
    if undo:
        text = f"brought back: {place.id}"
    else:
        text = f"deleted (tombstone): {place.id}; delete_memory with undo=true brings it back"
    space = shown_space(desk, place.space)
    return Result(Deleted(id=place.id, space=space, is_deleted=not undo), text)


def _whole_ids(memory: Memory, typed: Iterable[str] | None) -> list[str] | None:
    """Whole ids; one of which nothing is here would replace nothing, and nobody would notice."""
    found = []
    for one in typed or ():
        try:
            found.append(memory.resolve_id(one))
        except NotFoundError as error:
            raise NotFoundError(f"supersedes: {error}") from None
    return found or None


def _alike(memory: Memory, saved: Observation) -> list[Alike]:
    near = memory.predecessors(
        saved.content, project=saved.project, subject=saved.subject, limit=ALIKE_MAX + 1
    )
    others = [one.observation for one in near if one.observation.id != saved.id]
    return [
        Alike(id=one.id, begins=shortened(one.subject or one.content, _ALIKE_CHARACTERS))
        for one in others[:ALIKE_MAX]
    ]


def _receipt(
    desk: Desk,
    saved: Observation,
    *,
    space: str,
    done: str,
    similar: list[Alike] | None = None,
) -> Result[Saved]:
    notes = _notes(saved)
    if similar:
        notes.append(HOW_TO_REPLACE)
    where = f" in project {label(saved.project)}" if saved.project else " in no project"
    until = f", until {time_text(saved.expires_at)}" if saved.expires_at else ""
    lines = [f"{done}: {saved.id}{where}{until}", *notes]
    for one in similar or ():
        lines.append(f"<id={one.id}>:")
        lines.append(quoted(one.begins))
    result = Saved(
        id=saved.id,
        space=shown_space(desk, space),
        project=shortened(saved.project),
        expires_at=time_text(saved.expires_at),
        is_duplicate=saved.is_duplicate,
        similar=similar or [],
        notes=notes,
    )
    return Result(result, "\n".join(lines))


def _notes(saved: Observation) -> list[str]:
    """What became of what was given, where it is not what was expected."""
    notes = []
    if saved.is_duplicate:
        notes.append("the project says so already, word for word: nothing was written")
    notes += [
        f"taken out before it was saved: {taken.kind} in {taken.field}"
        for taken in dict.fromkeys(saved.redactions)
    ]
    if saved.secrets:
        notes.append(f"looks to hold a secret ({', '.join(saved.secrets)}); delete_memory takes it")
    if saved.versions > 1:
        notes.append(f"{saved.versions} versions: memory_history shows them")
    return notes
