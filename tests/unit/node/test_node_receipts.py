"""Receipts: who has confirmed an erasure, and that nobody did who has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.log.draft import Draft
from kioku.log.event import SAVE
from tests.unit.node.world import World

if TYPE_CHECKING:
    from pathlib import Path


def test_everybody_confirms_a_purge_within_seconds() -> None:
    world = World()
    world.add("hub", "hub")
    anna = world.add("anna")
    world.add("ben")
    world.run(5_000)
    (key,) = anna.save(b"secret")
    world.run(5_000)
    anna.purge(key)
    assert anna.confirmed() == {"hub": False, "ben": False}
    world.run(3_000)
    assert anna.confirmed() == {"hub": True, "ben": True}
    world.run(60_000)
    assert all(set(machine.confirmed().values()) == {True} for machine in world.machines)


def test_who_is_away_has_confirmed_nothing_until_it_is_back() -> None:
    world = World()
    world.add("hub", "hub")
    anna, ben = world.add("anna"), world.add("ben")
    world.run(5_000)
    (key,) = anna.save(b"secret")
    world.run(5_000)
    ben.end()
    anna.purge(key)
    world.run(300_000)
    assert anna.confirmed() == {"hub": True, "ben": False}
    ben.begin()
    world.run(10_000)
    assert anna.confirmed() == {"hub": True, "ben": True}


def test_who_has_not_erased_yet_says_so_and_confirms_as_soon_as_it_has(tmp_path: Path) -> None:
    world = World()
    hub = world.add("hub", "hub", path=str(tmp_path / "space.db"))
    anna = world.add("anna")
    world.run(5_000)
    (key,) = anna.save(b"secret")
    world.run(5_000)
    with hub.replica.snapshot():  # who reads old pages keeps them from being overwritten
        anna.purge(key)
        world.run(120_000)
        assert world.is_level()
        assert hub.shows(key) is None
        assert anna.confirmed() == {"hub": False}
        assert not hub.engine.statistics().erased
        assert 8 <= hub.engine.statistics().counts["erasures_delayed"] < 20
    while not hub.engine.statistics().erased:
        world.run(100)
        assert world.now_ms < 150_000
    world.run(300)
    assert anna.confirmed() == {"hub": True}


def test_events_that_come_meanwhile_keep_nobody_from_confirming() -> None:
    """Digests are never equal in a busy mesh: comparisons confirm as well."""
    world = World()
    world.add("hub", "hub")
    anna, ben = world.add("anna"), world.add("ben")
    world.run(5_000)
    (key,) = anna.save(b"secret")
    world.run(5_000)
    anna.purge(key)
    world.is_cut = lambda _from, _to, kind: kind == "live"
    for n in range(120):
        ben.save(b"%d" % n)
        world.run(900)
    assert anna.confirmed()["hub"]


def test_a_machine_that_was_set_back_loses_its_receipt_until_it_has_erased_again(
    tmp_path: Path,
) -> None:
    world = World()
    world.add("hub", "hub")
    anna = world.add("anna")
    ben = world.add("ben", path=str(tmp_path / "space.db"))
    world.run(5_000)
    (key,) = anna.save(b"secret")
    world.run(5_000)
    image = ben.image()
    anna.purge(key)
    world.run(5_000)
    assert anna.confirmed() == {"hub": True, "ben": True}
    world.is_cut = lambda sender, receiver, kind: (
        ben in (sender, receiver) and (anna not in (sender, receiver) or kind == "live")
    )
    asks = world.is_cut
    world.is_cut = lambda sender, receiver, kind: (
        asks(sender, receiver, kind)
        or (
            sender is ben and kind != "beacon"  # it is asked, and can ask nobody
        )
    )
    ben.set_back(image)
    assert ben.shows(key) == b"secret"
    world.run(10_000)
    told = next(peer for name, peer in anna.confirmed().items() if name == "ben")
    assert not told
    world.heal()
    world.run(60_000)
    assert ben.shows(key) is None
    assert anna.confirmed()["ben"]


def test_an_unsealed_tail_keeps_no_receipt_from_what_a_copy_erased_in_the_same_log(
    tmp_path: Path,
) -> None:
    """The two stand at the same seqs of one log, on branches of their own."""
    world = World()
    world.add("hub", "hub")
    (tmp_path / "one").mkdir()
    anna = world.add("anna", path=str(tmp_path / "one" / "space.db"))
    world.run(5_000)
    (key,) = anna.save(b"secret")
    world.run(5_000)
    twin = world.clone(anna, tmp_path / "two")
    world.cut(twin)
    twin.purge(key)
    tip = twin.engine._site.own_tip()
    assert tip
    anna.replica.append([Draft(SAVE, bytes([2]) * 16, b"unsealed")], now_ms=anna.clock.wall_ms())
    for chunk in twin.replica.read_range(tip, None) or ():
        anna.replica.ingest_chunk(chunk, now_ms=anna.clock.wall_ms())
    anna.changed()
    world.heal()
    world.run(60_000)
    assert world.is_level()
    for erasure in anna.replica.erasures():
        assert [peer.machine for peer in erasure.outstanding] == []
        assert "hub" in {peer.machine for peer in erasure.confirmed}
