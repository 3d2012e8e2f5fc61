"""Hubs that come, go, freeze and dial each other, and processes that end all the same."""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
import zenoh

from kioku.errors import LinkClosedError
from kioku.transport.link import LinkChange, Put, Query, Reply, ReplyEnd
from kioku.transport.zenoh_link import ZenohTransport
from kioku.transport.zenoh_session import ZenohSession, identity_of
from kioku.transport.zenoh_settings import ZenohSettings
from tests.integration.links import (
    PATIENCE_S,
    Member,
    ZenohWorld,
    free_endpoint,
    wait_until,
)
from tests.integration.zenoh_process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[ZenohWorld]:
    with ZenohWorld() as made:
        yield made


@pytest.fixture
def frozen_hub() -> Iterator[tuple[Process, str]]:
    endpoint = free_endpoint()
    hub = Process("hub", "hub", endpoint)
    yield hub, endpoint
    hub.kill()


# --- hubs that go and come ------------------------------------------------------------------------


def test_hubs_are_tried_in_order(world: ZenohWorld) -> None:
    first, _ = world.hub(), world.hub()
    assert world.spoke().routers() == [first.identity]
    down_first = ZenohSettings("spoke", connect=(free_endpoint(), *world.endpoints))
    spoke = ZenohTransport.open(down_first)
    assert spoke.routers() == [first.identity]
    spoke.close(PATIENCE_S)


def test_a_spoke_falls_over_to_the_next_hub(world: ZenohWorld) -> None:
    first, second = world.hub(), world.hub()
    anna, bert = Member(world.spoke(), "anna"), Member(second, "bert")
    assert anna.inbox.next(LinkChange).is_up
    first.close(PATIENCE_S)
    assert not anna.inbox.next(LinkChange).is_up
    assert anna.inbox.next(LinkChange).is_up
    assert anna.transport.routers() == [second.identity]
    anna.wait_to_hear(bert)
    bert.wait_to_hear(anna)


def test_a_spoke_finds_back_to_a_hub_that_was_restarted(world: ZenohWorld) -> None:
    hub, spoke = world.hub(), world.spoke()
    anna = Member(spoke, "anna")
    assert anna.inbox.next(LinkChange).is_up
    hub.close(PATIENCE_S)
    assert not anna.inbox.next(LinkChange).is_up
    anna.ask(anna, b"?", number=1)
    assert anna.inbox.next(ReplyEnd) == ReplyEnd(1, "no answer")
    again = ZenohTransport.open(ZenohSettings("hub", listen=world.endpoints))
    assert anna.inbox.next(LinkChange).is_up
    bert = Member(again, "bert")
    bert.wait_to_hear(anna)
    anna.wait_to_hear(bert)
    again.close(PATIENCE_S)


def test_a_spoke_leaves_a_frozen_hub_for_the_next(
    world: ZenohWorld, frozen_hub: tuple[Process, str]
) -> None:
    process, endpoint = frozen_hub
    second = world.hub()
    hubs = (endpoint, *world.endpoints)
    spoke = world.keep(ZenohTransport.open(ZenohSettings("spoke", connect=hubs)))
    anna = Member(spoke, "anna")
    assert anna.inbox.next(LinkChange).is_up
    assert spoke.routers() != [second.identity]
    process.freeze()
    assert not anna.inbox.next(LinkChange).is_up
    assert anna.inbox.next(LinkChange).is_up
    assert spoke.routers() == [second.identity]


def test_three_hubs_that_dial_one_another_carry_each_message_once(world: ZenohWorld) -> None:
    endpoints = [free_endpoint() for _ in range(3)]
    members: list[Member] = []
    for place, endpoint in enumerate(endpoints):
        others = tuple(one for one in endpoints if one != endpoint)
        hub = ZenohSettings("hub", listen=(endpoint,), connect=others)
        members.append(Member(world.keep(ZenohTransport.open(hub)), f"hub-{place}"))
    for place, endpoint in enumerate(endpoints):
        spoke = ZenohSettings("spoke", connect=(endpoint,))
        members.append(Member(world.keep(ZenohTransport.open(spoke)), f"spoke-{place}"))
    wait_until(lambda: all(len(hub.transport.routers()) == 2 for hub in members[:3]))
    for one in members:
        for other in members:
            if one is not other:
                one.wait_to_hear(other)
    for one in members:
        one.link.put("live", one.address.machine.encode())
    machines = sorted(one.address.machine for one in members)
    for one in members:
        wait_until(partial(_has_live, one, len(members) - 1))
        assert sorted([*_live(one), one.address.machine]) == machines


def _has_live(member: Member, count: int) -> bool:
    return len(_live(member)) >= count


