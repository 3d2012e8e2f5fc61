"""What a lapse must not cost: a store that fails once, a bad moment, a peer that takes all time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kioku.errors import StoreBusyError
from kioku.node.peers import PEERS_MAX, Peers
from kioku.transport.link import Address, Put, Query
from kioku.transport.message import Beacon
from tests.unit.node.test_node_peers import beacon
from tests.unit.node.world import Machine, World

if TYPE_CHECKING:
    from pathlib import Path

    from kioku.transport.link import Delivery

HOUR_MS = 3_600_000


def confirmed_then(tmp_path: Path) -> tuple[World, Machine, Machine, dict[str, bytes]]:
    """Anna purged, ben confirmed, and here is ben's disk from before."""
    world = World()
    anna = world.add("anna")
    ben = world.add("ben", path=str(tmp_path / "space.db"))
    world.run(5_000)
    (key,) = anna.save(b"secret")
    world.run(5_000)
    image = ben.image()
    anna.purge(key)
    world.run(10_000)
    assert anna.confirmed() == {"ben": True}
    world.is_cut = lambda sender, _receiver, kind: sender is ben and kind != "beacon"
    return world, anna, ben, image


@pytest.mark.parametrize("name", ["note_peer", "note_statement"])
def test_a_receipt_is_taken_back_although_the_store_was_busy_just_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world, anna, ben, image = confirmed_then(tmp_path)
    works = getattr(anna.replica, name)
    failures: list[str] = []

    def fails_once(*values: object, **named: object) -> object:
        if not failures:
            failures.append(name)
            raise StoreBusyError("space.db: is busy; try again")
        return works(*values, **named)

    ben.set_back(image)
    monkeypatch.setattr(anna.replica, name, fails_once)
    world.run(30_000)
    assert failures
    assert anna.confirmed() == {"ben": False}


def test_a_peer_that_is_set_back_while_it_is_compared_with_is_compared_with_again(
    tmp_path: Path,
) -> None:
    world, anna, ben, image = confirmed_then(tmp_path)
    anna.step(anna.engine.compare_now)
    while not anna.inbox:
        world._turn(ben)
    while ben.inbox:
        world._turn(ben)
    under_way = list(anna.inbox)
    anna.inbox.clear()
    ben.set_back(image)
    while not anna.inbox:
        world._turn(ben)
    anna.inbox.extend(under_way)
    world.run(30_000)
    assert anna.confirmed() == {"ben": False}


def test_a_peer_that_states_less_than_before_is_compared_with_though_nothing_is_new() -> None:
    """A machine that is set back with its memory goes on under the nonce that it had."""
    world = World()
    anna, ben = world.add("anna"), world.add("ben")
    world.run(5_000)
    before = ben.engine._publisher._state().encode()
    anna.save(b"one")
    world.run(10_000)
    assert world.is_level()
    world.asked.clear()
    world.run(60_000)
    assert world.asked == []
    anna.inbox.append(Put(ben.engine.address, "beacon", before))
    world.run(10_000)
    assert ("anna", "ben", "heads") in world.asked


def test_a_peer_that_was_forgotten_and_is_there_still_confirms_anew(tmp_path: Path) -> None:
    world, anna, ben, _ = confirmed_then(tmp_path)
    world.heal()
    assert anna.replica.forget_peer(ben.engine.address.log_id)
    world.run(60_000)
    assert anna.confirmed() == {"ben": True}


def test_hubs_that_answer_nothing_do_not_keep_others_from_being_heard() -> None:
    world = World()
    anna = world.add("anna", "hub")
    ben = world.add("ben")
    world.run(10_000)
    for n in range(8):
        world.add(f"stuck-{n}", "hub").is_stuck = True
    world.run(120_000)
    world.is_cut = lambda _sender, _receiver, kind: kind == "live"
    for n in range(10):
        (key,) = ben.save(b"%d" % n)
        world.run(60_000)
        assert anna.shows(key)


def test_a_hub_that_keeps_a_session_busy_lets_others_have_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    anna = world.add("anna", "hub")
    ben = world.add("ben")
    world.run(10_000)
    slow = world.add("slow", "hub")
    asked: list[Query] = []
    works = slow.engine.handle

    def drips(delivery: Delivery) -> None:
        if isinstance(delivery, Query):
            asked.append(delivery)
        else:
            works(delivery)

    monkeypatch.setattr(slow.engine, "handle", drips)
    world.run(1_000)
    world.is_cut = lambda _sender, _receiver, kind: kind == "live"
    keys = ben.save(b"patient")
    for _ in range(30):
        for query in asked:
            query.answer(b"\x00")
        world.run(8_000)
    assert anna.shows(keys[0]) == b"patient"


def test_addresses_that_answer_nothing_make_room_for_one_that_may() -> None:
    peers = Peers()
    for n in range(PEERS_MAX):
        invented = peers.meet(Address(bytes(16), "x", n.to_bytes(16, "big")))
        assert invented
        invented.heard(beacon(), now_ms=n, wall_ms=n)
        if n:
            invented.succeeded(n)
    newcomer = Address(bytes(16), "new", b"n" * 16)
    assert peers.meet(newcomer) is None
    first = peers.get(Address(bytes(16), "x", bytes(16)))
    assert first
    first.failed("no answer", now_ms=5_000, chance=0.5)
    assert peers.meet(newcomer) is not None
    assert peers.get(first.address) is None


def test_a_clock_is_not_set_by_the_word_of_an_address_that_was_never_compared_with() -> None:
    world = World()
    anna = world.add("anna")
    anna.clock.offset_ms = 5 * HOUR_MS
    anna.save(b"from the future")
    anna.clock.offset_ms = 0
    world.run(60_000)
    invented = Beacon(
        bytes(32), 1, None, None, anna.clock.wall_ms(), bytes(16), "1", True, 0, "spoke", b""
    )
    sender = Address(anna.joined.space_id, "x", b"x" * 16)
    anna.inbox.append(Put(sender, "beacon", invented.encode()))
    world.run(10_000)
    assert "events_stamped_again" not in anna.engine.statistics().counts


def test_our_log_is_closed_when_it_is_shown_past_what_we_hold_whoever_says_so(
    tmp_path: Path,
) -> None:
    """A machine's memory may be copied too: then both of its halves speak under one nonce."""
    world = World()
    anna = world.add("anna", path=str(tmp_path / "space.db"))
    world.run(1_000)
    image = anna.image()
    anna.save(b"published, then lost")
    echo = anna.engine._publisher._state().encode()
    anna.set_back(image)
    before = anna.engine.address
    anna.inbox.append(Put(before, "beacon", echo))
    world.run(1_000)
    assert anna.engine.address != before
