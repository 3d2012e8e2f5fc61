"""What the virtual network does to messages, and what it promises all the same."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from kioku.errors import LinkClosedError
from kioku.transport.link import Address, LinkChange, Put, Query, Reply, ReplyEnd
from tests.simulation.network import DIAL_MS, Network
from tests.simulation.schedule import Schedule, Trace
from tests.simulation.weather import FAIR, Weather

if TYPE_CHECKING:
    from kioku.transport.link import Delivery

NUMBER = 7


class Mesh:
    """A hub and two spokes; ``inboxes`` is what each was handed, in order."""

    def __init__(self, weather: Weather = FAIR) -> None:
        self.schedule = Schedule()
        trace = Trace(self.schedule)
        self.network = Network(self.schedule, Random(1), trace)
        self.network.weather = weather
        self.inboxes: dict[str, list[Delivery]] = {name: [] for name in ("hub", "anna", "bert")}
        self.transports = {
            name: self.network.connect(name, name.encode(), is_hub=name == "hub")
            for name in self.inboxes
        }
        self.links = {
            name: transport.join(address(name), self.inboxes[name].append)
            for name, transport in self.transports.items()
        }
        self.pass_time(DIAL_MS[1])
        for inbox in self.inboxes.values():
            inbox.clear()

    def pass_time(self, milliseconds: int = 60_000) -> None:
        self.schedule.run_until(self.schedule.now_ms + milliseconds)

    def ask(self, to: str) -> None:
        self.links["anna"].ask(address(to), "heads", b"?", request_id=NUMBER, timeout_ms=5_000)

    def answer(self, name: str, *answers: bytes) -> None:
        self.pass_time(100)
        for query in self.inboxes[name]:
            if isinstance(query, Query):
                for data in answers:
                    query.answer(data)
                query.end()
        self.pass_time()


def address(name: str) -> Address:
    return Address(bytes(16), name, name.encode().ljust(16))


def test_what_is_published_reaches_all_others_in_order() -> None:
    mesh = Mesh(Weather(delay_ms_max=1_000))
    for number in range(20):
        mesh.links["anna"].put("live", bytes((number,)))
    mesh.pass_time()
    expected = [Put(address("anna"), "live", bytes((number,))) for number in range(20)]
    assert mesh.inboxes["hub"] == mesh.inboxes["bert"] == expected
    assert not mesh.inboxes["anna"]


def test_foul_weather_loses_doubles_and_reorders() -> None:
    mesh = Mesh(Weather(loss=0.3, doubles=0.3, delay_ms_max=1_000, is_orderly=False))
    for number in range(100):
        mesh.links["anna"].put("live", bytes((number,)))
    mesh.pass_time()
    came = [put.data[0] for put in mesh.inboxes["bert"] if isinstance(put, Put)]
    assert len(set(came)) < 100 < len(came) + 40
    assert len(set(came)) < len(came)
    assert came != sorted(came)


def test_a_question_has_its_replies_and_one_end() -> None:
    mesh = Mesh()
    mesh.ask("bert")
    mesh.answer("bert", b"one", b"two")
    replies = [Reply(NUMBER, b"one"), Reply(NUMBER, b"two"), ReplyEnd(NUMBER, "")]
    assert mesh.inboxes["anna"] == replies


def test_replies_that_are_cut_end_as_if_they_were_whole() -> None:
    mesh = Mesh(Weather(cuts=1.0))
    mesh.ask("bert")
    mesh.answer("bert", b"one", b"two", b"three")
    assert mesh.inboxes["anna"][-1] == ReplyEnd(NUMBER, "")
    assert len(mesh.inboxes["anna"]) < 4


@pytest.mark.parametrize(("to", "problem"), [("nobody", "no answer"), ("bert", "timeout")])
def test_a_question_that_nobody_answers_ends_once(to: str, problem: str) -> None:
    mesh = Mesh()
    mesh.ask(to)
    mesh.pass_time()
    assert mesh.inboxes["anna"] == [ReplyEnd(NUMBER, problem)]


def test_a_partition_may_stop_one_direction_alone() -> None:
    mesh = Mesh()
    mesh.network.blocked.add(("anna", "hub"))
    mesh.links["anna"].put("live", b"not heard")
    mesh.links["bert"].put("live", b"heard")
    mesh.pass_time()
    assert mesh.inboxes["bert"] == []
    assert mesh.inboxes["anna"] == [Put(address("bert"), "live", b"heard")]


def test_spokes_lose_their_way_with_their_hub_and_find_another() -> None:
    mesh = Mesh()
    mesh.transports["hub"].close()
    assert mesh.inboxes["anna"] == [LinkChange(is_up=False)]
    mesh.links["anna"].put("live", b"lost")
    mesh.network.connect("other hub", b"other", is_hub=True)
    mesh.pass_time()
    mesh.links["anna"].put("live", b"found")
    mesh.pass_time()
    assert mesh.inboxes["anna"][-1] == LinkChange(is_up=True)
    assert mesh.inboxes["bert"][1:] == [
        LinkChange(is_up=True),
        Put(address("anna"), "live", b"found"),
    ]
    assert mesh.transports["anna"].routers() == [b"other"]


def test_who_has_left_sends_and_hears_nothing() -> None:
    mesh = Mesh()
    mesh.links["bert"].close()
    mesh.links["anna"].put("live", b"x")
    mesh.pass_time()
    assert not mesh.inboxes["bert"]
    with pytest.raises(LinkClosedError):
        mesh.links["bert"].put("live", b"x")


def test_a_copy_is_asked_as_its_original_is() -> None:
    mesh = Mesh()
    inbox: list[Delivery] = []
    copy = mesh.network.connect("copy", b"copy", is_hub=False)
    copy.join(address("bert"), inbox.append)
    mesh.ask("bert")
    mesh.pass_time(100)
    assert [query for query in inbox if isinstance(query, Query)]
    mesh.answer("bert", b"mine")
    assert mesh.inboxes["anna"] == [Reply(NUMBER, b"mine"), ReplyEnd(NUMBER, "timeout")]