def _live(member: Member) -> list[str]:
    return [
        put.data.decode() for put in member.heard() if isinstance(put, Put) and put.kind == "live"
    ]


def test_a_plain_router_may_stand_in_between(world: ZenohWorld) -> None:
    endpoint = free_endpoint()
    plain = {
        "mode": "router",
        "listen": {"endpoints": [endpoint]},
        "scouting": {"delay": 0, "multicast": {"enabled": False}},
    }
    router = zenoh.open(zenoh.Config.from_json5(json.dumps(plain)))
    settings = ZenohSettings("spoke", connect=(endpoint,))
    anna = Member(world.keep(ZenohTransport.open(settings)), "anna")
    bert = Member(world.keep(ZenohTransport.open(settings)), "bert")
    anna.wait_to_hear(bert)
    anna.ask(bert, b"?", number=1)
    query = bert.inbox.next(Query)
    query.answer(b"!")
    query.end()
    assert anna.inbox.next(Reply) == Reply(1, b"!")
    assert anna.transport.routers() == [identity_of(router.zid())]
    router.close()  # type: ignore[no-untyped-call]


def test_a_hub_starts_while_the_other_is_down_and_meets_it_later() -> None:
    here, there = free_endpoint(), free_endpoint()
    early = ZenohTransport.open(ZenohSettings("hub", listen=(here,), connect=(there,)))
    anna = Member(early, "anna")
    late = ZenohTransport.open(ZenohSettings("hub", listen=(there,)))
    wait_until(lambda: early.routers() == [late.identity])
    bert = Member(late, "bert")
    anna.wait_to_hear(bert)
    late.close(PATIENCE_S)
    early.close(PATIENCE_S)


def test_a_hub_is_told_of_another_that_comes_later(world: ZenohWorld) -> None:
    anna = Member(world.hub(), "anna")
    assert anna.inbox.next(LinkChange).is_up
    world.hub()
    assert anna.inbox.next(LinkChange).is_up
    assert len(anna.transport.routers()) == 1


def test_a_session_can_be_left_and_opened_again_on_the_same_hub(world: ZenohWorld) -> None:
    hub = world.hub()
    for _ in range(3):
        spoke = world.spoke()
        assert spoke.routers() == [hub.identity]
        spoke.close(PATIENCE_S)


def test_compression_is_no_condition(world: ZenohWorld) -> None:
    anna = Member(world.hub(), "anna")
    plain = {"transport": {"unicast": {"compression": {"enabled": False}}}}
    spoke = ZenohTransport.open(ZenohSettings("spoke", connect=world.endpoints, overrides=plain))
    bert = Member(spoke, "bert")
    anna.wait_to_hear(bert)
    bert.wait_to_hear(anna)
    spoke.close(PATIENCE_S)


# --- processes that end ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "orders",
    [["close 1"], ["await-loss", "close 1"], ["ask", "close 1"], ["fill", "close 0.2"], []],
    ids=["at once", "while reconnecting", "while asking", "while sending", "without closing"],
)
def test_a_process_ends_while_its_hub_is_frozen(
    frozen_hub: tuple[Process, str], orders: list[str]
) -> None:
    hub, endpoint = frozen_hub
    spoke = Process("spoke", "anna", endpoint)
    hub.freeze()
    for order in orders:
        spoke.obey(order)
    assert spoke.end() == (0, "")


def test_a_process_that_gave_up_closing_ends_without_a_crash(world: ZenohWorld) -> None:
    world.hub()
    for _ in range(5):
        spoke = Process("spoke", "anna", *world.endpoints)
        spoke.obey("close 0")
        assert spoke.end() == (0, "")


def test_closing_is_given_up_at_its_deadline() -> None:
    class Stuck:
        """A session whose close takes as long as a frozen hub likes."""

        def __init__(self) -> None:
            self.is_free = threading.Event()
            self.is_over = False

        def zid(self) -> str:
            return "1f"

        def close(self) -> None:
            self.is_over = not self.is_free.wait(5)

    stuck = Stuck()
    session = ZenohSession(stuck)  # type: ignore[arg-type]
    assert session.identity == b"\x1f".rjust(16, b"\0")
    session.close(0.01)
    assert session.is_closed
    assert not stuck.is_over
    with pytest.raises(LinkClosedError):
        session.driver  # noqa: B018 - looking at it is the test
    stuck.is_free.set()


def test_a_forked_child_leaves_the_session_alone(world: ZenohWorld) -> None:
    hub = Member(world.hub(), "hub", space=int.from_bytes(b"s" * 16, "big"))
    spoke = Process("spoke", "anna", *world.endpoints)
    spoke.obey("fork")
    assert hub.inbox.next(Put).data == b"from the parent"
    assert spoke.end() == (0, "")
