"""A node's way into the mesh: dialled until it stands, and anew when it leads nowhere."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import AddressInUseError, PeerUnreachableError
from kioku.node.connecting import LEAVE_S, Silence
from kioku.transport.zenoh_session import EXIT_PATIENCE_S
from kioku.transport.zenoh_settings import OPEN_TIMEOUT_MS
from tests.unit.nodes import Machines, machines, state_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Machines]:
    with machines(tmp_path) as made:
        yield made


def test_a_spoke_dials_until_its_hub_is_there(world: Machines) -> None:
    spoke = world.spoke()
    attempts = []

    def dial(_: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise PeerUnreachableError("no hub answered; it is tried again")
        return world.mesh.connect()

    spoke.memory().save("waits in its log")
    with world.hub().node() as cellar, spoke.node(dial=dial) as node:
        until(lambda: "no hub answered" in node.statistics().problem)
        assert node.wait_level(60)
        assert node.statistics().problem == ""
        assert cellar.wait_level(60)


def test_a_hub_that_cannot_listen_says_so_to_who_waits_for_it(world: Machines) -> None:
    def dial(_: Any) -> Any:
        raise AddressInUseError("tcp/127.0.0.1:1", "it is taken")

    with world.hub().node(dial=dial) as node, pytest.raises(AddressInUseError, match="taken"):
        node.wait_open(60)


def test_nobody_waits_for_a_connection_that_another_process_has(world: Machines) -> None:
    spoke = world.spoke()
    with world.hub().node(), spoke.node() as first:
        until(lambda: state_of(first) == "leading")
        with spoke.node() as second:
            assert not second.wait_open(3_600)


def test_waiting_for_a_connection_ends_with_one_or_without(world: Machines) -> None:
    def dial(_: Any) -> Any:
        raise PeerUnreachableError("no hub answered; it is tried again")

    with world.hub().node() as node:
        assert node.wait_open(60)
    with world.spoke().node(dial=dial) as node:
        assert not node.wait_open(0.2)
        assert not node.wait_level(0.2)


def test_a_connection_that_leads_nowhere_is_dialled_anew(
    world: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kioku.node.connecting.SILENCE_MS", 100)
    spoke = world.spoke()
    deaf: list[Any] = []

    def dial(_: Any) -> Any:
        transport = world.mesh.connect()
        if not deaf:
            deaf.append(transport)
            transport.cut()
        return transport

    with world.hub().node(), spoke.node(dial=dial) as node:
        until(lambda: node.statistics().rebuilds == 1)
        assert deaf[0].is_closed
        assert node.wait_level(60)


def test_a_dial_that_hangs_keeps_no_node_from_ending(world: Machines) -> None:
    is_dialling, may_go_on = threading.Event(), threading.Event()
    late: list[Any] = []

    def dial(_: Any) -> Any:
        is_dialling.set()
        may_go_on.wait()
        late.append(world.mesh.connect())
        return late[0]

    with world.spoke().node(dial=dial) as node:
        assert is_dialling.wait(60)
        assert node.stop()
    may_go_on.set()
    until(lambda: late and late[0].is_closed)  # nobody is left who wants it


def test_an_end_outlasts_the_dial_of_a_silent_hub_and_takes_two_seconds_at_most() -> None:
    waited_ms = 1_000 * (LEAVE_S + EXIT_PATIENCE_S)
    assert OPEN_TIMEOUT_MS + 100 <= waited_ms <= 1_800


def test_a_mesh_in_which_nobody_answers_is_dialled_less_and_less_often() -> None:
    silence = Silence(0)
    doubted = [now_ms for now_ms in range(0, 4_000_000, 10_000) if silence.is_long(0, now_ms)]
    assert doubted == [60_000, 180_000, 420_000, 900_000, 1_860_000, 3_780_000]
    silence.begin(4_000_000)  # over another connection
    assert not silence.is_long(0, 4_100_000)
    assert not silence.is_long(1, 4_200_000)  # somebody was heard
    assert not silence.is_long(1, 4_259_999)
    assert silence.is_long(1, 4_260_000)


def test_a_connection_over_which_hubs_answer_is_kept(
    world: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kioku.node.connecting.SILENCE_MS", 1)
    asked = threading.Event()
    spoke = world.spoke()

    def dial(_: Any) -> Any:
        transport = world.mesh.connect()
        ask = transport.ask_spaces

        def ask_and_tell(timeout_ms: int) -> list[bytes]:
            asked.set()
            return ask(timeout_ms)

        transport.ask_spaces = ask_and_tell  # type: ignore[method-assign]
        return transport

    with world.hub().node() as cellar:
        until(lambda: state_of(cellar) == "leading")
        with spoke.node(dial=dial) as node:
            assert asked.wait(60)
            assert node.wait_level(60)
            assert node.statistics().rebuilds == 0


def test_a_node_that_stops_while_it_dials_waits_until_that_has_come_back(world: Machines) -> None:
    """What comes back from the network while a program ends would abort it."""
    has_begun, may_end, has_ended = threading.Event(), threading.Event(), threading.Event()

    def dial(_: Any) -> Any:
        has_begun.set()
        may_end.wait()
        threading.Event().wait(0.05)
        has_ended.set()
        raise PeerUnreachableError("no hub answered; it is tried again")

    node = world.spoke().node(dial=dial)
    with node:
        assert has_begun.wait(60)
        threading.Timer(0, may_end.set).start()
    assert has_ended.is_set()
