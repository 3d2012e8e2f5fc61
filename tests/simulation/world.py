"""The world of one run: machines, their network and time; chaos first, then healing and quiet.

What happens is a function of the options alone. The two phases and the bound:

    chaos    ``operations`` steps, each something that somebody does or that befalls somebody
    healing  the network is whole, clocks are right, whoever is not dead is up; nothing is written
    quiet    all living replicas have equal frontiers and lack no body: within ``QUIET_MS_MAX``
    verdict  walls go on until nothing is held; then everything must hold (``laws``)
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation import laws, receipts
from tests.simulation.chaos import Chaos
from tests.simulation.clocks import YEAR_MS
from tests.simulation.disk import Disk
from tests.simulation.machine import Machine
from tests.simulation.network import Network
from tests.simulation.operations import User
from tests.simulation.schedule import Schedule, Trace
from tests.simulation.weather import FAIR

if TYPE_CHECKING:
    from kioku.node.site import Role
    from tests.simulation.disk import Acknowledged
    from tests.simulation.options import Options

TROUBLE_SHARE: Final = 0.2
QUIET_MS_MAX: Final = 180_000
"""Seen: half a second in the middle, 47 s at most; what fails is tried again within a minute."""
RECEIPTS_MS_MAX: Final = 300_000
"""Seen: 106 s at most; a log counts as silent for a minute after its successor was met."""
RECEIPTS_EVERY: Final = 10
"""Operations between two looks at all receipts."""
STEP_MS: Final = 500
LATER_MS: Final = 40 * YEAR_MS
"""Past every stamp that a clock ten years ahead can have given."""


class World:
    """One run."""

    def __init__(
        self, options: Options, directory: str, template: str, *, keeps_lines: bool = False
    ) -> None:
        self.options = options
        self.directory = directory
        self.template = template
        self.schedule = Schedule()
        self.trace = Trace(self.schedule, keeps_lines=keeps_lines)
        self.rng = Random(f"world {options.seed}")
        self.network = Network(self.schedule, Random(f"network {options.seed}"), self.trace)
        self.machines: list[Machine] = []
        self.backups: dict[str, tuple[str, tuple[Acknowledged, ...]]] = {}
        self.user = User(self, Random(f"user {options.seed}"))
        self.chaos = Chaos(self, Random(f"chaos {options.seed}"))
        self.quiet_ms = 0
        self.receipts_ms = 0

    # -- machines

    def add(self, role: Role, name: str | None = None) -> Machine:
        """Set up a machine with an empty store; it is down."""
        label = self._label()
        disk = Disk(os.path.join(self.directory, label), self.template)
        return self._place(label, name or label, role, disk)

    def copy(self, machine: Machine, *, name: str | None, with_keys: bool) -> Machine:
        """Set up a machine with the files of another; it is down."""
        label = self._label()
        disk = machine.disk.copy_to(os.path.join(self.directory, label), with_keys=with_keys)
        return self._place(label, name or label, machine.role, disk)

    def _label(self) -> str:
        return f"m{len(os.listdir(self.directory))}"

    def _place(self, label: str, name: str, role: Role, disk: Disk) -> Machine:
        machine = Machine(
            label, name, role, disk=disk, network=self.network, seed=self.options.seed
        )
        machine.has_processes = self.options.has_processes
        machine.fell = lambda: self.chaos.come_back(machine)
        self.machines.append(machine)
        return machine

    def start(self, machine: Machine) -> None:
        """Start a machine that is down, unless it is dead."""
        if not machine.is_up and not machine.is_dead:
            machine.start()

    def bury(self, machine: Machine) -> None:
        """Let a machine die for ever; where the last hub did, a new one is set up."""
        if machine.is_up:
            machine.crash()
        machine.is_dead = True
        self.network.hubs.pop(machine.label, None)
        self.machines.remove(machine)
        if machine.role == "hub" and not any(m.role == "hub" for m in self.machines):
            self.start(self.add("hub"))

    def living(self) -> list[Machine]:
        """Those that are not dead."""
        return [machine for machine in self.machines if not machine.is_dead]

    def pick_up(self, besides: Machine | None = None) -> Machine | None:
        """Give any machine on which something can be done now."""
        able = [m for m in self.machines if m.is_up and not m.is_frozen and m is not besides]
        return self.rng.choice(able) if able else None

    # -- the run

    def run(self) -> None:
        """Run to the verdict.

        Raises:
            AssertionError: if anything does not hold.
        """
        try:
            self.begin()
            self.suffer()
            self.heal()
        finally:
            self.close()

    def close(self) -> None:
        """Close all stores."""
        for machine in self.machines:
            machine.end_reading()
            if machine.is_up:
                machine.close()

    def begin(self) -> None:
        """Set up the machines, hubs first."""
        if self.options.has_router:
            self.network.hubs["router"] = True
            self.trace.saw("plain router")
        for number in range(self.options.machines):
            is_hub = number < self.options.hubs and not self.options.has_router
            self.start(self.add("hub" if is_hub else "spoke"))

    def suffer(self) -> None:
        """Let everything happen."""
        for number in range(1, self.options.operations + 1):
            pause_ms = int(self.rng.expovariate(1 / self.options.pace_ms))
            self.schedule.run_until(self.schedule.now_ms + pause_ms)
            if self.rng.random() < TROUBLE_SHARE:
                self.chaos.strike()
                continue
            machine = self.pick_up()
            if machine is not None:
                self.user.do(machine)
            if number % RECEIPTS_EVERY == 0:
                receipts.check(self, strictly=False)

    def heal(self) -> None:
        """Make everything right, wait until it is quiet, and judge."""
        self.mend()
        known = laws.Known(self)
        began_ms = self.schedule.now_ms
        while not self.is_quiet():
            assert self.quiet_ms < QUIET_MS_MAX, self.disagreement()
            self.schedule.run_until(self.schedule.now_ms + STEP_MS)
            self.quiet_ms = self.schedule.now_ms - began_ms
        while not receipts.are_complete(self):
            assert self.receipts_ms < RECEIPTS_MS_MAX, receipts.lacking(self)
            self.schedule.run_until(self.schedule.now_ms + STEP_MS)
            self.receipts_ms = self.schedule.now_ms - began_ms
        receipts.check(self, strictly=True)
        for machine in self.machines:
            machine.clock.set(LATER_MS)
        known.check()

    def mend(self) -> None:
        """Make everything right."""
        self.network.weather = FAIR
        self.network.blocked.clear()
        for machine in self.machines:
            machine.clock.set(0)
            machine.thaw()
            machine.end_reading()
            if machine.is_up:
                machine.transport.slow_ms = 0
                machine.trace_statements(None)
            self.start(machine)
        self.network.change_ways()
        self.trace.note("mended")

    def is_quiet(self) -> bool:
        """Whether all living replicas hold the same."""
        states = [laws.holding(machine) for machine in self.machines]
        if any(state.unsealed or state.digest != states[0].digest for state in states):
            return False
        return not laws.lacks_a_body(self.machines, states)

    def disagreement(self) -> str:
        """In what they differ, for whoever reads why they do not agree."""
        frontiers = {m.label: m.replica.stated_frontier() for m in self.machines}
        common = set.intersection(*(set(frontier) for frontier in frontiers.values()))
        lines = ["not quiet"]
        for machine in self.machines:
            state, frontier = laws.holding(machine), frontiers[machine.label]
            tips = [f"{tip.log_id.hex()[:8]}:{tip.seq}" for tip in frontier if tip not in common]
            drift = "" if state.digest == frontier.digest().hex()[:16] else " DIGEST DRIFTED"
            lines.append(f"{machine.label}: {state.digest}{drift} unsealed {state.unsealed}")
            lines.append(f"    missing {len(state.missing)}, tips of its own {tips}")
            peers = machine.engine.statistics().peers
            lines += [f"    {peer.machine} {peer.log_id.hex()[:8]} {peer}"[:200] for peer in peers]
        return "\n".join(lines)
