"""Finding where the way to a peer's tip leaves what is held here, by halving with hashes.

Whoever holds an event holds all before it. So along the way to a goal "held" is true up to the
split and false past it, and asking for up to 32 places at once leaves a 33rd of the way: a split in
a million events is found with four questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.errors import MalformedMessageError
from kioku.log.event import EventId
from kioku.transport.limits import SEQS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kioku.transport.holdings import Place


class SplitSearch:
    """The search for the last event on the way to ``goal`` that is held here."""

    def __init__(self, goal: EventId, holds: Callable[[EventId], bool]) -> None:
        self._goal = goal
        self._holds = holds
        self._held = 0
        self._past = goal.seq
        self.split: EventId | None = None

    @property
    def is_done(self) -> bool:
        """Whether ``split`` is known; it is None then if nothing of the way is held."""
        return self._past - self._held <= 1

    def seqs(self) -> tuple[int, ...]:
        """Give the seqs to ask for: all that are open, or 32 that cut them in equal parts."""
        low, high = self._held, self._past
        if high - low - 1 <= SEQS_MAX:
            return tuple(range(low + 1, high))
        return tuple(low + (high - low) * n // (SEQS_MAX + 1) for n in range(1, SEQS_MAX + 1))

    def take(self, places: Sequence[Place]) -> None:
        """Take what stands at the seqs that were asked for.

        Raises:
            MalformedMessageError: if they are other ones, or fewer.
        """
        if tuple(place.seq for place in places) != self.seqs():
            raise MalformedMessageError("hashes of other events than were asked for")
        for place in places:
            event = EventId(self._goal.log_id, *place)
            if not self._holds(event):
                self._past = place.seq
                return
            self._held, self.split = place.seq, event
