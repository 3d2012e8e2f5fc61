"""What a test of asyncio stands on: a loop of its own, its turns, a thread that waits when told."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from kioku.memory import Memory

SECONDS_MAX = 60  # far beyond anything; only so that a hang fails instead of lasting


async def turns(count: int) -> None:
    """Let the loop go round so often."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        turned = loop.create_future()
        loop.call_soon(turned.set_result, None)
        await turned


class Gate:
    """``stand`` waits in a thread until ``open``; ``reached`` says in the loop that it does."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._open = threading.Event()
        self.reached = asyncio.Event()

    def stand(self, _: object = None) -> None:
        self._loop.call_soon_threadsafe(self.reached.set)
        assert self._open.wait(SECONDS_MAX)

    def save_behind(self, memory: Memory, content: str) -> str:
        """Save once the gate is open."""
        self.stand()
        return memory.save(content).id

    def open(self) -> None:
        self._open.set()


def working_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("kioku")}


def asynchronous(test: Callable[[str], Coroutine[Any, Any, None]]) -> Callable[[str], None]:
    """Run a test in a loop of its own; at its end no thread of ours is left."""

    def run(store: str) -> None:
        asyncio.run(asyncio.wait_for(test(store), SECONDS_MAX))
        assert not working_threads()

    return run


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
