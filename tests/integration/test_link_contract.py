"""What every link promises, run over the bus in memory and over real Zenoh."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest

from kioku.errors import InvalidArgumentError, LinkClosedError
from kioku.transport.link import Address, LinkChange, Put, Query, Reply, ReplyEnd
from tests.integration.links import (
    Inbox,
    Member,
    MemoryWorld,
    World,
    ZenohWorld,
    address,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.transport.link import Delivery


@pytest.fixture(params=[MemoryWorld, ZenohWorld], ids=["memory", "zenoh"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with request.param() as made:
        yield made


class Trio:
    """A hub and two spokes, all in one space, who have all heard of one another."""

    def __init__(self, world: World) -> None:
        self.hub = Member(world.hub(), "hub")
        self.anna = Member(world.spoke(), "anna")
        self.bert = Member(world.spoke(), "bert")
        members = (self.hub, self.anna, self.bert)
        for one in members:
            for other in members:
                if one is not other:
                    one.wait_to_hear(other)
        for one in members:
            one.inbox = Inbox()
            one.link.close()
            one.link = one.transport.join(one.address, one.inbox.deliver)
        for one in members:
            for other in members:
                if one is not other:
                    one.wait_to_hear(other)


@pytest.fixture
def trio(world: World) -> Trio:
    return Trio(world)


def live(member: Member) -> Put:
    while (put := member.inbox.next(Put)).kind != "live":
        pass
    return put


def test_what_one_publishes_reaches_all_others_and_not_itself(trio: Trio) -> None:
    trio.anna.link.put("live", b"news")
    expected = Put(trio.anna.address, "live", b"news")
    assert live(trio.hub) == expected
    assert live(trio.bert) == expected
    trio.bert.link.put("live", b"later")
    assert live(trio.anna).data == b"later"


def test_a_question_is_answered_from_another_thread_any_number_of_times(trio: Trio) -> None:
    trio.anna.ask(trio.bert, b"heads?", number=7)
    query = trio.bert.inbox.next(Query)
    assert (query.kind, query.data) == ("heads", b"heads?")

    def answer() -> None:
        for part in (b"one", b"two", b"two"):
            query.answer(part)
        query.end()

    thread = threading.Thread(target=answer)
    thread.start()
    thread.join()
    replies = [trio.anna.inbox.next(Reply) for _ in range(3)]
    assert replies == [Reply(7, b"one"), Reply(7, b"two"), Reply(7, b"two")]
    assert trio.anna.inbox.next(ReplyEnd) == ReplyEnd(7, "")
    assert trio.bert.statistics().queries_received == 1
    assert trio.bert.statistics().puts_received > 0


def test_whoever_is_not_there_gives_no_answer(trio: Trio) -> None:
    trio.anna.ask(address("nobody"), b"?", number=3)
    assert trio.anna.inbox.next(ReplyEnd) == ReplyEnd(3, "no answer")


def test_a_question_that_is_never_ended_times_out(trio: Trio) -> None:
    trio.anna.ask(trio.hub, b"?", number=4, timeout_ms=200)
    query = trio.hub.inbox.next(Query)
    assert trio.anna.inbox.next(ReplyEnd) == ReplyEnd(4, "timeout")
    query.answer(b"too late")
    query.end()


def test_a_question_that_was_dropped_is_ended(trio: Trio) -> None:
    trio.anna.ask(trio.hub, b"?", number=5)
    trio.hub.inbox.next(Query)
    gc.collect()
    assert trio.anna.inbox.next(ReplyEnd) == ReplyEnd(5, "no answer")


def test_an_answer_after_the_end_goes_nowhere(trio: Trio) -> None:
    trio.anna.ask(trio.bert, b"?", number=6)
    query = trio.bert.inbox.next(Query)
    query.end()
    query.answer(b"late")
    query.end()
    assert trio.anna.inbox.next(ReplyEnd) == ReplyEnd(6, "no answer")
    assert not [one for one in trio.anna.inbox.all_so_far() if isinstance(one, Reply)]


def test_another_space_hears_nothing(world: World, trio: Trio) -> None:
    stranger = Member(world.spoke(), "stranger", space=2)
    trio.anna.link.put("live", b"secret")
    live(trio.bert)
    stranger.ask(trio.bert.address._replace(space_id=stranger.address.space_id), b"?")
    assert stranger.inbox.next(ReplyEnd).problem == "no answer"
    assert not [one for one in stranger.inbox.all_so_far() if isinstance(one, Put)]


def test_a_closed_link_delivers_nothing_and_drops_what_it_is_given(trio: Trio) -> None:
    trio.bert.link.close()
    trio.bert.link.close()
    before = trio.bert.inbox.all_so_far()
    trio.bert.link.put("live", b"from the grave")
    trio.bert.ask(trio.anna, b"?")
    trio.anna.link.put("live", b"to the grave")
    assert live(trio.hub).data == b"to the grave"
    assert trio.bert.inbox.all_so_far() == before


def test_nothing_starts_a_thread_that_an_exit_would_wait_for(world: World) -> None:
    before = set(threading.enumerate())
    hub, anna = Member(world.hub(), "hub"), Member(world.spoke(), "anna")
    hub.wait_to_hear(anna)
    anna.wait_to_hear(hub)
    anna.ask(hub, b"?")
    query = hub.inbox.next(Query)
    started = set(threading.enumerate()) - before
    query.end()
    assert all(thread.daemon for thread in started)


def test_a_closed_transport_refuses_to_be_joined(world: World) -> None:
    transport = world.hub()
    member = Member(transport, "hub")
    transport.close(10)
    transport.close(10)
    with pytest.raises(LinkClosedError):
        transport.join(member.address, member.inbox.deliver)
    member.link.put("live", b"nothing happens")
    member.link.close()


@pytest.mark.parametrize(
    "wrong",
    [
        address("a")._replace(machine="A"),
        address("a")._replace(machine="a/b"),
        address("a")._replace(machine="*"),
        address("a")._replace(machine=""),
        address("a")._replace(machine="a" * 33),
        address("a")._replace(space_id=b"short"),
        address("a")._replace(log_id=b""),
    ],
)
def test_an_address_that_cannot_be_written_is_refused(world: World, wrong: Address) -> None:
    with pytest.raises(InvalidArgumentError):
        world.hub().join(wrong, Inbox().deliver)


def test_a_spoke_knows_its_hub_and_hears_when_it_goes_and_comes(world: World) -> None:
    hub, spoke = world.hub(), world.spoke()
    member = Member(spoke, "anna")
    assert member.inbox.next(LinkChange).is_up
    assert spoke.routers() == [hub.identity]
    assert hub.identity != spoke.identity
    world.stop_hubs()
    assert not member.inbox.next(LinkChange).is_up
    assert spoke.routers() == []


def test_a_hub_is_up_from_the_start(world: World) -> None:
    member = Member(world.hub(), "hub")
    assert member.inbox.next(LinkChange).is_up
    assert member.transport.routers() == []


def test_two_hubs_know_each_other_and_carry_for_each_other(world: World) -> None:
    first = Member(world.hub(), "first")
    anna = Member(world.spoke(), "anna")
    second = Member(world.hub(), "second")
    wait_until(lambda: first.transport.routers() == [second.transport.identity])
    wait_until(lambda: second.transport.routers() == [first.transport.identity])
    anna.wait_to_hear(second)
    second.wait_to_hear(anna)


def test_hubs_say_which_spaces_they_have(world: World) -> None:
    hub, spoke = world.hub(), world.spoke()
    hub.offer_spaces("hub", b"h" * 16, lambda: b"two spaces")
    wait_until(lambda: spoke.ask_spaces(5_000) == [b"two spaces"])


def test_a_handler_that_fails_is_counted_and_the_next_delivery_comes(world: World) -> None:
    hub = Member(world.hub(), "hub")
    anna = Member(world.spoke(), "anna")
    failures = [ValueError("a mistake"), ValueError("another")]

    def deliver(delivery: Delivery) -> None:
        if failures:
            raise failures.pop()
        anna.inbox.deliver(delivery)

    anna.link.close()
    anna.link = anna.transport.join(anna.address, deliver)
    anna.wait_to_hear(hub)
    assert anna.statistics().failures == 2


def test_a_message_that_is_too_large_is_dropped_and_counted(trio: Trio) -> None:
    large = bytes(4 * 1024 * 1024 + 1)
    trio.anna.link.put("live", large)
    trio.anna.link.put("live", b"small")
    assert live(trio.bert).data == b"small"
    trio.anna.ask(trio.bert, large, number=8)
    assert trio.anna.inbox.next(ReplyEnd) == ReplyEnd(8, "too large")
    trio.anna.ask(trio.bert, b"?", number=9)
    query = trio.bert.inbox.next(Query)
    query.answer(large)
    query.answer(large[1:])
    query.end()
    assert len(trio.anna.inbox.next(Reply).data) == len(large) - 1
    assert trio.anna.statistics().too_large == 2
    assert trio.bert.statistics().too_large == 1
