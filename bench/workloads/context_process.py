"""Row 19: ``kioku context``, the whole process, in a store of 100,000.

What an agent waits for before its first word. Everything of the store is asked for, which is more
than any project of it, by somebody who never saved there (so there is no last visit to begin at)
and by the one who saved it all.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Contender, in_turn
from bench.outcome import Check, Outcome, Series, Workload
from bench.runner import main
from bench.workloads.save_process import FLOOR, SIZE, floor, kioku_command, whole_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.workspace import Workspace

MS_MAX = 150.0
BUDGETS = {"1,500 tokens": "1500", "20,000 tokens": "20000"}
FAMILIES = {"by a stranger": "stranger", "by its author": "bench"}


def _looking(store: Path, family: str, tokens: str) -> Callable[[], float]:
    command = kioku_command("context", "--project", "", "--budget", tokens)
    who = ["/usr/bin/env", f"KIOKU_AGENT_FAMILY={family}"]
    return partial(whole_process, [*who, *command], store)


def measure(workspace: Workspace) -> Outcome:
    """Measure a session's start beside the floor of every whole process."""
    count = workspace.size(SIZE)
    store = workspace.built("kioku", count)
    names = {
        f"kioku context, {tokens}, {who}": _looking(store, family, budget)
        for tokens, budget in BUDGETS.items()
        for who, family in FAMILIES.items()
    }
    series = in_turn(
        [
            floor(workspace, count),
            *(Contender(name, "ms", look, FLOOR) for name, look in names.items()),
        ],
        rounds=workspace.rounds,
        warm_ups=1,
    )
    usual = [one for one in series if isinstance(one, Series) and "1,500" in one.name]
    return Outcome(
        durability="nothing is written",
        sizes={"observations": count},
        series=series,
        checks=[Check(f"{one.name}, ms", one.median, MS_MAX) for one in usual],
    )


WORKLOAD = Workload(
    row=19,
    name="context-process",
    title="kioku context, whole process",
    budget="at most 150 ms at 1,500 tokens",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
