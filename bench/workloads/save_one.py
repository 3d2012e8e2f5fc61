"""Row 3: saving one by one in the library, a transaction each, at FULL and at NORMAL.

The floor writes the same rows: what one save leaves behind in kioku's tables, with bare statements.
A second floor writes the event row alone, which is what a log without a view would cost.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bench.measure import Contender, in_turn
from bench.outcome import Outcome, Workload, ratio_check
from bench.peers import MESH_03, MESH_12
from bench.runner import main
from bench.workspace import MESH_12_SIZE_MAX, work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.workspace import Workspace

COUNTS = {"full": 1_000, "normal": 5_000}
LIMITS = {"full": 0.7, "normal": 0.35}


def per_second(count: int, answer: Mapping[str, Any]) -> float:
    """Return the rate of a task that timed itself."""
    return count / float(answer["seconds"])


def _kioku(workspace: Workspace, level: str, count: int) -> float:
    folder = workspace.folder("kioku")
    return per_second(count, work("kioku", "save_one", folder, count=count, durability=level))


def _floor(workspace: Workspace, level: str, count: int, *, whole: bool) -> float:
    folder = workspace.folder("floor")
    answer = work("floor", "save_one", folder, count=count, synchronous=level.upper(), whole=whole)
    return per_second(count, answer)


def save_by_mesh(workspace: Workspace, peer: str, count: int) -> Callable[[], float]:
    """Return a run of one peer, saving one by one into a fresh store."""
    wanted = min(count, MESH_12_SIZE_MAX // 4) if peer == MESH_12 else count

    def save() -> float:
        folder = workspace.mesh_home(peer)
        return per_second(wanted, work("mesh", "save_one", folder, peer=peer, count=wanted))

    return save


def _eventsourcing(workspace: Workspace, count: int) -> float:
    folder = workspace.folder("eventsourcing")
    answer = work("eventsourcing", "save_one", folder, peer="eventsourcing", count=count)
    return per_second(count, answer)


def _at(workspace: Workspace, level: str, count: int) -> Sequence[Contender]:
    same = f"same rows, bare SQLite, {level}"
    floor = partial(_floor, workspace, level, count)
    return [
        Contender(same, "/s", partial(floor, whole=True)),
        Contender(f"event row alone, {level}", "/s", partial(floor, whole=False), same),
        Contender(f"kioku, {level}", "/s", partial(_kioku, workspace, level, count), same),
    ]


def measure(workspace: Workspace) -> Outcome:
    """Measure saves one by one, both durabilities and all contenders in turn."""
    counts = {level: workspace.size(count) for level, count in COUNTS.items()}
    full, normal = counts["full"], counts["normal"]
    series = in_turn(
        [
            *_at(workspace, "full", full),
            Contender(
                "eventsourcing, full",
                "/s",
                partial(_eventsourcing, workspace, full),
                "same rows, bare SQLite, full",
                is_peer=True,
            ),
            *_at(workspace, "normal", normal),
            *(
                Contender(
                    f"{peer}, normal",
                    "/s",
                    save_by_mesh(workspace, peer, normal),
                    "same rows, bare SQLite, normal",
                    is_peer=True,
                )
                for peer in (MESH_03, MESH_12)
            ),
        ],
        rounds=workspace.rounds,
    )
    checks = [
        check
        for level, limit in LIMITS.items()
        for check in ratio_check(
            series,
            (f"kioku, {level}", f"same rows, bare SQLite, {level}"),
            limit,
            is_minimum=True,
        )
    ]
    return Outcome(
        durability="as each name says",
        sizes={f"saves at {level}": count for level, count in counts.items()}
        | {f"saves by {MESH_12}": min(normal, MESH_12_SIZE_MAX // 4)},
        series=series,
        checks=checks,
    )


WORKLOAD = Workload(
    row=3,
    name="save-one",
    title="library save, one by one",
    budget="at least 0.7 x floor at FULL, 0.35 x at NORMAL",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
