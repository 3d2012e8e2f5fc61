"""The situations that the simulator promises: a long run in which one never came proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.simulation.operations import OPERATIONS

if TYPE_CHECKING:
    from collections import Counter

NETWORK: Final = (
    "lost message",
    "doubled message",
    "reordered message",
    "flipped bit",
    "truncated replies",
    "message into a partition",
    "question that reaches nobody",
    "partition",
    "asymmetric partition",
    "slow machine",
    "frozen machine",
    "plain router",
)
MACHINES: Final = (
    "crash between steps",
    "crash inside a statement",
    "clean stop",
    "restart",
    "undetected clone",
    "clone of a clone",
    "copy without keys",
    "disk rolled back unseen",
    "disk rolled back seen",
    "backup restored",
    "machine died",
    "hub died",
    "machine joined",
    "purge whose issuer died before publishing",
    "purge whose issuer crashed before publishing",
    "clock ahead",
    "clock behind",
    "frozen clock",
    "clock ahead, then corrected",
    "clock repaired by hand",
    "own log closed",
    "undeleted",
    "gc erased something",
    "history erased",
    "receipt",
    "disk error",
    "held events retracted",
    "erasure that waits for a reader",
)
PROMISED: Final = (*NETWORK, *MACHINES, *(f"operation: {name}" for name in OPERATIONS))


def never_seen(seen: Counter[str]) -> list[str]:
    """Give the promised situations that never came about."""
    return [situation for situation in PROMISED if not seen[situation]]
