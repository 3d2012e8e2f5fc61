"""What time brings: held events, late bodies, clocks set right, and a store that failed works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw

from kioku.log.chunk import decode_chunk, encode_chunk
from kioku.log.draft import Draft
from kioku.log.event import SAVE
from tests.unit.node.world import Machine, World

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000


def hub_and_spokes(*names: str) -> tuple[World, list[Machine]]:
    world = World()
    machines = [world.add("hub", "hub"), *map(world.add, names)]
    world.run(5_000)
    return world, machines


def without_bodies(machine: Machine) -> bytes:
    """The newest log of a machine as somebody sends it who lacks the bodies."""
    site = machine.engine._site
    tip = site.own_tip()
    assert tip
    chunks = site.holdings.read_range(tip, None)
    assert chunks
    chunk = decode_chunk(next(chunks))
    events = [
        event if seq == 1 else event._replace(salt=None, body=None)
        for seq, event in enumerate(chunk.events, 1)
    ]
    return encode_chunk(chunk.log_id, 1, chunk.prev, events=events, signature=chunk.signature)


def test_a_missing_body_is_asked_of_every_peer_until_it_comes() -> None:
    world, (hub, anna) = hub_and_spokes("anna")
    anna.end()
    (key,) = anna.save(b"a body")
    anna.replica.seal()
    hub.replica.ingest_chunk(without_bodies(anna), now_ms=hub.clock.wall_ms())
    hub.changed()
    ben = world.add("ben")
    world.run(30_000)
    assert [m.engine.statistics().missing for m in (hub, ben)] == [1, 1]
    told = {peer.machine: peer.missing for peer in ben.engine.statistics().peers}
    assert told["hub"] == 1
    anna.begin()
    world.run(60_000)
    assert [m.shows(key) for m in (hub, ben)] == [b"a body"] * 2
    assert [m.engine.statistics().missing for m in (hub, ben)] == [0, 0]


def test_what_nobody_has_is_asked_for_seldom() -> None:
    world, (hub, anna) = hub_and_spokes("anna")
    anna.end()
    anna.save(b"a body")
    anna.replica.seal()
    hub.replica.ingest_chunk(without_bodies(anna), now_ms=hub.clock.wall_ms())
    hub.changed()
    world.add("ben")
    world.run(60_000)
    world.counts.clear()
    world.run(HOUR_MS)
    assert 8 <= world.counts["ask bodies"] <= 16


def test_a_held_event_counts_when_its_time_has_come() -> None:
    world, (hub, anna) = hub_and_spokes("anna")
    anna.clock.offset_ms = 10 * 60_000
    anna.save(b"early", key=7)
    world.run(2_000)
    (told,) = hub.engine.statistics().peers
    assert told.held == 1
    assert told.offset_ms == 600_000
    assert hub.replica.statistics().held == 1
    world.run(9 * 60_000)
    assert hub.replica.statistics().held == 0


def test_a_clock_that_was_ahead_is_set_right_once_a_peer_agrees_with_the_wall() -> None:
    world = World()
    anna = world.add("anna")
    anna.clock.offset_ms = 5 * HOUR_MS
    (key,) = anna.save(b"from the future")
    anna.clock.offset_ms = 0
    world.run(60_000)
    hub = world.add("hub", "hub")
    world.run(40_000)
    assert world.is_level()
    (told,) = hub.engine.statistics().peers
    assert told.held == 0
    with anna.replica.reading(now_ms=anna.clock.wall_ms()) as reading:
        winner = reading.winner(key)
        assert winner
        assert winner.hlc >> 16 <= anna.clock.wall_ms()
    assert anna.shows(key) == hub.shows(key) == b"from the future"
    assert anna.engine.statistics().counts["events_stamped_again"] == 1


def test_a_clock_that_was_ahead_stays_while_no_peer_agrees_with_the_wall() -> None:
    world = World()
    anna = world.add("anna")
    anna.clock.offset_ms = 5 * HOUR_MS
    anna.save(b"from the future")
    anna.clock.offset_ms = 0
    hub = world.add("hub", "hub")
    hub.clock.offset_ms = -10 * 60_000
    world.run(120_000)
    assert anna.engine.statistics().counts.get("events_stamped_again", 0) == 0
    assert hub.replica.statistics().held == 1


def test_a_store_that_others_lock_is_sealed_and_published_as_soon_as_it_is_free(
    tmp_path: Path,
) -> None:
    world = World()
    hub = world.add("hub", "hub")
    anna = world.add("anna", path=str(tmp_path / "space.db"))
    world.run(5_000)
    (key,) = anna.save(b"before")
    world.settle()
    with anna.replica.transaction(now_ms=anna.clock.wall_ms()) as transaction:
        transaction.append([Draft(SAVE, bytes([9]) * 16, b"unsealed")])
    other = apsw.Connection(anna.path)
    other.execute("BEGIN IMMEDIATE")
    anna.changed()
    world.run(10_000)
    assert hub.shows(key) == b"before"
    assert hub.shows(bytes([9]) * 16) is None
    assert "lock" in anna.engine.statistics().problem
    other.execute("ROLLBACK")
    other.close()
    world.run(5_000)
    assert hub.shows(bytes([9]) * 16) == b"unsealed"
    assert anna.engine.statistics().problem == ""


def test_a_full_disk_is_told_and_got_over(tmp_path: Path) -> None:
    world = World()
    hub = world.add("hub", "hub", path=str(tmp_path / "space.db"))
    anna = world.add("anna")
    world.run(5_000)
    pages = hub.replica._database.connection.execute("PRAGMA page_count").get
    keys: list[bytes] = []
    for n in range(60):
        # Of each connection anew, for a store goes on with another one after an error.
        limit = f"PRAGMA max_page_count = {pages + 2}"
        hub.replica._database.connection.execute(limit).fetchall()
        keys += anna.save(bytes([n]) * 5_000) if n < 20 else []
        world.run(1_000)
    told = hub.engine.statistics()
    assert "full" in told.problem
    assert told.counts["store_errors"] < 60
    assert hub.turns < 3_000  # nor is it a reason to spin
    hub.replica._database.connection.execute("PRAGMA max_page_count = 100000").fetchall()
    world.run(60_000)
    assert all(hub.shows(key) for key in keys)
    assert world.is_level()
    assert hub.engine.statistics().problem == ""
