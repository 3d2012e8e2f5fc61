"""Two replicas and a wire between them that a test may let lose, double, swap, cut and spoil.

The wire carries a session's questions to the other side's answers and nothing else: no threads, no
clock. What it does to each stream of replies is a list of bytes in, a list of bytes out.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any

from kioku.node.holdings import ReplicaHoldings
from kioku.transport.answering import answer
from kioku.transport.limits import DEFAULT_LIMITS
from kioku.transport.session import Ask, Outcome, Session
from tests.property.histories import NOW_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kioku.log.event import EventId
    from kioku.replica import Replica
    from kioku.transport.limits import Limits

STEPS_MAX = 100_000


def unspoilt(_: Ask, replies: list[bytes]) -> list[bytes]:
    return replies


class Wire:
    """A session of ``asker``, and the peer that answers it."""

    def __init__(
        self,
        asker: Any,
        answerer: Any,
        *,
        spoil: Callable[[Ask, list[bytes]], Iterable[bytes]] = unspoilt,
        refused: Collection[EventId] = (),
        limits: Limits = DEFAULT_LIMITS,
        seed: int = 0,
    ) -> None:
        self.session = Session(asker, rng=Random(seed), refused=refused, limits=limits)
        self.answerer = answerer
        self.spoil = spoil
        self.asks: list[Ask] = []
        self.replies: list[bytes] = []
        self._waiting: deque[Ask] = deque()

    @property
    def bytes(self) -> int:
        """All that went over the wire, both ways."""
        return sum(len(ask.data) for ask in self.asks) + sum(map(len, self.replies))

    def run(self) -> Outcome:
        """Carry everything until the session has an outcome."""
        self._note(self.session.begin(NOW_MS))
        for _ in range(STEPS_MAX):
            if self.session.outcome is not None:
                return self.session.outcome
            ask = self._waiting.popleft()
            for reply in self.spoil(ask, list(answer(self.answerer, ask.data))):
                self.replies.append(reply)
                self._note(self.session.receive(ask.request_id, reply, NOW_MS))
            self._note(self.session.finish(ask.request_id, "", NOW_MS))
        raise AssertionError("the session does not end")

    def _note(self, asks: list[Ask]) -> None:
        self.asks += asks
        self._waiting += asks


def holdings_of(replica: Replica, now_ms: int = NOW_MS) -> ReplicaHoldings:
    return ReplicaHoldings(replica, lambda: now_ms)


def pull(asker: Replica, answerer: Replica, *, now_ms: int = NOW_MS) -> Outcome:
    """One undisturbed session."""
    return Wire(holdings_of(asker, now_ms), holdings_of(answerer, now_ms)).run()
