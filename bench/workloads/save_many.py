"""Row 4: ``save_many`` of 10,000 observations in one call.

The floor is the event rows alone in one transaction, nothing else being done; beside it the same
rows that kioku writes, words included, in one transaction.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Contender, in_turn
from bench.outcome import Check, Outcome, Workload, named
from bench.peers import MESH_03, MESH_12
from bench.runner import main
from bench.workloads.save_one import per_second, save_by_mesh
from bench.workspace import MESH_12_SIZE_MAX, work

if TYPE_CHECKING:
    from bench.workspace import Workspace

SIZE = 10_000
FLOOR = "event rows alone, one transaction"
RATE_MIN, ALLOWING_RATE_MIN = 25_000, 50_000
KIOKU, ALLOWING = "kioku save_many", "kioku save_many, credentials allowed"


def _kioku(workspace: Workspace, count: int, secrets: str) -> float:
    folder = workspace.folder("kioku")
    return per_second(count, work("kioku", "save_many", folder, count=count, secrets=secrets))


def _floor(workspace: Workspace, count: int, *, whole: bool) -> float:
    folder = workspace.folder("floor")
    return per_second(count, work("floor", "save_many", folder, count=count, whole=whole))


def append_by_eventsourcing(workspace: Workspace, count: int, batch: int) -> float:
    """Append in batches into a fresh file, and return the rate."""
    folder = workspace.folder("eventsourcing")
    answer = work(
        "eventsourcing", "save_many", folder, peer="eventsourcing", count=count, batch=batch
    )
    return per_second(count, answer)


def measure(workspace: Workspace) -> Outcome:
    """Measure one large save, all contenders in turn."""
    count = workspace.size(SIZE)
    floor = partial(_floor, workspace, count)
    series = in_turn(
        [
            Contender(FLOOR, "/s", partial(floor, whole=False)),
            Contender("same rows, one transaction", "/s", partial(floor, whole=True), FLOOR),
            Contender(KIOKU, "/s", partial(_kioku, workspace, count, "redact"), FLOOR),
            Contender(ALLOWING, "/s", partial(_kioku, workspace, count, "allow"), FLOOR),
            Contender(
                "eventsourcing, one transaction",
                "/s",
                partial(append_by_eventsourcing, workspace, count, count),
                FLOOR,
                is_peer=True,
            ),
            *(
                Contender(
                    f"{peer}, one by one",
                    "/s",
                    save_by_mesh(workspace, peer, count),
                    FLOOR,
                    note="has no call for many",
                    is_peer=True,
                )
                for peer in (MESH_03, MESH_12)
            ),
        ],
        rounds=workspace.rounds,
    )
    budgets = ((KIOKU, RATE_MIN), (ALLOWING, ALLOWING_RATE_MIN))
    measured = [(found, least) for name, least in budgets if (found := named(series, name))]
    return Outcome(
        durability="FULL; kioku-mesh NORMAL, as it ships",
        sizes={
            "observations": count,
            f"saves by {MESH_12}": min(count, MESH_12_SIZE_MAX // 4),
        },
        series=series,
        checks=[Check(f"{each.name}, /s", each.median, least, True) for each, least in measured],
    )


WORKLOAD = Workload(
    row=4,
    name="save-many",
    title="save_many",
    budget="at least 25,000 observations a second, 50,000 where credentials are not looked for",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
