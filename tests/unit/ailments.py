"""What makes the doctor's checks fail: how a case is written, and what it has to work with.

One generator a way to go wrong: it breaks something, yields how to look, and then does what the
hint says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kioku.doctor import check
from kioku.memory import open as open_memory
from tests.unit.memories import Clock, Stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from kioku.doctor import Check, Report
    from kioku.memory import Memory


@dataclass
class Bench:
    """What a way to go wrong has to work with."""

    home: Path
    tmp_path: Path
    patch: pytest.MonkeyPatch
    stores: Stores
    clock: Clock

    @property
    def state(self) -> Path:
        return self.home / "state"

    def save(self) -> str:
        """Save something in the default space, and give the path of its store."""
        with open_memory() as memory:
            memory.save("something")
        return str(self.state / "default.db")

    def memory(self, name: str = "one", ahead_ms: int = 0) -> Memory:
        """A memory with one observation, on a clock that may be ahead."""
        clock = Clock(self.clock.ms + ahead_ms) if ahead_ms else self.clock
        memory = self.stores.open(name, clock)
        memory.save("something")
        return memory


CASES: list[tuple[str, Any]] = []


def breaks(name: str) -> Callable[[Any], Any]:
    """Say which check a case makes fail."""

    def add(case: Any) -> Any:
        CASES.append((name, case))
        return case

    return add


def of(memory: Memory, *, deep: bool = False) -> Callable[..., Report]:
    """How to look at an open memory."""
    return lambda **options: check(memory, **{"deep": deep, **options})


def named(report: Report, name: str) -> list[Check]:
    return [found for found in report.checks if found.name == name]
