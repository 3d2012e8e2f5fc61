"""Row 20: what looking for credentials costs a save, what it finds, and what it takes for one.

The floor is a regular expression that looks for no more than a run of 20 letters. The texts that
hold none are those of row 15 and the corpus; those that hold one are ``bench.secret_samples``,
drawn anew each round. A text that was made to be slow is as large as a body may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.outcome import Check, Outcome, Series, Workload, ratio_check
from bench.runner import main
from bench.workloads.retrieval import texts_file
from bench.workspace import work

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bench.workspace import Workspace

FLOOR = "one regular expression, a run of 20 letters"
MICROSECONDS_MAX = 30.0
RATIO_MAX = 10.0
RECALL_MIN = 0.95
FALSE_PER_1000_MAX = 1.0
HOSTILE_SECONDS_MAX = 10.0
SCAN_SIZE = 100_000
SCAN_SECONDS_MAX = 5.0


def measure(workspace: Workspace) -> Outcome:
    """Measure time, recall and false finds in a process each round."""
    path = str(texts_file())
    folder = workspace.folder("secrets")
    rounds: list[Mapping[str, Any]] = [
        work("kioku", "secrets", folder, file=path, seed=number)
        for number in range(workspace.rounds)
    ]
    store = workspace.built("kioku", workspace.size(SCAN_SIZE))
    scan = work("kioku", "scan", store)["seconds"]

    def each(name: str) -> list[float]:
        return [answer[name] for answer in rounds]

    series = [
        Series(FLOOR, "µs", each("floor_us")),
        Series("a text of the corpus, 300 bytes", "µs", each("corpus_us"), FLOOR),
        Series("a text of the questions' file", "µs", each("talk_us"), FLOOR),
        Series("a text that holds one", "µs", each("sample_us"), FLOOR),
        Series("the slowest text of 1.5 MB", "s", each("hostile_s")),
        Series("recall", "", each("recall")),
        Series("false finds in 1,000 texts", "", each("false_per_1000")),
        Series("kioku scan, the store of row 1", "s", [scan]),
    ]
    worst = {answer["hostile"] for answer in rounds}
    return Outcome(
        durability="nothing is stored",
        sizes={name: rounds[0][name] for name in ("talk_texts", "sample_texts")},
        series=series,
        checks=[
            Check("300 bytes, µs", series[1].median, MICROSECONDS_MAX),
            *ratio_check(series, (series[1].name, FLOOR), RATIO_MAX),
            Check("recall", min(each("recall")), RECALL_MIN, is_minimum=True),
            Check("false finds in 1,000", max(each("false_per_1000")), FALSE_PER_1000_MAX),
            Check("1.5 MB made to be slow, s", series[4].median, HOSTILE_SECONDS_MAX),
            Check("scan, s", scan, SCAN_SECONDS_MAX),
        ],
        notes=[f"slowest: repeated {', '.join(sorted(map(repr, worst)))}"],
    )


WORKLOAD = Workload(
    row=20,
    name="secrets",
    title="credentials: time a text, recall, false finds",
    budget="at most 30 µs for 300 bytes, 10 times the floor; recall 0.95; 1 false find in 1,000",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
