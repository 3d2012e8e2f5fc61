"""How a score came about, for whoever asks why one result stands before another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kioku.memory.ranker import Place
    from kioku.view.rank import Score


@dataclass(frozen=True, slots=True)
class TermPart:
    """What one term of the query adds: by itself, and lent by the neighbours in the session.

    ``weight`` is what it would add if it occurred without end: rare terms weigh more.
    """

    term: str
    weight: float
    own: float
    lent: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of a score.

    ``words`` is the sum of all that ``terms`` add, and ``words * coverage * importance * recency *
    project`` is the score, unless a ranker has a say.

    Attributes:
        coverage: 1 plus the share of the terms that the observation itself holds.
        importance, recency: small beside the words; 1 changes nothing.
        project: 2 in the project that the asker prefers, else 1.
        is_substring: found by its letters, not by its words; the score is 0.
        is_held: its writer's clock is ahead of ours.
        superseded_by: the ids of what replaces it now; such are found only when asked for.
        rank_by_words, rank_by_ranker, ranker_score: with a ranker, the places (from 1) that are
            fused into the score, and what the ranker gave; else None.
    """

    score: float
    terms: tuple[TermPart, ...] = ()
    coverage: float = 1.0
    importance: float = 1.0
    recency: float = 1.0
    project: float = 1.0
    is_substring: bool = False
    is_held: bool = False
    superseded_by: tuple[str, ...] = ()
    rank_by_words: int | None = None
    rank_by_ranker: int | None = None
    ranker_score: float | None = None

    @property
    def words(self) -> float:
        """The sum of what the terms add."""
        return sum(term.own + term.lent for term in self.terms)

    def to_dict(self) -> dict[str, Any]:
        """The parts by their names, ready for JSON."""
        from dataclasses import asdict

        return {**asdict(self), "words": self.words, "superseded_by": list(self.superseded_by)}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        lines = [f"score {self.score:.4g}{self._product()}"]
        lines += [
            f"  {term.term}: {term.own + term.lent:.4g}"
            f" ({term.own:.4g} its own, {term.lent:.4g} lent by its neighbours;"
            f" at most {term.weight:.4g})"
            for term in self.terms
        ]
        if self.rank_by_ranker is not None:
            lines.append(
                f"  place {self.rank_by_words} by words, {self.rank_by_ranker} by the ranker"
                f" ({self.ranker_score:.4g})"
            )
        if self.is_substring:
            lines.append("  found by its letters, not by its words")
        if self.is_held:
            lines.append("  held: its writer's clock is ahead of ours")
        lines += [f"  superseded by {one}" for one in self.superseded_by]
        return lines

    def _product(self) -> str:
        if not self.terms:
            return ""
        factors = (
            ("words", self.words),
            ("coverage", self.coverage),
            ("importance", self.importance),
            ("recency", self.recency),
            ("project", self.project),
        )
        sign = "from" if self.rank_by_ranker is not None else "="
        return f" {sign} " + " x ".join(f"{name} {factor:.4g}" for name, factor in factors)


def explain(
    how: Score,
    score: float,
    *,
    is_substring: bool,
    is_held: bool,
    superseded_by: tuple[str, ...],
    place: Place | None,
) -> Explanation:
    """Put together what the view, the ranker and the store know of one result."""
    return Explanation(
        score,
        tuple(TermPart(*term) for term in how.terms),
        how.coverage,
        how.importance,
        how.recency,
        how.project,
        is_substring,
        is_held,
        superseded_by,
        place and place.by_words,
        place and place.by_ranker,
        place and place.ranker_score,
    )
