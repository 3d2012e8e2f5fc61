"""Row 2: ``kioku search``, the whole process, in a store of 100,000."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.corpus import COMMON_WORD, MIDDLING_WORD, RARE_WORD
from bench.measure import Contender, in_turn
from bench.outcome import Check, Outcome, Workload, ratio_check
from bench.peers import MESH_03, MESH_12, peer_bin
from bench.runner import main
from bench.workloads.save_process import FLOOR, SIZE, floor, kioku_command, whole_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.workspace import Workspace

QUERIES = {"rare": RARE_WORD, "middling": MIDDLING_WORD, "common": COMMON_WORD}


def _search_by_peer(workspace: Workspace, peer: str, count: int) -> Callable[[], float]:
    def search() -> float:
        folder, _ = workspace.mesh_store(peer, count)
        command: list[str | Path] = [
            peer_bin(peer) / "kioku-mesh",
            "search",
            MIDDLING_WORD,
            "-n",
            "10",
        ]
        return whole_process(command, folder)

    return search


def measure(workspace: Workspace) -> Outcome:
    """Measure a search by the command line, floor, kioku and peers in turn."""
    count = workspace.size(SIZE)
    store = workspace.built("kioku", count)
    series = in_turn(
        [
            floor(workspace, count),
            *(
                Contender(
                    f"kioku search, {kind} word",
                    "ms",
                    partial(whole_process, kioku_command("search", word, "-n", "10"), store),
                    FLOOR,
                )
                for kind, word in QUERIES.items()
            ),
            *(
                Contender(
                    f"{peer}, middling word",
                    "ms",
                    _search_by_peer(workspace, peer, count),
                    FLOOR,
                    is_peer=True,
                )
                for peer in (MESH_03, MESH_12)
            ),
        ],
        rounds=workspace.rounds,
        warm_ups=1,
    )
    checks: list[Check] = []
    for kind in QUERIES:
        checks += ratio_check(series, (f"kioku search, {kind} word", FLOOR), 6.0)
    return Outcome(
        durability="nothing is written",
        sizes={"observations": count} | workspace.mesh_sizes(),
        series=series,
        checks=checks,
    )


WORKLOAD = Workload(
    row=2,
    name="search-process",
    title="kioku search, whole process",
    budget="at most 6 x floor",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
