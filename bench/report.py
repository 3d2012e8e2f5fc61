"""How an outcome is told: a table for people, JSON for later comparison."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.outcome import Absent, Series, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.outcome import Check, Outcome, Workload

RESULTS = Path(__file__).resolve().parent / "results"


def table(workload: Workload, outcome: Outcome) -> str:
    """Return the table of one workload."""
    return "\n".join(_lines(workload, outcome))


def _lines(workload: Workload, outcome: Outcome) -> Iterator[str]:
    yield f"\nrow {workload.row}  {workload.title}"
    yield f"  budget      {workload.budget}"
    yield f"  durability  {outcome.durability}"
    yield "  sizes       " + ", ".join(f"{name} {n:,}" for name, n in outcome.sizes.items())
    width = max(len(each.name) for each in outcome.series)
    yield f"  {'':{width}}  {'median':>11}         {'low … high':^25}  {'ratio':>8}"
    for each in outcome.series:
        yield _line(each, outcome.series, width)
    for check in outcome.checks:
        yield _verdict(check)
    for note in outcome.notes:
        yield f"  note    {note}"


def _line(each: Series | Absent, all_series: Sequence[Series | Absent], width: int) -> str:
    if isinstance(each, Absent):
        return f"  {each.name:{width}}  NOT MEASURED: {each.reason}"
    quotient = ratio(all_series, each.name, each.against) if each.against else None
    told = "" if quotient is None else f"{quotient:.3g} x"
    spread = f"{number(each.low)} … {number(each.high)}"
    note = f"  {each.note}" if each.note else ""
    middle = f"{number(each.median):>11} {each.unit:5}"
    return f"  {each.name:{width}}  {middle}   {spread:^25}  {told:>8}{note}".rstrip()


def _verdict(check: Check) -> str:
    bound = "at least" if check.is_minimum else "at most"
    verdict = "within" if check.is_within else "MISSED"
    return f"  {verdict}  {check.label}: {number(check.value)}, {bound} {number(check.limit)}"


def number(value: float) -> str:
    """Return a number with as many digits as a measurement deserves."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def write_json(workload: Workload, outcome: Outcome, run: Mapping[str, Any]) -> Path:
    """Write one workload's outcome, with the facts of the run, and return the file's path."""
    RESULTS.mkdir(exist_ok=True)
    document = {
        "row": workload.row,
        "title": workload.title,
        "budget": workload.budget,
        "run": dict(run),
        "durability": outcome.durability,
        "sizes": dict(outcome.sizes),
        "series": [_series(each, outcome.series) for each in outcome.series],
        "checks": [
            dataclasses.asdict(check) | {"is_within": check.is_within} for check in outcome.checks
        ],
        "notes": list(outcome.notes),
    }
    scale = run.get("scale", 1.0)
    suffix = "" if scale == 1.0 else f"-scale-{scale:g}"
    path = RESULTS / f"row-{workload.row:02}-{workload.name}{suffix}.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _series(each: Series | Absent, all_series: Sequence[Series | Absent]) -> dict[str, Any]:
    document = dataclasses.asdict(each)
    if isinstance(each, Series):
        document |= {"median": each.median, "low": each.low, "high": each.high}
        if each.against:
            document["ratio"] = ratio(all_series, each.name, each.against)
    return document
