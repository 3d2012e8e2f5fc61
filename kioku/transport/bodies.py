"""Asking a peer for bodies that should be here and are not: absence is a gap, never an erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import BadCommitmentError, MalformedMessageError
from kioku.transport.limits import BODIES_MAX
from kioku.transport.message import BodiesAnswer, BodiesQuery

if TYPE_CHECKING:
    import random

    from kioku.log.event import EventId
    from kioku.transport.holdings import Holdings
    from kioku.transport.limits import Limits
    from kioku.transport.message import EndStatus, Message

_FIRST_BATCH: Final = 64


class BodiesPull:
    """The questions for missing bodies, the newest first, then the others in chance order.

    A peer that has none costs ``bodies_max`` names at most: those that it was not asked for come
    up in another session, as chance has it.
    """

    kind: Final = "bodies"

    def __init__(self, holdings: Holdings, rng: random.Random, limits: Limits) -> None:
        self._holdings = holdings
        self._limits = limits
        events = holdings.missing(limits.missing_max)
        others = events[_FIRST_BATCH:]
        rng.shuffle(others)
        self._waiting = [*events[:_FIRST_BATCH], *others]
        self._asked: set[EventId] = set()
        self._question: frozenset[EventId] = frozenset()
        self._batch = _FIRST_BATCH
        self._vain = 0
        self._idle_asks = 0
        self._has_brought = False
        self.new_bodies = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to ask, or the peer has brought nothing for long."""
        if self._vain >= self._limits.bodies_max or self._idle_asks > self._limits.cuts_max:
            return True
        return not (self._waiting or self._asked)

    def query(self) -> bytes:
        """Give the next question; again what was asked, where no answer came."""
        if not self._asked:
            self._asked = set(self._waiting[: self._batch])
            del self._waiting[: self._batch]
            self._batch = min(2 * self._batch, BODIES_MAX)
        self._has_brought = False
        self._question = frozenset(self._asked)
        return BodiesQuery(tuple(sorted(self._asked))).encode()

    def receive(self, message: Message) -> bool:
        """Take bodies; gives whether they were of any use.

        Raises:
            PeerError: if they are not those that were asked for; none was stored.
        """
        if not isinstance(message, BodiesAnswer):
            raise MalformedMessageError("not an answer of bodies")
        named = {body.event for body in message.bodies}
        if not named.issubset(self._question):
            raise MalformedMessageError("bodies that were not asked for")
        if not named.issubset(self._asked):
            return False
        try:
            self.new_bodies += self._holdings.supply(message.bodies)
        except BadCommitmentError:
            self._idle_asks += 1
            raise
        self._asked -= named
        self._has_brought = True
        self._vain = 0
        return True

    def end(self, status: EndStatus) -> None:
        """Note that the answers are complete: what was left out is not there."""
        if status == "credit" and self._has_brought:
            return
        self._vain += len(self._asked)
        self._asked.clear()
        self._idle_asks = 0

    def cut(self) -> None:
        """Note that no more comes, and it was not complete."""
        self._idle_asks = 0 if self._has_brought else self._idle_asks + 1
