"""Rows 9 and 10: a machine that was away comes back, and a machine that is new fetches all.

A hub holds what the spoke lacks, the spoke's clock starts when it has reached the hub, and what it
shows is counted every two milliseconds from its own process. Row 9's floors are raw Zenoh bringing
the same bytes, and the same events ingested from memory; row 10's is the ingest of row 5, for
nothing can be quicker than taking in what is here already.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from bench.measure import Contender, NotMeasuredError, in_turn
from bench.mesh import Worker, build, lacking_bytes, meshed, raw_pages_seconds
from bench.outcome import Check, Outcome, Series, Workload, ratio_check
from bench.runner import main
from bench.workspace import work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bench.workspace import Workspace
    from tests.integration.mesh import Machine, Mesh

MISSED = 1_192
HELD_BEFORE = 2_000
ALL = 100_000
FIRST_S_MAX, ALL_S_MAX, REST_S_MAX, STEP_MAX = 0.1, 0.5, 0.5, 0.05
INGEST_SHARE_MIN = 0.7
RAW = "raw Zenoh, the same bytes"
KIOKU = "kioku, all"
INGEST = "kioku ingest_chunk, from memory"


@dataclass(slots=True)
class Returns:
    """What was seen of each return: the first growth, the longest rest, the greatest step."""

    first_s: list[float] = field(default_factory=list)
    rest_s: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)
    all_s: list[float] = field(default_factory=list)
    dialling_s: list[float] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any], total: int) -> float:
        """Take in a return; gives how long all of it took, in seconds."""
        samples: Sequence[tuple[float, int]] = [tuple(one) for one in answer["samples"]]
        before: int = answer["before"]
        if not samples or samples[-1][1] < total:
            raise NotMeasuredError(f"{samples[-1:]} of {total}")
        counts = [before, *(count for _, count in samples)]
        self.first_s.append(samples[0][0])
        self.rest_s.append(max((b - a for (a, _), (b, _) in pairwise(samples)), default=0.0))
        self.step.append(max(b - a for a, b in pairwise(counts)) / (total - before))
        self.all_s.append(samples[-1][0])
        self.dialling_s.append(answer["dialling_s"])
        return samples[-1][0]

    def series(self) -> list[Series]:
        """What is told of it besides how long all took."""
        milliseconds = {
            "first visible": self.first_s,
            "longest rest": self.rest_s,
            "dialling, before": self.dialling_s,
        }
        told = [
            Series(f"kioku, {name}", "ms", [value * 1_000 for value in values])
            for name, values in milliseconds.items()
        ]
        return [*told, Series("kioku, greatest step", "%", [100 * one for one in self.step])]


def _returns(mesh: Mesh, hub: Machine, spoke: Machine, returns: Returns, count: int) -> float:
    build(hub, start_at=hub.glance().visible, count=count)
    total = hub.glance().visible
    seconds = returns.add(Worker(spoke, "come_back", total=total).finish(), total)
    mesh.await_level(hub, spoke)
    return seconds * 1_000


def measure_return(workspace: Workspace) -> Outcome:
    """Measure row 9: every round the hub has as many more, and the spoke comes back."""
    count = workspace.size(MISSED)
    returns = Returns()
    with meshed(workspace) as mesh:
        hub = mesh.hub()
        spoke = mesh.spoke("spoke", hub)
        build(hub, start_at=0, count=HELD_BEFORE)
        mesh.await_level(events=HELD_BEFORE + 2)
        spoke.end()
        build(hub, start_at=HELD_BEFORE, count=count)
        total_bytes = lacking_bytes(hub, spoke)
        series = in_turn(
            [
                Contender(RAW, "ms", lambda: raw_pages_seconds(workspace, total_bytes) * 1_000),
                Contender(KIOKU, "ms", partial(_returns, mesh, hub, spoke, returns, count), RAW),
            ],
            rounds=workspace.rounds,
            warm_ups=1,
        )
    return Outcome(
        durability="FULL",
        sizes={"missed": count, "bytes": total_bytes, "held before": HELD_BEFORE},
        series=[*series, *returns.series()],
        checks=[
            Check("first visible, s", statistics.median(returns.first_s), FIRST_S_MAX),
            Check("all, s", statistics.median(returns.all_s), ALL_S_MAX),
        ],
    )


def _bootstrap(mesh: Mesh, hub: Machine, returns: Returns, numbers: list[int], count: int) -> float:
    numbers.append(len(numbers))
    spoke = mesh.spoke(f"spoke-{len(numbers)}", hub, serve=False)
    seconds = returns.add(Worker(spoke, "come_back", total=count).finish(), count)
    mesh.await_level(hub, spoke)
    return count / seconds


def measure_bootstrap(workspace: Workspace) -> Outcome:
    """Measure row 10: every round another spoke that has nothing fetches all."""
    count = workspace.size(ALL)
    returns, numbers = Returns(), list[int]()
    source = workspace.built("kioku", count)
    work("kioku", "export", source, file="chunks.cbor")
    file = str(source / "chunks.cbor")

    def ingest() -> float:
        folder = workspace.folder("kioku")
        return float(count / work("kioku", "ingest", folder, file=file)["seconds"])

    with meshed(workspace) as mesh:
        hub = mesh.hub()
        build(hub, start_at=0, count=count)
        series = in_turn(
            [
                Contender(INGEST, "/s", ingest),
                Contender(
                    "kioku, all", "/s",
                    partial(_bootstrap, mesh, hub, returns, numbers, count), INGEST,
                ),
            ],
            rounds=workspace.rounds,
        )  # fmt: skip
    return Outcome(
        durability="FULL, a transaction a chunk",
        sizes={"events": count},
        series=[*series, *returns.series()],
        checks=[
            *ratio_check(series, (KIOKU, INGEST), INGEST_SHARE_MIN, is_minimum=True),
            Check("first visible, s", statistics.median(returns.first_s), FIRST_S_MAX),
            Check("longest rest, s", max(returns.rest_s), REST_S_MAX),
            Check("greatest step, of all", max(returns.step), STEP_MAX),
        ],
    )


RETURN = Workload(
    row=9,
    name="mesh-return",
    title="B returns after missing 1,192 events",
    budget="first visible <= 0.1 s, all <= 0.5 s after connecting",
    run=measure_return,
)
BOOTSTRAP = Workload(
    row=10,
    name="mesh-bootstrap",
    title="B bootstraps 100,000 events over the loopback",
    budget=">= 0.7 of row 5's rate, first visible <= 0.1 s",
    run=measure_bootstrap,
)

if __name__ == "__main__":
    main([RETURN, BOOTSTRAP])
