"""The bus in memory when it is pumped: exact, in order, and to be made unfaithful."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.transport.link import Address, LinkChange, Put, Query, Reply, ReplyEnd
from kioku.transport.memory_link import MemoryMesh, MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.transport.link import Delivery


class Clock:
    def __init__(self) -> None:
        self.now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


class Node:
    def __init__(self, transport: MemoryTransport, machine: str) -> None:
        self.transport = transport
        self.address = Address(b"s" * 16, machine, machine.encode().ljust(16))
        self.heard: list[Delivery] = []
        self.link = transport.join(self.address, self.heard.append)


def test_nothing_arrives_before_it_is_pumped_and_then_all_of_it_in_order() -> None:
    mesh = MemoryMesh(steady_ms=Clock())
    hub, anna = Node(mesh.connect(is_hub=True), "hub"), Node(mesh.connect(), "anna")
    assert mesh.pump() == 2
    assert hub.heard == anna.heard == [LinkChange(is_up=True)]
    for data in (b"1", b"2", b"3"):
        anna.link.put("live", data)
    assert len(hub.heard) == 1
    assert mesh.pump() == 3
    assert hub.heard[1:] == [Put(anna.address, "live", data) for data in (b"1", b"2", b"3")]


def test_a_question_is_over_when_its_time_is() -> None:
    clock = Clock()
    mesh = MemoryMesh(steady_ms=clock)
    hub, anna = Node(mesh.connect(is_hub=True), "hub"), Node(mesh.connect(), "anna")
    anna.link.ask(hub.address, "heads", b"?", request_id=1, timeout_ms=500)
    mesh.pump()
    clock.now_ms = 499
    mesh.pump()
    assert ReplyEnd(1, "timeout") not in anna.heard
    clock.now_ms = 500
    mesh.pump()
    assert anna.heard[-1] == ReplyEnd(1, "timeout")
    [query] = [one for one in hub.heard if isinstance(one, Query)]
    query.answer(b"too late")
    query.end()
    mesh.pump()
    assert not [one for one in anna.heard if isinstance(one, Reply)]


def test_a_cable_that_is_pulled_out_and_put_back() -> None:
    mesh = MemoryMesh(steady_ms=Clock())
    hub, anna = Node(mesh.connect(is_hub=True), "hub"), Node(mesh.connect(), "anna")
    mesh.pump()
    anna.transport.cut()
    anna.link.put("live", b"lost")
    hub.link.put("live", b"lost")
    mesh.pump()
    assert anna.heard == [LinkChange(is_up=True), LinkChange(is_up=False)]
    assert anna.transport.routers() == []
    assert hub.heard == [LinkChange(is_up=True)]
    anna.transport.mend()
    hub.link.put("live", b"news")
    mesh.pump()
    assert anna.heard[2:] == [LinkChange(is_up=True), Put(hub.address, "live", b"news")]


def test_spokes_without_a_hub_do_not_meet() -> None:
    mesh = MemoryMesh(steady_ms=Clock())
    anna, bert = Node(mesh.connect(), "anna"), Node(mesh.connect(), "bert")
    anna.link.put("live", b"lost")
    mesh.pump()
    assert bert.heard == []


def test_what_happens_to_a_message_is_a_subclass_to_decide() -> None:
    class Forgetful(MemoryMesh):
        lost = 0

        def carry(
            self, source: MemoryTransport, target: MemoryTransport, arrive: Callable[[], None]
        ) -> None:
            if source.is_hub:
                self.lost += 1
            else:
                super().carry(source, target, arrive)

    mesh = Forgetful(steady_ms=Clock())
    hub, anna = Node(mesh.connect(is_hub=True), "hub"), Node(mesh.connect(), "anna")
    hub.link.put("live", b"lost")
    anna.link.put("live", b"carried")
    mesh.pump()
    assert Put(anna.address, "live", b"carried") in hub.heard
    assert not [one for one in anna.heard if isinstance(one, Put)]
    assert mesh.lost == 1
