"""A session and replies that belong nowhere, come twice, too late or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kioku.transport.answering import answer
from kioku.transport.holdings import Body, Place
from kioku.transport.message import (
    BodiesAnswer,
    ChunkReply,
    End,
    HashesAnswer,
    HeadsAnswer,
    HeadsQuery,
    Live,
    Part,
    RangeQuery,
    decode,
)
from tests.property.histories import NOW_MS
from tests.property.paper import PaperHoldings, event_at, log_ids
from tests.property.wires import Wire
from tests.unit.transport.scripted import (
    DIGEST,
    DONE,
    LOGS,
    chunk_of,
    heads_of,
    ranges_of,
)

if TYPE_CHECKING:
    from kioku.transport.session import Ask

# -- replies that belong nowhere


def test_a_reply_to_no_question_changes_nothing_but_a_counter() -> None:
    ours = PaperHoldings({})
    wire = Wire(ours, PaperHoldings({LOGS[0]: 5}))
    (ask,) = wire.session.begin(NOW_MS)
    assert wire.session.receive(ask.request_id + 1, heads_of()[0], NOW_MS) == []
    assert wire.session.finish(ask.request_id + 1, "", NOW_MS) == []
    counted = wire.session.statistics()
    assert (counted.useless, counted.hostile, counted.bytes_in) == (1, 0, 0)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00",
        b"\x83\x0b\x01",
        Live(b"chunk").encode(),
        HashesAnswer(None).encode(),
        ChunkReply(chunk_of(LOGS[1], 3)).encode(),
        ChunkReply(b"no chunk").encode(),
        ChunkReply(chunk_of(LOGS[0], 9)).encode(),
        BodiesAnswer((Body(event_at(LOGS[0], 1), bytes(16), b""),)).encode(),
        bytes.fromhex("83186301f5"),
    ],
)
def test_a_reply_that_answers_something_else_is_counted_and_ignored(reply: bytes) -> None:
    """Garbage, another message, another log, past the goal, a type to come; the rest is taken."""
    ours, theirs = PaperHoldings({}), PaperHoldings({LOGS[0]: 5})

    def insert(ask: Ask, replies: list[bytes]) -> list[bytes]:
        return [reply, *replies] if ask.kind == "range" else replies

    wire = Wire(ours, theirs, spoil=insert)
    outcome = wire.run()
    assert outcome.is_level
    assert ours.lengths == theirs.lengths
    assert wire.session.statistics().hostile == 1


def test_what_comes_twice_is_counted_and_not_ingested_again() -> None:
    ours, theirs = PaperHoldings({}), PaperHoldings({LOGS[0]: 2_000})
    wire = Wire(ours, theirs, spoil=lambda _, replies: [r for one in replies for r in (one, one)])
    assert wire.run().is_level
    counted = wire.session.statistics()
    assert counted.hostile == 0
    assert counted.useless > 4
    chunks = {message for message in map(decode, wire.replies) if isinstance(message, ChunkReply)}
    assert ours.chunk_bytes == sum(len(chunk.data) for chunk in chunks)


def test_heads_of_what_was_not_asked_are_ignored() -> None:
    def answer_other(ask: Ask, _: list[bytes]) -> list[bytes]:
        part = Part("ab", (), None)
        return [HeadsAnswer((part,), True, DIGEST).encode(), DONE]

    wire = Wire(PaperHoldings({}), spoil=answer_other)
    outcome = wire.run()
    assert outcome.problem == "left out what was asked for"
    assert not outcome.is_compared
    assert not outcome.is_level
    assert len(wire.asks) == 3


# -- credit, order, the end


def test_chunks_over_the_credit_are_not_taken() -> None:
    """They are the peer's fault; what fits is kept, and asked on from there."""
    ours = PaperHoldings({})
    goal = event_at(LOGS[0], 40_000)
    theirs = PaperHoldings({LOGS[0]: goal.seq}, body_bytes=400)

    def pour(ask: Ask, replies: list[bytes]) -> list[bytes]:
        question = decode(ask.data)
        if isinstance(question, RangeQuery):
            everything = question._replace(credit_bytes=1 << 40)
            return list(answer(theirs, everything.encode(), credit_bytes=1 << 40))
        return replies

    wire = Wire(ours, theirs, spoil=pour)
    assert wire.run().is_level
    assert wire.session.statistics().hostile >= 2
    assert all(question.credit_bytes <= 4 << 20 for question in ranges_of(wire))


