"""Row 15: does a question find what answers it? Mean recall at 1, 5 and 10, without any model.

The questions are those of LoCoMo (Maharana et al., ACL 2024; CC BY-NC 4.0), read from a file that
is not part of this repository: ``locomo_dev.jsonl`` in the folder that KIOKU_BENCH_DATA names, else
in ``shared/data`` beside the checkout. Nothing in kioku may be tuned to it. Each conversation is
saved in order into a fresh store, a session as a session; recall does not vary, so there is one
round.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import NotMeasuredError
from bench.outcome import Check, Outcome, Series, Workload
from bench.peers import ROOT
from bench.runner import main
from bench.workspace import work

if TYPE_CHECKING:
    from bench.workspace import Workspace

FILE = "locomo_dev.jsonl"
BUDGETS = {1: 0.33, 5: 0.62, 10: 0.71}
MODES = ("or", "and_or")  # the library's default and the MCP server's


def texts_file() -> Path:
    """Return the file of questions.

    Raises:
        NotMeasuredError: if it is not there.
    """
    folder = os.environ.get("KIOKU_BENCH_DATA") or ROOT.parent / "shared" / "data"
    path = Path(folder).resolve() / FILE
    if not path.is_file():
        raise NotMeasuredError(f"{FILE} is not there; name its folder by KIOKU_BENCH_DATA")
    return path


def measure(workspace: Workspace) -> Outcome:
    """Measure recall in both modes."""
    path = str(texts_file())
    series, checks = [], []
    sizes: dict[str, int] = {}
    for mode in MODES:
        answer = work("kioku", "retrieval", workspace.folder(mode), file=path, mode=mode)
        sizes = {name: answer[name] for name in ("conversations", "observations", "queries")}
        for k, least in BUDGETS.items():
            name = f"mode {mode}, recall at {k}"
            recall = answer["recall"][str(k)]
            series.append(Series(name, "", [recall]))
            checks.append(Check(name, recall, least, is_minimum=True))
    return Outcome(
        durability="NORMAL, in memory", sizes=sizes, series=series, checks=checks, notes=()
    )


WORKLOAD = Workload(
    row=15,
    name="retrieval",
    title="questions that find their answers, mean recall",
    budget="at least 0.33 / 0.62 / 0.71 at 1 / 5 / 10",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
