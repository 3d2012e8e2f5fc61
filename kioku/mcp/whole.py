"""One observation, all that is known of it; a long content in parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kioku.errors import InvalidArgumentError
from kioku.mcp.results import Whole, as_sent
from kioku.mcp.showing import RESULT_BYTES_MAX, marks_of, shortened, source
from kioku.mcp.table import Result
from kioku.mcp.text import DATA, LEGEND, cut, label, labels, quoted, sent_bytes, time_text
from kioku.wording import origin

if TYPE_CHECKING:
    from datetime import datetime

    from kioku.mcp.showing import Found
    from kioku.observation import Observation

_ITEMS_BYTES: Final = 600  # of each list
_TEXT_CHARACTERS: Final = 400
_CONTENT_CHARACTERS_MAX: Final = 9_000  # no more fit, twice, into a result
_LISTS: Final = ("tags", "source_files", "references", "supersedes")


def show_whole(found: Found, *, offset: int, now: datetime) -> Result[Whole]:
    """Show an observation, its content from ``offset`` on, as much as fits.

    Raises:
        InvalidArgumentError: if its content ends before ``offset``.
    """
    content = found.observation.content
    if offset and offset >= len(content):
        raise InvalidArgumentError(
            f"offset: the content ends at {len(content):,}; give a smaller one"
        )
    frame = _frame(found, now)
    part = content[offset : offset + _CONTENT_CHARACTERS_MAX]
    while True:
        end = offset + len(part)
        shown = replace(
            frame,
            note=f"{_part(offset, end, len(content))}{DATA}",
            content=part,
            next_offset=end if end < len(content) else 0,
            characters=len(content) if end < len(content) or offset else 0,
        )
        text = _text(shown, offset)
        over = sent_bytes(as_sent(shown)) + sent_bytes(text) - RESULT_BYTES_MAX
        if over <= 0 or len(part) <= 1:
            return Result(shown, text)
        part = cut(part, characters=max(1, min(len(part) - over // 8 - 1, len(part) * 9 // 10)))


def _frame(found: Found, now: datetime) -> Whole:
    observation = found.observation
    left_out: list[str] = []
    lists: dict[str, Any] = {name: _kept(observation, name, left_out) for name in _LISTS}
    return Whole(
        note="",
        id=observation.id,
        content="",
        memory_type=shortened(observation.memory_type),
        importance=observation.importance,
        created_at=time_text(observation.created_at or observation.updated_at),
        updated_at=time_text(observation.updated_at),
        origin=shortened(origin(observation.agent_family, observation.client_id, observation.host)),
        agent_family=shortened(observation.agent_family),
        client_id=shortened(observation.client_id),
        pc_id=shortened(observation.host),
        session_id=shortened(observation.session_id),
        project=shortened(observation.project),
        subject=shortened(observation.subject, _TEXT_CHARACTERS),
        summary=shortened(observation.summary, _TEXT_CHARACTERS),
        expires_at=time_text(observation.expires_at),
        marks=[*marks_of(observation, now), *found.marks, *left_out],
        space=found.space,
        **lists,
    )


def _kept(observation: Observation, name: str, left_out: list[str]) -> list[str]:
    items: tuple[str, ...] = getattr(observation, name)
    kept, room = [], _ITEMS_BYTES
    for item in items:
        room -= sent_bytes(item)
        if room < 0:
            break
        kept.append(item)
    if len(kept) < len(items):
        left = f"{len(items) - len(kept)} more {name.replace('_', ' ')}"
        left_out.append(f"{left}: `kioku get-memory {observation.id}` prints all")
    return kept


def _part(offset: int, end: int, characters: int) -> str:
    """Which part of a content this is; nothing if it is all of it."""
    if not offset and end == characters:
        return ""
    on = f"; offset={end} goes on" if end < characters else ""
    return f"Characters {offset:,}-{end:,} of {characters:,} of the content{on}. "


def _text(shown: Whole, offset: int) -> str:
    fields = (
        ("id", shown.id),
        ("space", shown.space),
        ("type", f"{label(shown.memory_type)}, importance {shown.importance}"),
        ("project", label(shown.project) if shown.project else ""),
        ("saved", f"{shown.created_at} by {source(shown.origin, shown.session_id)}"),
        ("changed", shown.updated_at if shown.updated_at != shown.created_at else ""),
        ("tags", labels(shown.tags)),
        ("files", labels(shown.source_files)),
        ("refs", labels(shown.references)),
        ("supersedes", ", ".join(shown.supersedes)),
        ("marks", "; ".join(shown.marks)),
    )
    lines = [f"{name}: {value}" for name, value in fields if value]
    end = shown.next_offset or shown.characters
    lines.append(f"{_part(offset, end, shown.characters)}{LEGEND}")
    lines += [quoted(f"Subject: {shown.subject}")] if shown.subject else []
    lines += [quoted(f"Summary: {shown.summary}")] if shown.summary else []
    return "\n".join([*lines, quoted(shown.content)])
