"""The port for a second opinion on what a search found, such as the likeness of embeddings.

No model is shipped, and none is needed. A ranker is given the query and what the words found, the
best first, and gives each a number of its own scale. Scales of two rankers cannot be compared, so
their orders are fused by reciprocal rank (Cormack, Clarke, Büttcher 2009): ``1 / (60 + rank)`` in
each, added. A ranker that gives all the same number changes no order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from kioku.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.observation import Observation

RANKED_MIN: Final = 100
"""Observations that a ranker is shown, if there are as many: ten times what most callers want."""

_RANK_OFFSET: Final = 60


class Ranker(Protocol):
    """Says how well observations answer a query, for ``Memory.search(ranker=…)``.

    It is called once a search, inside a read of the store: it should be quick, and must not write.
    """

    def rank(self, query: str, candidates: Sequence[Observation]) -> Sequence[float]:
        """Give one number for each candidate, in their order; the greater the better."""


class Place(NamedTuple):
    """Where a candidate stands by words (from 1), by the ranker, and in both together."""

    by_words: int
    by_ranker: int
    ranker_score: float

    @property
    def fused(self) -> float:
        """The score by both ranks."""
        return 1 / (_RANK_OFFSET + self.by_words) + 1 / (_RANK_OFFSET + self.by_ranker)


def fuse(ranker: Ranker, query: str, candidates: Sequence[Observation]) -> list[Place]:
    """Ask the ranker about candidates that stand in the order of their words.

    Raises:
        InvalidArgumentError: if its answer is not one number for each.
    """
    from math import isnan

    scores = [float(score) for score in ranker.rank(query, candidates)]
    if len(scores) != len(candidates) or any(map(isnan, scores)):
        raise InvalidArgumentError(
            f"ranker: gave {len(scores)} numbers for {len(candidates)} candidates, or a NaN;"
            " it must give one for each"
        )
    first: dict[float, int] = {}
    for rank, score in enumerate(sorted(scores, reverse=True), 1):
        first.setdefault(score, rank)  # equal numbers share the better rank
    return [Place(number, first[score], score) for number, score in enumerate(scores, 1)]
