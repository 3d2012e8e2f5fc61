"""What is here already: the same text again, and what a new one may replace.

Whether something is a duplicate is decided inside the transaction that would save it, so two
processes that save the same at once make one observation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import InvalidArgumentError
from kioku.memory import change, recall
from kioku.memory.synonyms import all_names
from kioku.observation.layout import encode_fields
from kioku.view.likeness import find_near, find_same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from dataclasses import replace

    from kioku.memory.change import Prepared
    from kioku.memory.predecessor import Predecessor
    from kioku.observation import Observation
    from kioku.replica import Reading, Transaction
else:
    from kioku.values import replace

PREDECESSORS_MAX: Final = 10


def save(transaction: Transaction, items: Sequence[Prepared], *, now_ms: int) -> list[Observation]:
    """As ``change.save``, but what says no more than one that is here is given as that one.

    It is marked ``is_duplicate``. Items of one call count for each other, the first is saved.
    """
    saved: list[Observation] = []
    pending: list[Prepared] = []
    for item in items:
        if any(other.observation.content == item.observation.content for other in pending):
            saved += change.save(transaction, pending)  # so that it is found
            pending = []
        same = _find_same(transaction, item.observation, now_ms) if item.is_new else None
        if same is None:
            pending.append(item)
        else:
            saved += [*change.save(transaction, pending), _found(same, item)]
            pending = []
    return saved + change.save(transaction, pending)


def _found(same: Observation, item: Prepared) -> Observation:
    return replace(same, is_duplicate=True, redactions=item.observation.redactions)


def _find_same(reading: Reading, new: Observation, now_ms: int) -> Observation | None:
    """Give the newest live observation of the same content and project that says as much."""
    events = find_same(
        reading.connection,
        new.content,
        projects=_names(reading, new.project, now_ms),
        now_ms=now_ms,
    )
    for event in events:
        found = recall.read_event(reading, event)
        if found is not None and _says_as_much(found.observation, new):
            return found.observation
    return None


def _names(reading: Reading, project: str, now_ms: int) -> tuple[str, ...]:
    """All names of a project: what is saved under one was said under all."""
    return all_names(reading, (project,), now_ms) if project else (project,)


def _says_as_much(known: Observation, new: Observation) -> bool:
    """Whether nothing is lost by not saving ``new``: it replaces no more, and lasts no longer."""
    if not set(new.supersedes) <= {*known.supersedes, known.id}:
        return False
    return known.expires_at is None or (
        new.expires_at is not None and new.expires_at <= known.expires_at
    )


def check_predecessors(content: object, *, project: object, subject: object, limit: object) -> None:
    """Refuse what no observation could say, and a number of results that is none.

    Raises:
        InvalidObservationError, InvalidArgumentError.
    """
    named = {1: content, 2: project, 6: subject}
    encode_fields({key: value for key, value in named.items() if key == 1 or value != ""})
    if limit.__class__ is not int or not 1 <= limit <= PREDECESSORS_MAX:
        raise InvalidArgumentError(f"limit: {limit!r} is not a number from 1 to {PREDECESSORS_MAX}")


def predecessors(
    reading: Reading, content: str, *, project: str, subject: str, limit: int, now_ms: int
) -> list[Predecessor]:
    """Give the observations of a project that ``content`` may replace, the likeliest first."""
    near = find_near(
        reading.connection,
        content,
        subject=subject,
        projects=_names(reading, project, now_ms),
        now_ms=now_ms,
        limit=limit,
    )
    if not near:
        return []
    from kioku.memory.predecessor import Predecessor

    found = [(recall.read_event(reading, event), similarity) for event, similarity in near]
    return [Predecessor(one.observation, similarity) for one, similarity in found if one]
