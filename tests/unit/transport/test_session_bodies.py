"""Missing bodies: asked of whoever may have them, and taken from nobody who was not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.errors import BadCommitmentError
from kioku.transport.holdings import Body
from kioku.transport.limits import Limits
from kioku.transport.message import BodiesAnswer, BodiesQuery, End, HeadsAnswer, Part, decode
from tests.property.paper import PaperHoldings, event_at, log_ids
from tests.property.wires import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kioku.log.event import EventId
    from kioku.transport.session import Ask

LOG = log_ids(1)[0]
DONE = End("done").encode()


class Gaps(PaperHoldings):
    """Lacks the bodies of the first ``count`` events."""

    def __init__(self, count: int) -> None:
        super().__init__({LOG: 5_000})
        self.gaps = {event_at(LOG, seq) for seq in range(1, count + 1)}

    def missing(self, limit: int) -> list[EventId]:
        return sorted(self.gaps, key=lambda event: -event.seq)[:limit]

    def supply(self, bodies: Sequence[Body]) -> int:
        if any(body.body == b"another" for body in bodies):
            raise BadCommitmentError("the body is not the one it commits to")
        named = {body.event for body in bodies}
        assert named <= self.gaps, "only what lacks is supplied, and once"
        self.gaps -= named
        return len(named)


class Rich(PaperHoldings):
    """Has all bodies, of ``body_bytes``."""

    def bodies(self, events: Sequence[EventId]) -> list[Body]:
        return [Body(event, bytes(16), self.body) for event in events]


def level(
    ask: Ask, ours: PaperHoldings, reply: Callable[[BodiesQuery], list[bytes]]
) -> list[bytes]:
    question = decode(ask.data)
    if isinstance(question, BodiesQuery):
        return reply(question)
    heads = Part("", tuple(ours.heads("")), None)
    return [HeadsAnswer((heads,), True, ours.digest()).encode(), DONE]


def asked_for(wire: Wire) -> list[int]:
    questions = (decode(ask.data) for ask in wire.asks)
    return [len(one.events) for one in questions if isinstance(one, BodiesQuery)]


def test_all_missing_bodies_are_asked_for_the_newest_first() -> None:
    ours = Gaps(2_000)
    wire = Wire(ours, Rich({LOG: 5_000}, body_bytes=100))
    outcome = wire.run()
    assert outcome.new_bodies == 2_000
    assert not ours.gaps
    first = decode(wire.asks[1].data)
    assert isinstance(first, BodiesQuery)
    assert {event.seq for event in first.events} == set(range(1_937, 2_001))
    assert asked_for(wire)[:4] == [64, 128, 256, 256]


def test_bodies_that_did_not_fit_are_asked_for_again() -> None:
    ours = Gaps(40)
    outcome = Wire(ours, Rich({LOG: 5_000}, body_bytes=400_000)).run()
    assert outcome.new_bodies == 40


def test_a_peer_without_bodies_is_not_asked_for_all_of_them() -> None:
    ours = Gaps(4_000)
    wire = Wire(ours, PaperHoldings({LOG: 5_000}))
    assert wire.run().new_bodies == 0
    assert 1_024 <= sum(asked_for(wire)) < 1_024 + 256


def test_another_session_asks_for_others() -> None:
    """As chance has it, so that none is forgotten behind those that never come."""
    seen: set[EventId] = set()
    for seed in range(12):
        wire = Wire(Gaps(2_000), PaperHoldings({LOG: 5_000}), seed=seed)
        wire.run()
        for ask in wire.asks:
            question = decode(ask.data)
            if isinstance(question, BodiesQuery):
                seen.update(question.events)
    assert len(seen) == 2_000


def test_a_body_that_was_not_asked_for_is_not_taken() -> None:
    ours = Gaps(3)
    other = Body(event_at(LOG, 9), bytes(16), b"text")

    def reply(question: BodiesQuery) -> list[bytes]:
        return [BodiesAnswer((other,)).encode(), DONE]

    wire = Wire(ours, spoil=lambda ask, _: level(ask, ours, reply))
    assert wire.run().new_bodies == 0
    assert wire.session.statistics().hostile == 1


def test_bodies_that_come_twice_are_taken_once() -> None:
    ours = Gaps(3)
    double = Rich({LOG: 5_000})
    wire = Wire(ours, double, spoil=lambda _, replies: [r for one in replies for r in (one, one)])
    assert wire.run().new_bodies == 3
    assert wire.session.statistics().hostile == 0


def test_a_peer_that_gives_other_bodies_is_left() -> None:
    """However often it says that there are more."""
    ours = Gaps(3)

    def reply(question: BodiesQuery) -> list[bytes]:
        false = tuple(Body(event, bytes(16), b"another") for event in question.events)
        return [BodiesAnswer(false).encode(), End("credit").encode()]

    wire = Wire(ours, spoil=lambda ask, _: level(ask, ours, reply))
    outcome = wire.run()
    assert outcome.is_level
    assert outcome.new_bodies == 0
    assert len(wire.asks) < 6


def test_a_peer_that_cuts_each_answer_of_bodies_is_left() -> None:
    ours = Gaps(3)
    limits = Limits(cuts_max=1)
    wire = Wire(ours, spoil=lambda ask, _: level(ask, ours, lambda _: []), limits=limits)
    assert wire.run().problem == "did not answer"
    assert len(wire.asks) == 3
