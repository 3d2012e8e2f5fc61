"""What a session may cost: bytes and round trips, counted exactly, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kioku.transport.message import RangeQuery, decode
from tests.property.paper import PaperHoldings, log_ids
from tests.property.wires import Wire
from tests.simulation.growth import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.log.event import EventId
    from kioku.transport.session import Ask

KIB = 1024


def test_equal_replicas_ask_one_question() -> None:
    ours, theirs = (PaperHoldings(dict.fromkeys(log_ids(10_000), 7)) for _ in range(2))
    wire = Wire(ours, theirs)
    outcome = wire.run()
    assert (outcome.is_level, outcome.round_trips) == (True, 1)
    assert wire.bytes < KIB


def test_one_log_changed_among_ten_thousand_costs_16_kib_and_6_round_trips() -> None:
    cost = measure(10_000, 1)
    assert cost.bytes <= 16 * KIB
    assert cost.questions <= 6


def test_one_log_changed_among_a_hundred_thousand_costs_48_kib() -> None:
    cost = measure(100_000, 1)
    assert cost.bytes <= 48 * KIB
    assert cost.questions <= 7


@pytest.mark.parametrize("events", [1, 3, 40, 2_000])
@pytest.mark.parametrize(("tips", "changed"), [(1, 1), (2, 1), (33, 33), (50, 50), (64, 64)])
def test_missing_events_cost_little_more_than_themselves(
    tips: int, changed: int, events: int
) -> None:
    """Up to 64 logs, all of them changed: 5 % and 8 KiB and 80 bytes a tip more."""
    cost = measure(tips, changed, events=events)
    assert cost.overhead_bytes <= cost.chunk_bytes * 0.05 + 8 * KIB + 80 * min(tips, 64)


def test_a_replica_that_has_nothing_pays_little_more_than_what_it_gets() -> None:
    theirs = PaperHoldings(dict.fromkeys(log_ids(64), 100))
    ours = PaperHoldings({})
    wire = Wire(ours, theirs)
    assert wire.run().is_level
    assert wire.bytes - ours.chunk_bytes <= ours.chunk_bytes * 0.05 + 8 * KIB + 80 * 64


def test_no_more_credit_is_out_than_the_limit() -> None:
    """However many logs are fetched side by side."""
    theirs = PaperHoldings({log: 1 + 50 * n for n, log in enumerate(log_ids(40))}, body_bytes=4_000)
    out: dict[int, int] = {}
    most = 0

    def look(ask: Ask, replies: list[bytes]) -> list[bytes]:
        nonlocal most
        for asked in wire.asks[-16:]:
            question = decode(asked.data)
            if isinstance(question, RangeQuery):
                out.setdefault(asked.request_id, question.credit_bytes)
        most = max(most, sum(out.values()))
        out[ask.request_id] = 0
        return replies

    wire = Wire(PaperHoldings({}), theirs, spoil=look)
    assert wire.run().is_level
    assert 2 << 20 < most <= 4 << 20


def test_many_changed_logs_are_fetched_side_by_side() -> None:
    cost = measure(1_000, 320)
    assert cost.waits < cost.questions / 6


class Counting(PaperHoldings):
    """Counts what the store is asked about single logs."""

    looks = 0

    def holds(self, event: EventId) -> bool:
        self.looks += 1
        return super().holds(event)

    def tips_of(self, log_id: bytes) -> list[EventId]:
        self.looks += 1
        return super().tips_of(log_id)


def test_no_reply_makes_the_store_look_for_thousands_of_logs() -> None:
    """Each is looked for when its turn comes: between two replies, others have theirs."""
    ours, theirs = Counting({}), PaperHoldings(dict.fromkeys(log_ids(2_000), 2))
    most = 0

    def look(_: Ask, replies: list[bytes]) -> Iterator[bytes]:
        nonlocal most
        for reply in replies:
            before = ours.looks
            yield reply
            most = max(most, ours.looks - before)

    assert Wire(ours, theirs, spoil=look).run().is_level
    assert most < 40


def test_what_came_live_meanwhile_is_not_asked_for() -> None:
    ours, theirs = PaperHoldings({}), PaperHoldings(dict.fromkeys(log_ids(40), 2))

    def take_all(ask: Ask, replies: list[bytes]) -> Iterator[bytes]:
        for reply in replies:
            if wire.asks[1:] == [ask] and reply == replies[-1]:  # all but its end was taken
                for log_id in theirs.lengths:
                    ours.grow(log_id, 2)
            yield reply

    wire = Wire(ours, theirs, spoil=take_all)
    assert wire.run().is_level
    assert wire.kinds.count("range") == 0
