"""What befalls machines, disks, clocks and the network: each trouble that a run can have.

Whatever is done here leaves the world in a state that real machines can be in; that the replicas
agree again afterwards is what the run is for.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

import apsw

from tests.simulation.clocks import DAY_MS, YEAR_MS
from tests.simulation.weather import FAIR, Weather

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.simulation.disk import Image
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

JUMPS_MS: Final = (5_000, 59_000, 90_000, 3_600_000, DAY_MS, 30 * DAY_MS, 10 * YEAR_MS)
MACHINES_MAX: Final = 8
AWAY_MS: Final = (100, 1_000, 30_000, 300_000)


class Chaos:
    """Brings about the troubles of a run."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.trace = world.trace
        self._images: dict[str, Image] = {}
        chosen = [event for event in EVENTS if event[0] in world.options.troubles]
        self._events = [(name, call) for _, name, _, call in chosen]
        self._weights = [weight for _, _, weight, _ in chosen]

    def strike(self) -> None:
        """Let one thing happen, if this run has any trouble."""
        if self._events:
            ((name, call),) = self.rng.choices(self._events, self._weights)
            machine = self.world.pick_up()
            if machine is not None:
                self.trace.note("strike", machine.label, name)
                call(self, machine)

    def come_back(self, machine: Machine, longest_ms: int | None = None) -> None:
        """Let a machine that is down start again, sooner or later."""
        self.trace.saw("restart")
        delay_ms = self.rng.randrange(longest_ms or self.rng.choice(AWAY_MS))
        self.world.schedule.after(delay_ms, partial(self.world.start, machine))

    # -- processes

    def crash(self, machine: Machine) -> None:
        """Every process is killed between two steps."""
        machine.crash()
        self.trace.saw("crash between steps")
        self.come_back(machine)

    def crash_soon(self, machine: Machine) -> None:
        """Every process is killed at a statement; the world starts what it finds down."""
        machine.crash_in(self.rng.randrange(60))

    def fail_soon(self, machine: Machine) -> None:
        """Its disk is full, or fails, at a statement."""
        machine.fail_in(self.rng.randrange(60), self.rng.choice((apsw.FullError, apsw.IOError)))

    def stop(self, machine: Machine) -> None:
        """The node ends in order."""
        machine.stop()
        self.trace.saw("clean stop")
        self.come_back(machine)

    def freeze(self, machine: Machine) -> None:
        """Its processes stand still, and go on later as if nothing had been."""
        machine.freeze()
        self.trace.saw("frozen machine")
        delay_ms = self.rng.randrange(self.rng.choice(AWAY_MS))
        self.world.schedule.after(delay_ms, machine.thaw)

    def read(self, machine: Machine) -> None:
        """Another process reads for a while, so that nothing is overwritten meanwhile."""
        if machine.reader is None:
            machine.begin_reading()
            delay_ms = self.rng.randrange(self.rng.choice(AWAY_MS))
            self.world.schedule.after(delay_ms, machine.end_reading)

    def slow(self, machine: Machine) -> None:
        """All that goes to it and comes from it takes long; or no longer."""
        slow_ms = self.rng.choice((500, 4_000, 20_000))
        machine.transport.slow_ms = 0 if machine.transport.slow_ms else slow_ms
        self.trace.saw("slow machine")

    # -- the network

    def change_weather(self, machine: Machine) -> None:
        """The network gets better or worse."""
        network = self.world.network
        network.weather = FAIR if self.rng.random() < 0.2 else Weather.draw(self.rng)
        self.trace.note("weather", network.weather)

    def part(self, machine: Machine) -> None:
        """Some messages pass no more: to one machine, from it, or both."""
        network = self.world.network
        others = [m.label for m in self.world.machines if m is not machine] + list(network.hubs)
        if self.rng.random() < 0.5:
            others = self.rng.sample(others, self.rng.randrange(1, len(others) + 1))
        way = self.rng.randrange(3)
        self.trace.saw("asymmetric partition" if way else "partition")
        for other in others:
            if way in {0, 1}:
                network.blocked.add((machine.label, other))
            if way in {0, 2}:
                network.blocked.add((other, machine.label))
        network.change_ways()

    def rejoin(self, machine: Machine) -> None:
        """All messages pass again."""
        self.world.network.blocked.clear()
        self.world.network.change_ways()

    # -- clocks

    def jump(self, machine: Machine) -> None:
        """The wall is set, wrongly."""
        jump_ms = self.rng.choice(JUMPS_MS) * self.rng.choice((1, 1, -1))
        machine.clock.set(jump_ms, self.rng.choice((0, 0, 500, -500, 50_000)))
        self.trace.saw("clock ahead" if jump_ms > 0 else "clock behind")

    def correct(self, machine: Machine) -> None:
        """The wall is set right."""
        if machine.clock.error_ms > 60_000:
            self.trace.saw("clock ahead, then corrected")
        machine.clock.set(0)

    def stand_still(self, machine: Machine) -> None:
        """The wall stands still until it is set."""
        machine.clock.freeze()
        self.trace.saw("frozen clock")

    # -- disks

    def clone(self, machine: Machine) -> None:
        """A whole machine is copied, with or without its name; nothing on it can tell."""
        if len(self.world.machines) >= MACHINES_MAX:
            return
        is_seen = self.rng.random() < 0.25
        name = machine.name if self.rng.random() < 0.5 else None
        copy = self.world.copy(machine, name=name, with_keys=not is_seen)
        if not is_seen:
            machine.is_doubtful = copy.is_doubtful = True
        if is_seen:
            self.trace.saw("copy without keys")
        elif machine.is_clone:
            self.trace.saw("clone of a clone")
        else:
            self.trace.saw("undetected clone")
        copy.is_clone = not is_seen
        self.world.start(copy)

    def remember(self, machine: Machine) -> None:
        """Keep what is on a disk now, to put it back some time."""
        self._images[machine.label] = machine.disk.image()

    def roll_back(self, machine: Machine) -> None:
        """A disk becomes what it was: seen by the keys' marks, or, with the keys, by nobody."""
        image = self._images.pop(machine.label, None)
        if image is None:
            self.remember(machine)
            return
        with_keys = self.rng.random() < 0.6
        machine.crash()
        machine.disk.put_back(image, with_keys=with_keys)
        machine.is_doubtful |= with_keys
        self.trace.saw("disk rolled back unseen" if with_keys else "disk rolled back seen")
        self.come_back(machine)

    def restore(self, machine: Machine) -> None:
        """A backup, its own or another's, takes the place of its store."""
        if not self.world.backups:
            self.world.user.back_up(machine)
            return
        path, acknowledged = self.rng.choice(list(self.world.backups.values()))
        machine.end_reading()
        machine.stop()
        if machine.is_up or not os.path.exists(path):
            return
        machine.restore(path, acknowledged)
        self.trace.saw("backup restored")
        self.come_back(machine)

    # -- for ever

    def die(self, machine: Machine) -> None:
        """A machine is gone for ever, with what nobody else has."""
        if len(self.world.living()) > 2:
            self.world.bury(machine)
            self.trace.saw("hub died" if machine.role == "hub" else "machine died")

    def purge_and_die(self, machine: Machine) -> None:
        """A purge is said, and nobody hears of it any more."""
        machine.end_reading()
        if len(self.world.living()) > 2:
            self.world.user.purge(machine)
            if machine.is_up:
                self.world.bury(machine)
                self.trace.saw("purge whose issuer died before publishing")

    def purge_and_crash(self, machine: Machine) -> None:
        """A purge is said, and heard of only after a restart."""
        machine.end_reading()
        self.world.user.purge(machine)
        if machine.is_up:
            self.crash(machine)
            self.trace.saw("purge whose issuer crashed before publishing")

    def join(self, machine: Machine) -> None:
        """A new machine takes part."""
        if len(self.world.machines) < MACHINES_MAX:
            self.world.start(self.world.add("spoke"))
            self.trace.saw("machine joined")


