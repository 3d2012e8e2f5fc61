"""Memories to test with: real stores, and a clock that the test moves."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from kioku.config import Settings
from kioku.memory import open_store

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from kioku.memory import Memory

NOON_MS = 1_790_000_000_000


class Clock:
    """Gives the nanoseconds since 1970 that a test wants it to be."""

    def __init__(self, ms: int = NOON_MS) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms * 1_000_000

    def advance(self, time: timedelta) -> None:
        """Let time pass; less than none for a clock that is set back."""
        self.ms += round(time.total_seconds() * 1000)


def settings(name: str = "box") -> Settings:
    """Settings of a machine called ``name``; nothing of them comes from the environment."""
    return Settings(
        space="default",
        state_dir="",
        config_path="",
        durability="normal",
        agent_family="claude",
        client_id="tests",
        pc_id=name,
        session_id="",
    )


class Stores:
    """Memories in one directory, all on one clock, closed together."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory = directory
        self.clock = clock
        self._stack = ExitStack()

    def open(self, name: str = "one", clock: Clock | None = None) -> Memory:
        """Open, or create, the store called ``name`` as a machine of that name."""
        path = str(self.directory / f"{name}.db")
        memory = open_store(path, settings(name), clock=clock or self.clock)
        return self._stack.enter_context(closing(memory))

    def close(self) -> None:
        """Close them all."""
        self._stack.close()


def carry(source: Memory, *targets: Memory) -> int:
    """Give each target what it lacks of the source; the number of events that were new."""
    return sum(
        target.ingest_chunk(chunk).new_events
        for target in targets
        for chunk in source.export_chunks(after=target.frontier())
    )


def chunks(source: Memory) -> list[bytes]:
    """All that a store has."""
    return list(source.export_chunks())


def ids(memory: Memory) -> list[str]:
    """What can be read, the latest change first."""
    return [observation.id for observation in memory.list(limit=10_000)]
