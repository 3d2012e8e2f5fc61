"""After any history of losses, absences and erasures: level, and every erasure confirmed."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.node.world import Machine, World

SETTLE_MS = 240_000
"""Two idle beacons (45 s each), the longest backoff (60 s), and the patience between spokes."""

MACHINES = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("save"), MACHINES, st.integers(1, 5)),
    st.tuples(st.just("purge"), MACHINES, st.integers(0, 5)),
    st.tuples(st.just("restart"), MACHINES, st.just(0)),
    st.tuples(st.just("end"), MACHINES, st.just(0)),
    st.tuples(st.just("cut"), MACHINES, st.just(0)),
    st.tuples(st.just("lose"), MACHINES, st.integers(0, 90)),
    st.tuples(st.just("heal"), MACHINES, st.just(0)),
    st.tuples(st.just("run"), MACHINES, st.integers(1, 60_000)),
)


class History:
    """A hub and three spokes, and what happens to them."""

    def __init__(self) -> None:
        self.world = World()
        self.machines = [self.world.add("hub", "hub"), *map(self.world.add, "abc")]
        self.keys: list[bytes] = []
        self.world.run(1_000)

    def do(self, step: tuple[str, int, int]) -> None:
        what, index, amount = step
        machine = self.machines[index]
        match what:
            case "save":
                self.keys += machine.save(*[bytes([n]) for n in range(amount)])
            case "purge" if amount < len(self.keys):
                machine.purge(self.keys[amount])
            case "cut":
                self.world.cut(machine)
            case "lose":
                self.lose(amount / 100)
            case "heal":
                self.world.heal()
            case "run":
                self.world.run(amount)
            case "end" | "restart":
                self.restart(machine, for_good=what == "end")

    def restart(self, machine: Machine, *, for_good: bool) -> None:
        if machine.is_running:
            machine.end()
        if not for_good:
            machine.begin()

    def lose(self, share: float) -> None:
        rng = random.Random(3)
        self.world.is_cut = lambda _from, _to, _kind: rng.random() < share

    def heal(self) -> None:
        self.world.heal()
        for machine in self.machines:
            if not machine.is_running:
                machine.begin()
        self.world.run(SETTLE_MS)


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=25))
def test_after_healing_all_are_level_and_have_confirmed_all_that_is_erased(
    steps: list[tuple[str, int, int]],
) -> None:
    history = History()
    for step in steps:
        history.do(step)
    history.heal()
    assert history.world.is_level()
    for key in history.keys:
        assert len({machine.shows(key) for machine in history.machines}) == 1
    names = {machine.name for machine in history.machines}
    for machine in history.machines:
        statistics = machine.engine.statistics()
        assert statistics.is_level
        assert statistics.problem == ""
        assert {peer.name for peer in statistics.peers if peer.is_level} == names - {machine.name}
        for erasure in machine.replica.erasures():
            assert {peer.name for peer in erasure.confirmed} == names - {machine.name}
