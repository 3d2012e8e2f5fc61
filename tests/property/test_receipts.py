"""Receipts: a peer has confirmed exactly what it stated that it has, and had erased."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from kioku.log.receipt import LACKS_MAX, Erasing, Lack, Receipt, heard

LOGS = [bytes([number]) * 16 for number in range(4)]


class Statement(NamedTuple):
    """What a peer said, held against our rows up to ``row``."""

    row: int
    lacks: list[Lack]
    is_erased: bool

    def lacking(self, event: Erasing) -> bool:
        return any(event.log_id == log and event.seq >= first for log, first in self.lacks)


@st.composite
def erasing(draw: st.DrawFn) -> list[Erasing]:
    """Purges and retracts of a few logs, in ascending rows; a log's seqs mostly rise with them."""
    logs = draw(st.lists(st.sampled_from(LOGS), min_size=1, max_size=12))
    rows = draw(st.permutations(range(1, len(logs) + 1))) if draw(st.booleans()) else None
    seqs = rows or range(2, len(logs) + 2)
    return [
        Erasing(10 * n, log, seq) for n, (log, seq) in enumerate(zip(logs, seqs, strict=True), 1)
    ]


def statements(*, rows: st.SearchStrategy[int]) -> st.SearchStrategy[list[Statement]]:
    lacks = st.lists(st.tuples(st.sampled_from(LOGS), st.integers(1, 14)), max_size=4)
    is_erased = st.sampled_from((True, True, True, False))
    return st.lists(st.builds(Statement, rows, lacks, is_erased), max_size=6)


def _naive(confirmed: set[Erasing], events: list[Erasing], said: Statement) -> set[Erasing]:
    """What is confirmed after a statement, event by event."""
    kept = {event for event in confirmed if not said.lacking(event)}
    if said.is_erased:
        kept |= {e for e in events if e.row <= said.row and not said.lacking(e)}
    return kept


def _confirmed(receipt: Receipt, events: list[Erasing]) -> set[Erasing]:
    return {event for event in events if receipt.confirms(event)}


def _hear(receipt: Receipt, events: list[Erasing], said: Statement) -> Receipt:
    return heard(receipt, events, row=said.row, lacks=said.lacks, is_erased=said.is_erased)


@given(erasing(), statements(rows=st.integers(0, 130)))
def test_no_receipt_is_given_that_was_not_stated(
    events: list[Erasing], said: list[Statement]
) -> None:
    """Whatever the order in which comparisons end."""
    receipt, expected = Receipt(), set[Erasing]()
    for one in said:
        receipt, expected = _hear(receipt, events, one), _naive(expected, events, one)
        assert _confirmed(receipt, events) <= expected


@given(erasing(), statements(rows=st.integers(0, 130)))
def test_every_receipt_is_given_that_was_stated_in_order(
    events: list[Erasing], said: list[Statement]
) -> None:
    """And it changes with what is confirmed, or not at all: else it would be written in vain."""
    receipt, expected = Receipt(), set[Erasing]()
    for one in sorted(said, key=lambda statement: statement.row):
        here = [event for event in events if event.row <= one.row]
        before, was = receipt, expected
        receipt, expected = _hear(receipt, here, one), _naive(expected, here, one)
        assert _confirmed(receipt, events) == expected
        if was == expected:
            assert receipt == before


def test_a_comparison_that_ends_late_says_nothing_of_what_came_since() -> None:
    events = [Erasing(10, LOGS[0], 5), Erasing(20, LOGS[1], 5), Erasing(30, LOGS[2], 5)]
    newer = Statement(30, [(LOGS[1], 5)], is_erased=True)
    receipt = _hear(Receipt(), events, newer)
    older = Statement(10, [], is_erased=True)
    assert _confirmed(_hear(receipt, events, older), events) == {events[0], events[2]}


def test_what_a_peer_has_got_since_is_not_confirmed_before_it_is_erased_there() -> None:
    events = [Erasing(10, LOGS[0], 5), Erasing(20, LOGS[1], 5)]
    receipt = _hear(Receipt(), events, Statement(20, [(LOGS[0], 5)], is_erased=True))
    receipt = _hear(receipt, events, Statement(20, [], is_erased=False))
    assert _confirmed(receipt, events) == {events[1]}
    receipt = _hear(receipt, events, Statement(20, [], is_erased=True))
    assert _confirmed(receipt, events) == set(events)


def test_a_peer_that_lacks_very_many_logs_confirms_less_and_never_more() -> None:
    logs = [bytes([number]) * 16 for number in range(100)]
    events = [Erasing(number + 1, log, 2) for number, log in enumerate(logs)]
    events.append(Erasing(1000, logs[0], 1))
    receipt = heard(
        Receipt(), events, row=2000, lacks=[(log, 2) for log in logs[10:]], is_erased=True
    )
    assert len(receipt.lacks) <= LACKS_MAX
    assert _confirmed(receipt, events) == set(events[:10])


def test_a_log_that_is_lacked_is_excepted_and_all_others_are_confirmed() -> None:
    events = [Erasing(row, LOGS[row % 3], row) for row in range(1, 10)]
    receipt = heard(Receipt(), events, row=9, lacks=[(LOGS[1], 4)], is_erased=True)
    assert receipt == Receipt(9, ((LOGS[1], 4),))
    assert [e.row for e in events if not receipt.confirms(e)] == [4, 7]
