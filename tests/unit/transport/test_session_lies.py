"""A session and a peer that lies: nothing but a counter changes, and it ends."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from kioku.log.chunk import MESSAGE_BYTES_MAX
from kioku.log.event import EventId
from kioku.transport.holdings import Head, Place
from kioku.transport.limits import Limits
from kioku.transport.message import (
    End,
    HashesAnswer,
    HashesQuery,
    HeadsAnswer,
    HeadsQuery,
    Part,
    decode,
)
from tests.property.paper import PaperHoldings, event_at, log_ids
from tests.property.wires import Wire
from tests.unit.transport.scripted import (
    DONE,
    LOGS,
    OTHER_DIGEST,
    scripted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.transport.message import Message
    from kioku.transport.session import Ask

# -- peers that lie


def test_a_peer_that_gives_nothing_of_what_it_states_is_left() -> None:
    """Thirty-two logs at a time, for ever: the session ends all the same."""

    def state_more(ask: Ask, _: list[bytes]) -> list[bytes]:
        question = decode(ask.data)
        if not isinstance(question, HeadsQuery):
            return [End("unknown").encode()]
        parts = []
        for prefix in question.prefixes:
            if len(prefix) < 2:
                parts.append(Part(prefix, None, (b"\x07" * 16,) * 16))
                continue
            first = int(prefix.ljust(32, "0"), 16)
            made = [EventId((first + n).to_bytes(16, "big"), 9, bytes(32)) for n in range(32)]
            parts.append(Part(prefix, tuple(Head(tip, 1) for tip in made), None))
        return [HeadsAnswer(tuple(parts), True, OTHER_DIGEST).encode(), DONE]

    wire = Wire(PaperHoldings({}), spoil=state_more)
    outcome = wire.run()
    assert outcome.problem == "offers events that it does not give"
    assert outcome.is_compared
    assert not outcome.is_level
    assert len(wire.asks) < 100


def test_a_peer_whose_sums_always_differ_is_left() -> None:
    def differ(ask: Ask, _: list[bytes]) -> list[bytes]:
        question = decode(ask.data)
        assert isinstance(question, HeadsQuery)
        assert len(wire.asks) < 200, "it does not end"
        parts = [Part(prefix, None, (b"\x07" * 16,) * 16) for prefix in question.prefixes]
        return [HeadsAnswer(tuple(parts), True, OTHER_DIGEST).encode(), DONE]

    wire = Wire(PaperHoldings({}), spoil=differ)
    assert "more prefixes than a space can have" in wire.run().problem


def test_a_peer_that_states_too_many_tips_is_left() -> None:
    theirs = PaperHoldings(dict.fromkeys(log_ids(400), 1))
    outcome = Wire(PaperHoldings({}), theirs, limits=Limits(heads_max=300)).run()
    assert outcome.problem == "a peer states over 300 tips"
    assert outcome.new_events == 0


def test_a_goal_that_is_never_reached_is_given_up() -> None:
    """The peer says done each time, and sends nothing."""
    wire = Wire(PaperHoldings({}), spoil=scripted(lambda _: [DONE], event_at(LOGS[0], 1 << 62)))
    outcome = wire.run()
    assert not outcome.is_level
    assert outcome.events_left == 1 << 62
    assert len(wire.asks) < 50


def test_a_split_that_is_never_found_is_given_up() -> None:
    """We hold a long log, and the peer states another end of it, and invents hashes of the way."""

    def invent(question: Message) -> list[bytes]:
        if not isinstance(question, HashesQuery):
            return [End("unknown").encode()]
        places = tuple(Place(seq, b"\x99" * 32) for seq in question.seqs)
        return [HashesAnswer(places).encode(), DONE]

    ours = PaperHoldings({LOGS[0]: 1_000})
    goal = EventId(LOGS[0], (1 << 63) - 1, b"\x88" * 32)
    wire = Wire(ours, spoil=scripted(invent, goal))
    outcome = wire.run()
    assert not outcome.is_level
    assert ours.lengths == {LOGS[0]: 1_000}
    assert len(wire.asks) < 50


@pytest.mark.parametrize(
    "places",
    [(), (Place(1, bytes(32)),), tuple(Place(seq, bytes(32)) for seq in range(1, 33))],
)
def test_hashes_that_were_not_asked_for_are_ignored(places: tuple[Place, ...]) -> None:
    ours = PaperHoldings({LOGS[0]: 1_000})

    def reply(question: Message) -> list[bytes]:
        return [HashesAnswer(places).encode(), DONE]

    wire = Wire(ours, spoil=scripted(reply, EventId(LOGS[0], 900, b"\x88" * 32)))
    assert not wire.run().is_level
    assert wire.session.statistics().hostile > 0
    assert len(wire.asks) < 50


def test_credit_that_is_never_enough_is_given_up() -> None:
    credit = End("credit").encode()
    wire = Wire(PaperHoldings({}), spoil=scripted(lambda _: [credit], event_at(LOGS[0], 7)))
    assert not wire.run().is_level
    assert wire.kinds.count("range") == 2


def test_a_flood_takes_no_memory_and_ends() -> None:
    """Four MiB a reply, without end, of what decodes into as many parts as possible."""
    bomb = b"\x83\x04\x01\x9a" + (MESSAGE_BYTES_MAX - 8).to_bytes(4, "big")
    bomb += b"\x80" * (MESSAGE_BYTES_MAX - len(bomb))

    def flood(*_: object) -> Iterator[bytes]:
        return itertools.repeat(bomb, 40)

    wire = Wire(PaperHoldings({}), spoil=flood, limits=Limits(idle_replies_max=3))
    tracemalloc.start()
    try:
        outcome = wire.run()
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outcome.problem == "gave no answer that could be used"
    assert peak_bytes < 4 << 20
    assert wire.session.statistics().bytes_in == 3 * 4 * len(bomb)


def test_a_peer_that_sums_one_log_alone_is_left() -> None:
    """There is no digit beyond the last: what would be asked for next is no question."""

    def go_deeper(ask: Ask, _: list[bytes]) -> list[bytes]:
        question = decode(ask.data)
        assert isinstance(question, HeadsQuery)
        sums = (b"\x07" * 16, *[bytes(16)] * 15)
        parts = tuple(Part(prefix, None, sums) for prefix in question.prefixes)
        return [HeadsAnswer(parts, True, OTHER_DIGEST).encode(), DONE]

    wire = Wire(PaperHoldings({}), spoil=go_deeper)
    outcome = wire.run()
    assert outcome.problem == "left out what was asked for"
    assert not outcome.is_compared
    assert wire.session.statistics().hostile == 3
