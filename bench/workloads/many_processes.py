"""Row 12: many processes saving into one store at once.

Eight writers of 200 saves each, released together; then sixteen writers for a minute. Each writer
is a process of its own with its own connection, and times every save. What is in the store
afterwards is counted by another process: a save that was acknowledged and is not there is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.measure import Contender, NotMeasuredError, in_turn
from bench.outcome import Absent, Check, Outcome, Series, Workload
from bench.peers import MESH_03, MESH_12
from bench.runner import main
from bench.workspace import finish, start, work

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.workspace import Workspace

WRITERS, SAVES = 8, 200
CROWD, CROWD_SECONDS = 16, 60.0
CROWD_SAVES_MAX = 10_000  # observations made ready for each writer; it stops by the clock
P99_MS_MAX = 1_000.0
KIOKU = "kioku"


@dataclass(frozen=True, slots=True)
class Crowd:
    """What a number of writers got done: each save's time, and every refusal by its message."""

    latencies_ms: Sequence[float]  # ascending
    refusals: Mapping[str, int]
    dead: Sequence[str]

    @property
    def refused(self) -> int:
        return sum(self.refusals.values()) + len(self.dead)

    def percentile(self, part: float) -> float:
        """Return the latency that ``part`` (0 to 1) of the saves did not exceed."""
        return self.latencies_ms[
            min(int(part * len(self.latencies_ms)), len(self.latencies_ms) - 1)
        ]

    def described(self) -> str:
        """Return one line: what was refused, and which writers died, with the first reason."""
        reasons = [*self.refusals, *self.dead]
        return f"{self.refused} refused, {len(self.dead)} writers dead" + (
            f"; first: {reasons[0]}" if reasons else ""
        )


def run_writers(
    worker: str, writers: int, folder: Path, *, peer: str = "", **parameters: object
) -> Crowd:
    """Start the writers, release them together, and gather what they say."""
    processes = [
        start(worker, "writer", folder, peer=peer, number=number, **parameters)
        for number in range(writers)
    ]
    ready = [_wait_ready(process) for process in processes]
    for process, is_ready in zip(processes, ready, strict=True):
        if is_ready and process.stdin:
            process.stdin.write("go\n")
            process.stdin.flush()
    return _gathered(processes)


def _wait_ready(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None, "start gives every worker a pipe"
    return any(line == "ready\n" for line in process.stdout)


def _gathered(processes: Sequence[subprocess.Popen[str]]) -> Crowd:
    latencies: list[float] = []
    refusals: dict[str, int] = {}
    dead: list[str] = []
    for process in processes:
        try:
            answer: Mapping[str, Any] = finish(process)
        except NotMeasuredError as error:
            dead.append(str(error))
            continue
        latencies += answer["latencies_ms"]
        for message, number in answer["refusals"].items():
            refusals[message] = refusals.get(message, 0) + number
    return Crowd(sorted(latencies), refusals, dead)


@dataclass(slots=True)
class Tally:
    """The eight writers of one contender, round by round; the worst round is what is told."""

    name: str
    expected: int
    kept: int
    refused: int = 0
    report: str = "not run"

    def add(self, crowd: Crowd, kept: int) -> float:
        """Take in a round and return the milliseconds that half of the saves took at most."""
        acknowledged = len(crowd.latencies_ms)
        self.refused += crowd.refused
        if kept <= self.kept:
            self.kept = kept
            self.report = (
                f"{self.name}, worst round: {kept} of {self.expected} kept, {acknowledged} "
                f"acknowledged, slowest {crowd.percentile(1) if acknowledged else 0:.0f} ms, "
                f"{crowd.described()}"
            )
        if not acknowledged:
            raise NotMeasuredError(f"every save refused: {crowd.described()}")
        return crowd.percentile(0.5)


def _counted(worker: str, tally: Tally, workspace: Workspace, saves: int) -> float:
    folder = workspace.folder(worker)
    if worker == "floor":
        # Bare SQLite cannot have several processes turn a new file to WAL at once; kioku must.
        work(worker, "count", folder)
    crowd = run_writers(worker, WRITERS, folder, count=saves)
    return tally.add(crowd, work(worker, "count", folder)["observations"])


def _mesh(peer: str, tally: Tally, workspace: Workspace, saves: int) -> float:
    folder = workspace.mesh_home(peer)
    crowd = run_writers("mesh", WRITERS, folder, peer=peer, count=saves)
    return tally.add(crowd, work("mesh", "count", folder, peer=peer)["observations"])


def _one_minute(workspace: Workspace) -> tuple[list[Series], list[Check], str]:
    seconds = CROWD_SECONDS * min(workspace.scale * 2, 1)
    count = workspace.size(CROWD_SAVES_MAX)
    crowd = run_writers(KIOKU, CROWD, workspace.folder(KIOKU), count=count, seconds=seconds)
    if not crowd.latencies_ms:
        raise NotMeasuredError(crowd.described())
    told = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    name = f"kioku, {CROWD} writers"
    series = [
        Series(f"{name}, {label}", "ms", [crowd.percentile(part)]) for label, part in told.items()
    ]
    checks = [
        Check(f"{name}, p99 ms", crowd.percentile(0.99), P99_MS_MAX),
        Check(f"{name}, refused", crowd.refused, 0),
    ]
    saved = len(crowd.latencies_ms)
    return series, checks, f"{name} for {seconds:.0f} s: {saved} saves, {crowd.described()}"


def measure(workspace: Workspace) -> Outcome:
    """Measure eight writers, all contenders in turn, then sixteen for a minute."""
    saves = workspace.size(SAVES)
    expected = WRITERS * saves
    names = ("bare SQLite", KIOKU, MESH_03, MESH_12)
    floor, kioku, *mesh = (Tally(name, expected, expected) for name in names)
    contenders = [
        Contender(floor.name, "ms", partial(_counted, "floor", floor, workspace, saves)),
        Contender(KIOKU, "ms", partial(_counted, KIOKU, kioku, workspace, saves), floor.name),
        *(
            Contender(
                tally.name,
                "ms",
                partial(_mesh, tally.name, tally, workspace, saves),
                floor.name,
                is_peer=True,
            )
            for tally in mesh
        ),
    ]
    series: list[Series | Absent] = in_turn(contenders, rounds=workspace.rounds)
    minute, checks, told = _one_minute(workspace)
    return Outcome(
        durability="FULL; kioku-mesh NORMAL, as it ships",
        sizes={"writers": WRITERS, "saves each": saves, "writers of the minute": CROWD},
        series=[*series, *minute],
        checks=[
            Check(f"kioku, {WRITERS} writers, kept", kioku.kept, expected, True),
            Check(f"kioku, {WRITERS} writers, refused", kioku.refused, 0),
            *checks,
        ],
        notes=[each.report for each in (floor, kioku, *mesh)] + [told],
    )


WORKLOAD = Workload(
    row=12,
    name="many-processes",
    title="8 processes saving 200 each at once; 16 for a minute",
    budget="1,600 of 1,600, no error; p99 under 1 s with 16 writers and none refused",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
