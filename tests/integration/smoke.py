"""``make smoke``: one hub and four spokes as they are run, what each has, and the hub pulled.

Prints a table after each step, ends with 0 if all of it held and 1 if not, in less than a minute.
``--long`` does besides, for as long as a person would wait, what the tests do in short: the hub
dead for half a minute under five writers, a minute of kills at random, and a machine that catches
up with 100,000 events while it is watched. Each machine has a network of its own where that is
possible, else all are on the loopback.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from tests.integration import mesh as meshes
from tests.integration.catch_up import watch
from tests.integration.mesh import Machine, Mesh, until
from tests.integration.mesh_writer import Writer
from tests.integration.namespaces import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

SPOKES = 4
SAVES = 25
OUTAGE_S = 30.0
KILLING_S = 60.0
CATCH_UP_EVENTS = 100_000

_BY_AUTHOR = """SELECT l.name, count(*) FROM record r JOIN event e ON e.event = r.event
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log GROUP BY l.name"""


def say(text: str = "") -> None:
    print(text, flush=True)


def who_has_what(machine: Machine) -> dict[str, int]:
    """How much of each author's a machine shows."""
    if not machine.store.exists():
        return {}
    with contextlib.closing(
        apsw.Connection(str(machine.store), flags=apsw.SQLITE_OPEN_READONLY)
    ) as connection:
        rows: Any = connection.execute(_BY_AUTHOR).fetchall()
        return dict(rows)


def show(mesh: Mesh, step: str) -> None:
    """Print what each machine has of each other."""
    names = [machine.name for machine in mesh.machines]
    width = max(map(len, names)) + 2
    say(f"\n{step}")
    say("".join(["has, of".ljust(width), *(name.rjust(width) for name in names), "state".rjust(9)]))
    glances = [machine.glance()._replace(visible=0) for machine in mesh.machines]
    for machine, glance in zip(mesh.machines, glances, strict=True):
        counts = who_has_what(machine)
        cells = [str(counts.get(name, 0)).rjust(width) for name in names]
        state = "down" if machine.server is None else "level" if glance == glances[0] else "apart"
        say("".join([machine.name.ljust(width), *cells, state.rjust(9)]))


@contextlib.contextmanager
def started(spokes: int) -> Iterator[tuple[Mesh, Machine, list[Machine]]]:
    """A hub and its spokes, level; ended without leaving anything."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kioku-smoke-")))
        network = stack.enter_context(Network()) if Network.is_possible() else None
        say(f"network: {'a namespace for each machine' if network else 'loopback'}")
        mesh = stack.enter_context(Mesh(directory, network))
        hub = mesh.hub("hub")
        chosen = [mesh.spoke(f"spoke-{number}", hub) for number in range(1, spokes + 1)]
        mesh.await_level(events=1 + spokes)
        yield mesh, hub, chosen


def numbered(machine: Machine, step: str) -> list[str]:
    return [f"{machine.name} {step} {number}" for number in range(SAVES)]


def short() -> None:
    """All save; the hub is pulled and saves go on; it comes back, and all are level."""
    with started(SPOKES) as (mesh, hub, spokes):
        saved: dict[str, str] = {}
        for machine in mesh.machines:
            saved |= machine.save(*numbered(machine, "first"))
        mesh.await_level()
        show(mesh, f"each machine has saved {SAVES}")
        hub.kill()
        for spoke in spokes:
            saved |= spoke.save(*numbered(spoke, "without a hub"))
        show(mesh, f"the hub is pulled (kill -9), and each spoke has saved {SAVES} more")
        hub.serve()
        mesh.await_level()
        show(mesh, "the hub is back")
        if mesh.network is not None:
            mesh.network.pull(spokes[0].name)
            for machine in (hub, spokes[0]):
                saved |= machine.save(*numbered(machine, "across a pulled cable"))
            show(mesh, f"the cable of {spokes[0].name} is pulled, and both sides save on")
            mesh.network.plug(spokes[0].name)
            mesh.await_level()
            show(mesh, "the cable is back")
        [key] = spokes[0].save("to be purged")
        mesh.await_level()
        spokes[1].run("purge", key, "--yes")
        mesh.await_level()
        until(lambda: is_confirmed(spokes[1], key), lambda: spokes[1].run("purge", "--status").out)
        say(f"\npurged on {spokes[1].name}:\n{spokes[1].run('purge', '--status').out.rstrip()}")
        mesh.assert_settled(saved)


def is_confirmed(machine: Machine, key: str) -> bool:
    """Whether every replica has confirmed a purge, as its issuer's machine says."""
    out = machine.run("purge", "--status").out
    return key[:6] in out and "outstanding" not in out


def outage() -> None:
    """The hub is dead for half a minute under five writers."""
    with started(5) as (mesh, hub, spokes):
        writers = [Writer(spoke, spoke.name) for spoke in spokes]
        for writer in writers:
            writer.await_saves(50)
        hub.kill()
        deadline = time.monotonic() + OUTAGE_S
        until(lambda: time.monotonic() > deadline, mesh.describe)
        hub.serve()
        saved = {key: content for writer in writers for key, content in writer.stop().items()}
        mesh.assert_settled(saved)
        show(mesh, f"the hub was dead for {OUTAGE_S:.0f} s under five writers")


def killing(seed: int) -> None:
    """Every process is killed at random for a minute."""
    rng = random.Random(seed)
    with started(SPOKES) as (mesh, hub, spokes):
        writers = {spoke.name: Writer(spoke, f"{spoke.name}-0") for spoke in spokes}
        saved: dict[str, str] = {}
        kills, deadline = 0, time.monotonic() + KILLING_S
        while time.monotonic() < deadline:
            rest = time.monotonic() + rng.uniform(0.1, 2)
            until(lambda rest=rest: time.monotonic() > rest, mesh.describe)  # type: ignore[misc]
            victim = rng.choice([hub, *spokes])
            victim.kill()
            kills += 1
            if victim is not hub:
                saved |= writers[victim.name].kill()
                writers[victim.name] = Writer(victim, f"{victim.name}-{kills}")
            victim.serve()
        for writer in writers.values():
            saved |= writer.stop()
        mesh.assert_settled(saved)
        show(mesh, f"{kills} kills at random in {KILLING_S:.0f} s (seed {seed})")


def catching_up() -> None:
    """A machine catches up with 100,000 events, and what it shows grows all the while."""
    with started(1) as (mesh, hub, [spoke]):
        spoke.end()
        for start in range(0, CATCH_UP_EVENTS, 10_000):
            hub.save(*(f"event {start + number}" for number in range(10_000)))
        spoke.serve()
        growth = watch(spoke, until_visible=CATCH_UP_EVENTS)
        mesh.assert_settled({})
        say(f"\ncatching up with {CATCH_UP_EVENTS:,} events: {growth.describe()}")
        growth.check()


def main() -> int:
    """Run it, and say in the end whether all of it held."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("--long", action="store_true", help="five minutes instead of one")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    began = time.monotonic()
    try:
        short()
        if options.long:
            meshes.SECONDS_MAX *= 2
            outage()
            killing(options.seed)
            catching_up()
    except AssertionError as error:
        say(f"\nFAILED after {time.monotonic() - began:.0f} s: {error}")
        return 1
    say(f"\nall level, nothing lost, nothing left running; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
