"""Row 6: a search in the library, in a store of 100,000: each kind of query against bare FTS5.

The floor asks the same index in the same file for the same words: MATCH, ordered by bm25, the best
ten, and their ten bodies as bytes. It filters nothing, ranks by BM25 alone, checks and decodes
nothing. Every query is asked some times in a process of its own, and its 95th percentile counts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.corpus import COMMON_WORD, MIDDLING_WORD, RARE_WORD
from bench.measure import Contender, in_turn
from bench.outcome import Check, Outcome, Workload, named, ratio_check
from bench.runner import main
from bench.workspace import work

if TYPE_CHECKING:
    from pathlib import Path

    from bench.workspace import Workspace

SIZE = 100_000
REPEATS = 40
RATIO_MAX = 1.5
# What is asked, the same as FTS5 takes it, and the budget in ms where it is not a ratio.
QUERIES = {
    "common word": (COMMON_WORD, f'"{COMMON_WORD}"', None),
    "rare word": (RARE_WORD, f'"{RARE_WORD}"', None),
    "two words": (
        f"{COMMON_WORD} {MIDDLING_WORD}",
        f'"{COMMON_WORD}" OR "{MIDDLING_WORD}"',
        None,
    ),
    "two common words": (f"{COMMON_WORD} query", f'"{COMMON_WORD}" OR "query"', None),
    "Japanese, 2 characters": ("検索", '"検 索"', 10.0),
    "no hit": ("zzyzxq", '"zzyzxq"', 25.0),
}


def _kioku(store: Path, query: str) -> float:
    answer = work("kioku", "search", store, query=query, repeats=REPEATS)
    return float(answer["p95_ms"])


def _floor(store: Path, match: str) -> float:
    answer = work("floor", "search", store, match=match, repeats=REPEATS)
    return float(answer["p95_ms"])


def measure(workspace: Workspace) -> Outcome:
    """Measure each kind of query, the floor and kioku in turn."""
    count = workspace.size(SIZE)
    store = workspace.built("kioku", count)
    contenders = []
    for kind, (query, match, _) in QUERIES.items():
        floor = f"FTS5, {kind}"
        contenders.append(Contender(floor, "ms", partial(_floor, store, match)))
        contenders.append(Contender(f"kioku, {kind}", "ms", partial(_kioku, store, query), floor))
    series = in_turn(contenders, rounds=workspace.rounds, warm_ups=1)
    checks: list[Check] = []
    for kind, (_, _, limit_ms) in QUERIES.items():
        name = f"kioku, {kind}"
        if limit_ms is None:
            checks += ratio_check(series, (name, f"FTS5, {kind}"), RATIO_MAX)
        elif measured := named(series, name):
            checks.append(Check(f"{name}, ms", measured.median, limit_ms))
    return Outcome(
        durability="nothing is written",
        sizes={"observations": count, "searches a round": REPEATS},
        series=series,
        checks=checks,
        notes=["each value is the 95th percentile of a round's searches"],
    )


WORKLOAD = Workload(
    row=6,
    name="search-library",
    title="search in the library, p95",
    budget="at most 1.5 x bare FTS5 for words; Japanese 10 ms; no hit 25 ms",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
