"""Row 1: ``kioku save``, the whole process, into a store of 100,000.

The floor is what any Python program pays that opens an SQLite file and asks one thing. A second
store, a hundredth the size, shows whether the cost grows. Each save says something new, for what is
there already would not be saved again; but all say nearly the same, so that each looks at what it
may replace.
"""

from __future__ import annotations

import sys
from functools import partial
from itertools import count as count_from
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Contender, in_turn
from bench.outcome import Outcome, Workload, ratio_check
from bench.peers import MESH_03, MESH_12, peer_bin
from bench.runner import main
from bench.workers.floor_worker import FILE
from bench.workspace import Workspace, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZE = 100_000
ROUNDS_FACTOR = 3  # a process is short: three times the rounds of the other rows
FLOOR = "python, apsw, open, query"
KIOKU = "kioku save"
SMALL = "kioku save, a hundredth the store"
CONTENT = "Chose Postgres over SQLite for analytics, because the dashboards write from three hosts"

BARE_QUERY = f"""
import apsw
print(apsw.Connection({FILE!r}).execute("SELECT max(event) FROM event").fetchall())
"""


def kioku_command(*arguments: str) -> list[str | Path]:
    """Return the command line of the kioku that this interpreter has installed."""
    return [Path(sys.executable).parent / "kioku", *arguments]


def whole_process(command: Sequence[str | Path], folder: Path) -> float:
    """Run a command once and return its milliseconds."""
    return run(command, folder) * 1_000


def _saver(folder: Path) -> Callable[[], float]:
    numbers = count_from(1)
    return lambda: whole_process(kioku_command("save", f"{CONTENT} ({next(numbers)})"), folder)


def floor(workspace: Workspace, count: int) -> Contender:
    """Return the floor of every whole process: interpreter, apsw, open, one query."""
    folder = workspace.built("floor", count)
    command: list[str | Path] = [sys.executable, "-c", BARE_QUERY]
    return Contender(FLOOR, "ms", partial(whole_process, command, folder))


def _save_by_peer(workspace: Workspace, peer: str, count: int) -> Callable[[], float]:
    def save() -> float:
        folder, _ = workspace.mesh_store(peer, count)
        named = ["--subject", "bench", "--summary", "bench"]
        return whole_process([peer_bin(peer) / "kioku-mesh", "save", CONTENT, *named], folder)

    return save


def measure(workspace: Workspace) -> Outcome:
    """Measure a save by the command line, floor, kioku and peers in turn."""
    count = workspace.size(SIZE)
    small = workspace.size(SIZE // 100)
    series = in_turn(
        [
            floor(workspace, count),
            Contender(KIOKU, "ms", _saver(workspace.built("kioku", count)), FLOOR),
            Contender(SMALL, "ms", _saver(workspace.built("kioku", small)), FLOOR),
            *(
                Contender(peer, "ms", _save_by_peer(workspace, peer, count), FLOOR, is_peer=True)
                for peer in (MESH_03, MESH_12)
            ),
        ],
        rounds=workspace.rounds * ROUNDS_FACTOR,
        warm_ups=1,
    )
    return Outcome(
        durability="kioku FULL (an fsync a save); kioku-mesh NORMAL, as it ships",
        sizes={"observations": count, "small store": small} | workspace.mesh_sizes(),
        series=series,
        checks=[
            *ratio_check(series, (KIOKU, FLOOR), 5.0),
            *ratio_check(series, (KIOKU, SMALL), 1.25),
        ],
    )


WORKLOAD = Workload(
    row=1,
    name="save-process",
    title="kioku save, whole process",
    budget="at most 5 x floor, flat in store size (here: at most 1.25 x the small store)",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