def test_a_lost_chunk_is_asked_for_again_and_those_behind_it_not_taken() -> None:
    ours, theirs = PaperHoldings({}), PaperHoldings({LOGS[0]: 3_000})
    has_lost = False

    def lose_second(ask: Ask, replies: list[bytes]) -> list[bytes]:
        nonlocal has_lost
        if ask.kind == "range" and not has_lost:
            has_lost = True
            return [replies[0], *replies[2:]]
        return replies

    wire = Wire(ours, theirs, spoil=lose_second)
    assert wire.run().is_level
    second = ranges_of(wire)[1]
    assert second.after == Place(*event_at(LOGS[0], 500)[1:])


@pytest.mark.parametrize("kind", ["heads", "range"])
def test_an_answer_without_its_end_means_unknown_and_is_asked_for_again(kind: str) -> None:
    """Also where all chunks came: then the store says that nothing is left."""
    theirs = PaperHoldings({LOGS[0]: 5})
    cut: list[Ask] = []

    def lose_once(ask: Ask, replies: list[bytes]) -> list[bytes]:
        if ask.kind == kind and not cut:
            cut.append(ask)
            return []
        return replies

    wire = Wire(PaperHoldings({}), theirs, spoil=lose_once)
    assert wire.run().is_level
    assert wire.kinds.count(kind) == 2
    assert wire.session.statistics().cuts == 1


def test_a_peer_that_does_not_answer_is_left() -> None:
    wire = Wire(PaperHoldings({}), spoil=lambda *_: [])
    outcome = wire.run()
    assert outcome.problem == "did not answer"
    assert len(wire.asks) == 3
    assert (outcome.is_level, outcome.is_compared, outcome.erased) == (False, False, False)


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("refused", "refused to answer"),
        ("malformed", "did not understand the question"),
        ("version", "speaks another version of the protocol"),
        ("unknown", "gave no answer that could be used"),
    ],
)
def test_a_peer_that_will_not_compare_is_left_at_once(status: Any, problem: str) -> None:
    wire = Wire(PaperHoldings({}), spoil=lambda *_: [End(status).encode()])
    assert wire.run().problem == problem
    assert len(wire.asks) == 1


def test_an_event_larger_than_the_credit_is_asked_for_with_all_of_it() -> None:
    theirs = PaperHoldings({LOGS[0]: 1, LOGS[1]: 1}, body_bytes=1_500_000)
    wire = Wire(PaperHoldings({}), theirs)
    assert wire.run().is_level
    assert max(question.credit_bytes for question in ranges_of(wire)) == 4 << 20


def test_the_newest_log_is_fetched_first() -> None:
    theirs = PaperHoldings({LOGS[0]: 10, LOGS[1]: 30, LOGS[2]: 20})
    wire = Wire(PaperHoldings({}), theirs)
    wire.run()
    assert [question.goal.seq for question in ranges_of(wire)] == [30, 20, 10]


def test_a_busy_peer_is_asked_less_at_once_and_not_left() -> None:
    """It drops all but two questions of those that come together, as one with a full queue does."""
    logs = log_ids(60)
    together: list[int] = []

    def drop(ask: Ask, replies: list[bytes]) -> list[bytes]:
        if len(together) < wire.waits:
            together.append(0)
        together[-1] += 1
        return replies if together[-1] <= 2 else []

    wire = Wire(PaperHoldings({}), PaperHoldings(dict.fromkeys(logs, 5)), spoil=drop)
    assert wire.run().is_level
    assert wire.session.statistics().cuts < len(logs)
    assert together[2] == 8
    assert max(together[3:]) <= 6


def test_a_question_longer_than_any_can_be_is_not_read() -> None:
    question = HeadsQuery(("",)).encode()
    (reply,) = answer(PaperHoldings({}), question + bytes(1 << 20))
    assert decode(reply) == End("malformed")
