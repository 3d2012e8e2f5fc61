"""What failing seeds have shown, each by its name, and the situations that must never fail."""

from __future__ import annotations

from unittest import mock

from tests.simulation.clocks import DAY_MS
from tests.simulation.scenarios import (
    contents,
    outstanding,
    pass_time,
    save,
    scenario,
    wait_for,
)
from tests.simulation.weather import Weather


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