Event = tuple[str, str, float, "Callable[[Chaos, Machine], None]"]
EVENTS: Final[tuple[Event, ...]] = (
    ("crashes", "crash", 2, Chaos.crash),
    ("crashes", "crash soon", 3, Chaos.crash_soon),
    ("crashes", "disk error soon", 2, Chaos.fail_soon),
    ("crashes", "stop", 2, Chaos.stop),
    ("crashes", "purge and crash", 1, Chaos.purge_and_crash),
    ("freezes", "freeze", 2, Chaos.freeze),
    ("freezes", "slow", 1, Chaos.slow),
    ("freezes", "read", 2, Chaos.read),
    ("weather", "weather", 3, Chaos.change_weather),
    ("partitions", "part", 4, Chaos.part),
    ("partitions", "rejoin", 2, Chaos.rejoin),
    ("clocks", "jump", 3, Chaos.jump),
    ("clocks", "correct", 3, Chaos.correct),
    ("clocks", "stand still", 1, Chaos.stand_still),
    ("clones", "clone", 1, Chaos.clone),
    ("disks", "roll back", 2, Chaos.roll_back),
    ("disks", "restore", 0.7, Chaos.restore),
    ("deaths", "die", 0.5, Chaos.die),
    ("deaths", "purge and die", 0.5, Chaos.purge_and_die),
    ("deaths", "join", 1, Chaos.join),
)
