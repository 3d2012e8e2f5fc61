"""A log that two machines write is closed by both, and nothing of it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.transport.link import Put
from kioku.transport.message import Beacon
from tests.unit.node.world import World

if TYPE_CHECKING:
    from pathlib import Path


def test_a_machine_that_was_copied_whole_goes_on_as_two(tmp_path: Path) -> None:
    world = World()
    hub = world.add("hub", "hub")
    (tmp_path / "one").mkdir()
    anna = world.add("anna", path=str(tmp_path / "one" / "space.db"))
    world.run(5_000)
    anna.save(b"before")
    world.run(5_000)
    before = anna.engine.address
    twin = world.clone(anna, tmp_path / "two")
    assert twin.engine.address == before
    keys = [*anna.save(b"anna's"), *twin.save(b"twin's")]
    world.run(60_000)
    keys += [*anna.save(b"anna's later"), *twin.save(b"twin's later")]
    world.run(60_000)
    assert world.is_level()
    assert all(machine.shows(key) for machine in world.machines for key in keys)
    assert anna.engine.address != twin.engine.address
    told = [m.engine.statistics().forks for m in (anna, twin)]
    assert any("this store was copied" in sentence for one in told for sentence in one)
    assert hub.replica.statistics().logs >= 3


def test_a_log_that_its_own_machine_closed_is_no_fork() -> None:
    world = World()
    world.add("hub", "hub")
    anna = world.add("anna")
    world.run(5_000)
    before = anna.engine.address
    anna.replica.disown()
    anna.changed()
    world.run(5_000)
    assert anna.engine.address != before
    assert anna.engine.statistics().forks == ()
    assert world.is_level()


def test_a_machine_that_was_set_back_goes_on_in_another_log(tmp_path: Path) -> None:
    world = World()
    hub = world.add("hub", "hub")
    anna = world.add("anna", path=str(tmp_path / "space.db"))
    world.run(5_000)
    image = anna.image()
    (lost,) = anna.save(b"published, then lost")
    world.run(5_000)
    before = anna.engine.address
    anna.set_back(image)
    (key,) = anna.save(b"another")
    world.run(120_000)
    assert world.is_level()
    assert anna.engine.address != before
    for machine in (hub, anna):
        assert machine.shows(lost) == b"published, then lost"
        assert machine.shows(key) == b"another"


def test_a_beacon_in_our_name_that_our_key_never_signed_closes_nothing() -> None:
    world = World()
    world.add("hub", "hub")
    anna = world.add("anna")
    world.run(5_000)
    before = anna.engine.address
    tip = anna.engine._site.own_tip()
    assert tip
    forged = Beacon(bytes(32), 1, tip, bytes(64), 0, b"n" * 16, "1", True, 0, "spoke", b"")
    anna.inbox.append(Put(before, "beacon", forged.encode()))
    world.run(1_000)
    assert anna.engine.address == before


def test_beacons_in_our_name_that_are_replayed_close_a_few_logs_an_hour() -> None:
    world = World()
    hub, anna = world.add("hub", "hub"), world.add("anna")
    world.run(5_000)
    for n in range(20):
        site = anna.engine._site
        tip = site.own_tip()
        assert tip
        seal = site.seal_of(tip)
        beacon = Beacon(bytes(32), 1, tip, seal, 0, b"%016d" % n, "1", True, 0, "spoke", b"")
        anna.inbox.append(Put(anna.engine.address, "beacon", beacon.encode()))
        world.run(1_000)
    world.run(60_000)
    assert hub.replica.statistics().logs == 2 + 3
    assert world.is_level()


def test_nothing_is_said_between_closing_a_log_and_joining_as_the_next() -> None:
    world = World()
    world.add("hub", "hub")
    anna = world.add("anna")
    world.run(5_000)
    site, before = anna.engine._site, anna.engine.address
    tip = site.own_tip()
    assert tip
    beacon = Beacon(bytes(32), 1, tip, site.seal_of(tip), 0, b"n" * 16, "1", True, 0, "spoke", b"")
    anna.engine.handle(Put(before, "beacon", beacon.encode()))
    assert anna.engine.address != before
    said = world.counts.total()
    anna.engine.local_change()
    anna.engine.compare_now()
    world.now_ms += 120_000
    anna.engine.advance()
    assert world.counts.total() == said
    anna.join()
    world.run(5_000)
    assert world.is_level()


def test_an_engine_that_begins_again_hears_its_own_echo_unmoved(tmp_path: Path) -> None:
    world = World()
    world.add("hub", "hub")
    anna = world.add("anna", path=str(tmp_path / "space.db"))
    world.run(1_000)
    echo = anna.engine._publisher._state().encode()
    anna.end()
    anna.begin()
    before = anna.engine.address
    anna.inbox.append(Put(before, "beacon", echo))
    world.run(1_000)
    assert anna.engine.address == before
    assert anna.engine.statistics().counts["echoes"] == 1
