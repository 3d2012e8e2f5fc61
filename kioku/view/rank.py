"""How relevant an observation is: BM25 with weak fields, and a little of what is not words.

Each term has a weight (its inverse document frequency times BM25's k1 + 1) and, in each text, a
strength ``x``: how often it occurs there over how often that is to be expected of a text of that
length, so that BM25 of one term is ``weight * x / (1 + x)``. Two notes that were written one after
the other in a session are about the same thing, so the neighbours' strengths are added, weakly,
before that curve flattens them (BM25F, with the neighbours as fields):

    X     = x + 0.4 * (x of the two next to it) + 0.2 * (x of the two after those)
    words = sum over terms of weight * X / (1 + X)
    score = words * coverage * importance * recency * project

``coverage`` is 1 plus the share of the terms that the text itself holds, so that having every word
counts twice. The last three are small
beside relevance, but for the project that the asker is in. Nothing here reads a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

LENT: Final = (0.4, 0.4, 0.2, 0.2)
"""What neighbours lend of their own strength: the two that are next to it, then the two after."""

IMPORTANCE_STEP: Final = 0.05
IMPORTANCE_USUAL: Final = 2
RECENCY_SHARE: Final = 0.1
RECENCY_HALF_LIFE_DAYS: Final = 30.0
PROJECT_FACTOR: Final = 2.0
_STAMPS_A_DAY: Final = 86_400_000 << 16


class Strengths(NamedTuple):
    """How strongly one term occurs, by event; an event that is not there does not hold it."""

    term: str
    weight: float
    of: Mapping[int, float]
    begun: AbstractSet[int] = frozenset()
    """Where it only begins a word: that counts half."""

    def held(self, event_id: int) -> float:
        """What an event holds of the term: all, half or nothing of it."""
        if event_id not in self.of:
            return 0.0
        return 0.5 if event_id in self.begun else 1.0


class Candidate(NamedTuple):
    """An observation that may be found, and what counts besides its words."""

    event_id: int
    stamp: int
    importance: int
    is_preferred: bool


class TermScore(NamedTuple):
    """What one term adds to the words of a score, by itself and lent by the neighbours."""

    term: str
    weight: float
    own: float
    lent: float


class Score(NamedTuple):
    """How a score came about: the terms add up, and the factors multiply what they add up to."""

    terms: tuple[TermScore, ...] = ()
    coverage: float = 1.0
    importance: float = 1.0
    recency: float = 1.0
    project: float = 1.0


class Context(NamedTuple):
    """What all candidates of one query are scored by."""

    strengths: Sequence[Strengths]
    neighbours: Mapping[int, Sequence[int]]
    """By event: those next to it in its session, as many as ``LENT``; 0 where there is none."""
    newest: int
    """The newest stamp of the view."""


def total(candidate: Candidate, context: Context) -> float:
    """Give the score of one candidate. Cost: some microseconds; hundreds are scored a query."""
    event = candidate.event_id
    places = context.neighbours.get(event, ())
    words, held = 0.0, 0.0
    for _, weight, of, begun in context.strengths:
        strength = of.get(event, 0.0)
        if strength:
            held += 0.5 if begun and event in begun else 1.0
        for place, share in zip(places, LENT, strict=False):
            if place in of:
                strength += share * of[place]
        words += weight * strength / (1.0 + strength)
    coverage, importance, recent, project = _factors(candidate, context, held)
    return words * coverage * importance * recent * project


def explained(candidate: Candidate, context: Context) -> Score:
    """Give the parts of a candidate's ``total``; what adds nothing is left out."""
    terms = []
    held = 0.0
    for each in context.strengths:
        term, weight, of, _ = each
        own = strength = of.get(candidate.event_id, 0.0)
        held += each.held(candidate.event_id)
        places = context.neighbours.get(candidate.event_id, ())
        for place, share in zip(places, LENT, strict=False):
            strength += share * of.get(place, 0.0)
        if strength:
            alone = weight * own / (1.0 + own)
            lent = weight * strength / (1.0 + strength) - alone
            terms.append(TermScore(term, weight, alone, lent))
    return Score(tuple(terms), *_factors(candidate, context, held))


def _factors(
    candidate: Candidate, context: Context, held: float
) -> tuple[float, float, float, float]:
    return (
        1.0 + held / (len(context.strengths) or 1),
        1.0 + IMPORTANCE_STEP * (candidate.importance - IMPORTANCE_USUAL),
        recency(candidate.stamp, context.newest),
        PROJECT_FACTOR if candidate.is_preferred else 1.0,
    )


def recency(stamp: int, newest: int) -> float:
    """Give the factor for how long before the newest stamp one lies; half is gone in a month."""
    days = max(0, newest - stamp) / _STAMPS_A_DAY
    return 1.0 + RECENCY_SHARE * float(0.5 ** (days / RECENCY_HALF_LIFE_DAYS))
