"""Row 8: a save on one machine, visible on another, through a hub.

Two spokes and a hub, each a machine of its own on the loopback. A reader asks every half
millisecond what has changed, and an observation counts as seen when it can be read there. Writer
and reader are the nodes' own processes, and then processes beside a ``kioku serve``. The floor is
raw Zenoh between the same processes through a router: a message of 450 bytes, put and taken.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Contender, in_turn
from bench.mesh import Worker, ZenohRouter, meshed
from bench.outcome import Check, Outcome, Series, Workload
from bench.runner import main
from bench.workspace import finish, start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.workspace import Workspace

SAVES = 200
PAUSE_S = 0.02
MESSAGE_BYTES = 450
P50_MS_MAX, P99_MS_MAX, BESIDE_MS_MAX = 5.0, 50.0, 60.0
FLOOR = "raw Zenoh, through a router"
IN_NODE = "kioku, in the nodes' processes"
BESIDE = "kioku, from other processes"


def percentile(values: Sequence[float], part: float) -> float:
    """The value that ``part`` (0 to 1) of the ascending ``values`` do not exceed."""
    return values[min(int(part * len(values)), len(values) - 1)]


@dataclass(slots=True)
class Delays:
    """What came of each round: the slowest of a hundred, and how long a save itself took."""

    p99_ms: list[float] = field(default_factory=list)
    save_ms: list[float] = field(default_factory=list)

    def add(self, times: Mapping[str, Sequence[int]], seen: Mapping[str, int]) -> float:
        """Take in a round; gives the median from a save's return until it was seen, in ms."""
        delays = sorted((at - times[key][1]) / 1e6 for key, at in seen.items() if key in times)
        self.p99_ms.append(percentile(delays, 0.99))
        self.save_ms.append(statistics.median((b - a) / 1e6 for a, b in times.values()))
        return max(percentile(delays, 0.5), 0.0)


def _raw(workspace: Workspace, count: int) -> float:
    folder = workspace.folder("zenoh")
    with ZenohRouter(folder) as router:
        reader = start("zenoh", "receive", folder, endpoint=router.endpoint, count=count)
        assert reader.stdout is not None
        assert any(line == "ready\n" for line in reader.stdout)
        writer = start(
            *("zenoh", "send", folder),
            endpoint=router.endpoint, count=count, size=MESSAGE_BYTES, pause_s=PAUSE_S,
        )  # fmt: skip
        sent, seen = finish(writer)["sent_ns"], finish(reader)["seen_ns"]
    return float(statistics.median((seen[number] - at) / 1e6 for number, at in sent.items()))


def _kioku(workspace: Workspace, count: int, delays: Delays, *, is_node: bool) -> float:
    with meshed(workspace) as mesh:
        hub = mesh.hub()
        here = mesh.spoke("here", hub, serve=not is_node)
        there = mesh.spoke("there", hub, serve=not is_node)
        reader = Worker(there, "see", count=count, is_node=is_node)
        writer = Worker(here, "save", start=0, count=count, pause_s=PAUSE_S, is_node=is_node)
        reader.await_ready()
        writer.await_ready()
        mesh.await_level(events=3)
        writer.go()
        seen = reader.finish()["seen"]
        return delays.add(writer.finish()["times"], seen)


def measure(workspace: Workspace) -> Outcome:
    """Measure all contenders in turn."""
    count = workspace.size(SAVES)
    in_node, beside = Delays(), Delays()
    series = in_turn(
        [
            Contender(FLOOR, "ms", partial(_raw, workspace, count)),
            Contender(
                IN_NODE, "ms", partial(_kioku, workspace, count, in_node, is_node=True), FLOOR
            ),
            Contender(
                BESIDE, "ms", partial(_kioku, workspace, count, beside, is_node=False), FLOOR
            ),
        ],
        rounds=workspace.rounds,
    )
    medians = {one.name: one.median for one in series if isinstance(one, Series)}
    fsync_ms = statistics.median(in_node.save_ms)
    slowest = {
        f"{IN_NODE}, p99": in_node.p99_ms,
        f"{BESIDE}, p99": beside.p99_ms,
        "a save itself": in_node.save_ms,
    }
    return Outcome(
        durability="FULL on all three machines",
        sizes={"saves": count, "pause ms": round(PAUSE_S * 1_000)},
        series=[*series, *(Series(name, "ms", values) for name, values in slowest.items())],
        checks=[
            Check(f"{IN_NODE}, p50 ms, over a save's", medians[IN_NODE], P50_MS_MAX + fsync_ms),
            Check(f"{IN_NODE}, p99 ms", statistics.median(in_node.p99_ms), P99_MS_MAX),
            Check(f"{BESIDE}, p99 ms", statistics.median(beside.p99_ms), BESIDE_MS_MAX),
        ],
        notes=["counted from when save returned, until a reader elsewhere could read it"],
    )


WORKLOAD = Workload(
    row=8,
    name="mesh-seen",
    title="a save on A visible on B, through a hub",
    budget="p50 <= 5 ms plus an fsync, p99 <= 50 ms; from another process <= 60 ms",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
