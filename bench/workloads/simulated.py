"""Row 14: how many simulated meshes fit into a minute: five replicas and 200 operations each.

The simulator runs the real engine over real SQLite files, with virtual clocks and a virtual
network. Two processes, as ``make sim`` does; the time of a round is the simulator's own, without
its start. Each round takes other seeds, the same in every run.
"""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

from bench.measure import Contender, NotMeasuredError, in_turn
from bench.outcome import Check, Outcome, Series, Workload
from bench.peers import ROOT
from bench.runner import main

if TYPE_CHECKING:
    from bench.workspace import Workspace

SEEDS = 100
RATE_MIN = 500
_RATE = re.compile(r"0 failed; [\d.]+ s, (\d+) seeds a minute")


def _simulate(begin: int, seeds: int) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", f"--begin={begin}", f"--seeds={seeds}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    found = _RATE.search(done.stdout)
    if done.returncode or found is None:
        raise NotMeasuredError(f"the simulator failed: {done.stdout[-300:]}{done.stderr[-300:]}")
    return float(found[1])


def measure(workspace: Workspace) -> Outcome:
    """Measure it, with other seeds each round."""
    seeds = workspace.size(SEEDS)
    begins = count(1, seeds)
    series = in_turn(
        [Contender("simulated meshes", "/min", lambda: _simulate(next(begins), seeds))],
        rounds=min(workspace.rounds, 3),
    )
    rates = [one.median for one in series if isinstance(one, Series)]
    return Outcome(
        durability="NORMAL, in memory where there is a file system in it",
        sizes={"seeds a round": seeds, "replicas": 5, "operations": 200, "processes": 2},
        series=series,
        checks=[Check("seeds a minute", rate, RATE_MIN, True) for rate in rates],
    )


WORKLOAD = Workload(
    row=14,
    name="simulated",
    title="simulated meshes of 5 replicas and 200 operations",
    budget=">= 500 seeds a minute",
    run=measure,
    is_long=True,
)

if __name__ == "__main__":
    main([WORKLOAD])
