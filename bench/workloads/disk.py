"""Row 7: bytes on disk for each observation, all files of the store's folder counted.

A size is the same every time, so there is one round. The text alone is what could not be less.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.corpus import content_bytes_mean
from bench.measure import Contender, in_turn
from bench.outcome import Check, Outcome, Workload, named
from bench.peers import MESH_03, MESH_12
from bench.runner import main
from bench.workspace import MESH_12_SIZE_MAX, disk_bytes, work

if TYPE_CHECKING:
    from pathlib import Path

    from bench.workspace import Workspace

SIZE = 100_000
SMALL = 10_000
BYTES_MAX = 1_100.0
MANY, ONE = "kioku, save_many", "kioku, one by one"
TEXT = "the text alone"
TABLES_SHOWN = 8


def _one_by_one(folder: Path, count: int) -> float:
    work("kioku", "save_one", folder, count=count - 1, durability="normal")
    return disk_bytes(folder) / count


def _mesh(workspace: Workspace, peer: str, count: int) -> float:
    folder = workspace.mesh_home(peer)
    wanted = min(count, MESH_12_SIZE_MAX) if peer == MESH_12 else count
    work("mesh", "save_one", folder, peer=peer, count=wanted)
    return disk_bytes(folder) / wanted


def _eventsourcing(workspace: Workspace, count: int) -> float:
    folder = workspace.folder("eventsourcing")
    sizes = {"count": count - 1, "batch": count}
    work("eventsourcing", "save_many", folder, peer="eventsourcing", **sizes)
    return disk_bytes(folder) / count


def measure(workspace: Workspace) -> Outcome:
    """Measure the size of closed stores."""
    count, small = workspace.size(SIZE), workspace.size(SMALL)
    store, bare = workspace.built("kioku", count), workspace.built("floor", count)
    series = in_turn(
        [
            Contender(TEXT, "bytes", partial(content_bytes_mean, count)),
            Contender("same rows, bare SQLite", "bytes", lambda: disk_bytes(bare) / count, TEXT),
            Contender(MANY, "bytes", lambda: disk_bytes(store) / count, TEXT),
            Contender(ONE, "bytes", partial(_one_by_one, workspace.folder("kioku"), small), TEXT),
            *(
                Contender(peer, "bytes", partial(_mesh, workspace, peer, small), TEXT, is_peer=True)
                for peer in (MESH_03, MESH_12)
            ),
            Contender(
                "eventsourcing",
                "bytes",
                partial(_eventsourcing, workspace, small),
                TEXT,
                note="events only, no index",
                is_peer=True,
            ),
        ],
        rounds=1,
    )
    measured = [each for each in (named(series, MANY), named(series, ONE)) if each]
    tables = work("kioku", "tables", store)["tables"][:TABLES_SHOWN]
    return Outcome(
        durability="stores are closed, so the write-ahead log is in the file",
        sizes={
            "observations": count,
            "one by one and peers": small,
            f"observations in {MESH_12}": min(small, MESH_12_SIZE_MAX),
        },
        series=series,
        checks=[Check(f"{each.name}, bytes", each.median, BYTES_MAX) for each in measured],
        notes=[f"{name}: {size / count:.0f} bytes an observation" for name, size in tables],
    )


WORKLOAD = Workload(
    row=7,
    name="disk",
    title="bytes on disk per observation of 300 bytes",
    budget="at most 1.1 kB",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
