"""Row 17: what a store of 1,000,000 costs over one of 100,000: save, open, rare word, memory.

Each probe is a process of its own, the two sizes in turn: opens the store, searches a word that ten
observations have in either, saves fifty, and says what memory it took at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.outcome import Outcome, Series, Workload, ratio_check
from bench.runner import main
from bench.workspace import disk_bytes, work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.workspace import Workspace

SMALL, LARGE = 100_000, 1_000_000
RATIO_MAX = 1.5
PARTS = {
    "open_ms": ("open", "ms"),
    "rare_ms": ("rare word", "ms"),
    "save_ms": ("save", "ms"),
    "memory_mb": ("memory", "MB"),
}


def _series(probes: Mapping[int, Sequence[Mapping[str, Any]]]) -> list[Series]:
    (small, of_small), (large, of_large) = probes.items()
    found = []
    for part, (label, unit) in PARTS.items():
        base = f"{label} at {small:,}"
        found.append(Series(base, unit, [each[part] for each in of_small]))
        found.append(Series(f"{label} at {large:,}", unit, [each[part] for each in of_large], base))
    return found


def measure(workspace: Workspace) -> Outcome:
    """Measure both sizes in turn."""
    sizes = [workspace.size(SMALL), workspace.size(LARGE)]
    stores = {size: workspace.built("kioku", size) for size in sizes}
    probes: dict[int, list[Mapping[str, Any]]] = {size: [] for size in sizes}
    for number in range(-1, workspace.rounds):  # the first pair only warms the page cache
        for size, folder in stores.items():
            answer = work("kioku", "probe", folder, start=size + 1_000 * (number + 1))
            if number >= 0:
                probes[size].append(answer)
    series = _series(probes)
    return Outcome(
        durability="FULL",
        sizes={"small": sizes[0], "large": sizes[1]},
        series=series,
        checks=[
            check
            for each in series
            if each.against
            for check in ratio_check(series, (each.name, each.against), RATIO_MAX)
        ],
        notes=[f"{size:,}: {disk_bytes(stores[size]) / size:.0f} bytes each" for size in sizes],
    )


WORKLOAD = Workload(
    row=17,
    name="growth",
    title="growth, 1,000,000 over 100,000",
    budget="at most 1.5 x each",
    run=measure,
    is_long=True,
)

if __name__ == "__main__":
    main([WORKLOAD])
