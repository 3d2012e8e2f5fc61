"""What the link over Zenoh does beyond the contract: where it listens, and what strangers send."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zenoh

from kioku.errors import AddressInUseError, ConfigError, PeerUnreachableError
from kioku.transport import zenoh_settings
from kioku.transport.link import Put, Query, ReplyEnd
from kioku.transport.zenoh_link import ZenohTransport
from kioku.transport.zenoh_settings import ZenohSettings
from kioku.transport.zenoh_space import QUERIES_WAITING_MAX
from tests.integration.links import (
    PATIENCE_S,
    Member,
    ZenohWorld,
    free_endpoint,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[ZenohWorld]:
    with ZenohWorld() as made:
        yield made


@pytest.fixture
def stranger(world: ZenohWorld) -> Iterator[zenoh.Session]:
    """A Zenoh client that is no kioku, on a hub that has a member."""
    world.hub()
    settings = ZenohSettings("spoke", connect=world.endpoints)
    session = zenoh.open(zenoh.Config.from_json5(zenoh_settings.configuration(settings)))
    yield session
    session.close()  # type: ignore[no-untyped-call]


# --- where a hub listens and what a spoke dials ---------------------------------------------------


def test_a_taken_port_is_named(world: ZenohWorld) -> None:
    world.hub()
    with pytest.raises(AddressInUseError, match="another program listens there; choose") as caught:
        ZenohTransport.open(ZenohSettings("hub", listen=world.endpoints))
    assert caught.value.endpoint == world.endpoints[0]
    assert "\n" not in str(caught.value)
    assert ".rs" not in str(caught.value)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(AddressInUseError, match="this machine has no such address"):
        ZenohTransport.open(ZenohSettings("hub", listen=("tcp/192.0.2.1:7447",)))


@pytest.mark.parametrize(
    "endpoint", ["tcp/127.0.0.1", "udp/127.0.0.1:1", "nonsense", "tcp/ :1", "tcp/nowhere.invalid:1"]
)
def test_an_endpoint_that_is_none_is_named(endpoint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(endpoint)):
        ZenohTransport.open(ZenohSettings("hub", listen=(endpoint,)))


def test_a_spoke_whose_hubs_are_all_down_is_told_so() -> None:
    hubs = (free_endpoint(), free_endpoint())
    with pytest.raises(PeerUnreachableError, match=f"{hubs[0]}, {hubs[1]}"):
        ZenohTransport.open(ZenohSettings("spoke", connect=hubs))


def test_a_hub_that_never_answers_is_not_waited_for() -> None:
    with socket.socket() as silent:  # accepted by the kernel, read by nobody
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"tcp/127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(PeerUnreachableError):
            ZenohTransport.open(ZenohSettings("spoke", connect=(endpoint,)))
        with pytest.raises(PeerUnreachableError):
            ZenohTransport.open(ZenohSettings("spoke", connect=(endpoint,)), deadline_s=0.01)


def test_a_hub_behind_several_that_never_answer_is_reached(world: ZenohWorld) -> None:
    hub = world.hub()
    with contextlib.ExitStack() as sockets:
        silent = []
        for _ in range(2):
            one = sockets.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            one.listen()
            silent.append(f"tcp/127.0.0.1:{one.getsockname()[1]}")
        settings = ZenohSettings("spoke", connect=(*silent, *world.endpoints))
        spoke = world.keep(ZenohTransport.open(settings))
        assert spoke.routers() == [hub.identity]


def test_a_hub_listens_where_it_was_told_and_a_spoke_nowhere(world: ZenohWorld) -> None:
    before = _listening()
    world.hub()
    world.spoke()
    port = int(world.endpoints[0].rpartition(":")[2])
    assert _listening() - before == {("tcp", f"0100007F:{port:04X}")}


def _listening() -> set[tuple[str, str]]:
    """What this process listens on, as the kernel has it: TCP that accepts, and all of UDP."""
    own = {os.readlink(f"/proc/self/fd/{name}") for name in _descriptors()}
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/self/net/{protocol}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            is_open = protocol.startswith("udp") or fields[3] == "0A"
            if is_open and f"socket:[{fields[9]}]" in own:
                found.add((protocol, fields[1]))
    return found


def _descriptors() -> list[str]:
    return [
        name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")
    ]


def test_sockets_in_the_file_system_do_as_well(tmp_path: Path) -> None:
    endpoint = f"unixsock-stream/{tmp_path}/hub.sock"
    hub = ZenohTransport.open(ZenohSettings("hub", listen=(endpoint,)))
    spoke = ZenohTransport.open(ZenohSettings("spoke", connect=(endpoint,)))
    assert spoke.routers() == [hub.identity]
    spoke.close(PATIENCE_S)
    hub.close(PATIENCE_S)


# --- what others may send -------------------------------------------------------------------------


def test_what_a_stranger_makes_up_is_counted_and_dropped(
    world: ZenohWorld, stranger: zenoh.Session
) -> None:
    anna = Member(world.spoke(), "anna")
    space, log = anna.address.space_id.hex(), b"x".ljust(16).hex()
    wrong = [
        f"kioku/1/{space}/ANNA/{log}/live",
        f"kioku/1/{space}/{'a' * 33}/{log}/live",
        f"kioku/1/{space}/bert/{log.upper().replace('2', 'A')}/live",
        f"kioku/1/{space}/bert/{log[2:]}/live",
        f"kioku/1/{space}/bert/{log}/deed",
        f"kioku/1/{space}/bert/{log}/heads",
    ]
    right = f"kioku/1/{space}/bert/{log}/live"
    wait_until(lambda: stranger.put(right, b"right") or anna.inbox.all_so_far()[1:])
    for key in wrong:
        stranger.put(key, b"wrong")
    stranger.delete(right)
    stranger.put(right, b"last")
    wait_until(lambda: any(isinstance(d, Put) and d.data == b"last" for d in anna.heard()))
    assert {put.data for put in anna.heard() if isinstance(put, Put)} == {b"right", b"last"}
    assert anna.statistics().garbage == len(wrong) + 1


def test_what_strangers_say_of_spaces_is_bounded(
    world: ZenohWorld, stranger: zenoh.Session
) -> None:
    def answer(query: zenoh.Query) -> None:
        with query:
            for size in (70_000, *[10] * 100):
                query.reply(f"kioku/1/spaces/bert/{'0' * 32}", bytes(size))

    stranger.declare_queryable(f"kioku/1/spaces/bert/{'0' * 32}", answer)
    spoke = world.spoke()
    wait_until(lambda: [len(one) for one in spoke.ask_spaces(20_000)] == [10] * 64)


def test_a_question_to_everybody_is_no_question(world: ZenohWorld, stranger: zenoh.Session) -> None:
    anna = Member(world.spoke(), "anna")
    key = f"kioku/1/{anna.address.space_id.hex()}/anna/{anna.address.log_id.hex()}/*"
    wait_until(
        lambda: [one.err for one in stranger.get(key, timeout=5.0)] or anna.statistics().garbage
    )
    assert not [one for one in anna.inbox.all_so_far() if isinstance(one, Query)]
    assert anna.statistics().queries_waiting == 0


def test_a_hub_lets_nothing_larger_than_a_message_through(
    world: ZenohWorld, stranger: zenoh.Session
) -> None:
    anna = Member(world.spoke(), "anna")
    key = f"kioku/1/{anna.address.space_id.hex()}/bert/{b'x'.ljust(16).hex()}/live"
    wait_until(lambda: stranger.put(key, b"ready") or anna.inbox.all_so_far()[1:])
    stranger.put(key, bytes(zenoh_settings.MESSAGE_BYTES_MAX + 1))
    stranger.put(key, b"last")
    wait_until(lambda: any(isinstance(d, Put) and d.data == b"last" for d in anna.heard()))
    assert max(len(put.data) for put in anna.heard() if isinstance(put, Put)) < 100


def test_only_so_many_questions_wait(world: ZenohWorld) -> None:
    anna, bert = Member(world.hub(), "anna"), Member(world.spoke(), "bert")
    anna.wait_to_hear(bert)
    bert.wait_to_hear(anna)
    for number in range(QUERIES_WAITING_MAX + 1):
        bert.ask(anna, b"?", number=number)
    assert bert.inbox.next(ReplyEnd) == ReplyEnd(QUERIES_WAITING_MAX, "busy")
    waiting = [anna.inbox.next(Query) for _ in range(QUERIES_WAITING_MAX)]
    assert anna.statistics().queries_refused == 1
    for query in waiting:
        query.end()
    assert anna.statistics().queries_waiting == 0
    bert.ask(anna, b"?", number=1_000)
    anna.inbox.next(Query).end()


# --- what may be laid over ------------------------------------------------------------------------


def test_an_override_reaches_zenoh() -> None:
    lease = {"transport": {"link": {"tx": {"lease": 9_000}}}}
    made = json.loads(zenoh_settings.configuration(ZenohSettings("spoke", overrides=lease)))
    assert made["transport"]["link"]["tx"]["lease"] == 9_000
    assert made["transport"]["link"]["tx"]["keep_alive"] == 4
    config = zenoh.Config.from_json5(json.dumps(made))
    assert json.loads(config.get_json("transport/link/tx/lease")) == 9_000


def test_what_zenoh_does_not_know_is_refused_in_one_line() -> None:
    settings = ZenohSettings("hub", listen=(free_endpoint(),), overrides={"nonsense": 1})
    with pytest.raises(ConfigError, match=r"^\[zenoh\]: .*nonsense.*; correct or remove it$"):
        ZenohTransport.open(settings)
