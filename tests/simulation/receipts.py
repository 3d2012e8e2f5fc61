"""No false receipt, and none that is never given (invariant 28).

A replica that is said to have confirmed a purge or a retract has it, keeps no body that it erases,
and has no text of it in any file. While a copy of it, or an older state of it, may still speak for
it unseen, what it confirmed may be stale: it is judged once all is quiet.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from kioku.log.event import PURGE, SAVE, TOMBSTONE, EventId
from kioku.log.payload import decode_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.log.peers import Erasure
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

ERASURES_MAX: Final = 1_000
_BODY: Final = """SELECT e.body FROM event e JOIN branch b ON b.branch = e.branch
    JOIN log l ON l.log = b.log WHERE l.log_id = ? AND e.seq = ? AND e.hash = ?"""
_KEPT_OF_KEY: Final = "SELECT 1 FROM event WHERE key = ? AND body IS NOT NULL LIMIT 1"
_KEPT: Final = f"{_BODY} AND e.kind IN ({SAVE}, {TOMBSTONE}) AND e.body IS NOT NULL"


def check(world: World, *, strictly: bool) -> None:
    """Hold every receipt that any machine has to what its giver's files say.

    Args:
        world: whose machines.
        strictly: also those of machines that may still be spoken for by another.

    Raises:
        AssertionError: if a receipt is false.
    """
    words: dict[str, set[str]] = {machine.label: set() for machine in world.machines}
    for machine, erasure, giver in _all(world):
        if strictly or not giver.is_doubtful:
            world.trace.saw("receipt")
            problem = _problem(machine, erasure, giver)
            assert not problem, f"{machine.label} believes {giver.label}: {problem}"
            if erasure.kind == PURGE:
                words[giver.label] |= set(world.user.words_of(erasure.key))
    for giver in world.machines:
        left = giver.disk.has_text(sorted(words[giver.label]))
        assert not left, f"{giver.label} has confirmed a purge, and has {left} in a file"


def _all(world: World) -> Iterator[tuple[Machine, Erasure, Machine]]:
    """Give who has a receipt, for what, and whose it is."""
    machines = [machine for machine in world.machines if machine.is_up]
    for machine in machines:
        with machine.unharmed():
            is_erased = machine.replica.is_erased()
            erasures = machine.replica.erasures(ERASURES_MAX)
        if not is_erased:
            world.trace.saw("erasure that waits for a reader")
        for erasure in erasures:
            confirmed = {peer.log_id for peer in erasure.confirmed}
            for giver in machines:
                if giver.engine.address.log_id in confirmed:
                    yield machine, erasure, giver


def _problem(machine: Machine, erasure: Erasure, giver: Machine) -> str:
    """Say what is wrong with a receipt; empty if it is true."""
    if not giver.ask(_BODY, *erasure.event):
        return f"it does not have {erasure.event}"
    if erasure.kind == PURGE:
        kept = giver.ask(_KEPT_OF_KEY, erasure.key)
        return f"it keeps a body of {erasure.key.hex()}" if kept else ""
    bodies = [one for one in _targets(machine, erasure) if giver.ask(_KEPT, *one)]
    return f"it keeps the bodies of {bodies}" if bodies else ""


def _targets(machine: Machine, erasure: Erasure) -> Iterator[EventId]:
    (row,) = machine.ask(_BODY, *erasure.event)
    yield from decode_targets(row[0])


def are_complete(world: World) -> bool:
    """Whether every machine knows of every other that it has erased what there is to erase."""
    return not any(_lacking(world))


def lacking(world: World) -> str:
    """Say whose receipts are not there."""
    return "\n".join(f"{line}: {count}" for line, count in Counter(_lacking(world)).items())


def _lacking(world: World) -> Iterator[str]:
    logs = {machine.engine.address.log_id: machine.label for machine in world.machines}
    for machine in world.machines:
        for erasure in machine.replica.erasures(ERASURES_MAX):
            waits_for = {peer.log_id for peer in erasure.outstanding}
            known = waits_for | {peer.log_id for peer in erasure.confirmed}
            for log_id, label in logs.items():
                if log_id in waits_for:
                    yield f"{machine.label} waits for {label}"
                elif log_id not in known and label != machine.label:
                    yield f"{machine.label} does not wait for {label}"
