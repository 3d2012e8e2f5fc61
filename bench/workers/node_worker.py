"""kioku's side of the rows about the mesh: what runs in, or beside, the node of one machine.

Times are the monotonic clock's, which all processes of a machine share, so that what one saved and
another saw can be subtracted.
"""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from bench.corpus import items
from bench.workers.kioku_worker import open_memory
from bench.workers.protocol import Answer, serve, wait_for_go

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from kioku import Memory

SECONDS_MAX = 120.0
POLL_S = 0.000_5


def _part(memory: Memory, *, is_node: bool) -> AbstractContextManager[object]:
    return memory.syncing() if is_node else nullcontext()


def save(*, start: int, count: int, pause_s: float, is_node: bool) -> Answer:
    """Save one by one; when each save began and when it returned, by its id."""
    work = list(items(start, count))
    times: dict[str, tuple[int, int]] = {}
    with open_memory() as memory, _part(memory, is_node=is_node):
        wait_for_go()
        for each in work:
            began = time.monotonic_ns()
            saved = memory.save(**each)
            times[saved.id] = (began, time.monotonic_ns())
            time.sleep(pause_s)
        sys.stdin.readline()  # the node goes on until everybody has seen all
    return {"times": times}


def see(*, count: int, is_node: bool) -> Answer:
    """Note when each of ``count`` observations can be read here, by its id."""
    seen: dict[str, int] = {}
    deadline = time.monotonic() + SECONDS_MAX
    with open_memory() as memory, _part(memory, is_node=is_node):
        cursor = memory.changes().cursor
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while len(seen) < count and time.monotonic() < deadline:
            changes = memory.changes(cursor)
            at = time.monotonic_ns()
            cursor = changes.cursor
            seen.update((change.id, at) for change in changes.changes if change.id not in seen)
            time.sleep(POLL_S)
    return {"seen": seen}


def come_back(*, total: int) -> Answer:
    """Take part until ``total`` observations are here: how many there were at each look.

    The clock begins when the first hub is reached; ``dialling_s`` is what came before.
    """
    samples: list[tuple[float, int]] = []
    with open_memory() as memory:
        before = _visible(memory)
        entered = time.monotonic()
        with memory.syncing() as node:
            deadline = entered + SECONDS_MAX
            while node.statistics().transport != "open" and time.monotonic() < deadline:
                time.sleep(POLL_S)
            began = time.monotonic()
            visible = before
            while visible < total and time.monotonic() < deadline:
                time.sleep(POLL_S * 4)
                visible = _visible(memory)
                if visible > (samples[-1][1] if samples else before):
                    samples.append((time.monotonic() - began, visible))
    return {"before": before, "samples": samples, "dialling_s": began - entered}


def _visible(memory: Memory) -> int:
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        found: Any = reading.connection.execute("SELECT count(*) FROM record").get
    return int(found)


if __name__ == "__main__":
    serve({"save": save, "see": see, "come_back": come_back})
