"""What failing seeds have shown, each by its name, and the situations that must never fail."""

from __future__ import annotations

from tests.simulation.clocks import DAY_MS
from tests.simulation.scenarios import contents, pass_time, save, scenario


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
        waits_for = {peer.log_id for peer in copy.replica.erasures()[0].outstanding}
        assert original.engine.address.log_id in waits_for


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
        waits_for = {peer.log_id for peer in observer.replica.erasures()[0].outstanding}
        assert {m.engine.address.log_id for m in (original, copy)} <= waits_for
