"""The inbox of a node's loop: bounded, fair, and honest about what it dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kioku.node.inbox import Inbox
from kioku.transport.link import Address, LinkChange, Put, Query, Reply, ReplyEnd

if TYPE_CHECKING:
    from kioku.transport.link import Delivery

SENDER = Address(bytes(16), "laptop", bytes(16))


class Wakes:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def put(size: int = 1) -> Put:
    return Put(SENDER, "beacon", bytes(size))


class Asked:
    """A question, and how often its asker was told that no answers come."""

    def __init__(self) -> None:
        self.ends = 0
        self.query = Query("heads", b"?", lambda _: None, self._end)

    def _end(self) -> None:
        self.ends += 1


def test_deliveries_come_out_in_the_order_they_came_in() -> None:
    inbox = Inbox(Wakes())
    given_in: list[Delivery] = [put(n) for n in range(5)]
    for delivery in given_in:
        inbox.put(delivery)
    assert inbox.take(2) + inbox.take(9) == given_in
    assert inbox.take(1) == []


def test_each_delivery_wakes_the_loop_and_a_dropped_one_does_not() -> None:
    wakes = Wakes()
    inbox = Inbox(wakes, count_max=4)
    for _ in range(10):
        inbox.put(put())
    assert wakes.count == 2


def test_a_flood_of_puts_leaves_room_for_our_own_answers() -> None:
    inbox = Inbox(Wakes(), count_max=8)
    for _ in range(100):
        inbox.put(put())
    for number in range(4):
        inbox.put(Reply(number, b"x"))
    taken = inbox.take(100)
    assert [type(one) for one in taken] == [Put] * 4 + [Reply] * 4
    assert inbox.statistics().dropped_puts == 96


def test_bytes_are_bounded_too_and_come_free_again() -> None:
    inbox = Inbox(Wakes(), bytes_max=1_000)
    inbox.put(put(400))
    inbox.put(put(400))
    assert inbox.statistics()[:2] == (1, 400)
    inbox.put(Reply(1, bytes(600)))
    inbox.put(Reply(2, bytes(1)))
    assert inbox.statistics().dropped_replies == 1
    inbox.take(9)
    inbox.put(put(500))
    assert inbox.statistics()[:2] == (1, 500)


def test_a_question_that_finds_no_room_is_ended() -> None:
    inbox = Inbox(Wakes(), count_max=2)
    questions = [Asked() for _ in range(3)]
    for question in questions:
        inbox.put(question.query)
    assert [question.ends for question in questions] == [0, 1, 1]
    assert inbox.statistics().dropped_queries == 2


def test_closing_ends_the_questions_that_wait_and_those_that_still_come() -> None:
    inbox = Inbox(Wakes())
    waiting, late = Asked(), Asked()
    inbox.put(waiting.query)
    inbox.close()
    inbox.put(late.query)
    inbox.put(LinkChange(is_up=True))
    assert (waiting.ends, late.ends) == (1, 1)
    assert inbox.take(9) == []


def test_that_the_link_is_up_is_never_dropped() -> None:
    inbox = Inbox(Wakes(), count_max=2)
    for _ in range(4):
        inbox.put(Reply(1, b""))
    inbox.put(LinkChange(is_up=False))
    assert inbox.take(9)[-1] == LinkChange(is_up=False)


def test_only_what_others_said_counts_as_heard() -> None:
    inbox = Inbox(Wakes())
    inbox.put(LinkChange(is_up=True))
    inbox.put(ReplyEnd(1, "timeout"))
    assert inbox.heard == 0
    for delivery in (put(), Asked().query, Reply(1, b"")):
        inbox.put(delivery)
    assert inbox.heard == 3


DELIVERIES = st.one_of(
    st.builds(put, st.integers(0, 300)),
    st.builds(lambda size: Reply(1, bytes(size)), st.integers(0, 300)),
    st.just(ReplyEnd(1, "")),
    st.builds(lambda: Asked().query),
)


@given(st.lists(st.one_of(DELIVERIES, st.integers(1, 5)), max_size=60))
def test_whatever_comes_no_bound_is_passed_and_everything_is_accounted_for(
    steps: list[Delivery | int],
) -> None:
    inbox = Inbox(Wakes(), count_max=6, bytes_max=900)
    taken = offered = 0
    for step in steps:
        if isinstance(step, int):
            taken += len(inbox.take(step))
        else:
            inbox.put(step)
            offered += 1
        now = inbox.statistics()
        assert now.waiting <= 6
        assert now.waiting_bytes <= 900
        dropped = now.dropped_puts + now.dropped_queries + now.dropped_replies
        assert taken + now.waiting + dropped == offered
    inbox.take(99)
    assert inbox.statistics()[:2] == (0, 0)
