"""How observations look: the entries people know, and the JSON that scripts rely on.

An entry is

    [type][importance] 2026-05-22T07:51:47 (project) subject (refs: a, b)
    summary or first 80 characters <id=32hex>

with parts that are empty left out. The time is the writer's ``created_at``, in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from kioku.memory.hit import Hit
    from kioku.memory.results import HistoryEntry
    from kioku.observation import Observation

SEPARATOR = "\n---\n"
NOTHING_FOUND = "No matching memories."
EXCERPT_CHARACTERS = 80


BY_LETTERS = "(found by its letters)"
"""Behind the first line of a hit that has none of the words."""


def observation_json(observation: Observation) -> dict[str, Any]:
    """One observation as every ``--json`` shows it; ``observation_id`` and ``pc_id`` are the older
    names of ``id`` and ``host``.
    """
    return {
        "observation_id": observation.id,
        **observation.to_dict(),
        "pc_id": observation.host,
    }


def redactions_json(observation: Observation) -> list[dict[str, str]]:
    """What a save took out of it."""
    return [taken._asdict() for taken in observation.redactions]


def hit_json(hit: Hit) -> dict[str, Any]:
    """One search result: the observation, and why it is one."""
    return {
        **observation_json(hit.observation),
        "score": hit.score,
        "snippet": hit.snippet,
        "is_substring": hit.is_substring,
        "marks": [{"begin": begin, "end": end} for begin, end in hit.marks],
        **({"explanation": hit.explanation.to_dict()} if hit.explanation else {}),
    }


def time_text(moment: datetime | None) -> str:
    """UTC to the second, without a zone; empty for no time."""
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S")


def json_time(moment: datetime) -> str:
    """UTC to the millisecond, with its zone."""
    return moment.isoformat(timespec="milliseconds")


def headline(observation: Observation) -> str:
    """The first line of an entry."""
    parts = [
        f"[{observation.memory_type}][{observation.importance}]",
        time_text(observation.created_at or observation.updated_at),
        f"({observation.project})" if observation.project else "",
        observation.subject,
        f"(refs: {', '.join(observation.references)})" if observation.references else "",
        *marks(observation),
    ]
    return render.one_line(" ".join(part for part in parts if part))


def marks(observation: Observation) -> list[str]:
    """What is unusual about it, each in parentheses."""
    found = []
    if observation.is_held:
        found.append("(held: its writer's clock is ahead)")
    if observation.is_deleted:
        found.append("(deleted)")
    if observation.versions > 1:
        found.append(f"({observation.versions} versions)")
    if observation.secrets:
        found.append(f"(looks to hold: {', '.join(observation.secrets)})")
    return found


def excerpt(observation: Observation) -> str:
    """The summary, else the content's first characters, on one line."""
    text = observation.summary or observation.content[:EXCERPT_CHARACTERS]
    return render.one_line(text)


def entry(observation: Observation) -> str:
    """The two lines of an observation in a listing."""
    return f"{headline(observation)}\n{excerpt(observation)} <id={observation.id}>"


def entries(observations: Sequence[Observation]) -> str:
    """A listing, or the sentence that says there is nothing."""
    return SEPARATOR.join(map(entry, observations)) or NOTHING_FOUND


def hit_entries(hits: Sequence[Hit], spaces: Sequence[str] = ()) -> str:
    """The listing of what a search found, with the space of each if they are of several, and with
    why if that was asked.
    """
    texts = map(_hit_entry, hits, spaces or [""] * len(hits))
    return SEPARATOR.join(texts) or NOTHING_FOUND


def _hit_entry(hit: Hit, space: str) -> str:
    observation = hit.observation
    mark = f" {BY_LETTERS}" if hit.is_substring else ""
    where = f" <space={space}>" if space else ""
    text = f"{headline(observation)}{mark}\n{excerpt(observation)} <id={observation.id}>{where}"
    return f"{text}\n{hit.explanation}" if hit.explanation else text


def markdown(observations: Sequence[Observation]) -> str:
    """A listing with whole contents, to be pasted into a document or a prompt."""
    texts = [
        f"### {headline(found)}\n\n{found.content}\n\n`id: {found.id}`" for found in observations
    ]
    return "\n\n".join(texts) or NOTHING_FOUND


def full_text(observation: Observation) -> str:
    """``field: value`` lines, ``---``, and the content."""
    lines = [f"{name}: {render.one_line(value)}" for name, value in shown_fields(observation)]
    return "\n".join([*lines, "---", observation.content])


def shown_fields(observation: Observation) -> list[tuple[str, str]]:
    """The names and values of the fields that say something, without the content."""
    return [
        (name, ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in observation_json(observation).items()
        if name not in ("content", "extra") and value not in ("", [], None, False)
    ]


def event_line(entry: HistoryEntry) -> str:
    """When an event was written, and where."""
    stamp = entry.stamped_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{entry.stamped_at:%f}"[:3]
    return f"{stamp} by {entry.replica or entry.log_id[:8]} seq {entry.seq}"
