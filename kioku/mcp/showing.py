"""From observations to what an agent is shown of them: short, within the limit, and marked.

The rule this module guards: **a result never passes 20,000 bytes, and what was left out is said**.
Text and structure say the same, since the text is made of the structure; clients show the model
either, so together they count. Where all of a list does not fit as it is, long contents are cut,
down to some lines each; where that is not enough, the list ends and says where to go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from kioku.mcp.results import Shown, as_sent
from kioku.mcp.text import ELLIPSIS, cut, label, labels, quoted, sent_bytes, time_text
from kioku.wording import counted, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from kioku.memory.hit import Hit
    from kioku.observation import Observation

RESULT_BYTES_MAX: Final = 20_000
"""Of text and structure as sent: about 5,000 tokens, half of which the model is shown."""
FRAME_BYTES: Final = 1_200  # for what stands around a list: its first and last line, its numbers
_WIDTHS: Final = (6_000, 3_000, 1_500, 800, 500)
_NAME_CHARACTERS: Final = 120
_SUBJECT_CHARACTERS: Final = 240
_LIST_BYTES: Final = 400  # of tags, of files, of references
_SOON_S: Final = 7 * 86_400

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """An observation to be shown, where it is, and what the finder knows of it."""

    observation: Observation
    space: str = ""
    snippet: str = ""
    marks: tuple[str, ...] = ()


def found_by(hit: Hit, *, space: str = "") -> Found:
    """What a search found."""
    marks = ("found by its letters alone",) if hit.is_substring else ()
    by = hit.explanation.superseded_by if hit.explanation else ()
    superseded = tuple(f"superseded by {newer}" for newer in by[:1])
    return Found(hit.observation, space, hit.snippet if hit.marks else "", marks + superseded)


def marks_of(observation: Observation, now: datetime) -> list[str]:
    """What is unusual about an observation, in words."""
    marks = []
    if observation.is_deleted:
        marks.append("deleted")
    if observation.is_held:
        marks.append("held: its writer's clock is ahead of this one's")
    marks += marks_of_secrets(observation)
    if observation.versions > 1:
        marks.append(f"{observation.versions} versions: memory_history shows them")
    if observation.expires_at is not None:
        left_s = (observation.expires_at - now).total_seconds()
        soon = f", in {_duration(left_s)}" if left_s <= _SOON_S else ""
        marks.append(f"expires {time_text(observation.expires_at)}{soon}")
    return marks


def marks_of_secrets(observation: Observation) -> list[str]:
    """That an observation looks to hold what nobody should have saved; not what it is."""
    if not observation.secrets:
        return []
    return [f"looks to hold a secret ({', '.join(observation.secrets)}): do not repeat it"]


def _duration(seconds: float) -> str:
    if seconds < 0:
        return "the past"
    for unit_s, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit_s:
            return counted(round(seconds / unit_s), unit)
    return "less than a minute"


def shown(found: Found, width: int, now: datetime) -> Shown:
    """An observation as a list shows it; a content of more than ``width`` characters is cut."""
    observation = found.observation
    content, is_cut = observation.content, len(observation.content) > width
    if is_cut:
        content = _extract(found, width)
    left_out: list[str] = []
    lists = {
        name: _kept(list(getattr(observation, name)), name, left_out)
        for name in ("tags", "source_files", "references")
    }
    return Shown(
        id=observation.id,
        content=content,
        memory_type=shortened(observation.memory_type),
        importance=observation.importance,
        created_at=time_text(observation.created_at or observation.updated_at),
        origin=shortened(origin(observation.agent_family, observation.client_id, observation.host)),
        session_id=shortened(observation.session_id),
        project=shortened(observation.project),
        subject=shortened(observation.subject, _SUBJECT_CHARACTERS),
        summary=shortened(observation.summary, _SUBJECT_CHARACTERS) if is_cut else "",
        marks=[*marks_of(observation, now), *found.marks, *left_out],
        characters=len(observation.content) if is_cut else 0,
        space=found.space,
        **lists,
    )


def _extract(found: Found, width: int) -> str:
    """The beginning, and where that shows nothing of what was searched for, the place of it."""
    content = found.observation.content
    begin = cut(content, characters=width)
    seen = " ".join(begin.split())
    if not found.snippet or found.snippet.strip(ELLIPSIS) in seen:
        return begin + ELLIPSIS
    begin = cut(content, characters=width - min(len(found.snippet), width // 2))
    return f"{begin}{ELLIPSIS}\n{found.snippet}"


def shortened(text: str, characters: int = _NAME_CHARACTERS) -> str:
    """A name, or the beginning of one that is longer than any that somebody reads."""
    return text if len(text) <= characters else cut(text, characters=characters) + ELLIPSIS


def _kept(items: list[str], name: str, left_out: list[str]) -> list[str]:
    """As many of a list as are worth their place; how many are not goes to ``left_out``."""
    kept, room = [], _LIST_BYTES
    for item in items:
        room -= sent_bytes(item)
        if room < 0:
            break
        kept.append(item)
    if len(kept) < len(items):
        left_out.append(f"{len(items) - len(kept)} more {name.replace('_', ' ')}")
    return kept


def entry(one: Shown) -> str:
    """An observation in a listing, in lines: the first is kioku's, the others are quoted."""
    lines = [headline(one)]
    if one.subject:
        lines.append(quoted(f"Subject: {one.subject}"))
    if one.summary:
        lines.append(quoted(f"Summary: {one.summary}"))
    lines.append(quoted(one.content))
    if one.characters:
        lines.append(f"({one.characters:,} characters in all: get_memory gives the rest)")
    return "\n".join(lines)


def headline(one: Shown) -> str:
    """The first line of an entry: type, importance, time, project, id, whose it is, marks."""
    head = [
        f"[{label(one.memory_type)}][{one.importance}] {one.created_at}",
        f"({label(one.project)})" if one.project else "",
        f"<id={one.id}>",
        f"<space={one.space}>" if one.space else "",
        f"by {source(one.origin, one.session_id)}",
    ]
    rest = [" ".join(part for part in head if part), *_lists(one), *one.marks]
    return "; ".join(rest)


def source(origin: str, session_id: str) -> str:
    """Whose it is: ``codex on laptop, session s-1``."""
    who, _, where = origin.rpartition(" on ")
    said = f"{label(who)} on {label(where)}" if who else label(where)
    return f"{said}, session {label(session_id)}" if session_id else said


def _lists(one: Shown) -> Iterator[str]:
    for title, items in (
        ("tags", one.tags),
        ("files", one.source_files),
        ("refs", one.references),
    ):
        if items:
            yield f"{title}: {labels(items)}"


def fit(items: Sequence[T], make: Callable[[T, int], tuple[S, str]]) -> list[tuple[S, str]]:
    """Make as many items as fit into a result, from the first on; at least one.

    ``make`` gives the structure and the text of an item, no text in it longer than the width that
    it is told.
    """
    made: list[tuple[S, str]] = []
    for width in _WIDTHS:
        made = _as_many_as_fit(items, make, width)
        if len(made) == len(items):
            return made
    return made or [make(item, _WIDTHS[-1]) for item in items[:1]]


def _as_many_as_fit(
    items: Sequence[T], make: Callable[[T, int], tuple[S, str]], width: int
) -> list[tuple[S, str]]:
    made: list[tuple[S, str]] = []
    room = RESULT_BYTES_MAX - FRAME_BYTES
    for item in items:
        structure, text = make(item, width)
        room -= sent_bytes(as_sent(structure)) + sent_bytes(text) + 4  # and what joins them
        if room < 0:
            break
        made.append((structure, text))
    return made
