"""What a test of asyncio waits on: turns of the loop, and a thread that stands where it is told."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
