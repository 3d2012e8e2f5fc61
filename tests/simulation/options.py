"""What one run of the simulator is made of: everything is drawn from the seed, and can be said.

``str(options)`` gives one line that ``Options.read`` takes back, so that a failing run can be made
smaller by hand: fewer machines, one trouble less.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from random import Random
from typing import Final

TROUBLES: Final = (
    "clocks",  # walls are off, drift, jump and stand still
    "clones",  # whole machines are copied, unseen
    "crashes",  # processes end at any statement
    "deaths",  # machines, hubs and freshly purging ones never come back
    "disks",  # disks are rolled back, unseen or seen, and backups restored
    "freezes",  # processes stop and go on
    "partitions",  # messages pass in one direction only, or in none
    "weather",  # loss, doubles, delays, truncated replies, flipped bytes
)
"""Each can be left out by itself; a run has a random half of them, or all."""


@dataclass(frozen=True, slots=True)
class Options:
    """One run: ``machines`` replicas and hubs among them, and ``operations`` in all.

    With ``has_router`` the hub is a router without a replica; with ``has_processes`` nodes and
    those who save are processes of their own, on connections of their own. ``has_small_chunks``
    makes logs as long as years would, by limits that are smaller.
    """

    seed: int
    machines: int = 5
    hubs: int = 1
    operations: int = 200
    pace_ms: int = 300
    troubles: frozenset[str] = frozenset(TROUBLES)
    has_router: bool = False
    has_processes: bool = False
    has_small_chunks: bool = False
    is_thorough: bool = False

    @classmethod
    def draw(cls, seed: int) -> Options:
        """Draw a run from its seed alone."""
        rng = Random(f"options {seed}")
        count = rng.choice((0, 2, 4, len(TROUBLES), len(TROUBLES)))
        return cls(
            seed=seed,
            machines=rng.choice((2, 3, 3, 5)),
            hubs=rng.choice((1, 1, 2)),
            operations=rng.choice((60, 60, 120, 200)),
            pace_ms=rng.choice((100, 200, 300, 1_000, 5_000)),
            troubles=frozenset(rng.sample(TROUBLES, count)),
            has_router=rng.random() < 0.1,
            has_processes=rng.random() < 0.3,
            has_small_chunks=rng.random() < 0.5,
            is_thorough=rng.random() < 0.1,
        )

    def changed(self, text: str) -> Options:
        """Take over what a line of ``name=value`` says, as ``str`` gives it."""
        given = dict(word.split("=", 1) for word in text.split())
        changes: dict[str, int | bool | frozenset[str]] = {}
        for name, value in given.items():
            if name == "troubles":
                changes[name] = frozenset(filter(None, value.split(",")))
            elif name.startswith(("has_", "is_")):
                changes[name] = value == "True"
            else:
                changes[name] = int(value)
        return replace(self, **changes)  # type: ignore[arg-type]

    @classmethod
    def read(cls, text: str) -> Options:
        """Take back what ``str`` gave; what is left out is as the seed draws it."""
        words = dict(word.split("=", 1) for word in text.split())
        return cls.draw(int(words["seed"])).changed(text)

    def __str__(self) -> str:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["troubles"] = ",".join(sorted(self.troubles))
        return " ".join(f"{name}={value}" for name, value in values.items())
