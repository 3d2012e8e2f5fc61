"""What finding and fetching changes costs, by how many logs there are and how many changed.

Usage: python -m tests.simulation.growth      prints the table of docs/protocol.md

The sessions are real, over replicas on paper (tests/property/paper.py); everything that goes over
the wire is counted, both ways.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tests.property.paper import PaperHoldings, log_ids
from tests.property.wires import Wire

EVENTS_A_LOG = 1_000
CASES = (
    *((tips, 1) for tips in (10, 100, 1_000, 10_000, 100_000)),
    *((10_000, changed) for changed in (10, 100, 1_000, 10_000)),
)


class Cost(NamedTuple):
    """What one session took; ``chunk_bytes`` are the events themselves."""

    tips: int
    changed: int
    questions: int
    waits: int
    bytes: int
    chunk_bytes: int

    @property
    def overhead_bytes(self) -> int:
        return self.bytes - self.chunk_bytes


@cache
def measure(tips: int, changed: int, *, events: int = 1) -> Cost:
    """Let ``events`` be appended to each of ``changed`` among ``tips`` logs, and fetch them."""
    ids = log_ids(tips)
    asker, answerer = (PaperHoldings(dict.fromkeys(ids, EVENTS_A_LOG)) for _ in range(2))
    for log_id in ids[:changed]:
        answerer.grow(log_id, events)
    wire = Wire(asker, answerer)
    outcome = wire.run()
    assert outcome.is_level, "both have the same"
    assert outcome.new_events == changed * events
    return Cost(tips, changed, len(wire.asks), wire.waits, wire.bytes, asker.chunk_bytes)


def table() -> str:
    """The table, as Markdown."""
    lines = [
        "| logs | changed | questions | waits | bytes, both ways | of it chunks | rest, a change |",
        "|---|---|---|---|---|---|---|",
    ]
    for cost in (measure(*case) for case in CASES):
        each = cost.overhead_bytes // cost.changed
        lines.append(
            f"| {cost.tips:,} | {cost.changed:,} | {cost.questions:,} | {cost.waits:,} |"
            f" {cost.bytes:,} | {cost.chunk_bytes:,} | {each:,} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
