"""What the arguments of a tool mean: ids, times, projects and spaces, in this connection's terms.

The rule this module guards: **an id that is not here is an error that says why**. An agent that is
told "deleted by codex, a mistake" knows what to do; one that is told "not found" guesses.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import AmbiguousIdError, InvalidArgumentError, NotFoundError
from kioku.mcp.text import label, time_text
from kioku.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.mcp.desk import Desk
    from kioku.memory.facade import Memory
    from kioku.memory.results import HistoryEntry
    from kioku.observation import Observation

PRESENT: Final = "."
"""Stands for the project that the client works in, as it does in the command line."""
NO_PROJECT: Final = "-"


class Place(NamedTuple):
    """A space that is reached, and its memory."""

    space: str
    memory: Memory


class Held(NamedTuple):
    """An id that is here, and where."""

    space: str
    memory: Memory
    id: str


def places(desk: Desk, space: str) -> list[Place]:
    """The spaces that a question is about: the named one, or all that are reached.

    Raises:
        NotFoundError: if that space is not reached from here.
    """
    names = (space,) if space else desk.spaces
    return [Place(name, desk.memory(name)) for name in names]


def shown_space(desk: Desk, space: str) -> str:
    """The name of a space where results may be of several; else nothing."""
    return space if len(desk.spaces) > 1 else ""


def held(desk: Desk, typed: str) -> Held:
    """Where the observation is that an id, or six digits or more of one, stands for.

    Raises:
        NotFoundError: if no space that is reached has it.
        AmbiguousIdError: if it fits several.
        InvalidArgumentError: if it is no id at all.
    """
    prefix = typed.strip().strip("<>").removeprefix("id=")
    found = []
    for place in places(desk, ""):
        try:
            found.append(Held(place.space, place.memory, place.memory.resolve_id(prefix)))
        except NotFoundError:
            continue
    if not found:
        where = ", ".join(desk.spaces)
        raise NotFoundError(
            f"{one_line(prefix)}: no observation in the space {where} has an id that begins so;"
            " search_memory finds ids"
        )
    if len({one.id for one in found}) > 1:
        raise AmbiguousIdError(prefix, len(found))
    return found[0]


def readable(place: Held) -> Observation:
    """The observation that an id stands for.

    Raises:
        NotFoundError: if it can't be read; it says why.
    """
    observation = place.memory.get(place.id)
    if observation is None:
        raise NotFoundError(why_absent(place))
    return observation


@contextmanager
def explained(place: Held) -> Iterator[None]:
    """Have what is not found say why: it was deleted, has expired, was erased.

    Raises:
        NotFoundError: in the place of one that says less.
    """
    try:
        yield
    except NotFoundError:
        raise NotFoundError(why_absent(place)) from None


def why_absent(place: Held) -> str:
    """Why what is known under an id cannot be read, and what can be done."""
    newest = place.memory.history(place.id)[0]
    when, who = time_text(newest.stamped_at), label(newest.replica or newest.log_id[:8])
    return f"{place.id}: {absence(newest, when, who)}"


def absence(newest: HistoryEntry, when: str, who: str) -> str:
    """What became of an observation whose newest event is this, and what can be done."""
    if newest.operation == "purge" or newest.status == "purged":
        return f"was erased for ever at {when}, on {who}; nothing brings it back"
    if newest.operation == "tombstone":
        reason = f", reason: {label(newest.reason)}" if newest.reason else ""
        return (
            f"was deleted at {when}, on {who}{reason};"
            " delete_memory with undo=true brings it back, memory_history shows it"
        )
    if newest.observation is None:
        return "its content is not here: it has not arrived yet, or was erased; ask again later"
    if newest.observation.expires_at is not None:
        ended = time_text(newest.observation.expires_at)
        return f"expired at {ended}; edit_memory with another expires_at brings it back"
    return "cannot be read here; memory_history shows what became of it"


def moment(name: str, text: str) -> datetime | None:
    """The time that a text says, UTC where it names no zone; None for none.

    Raises:
        InvalidArgumentError: if it is no ISO 8601 time.
    """
    if not text.strip():
        return None
    try:
        value = datetime.fromisoformat(text.strip())
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgumentError(
            f"{name}: {label(text)} is no ISO 8601 time; write 2026-05-22 or 2026-05-22T07:51:47Z"
        ) from None


def of_project(desk: Desk, project: str) -> dict[str, Any]:
    """The options of a search for what a caller says of projects; nothing said prefers the
    present one.

    Raises:
        InvalidArgumentError: if the present one is asked for and there is none.
    """
    if project:
        return {"project": named_project(desk, project)}
    return {"prefer_project": desk.project or None}


def named_project(desk: Desk, project: str) -> str:
    """The project that a name, or ``.`` for the present one, stands for.

    Raises:
        InvalidArgumentError: if there is no present one.
    """
    if project != PRESENT:
        return project
    if not desk.project:
        raise InvalidArgumentError(
            f"project: there is no present one ({one_line(desk.present.source)});"
            " list_projects shows their names"
        )
    return desk.project


def project_of_save(desk: Desk, project: str) -> str:
    """The project that a save belongs to: the present one unless another is named, or ``-``."""
    if project == NO_PROJECT:
        return ""
    return desk.project if project in ("", PRESENT) else project
