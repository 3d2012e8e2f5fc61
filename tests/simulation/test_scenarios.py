"""What failing seeds have shown, each by its name, and the situations that must never fail."""

from __future__ import annotations

import os
from unittest import mock

from tests.simulation.clocks import DAY_MS, YEAR_MS
from tests.simulation.laws import holding
from tests.simulation.scenarios import (
    contents,
    is_held,
    outstanding,
    pass_time,
    save,
    scenario,
    wait_for,
)
from tests.simulation.weather import FAIR, Weather


def test_a_log_that_was_closed_takes_the_seal_that_a_copy_gave_its_tail() -> None:
    """The original holds that event already, unsealed, so nothing of it seems to be missing."""
    with scenario() as world:
        original = world.machines[1]
        original.freeze()
        save(original, "nobody has sealed this yet")
        copy = world.copy(original, name=None, with_keys=True)
        world.start(copy)
        pass_time(world, 20_000)
        original.thaw()
        pass_time(world, 60_000)
        assert world.is_quiet(), world.disagreement()
        assert contents(original) == {"nobody has sealed this yet"}


def test_a_copy_without_keys_says_again_what_nobody_had_sealed() -> None:
    with scenario() as world:
        reader, original = world.machines[1:]
        original.freeze()
        save(original, "nobody has sealed this yet")
        copy = world.copy(original, name=None, with_keys=False)
        world.bury(original)
        world.start(copy)
        pass_time(world, 60_000)
        assert contents(reader) == {"nobody has sealed this yet"}


def test_a_copy_waits_for_its_original_to_confirm_a_purge() -> None:
    """The original's log is one that the copy once had as its own, so it seems to be itself."""
    with scenario() as world:
        original = world.machines[1]
        key = save(original, "to be forgotten everywhere")
        copy = world.copy(original, name=None, with_keys=False)
        world.start(copy)
        pass_time(world, 60_000)
        copy.use(lambda memory: memory.purge(key))
        assert original.engine.address.log_id in outstanding(copy)


def test_a_wall_that_was_ahead_hides_no_original_from_whoever_waits_for_receipts() -> None:
    """The copy's new log was met in the future, so the original seemed silent ever since."""
    with scenario() as world:
        observer, original = world.machines[1:]
        key = save(original, "to be forgotten everywhere")
        pass_time(world, 5_000)
        observer.clock.set(DAY_MS)
        copy = world.copy(original, name=None, with_keys=False)
        world.start(copy)
        pass_time(world, 60_000)
        observer.clock.set(0)
        pass_time(world, 180_000)
        observer.use(lambda memory: memory.purge(key))
        logs = {machine.engine.address.log_id for machine in (original, copy)}
        assert logs <= outstanding(observer)


def test_a_copy_and_its_original_part_though_neither_writes() -> None:
    with scenario() as world:
        original = world.machines[1]
        copy = world.copy(original, name=original.name, with_keys=True)
        world.start(copy)
        assert copy.engine.address == original.engine.address
        pass_time(world, 60_000)
        assert copy.engine.address.log_id != original.engine.address.log_id


def test_a_purge_is_confirmed_only_when_no_reader_keeps_the_text() -> None:
    with scenario() as world:
        issuer, slow = world.machines[1:]
        key = save(issuer, "to be forgotten everywhere")
        pass_time(world, 5_000)
        slow.begin_reading()
        issuer.use(lambda memory: memory.purge(key))
        pass_time(world, 120_000)
        assert outstanding(issuer) == {slow.engine.address.log_id}
        slow.end_reading()
        wait_for(world, lambda: not outstanding(issuer), 120_000)


def test_a_disk_that_was_set_back_unseen_takes_its_receipts_back() -> None:
    """Its questions are lost for a while, so that it cannot have the purge again at once."""
    with scenario() as world:
        issuer, other = world.machines[1:]
        key = save(issuer, "to be forgotten everywhere")
        pass_time(world, 5_000)
        before = other.disk.image()
        issuer.use(lambda memory: memory.purge(key))
        wait_for(world, lambda: not outstanding(issuer), 60_000)
        other.crash(before)
        pass_time(world, 5_000)
        world.start(other)
        with mock.patch.object(other.link, "ask"):
            wait_for(world, lambda: other.engine.address.log_id in outstanding(issuer), 60_000)
        wait_for(world, lambda: not outstanding(issuer), 180_000)


