"""What a search answers; it stands apart from other results, so that a search loads no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass

    from kioku.memory.explanation import Explanation
    from kioku.observation import Observation
else:
    from kioku.values import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search, and why it is one.

    ``score`` orders the hits of one search (greater is better) and means nothing between two
    searches. ``is_substring`` marks a hit that holds the query's letters but none of its words.
    ``marks`` are the spans (start, end) of ``snippet`` that matched, ascending and apart;
    ``explanation`` is there if it was asked for.
    """

    observation: Observation
    score: float
    snippet: str
    is_substring: bool = False
    marks: tuple[tuple[int, int], ...] = ()
    explanation: Explanation | None = None
