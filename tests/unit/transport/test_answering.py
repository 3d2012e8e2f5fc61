"""What a replica answers to a question, whoever asks and whatever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kioku.transport.answering import answer
from kioku.transport.holdings import Body, Head, Place
from kioku.transport.message import (
    BodiesAnswer,
    BodiesQuery,
    ChunkReply,
    End,
    HashesAnswer,
    HashesQuery,
    HeadsAnswer,
    HeadsQuery,
    RangeQuery,
    decode,
)
from tests.property.paper import PaperHoldings, event_at, log_ids
from tests.vectors.messages import LATER_PROTOCOL, UNKNOWN_TYPE, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.log.event import EventId
    from kioku.transport.message import Message

LOG = log_ids(1)[0]
DONE = End("done")


def asked(holdings: PaperHoldings, question: Message, credit_bytes: int = 4 << 20) -> list[Message]:
    replies = answer(holdings, question.encode(), credit_bytes=credit_bytes)
    return [decode(reply) for reply in replies]


def ended(holdings: PaperHoldings, data: bytes) -> list[str]:
    told: list[str] = []
    (reply,) = answer(holdings, data, ended=told.append)
    assert decode(reply) == End(told[0])  # type: ignore[arg-type]  # what it was told
    return told


class Growing(PaperHoldings):
    """Its frontier changes while it is asked."""

    def digest(self) -> bytes:
        self.grow(LOG, 1)
        return super().digest()


class Forked(PaperHoldings):
    """Every event of its logs is a tip."""

    def count_tips(self, prefix: str) -> int:
        return sum(self.lengths.values())

    def heads(self, prefix: str) -> list[Head]:
        ends = self.lengths.items()
        return sorted(Head(event_at(log, n), n) for log, end in ends for n in range(1, end + 1))


class WithBodies(PaperHoldings):
    """Every even event has its body here, of ``body_bytes``."""

    asked_at_once = 0

    def bodies(self, events: Sequence[EventId]) -> list[Body]:
        self.asked_at_once = max(self.asked_at_once, len(events))
        return [Body(event, bytes(16), self.body) for event in events if event.seq % 2 == 0]


class Erasing(WithBodies):
    """What an answer is made of is read anew each time; ``erased`` seqs have no body any more."""

    erased = 1 << 63

    def bodies(self, events: Sequence[EventId]) -> list[Body]:
        return super().bodies([event for event in events if event.seq < self.erased])


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x83\x03\x01", b"\xff" * 100, bytes(5 << 20)])
def test_a_question_that_cannot_be_read_is_told_so(data: bytes) -> None:
    assert ended(PaperHoldings({LOG: 5}), data) == ["malformed"]


def test_a_question_of_a_later_protocol_is_answered_in_ours() -> None:
    assert ended(PaperHoldings({LOG: 5}), LATER_PROTOCOL) == ["version"]


@pytest.mark.parametrize("name", ["beacon", "live", "chunk", "end: done", "spaces answer"])
def test_what_is_no_question_is_refused(name: str) -> None:
    assert ended(PaperHoldings({LOG: 5}), messages()[name].encode()) == ["refused"]


def test_a_question_of_an_unknown_type_is_refused() -> None:
    assert ended(PaperHoldings({LOG: 5}), UNKNOWN_TYPE) == ["refused"]


@pytest.mark.parametrize(("tips", "is_listed"), [(0, True), (32, True), (33, False)])
def test_up_to_32_tips_are_listed(tips: int, is_listed: bool) -> None:
    holdings = PaperHoldings(dict.fromkeys(log_ids(tips), 3))
    heads, end = asked(holdings, HeadsQuery(("",)))
    assert isinstance(heads, HeadsAnswer)
    assert heads.digest == holdings.digest()
    assert heads.erased
    (part,) = heads.parts
    assert (part.heads is not None) == is_listed
    assert (part.sums is None) == is_listed
    assert end == DONE


def test_one_logs_tips_are_listed_whatever_their_number() -> None:
    """There is no digit left to sum by; a store that holds too many says no more than it may."""
    heads, _ = asked(Forked({LOG: 50}), HeadsQuery((LOG.hex(),)))
    assert isinstance(heads, HeadsAnswer)
    assert len(heads.parts[0].heads or ()) == 32


def test_a_frontier_that_moves_gives_no_receipt() -> None:
    """The heads are those of one moment, the digest that of another."""
    heads, _ = asked(Growing({LOG: 3}), HeadsQuery(("",)))
    assert isinstance(heads, HeadsAnswer)
    assert not heads.erased


def test_hashes_on_the_way_are_given() -> None:
    holdings = PaperHoldings({LOG: 9})
    here, end = asked(holdings, HashesQuery(event_at(LOG, 9), (3, 7)))
    assert here == HashesAnswer((Place(*event_at(LOG, 3)[1:]), Place(*event_at(LOG, 7)[1:])))
    assert end == DONE
    absent, _ = asked(holdings, HashesQuery(event_at(LOG, 10), (3, 7)))
    assert absent == HashesAnswer(None)


def test_a_range_that_is_not_here_is_unknown() -> None:
    holdings = PaperHoldings({LOG: 9})
    elsewhere = Place(3, bytes(32))
    assert asked(holdings, RangeQuery(event_at(LOG, 10), None, 1 << 20)) == [End("unknown")]
    assert asked(holdings, RangeQuery(event_at(LOG, 9), elsewhere, 1 << 20)) == [End("unknown")]


def test_a_range_ends_with_its_credit() -> None:
    """Whole chunks only, never more than was asked for or than is given at most."""
    holdings = PaperHoldings({LOG: 5_000})
    question = RangeQuery(event_at(LOG, 5_000), None, 1 << 40)
    everything = asked(holdings, question)
    assert everything[-1] == DONE
    sizes = [len(reply.data) for reply in everything if isinstance(reply, ChunkReply)]
    assert len(sizes) == 10
    for credit_bytes in (0, sizes[0] - 1, sizes[0], sizes[0] + 1, sum(sizes) - 1):
        for limited in (
            asked(holdings, question._replace(credit_bytes=credit_bytes)),
            asked(holdings, question, credit_bytes=credit_bytes),
        ):
            *chunks, end = limited
            assert end == End("credit")
            assert chunks == everything[: len(chunks)]
            sent = sum(sizes[: len(chunks)])
            assert sent <= credit_bytes < sent + sizes[len(chunks)]


def test_chunks_are_read_as_they_are_taken() -> None:
    """A peer that goes away costs what it was sent."""
    holdings = PaperHoldings({LOG: 5_000})
    replies = answer(holdings, RangeQuery(event_at(LOG, 5_000), None, 1 << 20).encode())
    first = decode(next(replies))
    assert isinstance(first, ChunkReply)
    replies.close()  # type: ignore[attr-defined]  # a generator


@pytest.mark.parametrize("body_bytes", [0, 10, 100_000])
def test_bodies_that_are_here_are_given_in_small_messages(body_bytes: int) -> None:
    holdings = WithBodies({LOG: 40}, body_bytes=body_bytes)
    events = tuple(sorted(event_at(LOG, seq) for seq in range(1, 41)))
    *answers, end = asked(holdings, BodiesQuery(events))
    assert end == DONE
    found = [body for one in answers if isinstance(one, BodiesAnswer) for body in one.bodies]
    assert [body.event for body in found] == [event for event in events if event.seq % 2 == 0]
    assert all(len(one.encode()) <= 256 * 1024 for one in answers)
    assert holdings.asked_at_once <= 4


@pytest.mark.parametrize("body_bytes", [60_000, 90_000, 130_000, 300_000])
def test_a_body_that_is_erased_between_two_answers_is_not_given(body_bytes: int) -> None:
    holdings = Erasing({LOG: 40}, body_bytes=body_bytes)
    events = tuple(sorted(event_at(LOG, seq) for seq in range(1, 41)))
    answers = answer(holdings, BodiesQuery(events).encode())
    first = decode(next(answers))
    assert isinstance(first, BodiesAnswer)
    holdings.erased = first.bodies[-1].event.seq + 1
    assert [decode(one) for one in answers] == [DONE]


def test_bodies_end_with_their_credit() -> None:
    holdings = WithBodies({LOG: 40}, body_bytes=1_000_000)
    events = tuple(sorted(event_at(LOG, seq) for seq in range(1, 41)))
    *answers, end = asked(holdings, BodiesQuery(events))
    assert end == End("credit")
    assert sum(len(one.encode()) for one in answers) <= 4 << 20
    assert len(answers) == 4


def test_nothing_is_given_of_bodies_that_are_not_here() -> None:
    assert asked(PaperHoldings({LOG: 4}), BodiesQuery((event_at(LOG, 1),))) == [DONE]