def test_a_disk_that_was_set_back_unseen_begins_another_log_when_it_is_shown_its_own_past() -> None:
    with scenario() as world:
        reader, other = world.machines[1:]
        before = other.disk.image()
        save(other, "said, heard and forgotten")
        pass_time(world, 5_000)
        log_id = other.engine.address.log_id
        other.crash(before)
        world.start(other)
        pass_time(world, 60_000)
        assert other.engine.address.log_id != log_id
        save(other, "said since")
        pass_time(world, 5_000)
        assert contents(reader) == contents(other) == {"said, heard and forgotten", "said since"}


def test_a_body_that_an_unheard_purge_took_is_fetched_from_somebody_else() -> None:
    """Its header came from a machine that had purged it, and died in the middle of its log."""
    with scenario(has_router=True) as world:
        others, issuer = world.machines[:2], world.machines[2]
        key = save(issuer, "nobody has heard that this is to be forgotten")
        pass_time(world, 60_000)
        for other in others:
            world.network.blocked |= {(other.label, "router"), ("router", other.label)}
        many = [{"content": f"{number} {'more ' * 200}"} for number in range(2_500)]
        issuer.use(lambda memory: memory.save_many(many))
        issuer.use(lambda memory: memory.purge(key))
        pass_time(world, 5_000)
        new = world.add("spoke")
        world.start(new)
        world.network.weather = Weather(delay_ms_max=3_000)
        wait_for(world, lambda: bool(new.replica.missing_events(1)), 60_000)
        world.bury(issuer)
        world.network.blocked.clear()
        world.network.change_ways()
        wait_for(world, lambda: not new.replica.missing_events(1), 120_000)
        assert new.memory.get(key) is not None


def test_messages_with_a_bit_turned_bring_nothing() -> None:
    with scenario() as world:
        writer, reader = world.machines[1:]
        world.network.weather = Weather(flips=1.0)
        save(writer, "it is spoilt on the way")
        pass_time(world, 120_000)
        assert contents(reader) == set()
        counts = reader.engine.statistics().counts
        assert counts["rejected"] > 0
        world.network.weather = FAIR
        wait_for(world, lambda: bool(contents(reader)), 60_000)


def test_replies_that_were_cut_short_never_pass_for_level() -> None:
    """Each stream of replies stops after none, one or two of them, and ends as if it were whole."""
    with scenario() as world:
        writer, reader = world.machines[1:]
        world.network.weather = Weather(loss=1.0)
        for number in range(20):
            save(writer, f"number {number}")
        pass_time(world, 60_000)
        world.network.weather = Weather(cuts=1.0)
        wait_for(world, lambda: not reader.engine.statistics().is_level, 60_000)
        for _ in range(1_000):
            pass_time(world, 100)
            if reader.engine.statistics().is_level:
                assert holding(reader) == holding(writer)


def test_a_hub_that_dies_for_ever_leaves_nothing_but_itself_behind() -> None:
    with scenario() as world:
        hub, writer, reader = world.machines
        save(hub, "the hub itself said this")
        pass_time(world, 5_000)
        world.bury(hub)
        save(writer, "said while there was no hub")
        pass_time(world, 60_000)
        assert contents(reader) == {"the hub itself said this", "said while there was no hub"}


def test_a_clock_that_was_ten_years_ahead_is_repaired_once_a_peer_agrees() -> None:
    with scenario() as world:
        ahead, other = world.machines[1:]
        ahead.clock.set(10 * YEAR_MS)
        key = save(ahead, "from the future")
        pass_time(world, 60_000)
        assert is_held(other, key)
        ahead.clock.set(0)
        pass_time(world, 180_000)
        assert not is_held(other, key)
        other.use(lambda memory: memory.edit(key, content="edited since"))
        pass_time(world, 5_000)
        assert contents(ahead) == {"edited since"}


def test_a_restored_backup_gets_back_what_came_after_it_and_keeps_what_was_purged_purged() -> None:
    with scenario() as world:
        machine, other = world.machines[1:]
        purged = save(machine, "to be forgotten everywhere")
        path = os.path.join(world.directory, "backup")
        machine.use(lambda memory: memory.backup(path))
        acknowledged = list(machine.disk.acknowledged)
        save(machine, "said after the backup")
        machine.use(lambda memory: memory.purge(purged))
        pass_time(world, 60_000)
        machine.stop()
        machine.restore(path, acknowledged)
        world.start(machine)
        pass_time(world, 60_000)
        assert contents(machine) == contents(other) == {"said after the backup"}
