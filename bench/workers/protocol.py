"""How the runner speaks with a worker: a task and its parameters in, one JSON object out.

``python -m bench.workers.NAME TASK '{"count": 100}'``. The answer is the last line of stdout, so
that a library which prints is no trouble. A worker's working directory is its contender's own
folder. This module imports nothing but the standard library: it
runs in the peers' environments too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Answer = Mapping[str, Any]
Task = Callable[..., Answer]


def serve(tasks: Mapping[str, Task]) -> None:
    """Do the one task that the command line names and print its answer."""
    name, parameters = sys.argv[1], json.loads(sys.argv[2])
    answer = tasks[name](**parameters)
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds ``work`` took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p95_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the 95th percentile of ``work``'s milliseconds, after three that do not count."""
    values = [timed(work) * 1_000 for _ in range(-3, repeats)][3:]
    return sorted(values)[round(0.95 * (repeats - 1))]


def wait_for_go() -> None:
    """Say that this worker is ready, and return when the runner has said go to all of them."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


def save_each(save: Callable[[Any], object], items: Iterable[Any]) -> dict[str, Any]:
    """Save one by one, timing each; a refusal is counted by its message and does not end it."""
    latencies_ms: list[float] = []
    refusals: dict[str, int] = {}
    for each in items:
        began = time.perf_counter()
        try:
            save(each)
        except Exception as error:  # noqa: BLE001  # whatever a contender raises is its refusal
            message = f"{type(error).__name__}: {error}"[:120]
            refusals[message] = refusals.get(message, 0) + 1
        else:
            latencies_ms.append((time.perf_counter() - began) * 1_000)
    return {"latencies_ms": latencies_ms, "refusals": refusals}
