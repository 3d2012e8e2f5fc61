"""Two replicas and a wire between them that a test may let lose, double, swap, cut and spoil.

The wire carries a session's questions to the other side's answers and nothing else: no threads, no
clock. What it does to each stream of replies is a list of bytes in, a list of bytes out; without an
answerer, that alone makes the replies.
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
        answerer: Any = None,
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
        self.waits = 0
        self._waiting: deque[Ask] = deque()

    @property
    def bytes(self) -> int:
        """All that went over the wire, both ways."""
        return sum(len(ask.data) for ask in self.asks) + sum(map(len, self.replies))

    @property
    def kinds(self) -> list[str]:
        """What was asked, in order."""
        return [ask.kind for ask in self.asks]

    def run(self) -> Outcome:
        """Carry everything until the session has an outcome."""
        self._note(self.session.begin(NOW_MS))
        for _ in range(STEPS_MAX):
            if self.session.outcome is not None:
                return self.session.outcome
            assert self._waiting, "the session waits for nothing"
            self.waits += 1
            for _ in range(len(self._waiting)):
                self._carry(self._waiting.popleft())
        raise AssertionError("the session does not end")

    def _carry(self, ask: Ask) -> None:
        replies = [] if self.answerer is None else list(answer(self.answerer, ask.data))
        for reply in self.spoil(ask, replies):
            self.replies.append(reply)
            self._note(self.session.receive(ask.request_id, reply, NOW_MS))
        self._note(self.session.finish(ask.request_id, "", NOW_MS))

    def _note(self, asks: list[Ask]) -> None:
        self.asks += asks
        self._waiting += asks


def holdings_of(replica: Replica, now_ms: int = NOW_MS) -> ReplicaHoldings:
    return ReplicaHoldings(replica, lambda: now_ms)


def pull(asker: Replica, answerer: Replica, *, now_ms: int = NOW_MS) -> Outcome:
    """One undisturbed session."""
    return Wire(holdings_of(asker, now_ms), holdings_of(answerer, now_ms)).run()


class BadWire:
    """Spoils the replies to about every second question, by seeded chance."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._before: list[bytes] = [b"\x83\x0b\x01"]
        self.done: set[str] = set()

    def __call__(self, _: Ask, replies: list[bytes]) -> list[bytes]:
        named = {
            "lose": self._lose,
            "cut": self._cut,
            "double": self._double,
            "swap": self._swap,
            "flip": self._flip,
            "insert": self._insert,
        }
        name = self._rng.choice([*named, *["leave"] * len(named)])
        self.done.add(name)
        spoilt = named[name](list(replies)) if name in named else list(replies)
        self._before += replies[:2]
        return spoilt

    def _lose(self, replies: list[bytes]) -> list[bytes]:
        del replies[self._rng.randrange(len(replies))]
        return replies

    def _cut(self, replies: list[bytes]) -> list[bytes]:
        return replies[: self._rng.randrange(len(replies))]

    def _double(self, replies: list[bytes]) -> list[bytes]:
        at = self._rng.randrange(len(replies))
        return [*replies[: at + 1], *replies[at:]]

    def _swap(self, replies: list[bytes]) -> list[bytes]:
        self._rng.shuffle(replies)
        return replies

    def _flip(self, replies: list[bytes]) -> list[bytes]:
        at = self._rng.randrange(len(replies))
        spoilt = bytearray(replies[at])
        spoilt[self._rng.randrange(len(spoilt))] ^= 1 << self._rng.randrange(8)
        replies[at] = bytes(spoilt)
        return replies

    def _insert(self, replies: list[bytes]) -> list[bytes]:
        what = self._rng.choice([self._rng.randbytes(20), *self._before[-8:]])
        replies.insert(self._rng.randrange(len(replies) + 1), what)
        return replies
