"""What a machine that is gone has stamped ahead is taken back on a person's word, everywhere."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from kioku.doctor import check
from kioku.errors import AmbiguousIdError, NotFoundError
from kioku.memory import open_store
from tests.unit.memories import Clock, carry, ids, settings

if TYPE_CHECKING:
    from kioku.memory import Memory
    from tests.unit.memories import Stores

DAY_MS = 86_400_000


@pytest.fixture
def early(stores: Stores, clock: Clock) -> Memory:
    """A machine whose clock is a day ahead, with two saves, one of them deleted."""
    memory = stores.open("early", Clock(clock.ms + DAY_MS))
    memory.save("kept ahead")
    memory.delete(memory.save("deleted ahead").id)
    return memory


def test_what_waits_of_one_name_is_taken_back_and_nothing_else(
    stores: Stores, clock: Clock, early: Memory
) -> None:
    other, here = stores.open("other", Clock(clock.ms + DAY_MS)), stores.open("here")
    waiting = other.save("of another that is early")
    mine = here.save("in time")
    carry(early, here)
    carry(other, here)
    looked = here.retract_held("early", dry_run=True)
    assert (looked.events, looked.observations, looked.ahead_ms) == (3, 2, DAY_MS)
    assert looked.is_dry_run
    done = here.retract_held("early")
    assert (done.events, done.is_dry_run) == (3, False)
    assert set(ids(here)) == {mine.id, waiting.id}, "what is held is shown while it has no rival"
    clock.ms += 2 * DAY_MS
    assert set(ids(here)) == {mine.id, waiting.id}


def test_of_two_machines_of_one_name_the_one_is_named_by_its_log(
    stores: Stores, clock: Clock
) -> None:
    ahead = Clock(clock.ms + DAY_MS)
    gone, here = stores.open("laptop", ahead), stores.open("here")
    gone.save("of the one that is gone")
    log_id = gone.replica.begin_log(ahead.ms).hex()
    with closing(
        open_store(str(stores.directory / "other.db"), settings("laptop"), clock=ahead)
    ) as healthy:
        kept = healthy.save("of the other")
        carry(gone, here)
        carry(healthy, here)
    before = here.digest()
    for dry_run in (True, False):
        with pytest.raises(AmbiguousIdError, match=f"2 logs wait; .*{log_id[:8]}"):
            here.retract_held("laptop", dry_run=dry_run)
    assert here.digest() == before
    [held] = [found for found in check(here).checks if found.name == "held"]
    assert f"1 of laptop (log {log_id[:8]}) until" in held.summary
    with pytest.raises(NotFoundError):
        here.retract_held(log_id[:5])
    assert here.retract_held(log_id).events == 1
    assert ids(here) == [kept.id]
    assert here.retract_held("laptop").events == 1, "only one is left that is called so"


def test_it_is_taken_back_on_every_machine(stores: Stores, clock: Clock, early: Memory) -> None:
    here, there = stores.open("here"), stores.open("there")
    carry(early, here, there)
    here.retract_held("early")
    carry(here, there, early)
    clock.ms += 2 * DAY_MS
    for memory in (here, there, early):
        assert ids(memory) == []
    assert here.digest() == there.digest()


def test_a_name_of_which_nothing_waits_is_refused_and_nothing_is_written(
    stores: Stores, early: Memory
) -> None:
    here = stores.open("here")
    carry(early, here)
    here.retract_held("early")
    before = here.digest()
    for name in ("early", "nobody", "here"):
        for dry_run in (True, False):
            with pytest.raises(NotFoundError, match=name):
                here.retract_held(name, dry_run=dry_run)
    assert here.digest() == before
