"""A search from the question to its hits: the view finds, a ranker may have a say, bodies are read.

The view answers in numbers of events; only what is handed out is read, checked and decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.memory.hit import Hit
from kioku.memory.recall import Found, read_event
from kioku.view.search import Match, search, superseders
from kioku.view.snippet import Snippets

if TYPE_CHECKING:
    from kioku.memory.explanation import Explanation
    from kioku.memory.ranker import Place, Ranker
    from kioku.replica import Reading
    from kioku.view.filter import Filter
    from kioku.view.past import Moment


class Question(NamedTuple):
    """What somebody asks: the words, what is wanted, and how it shall be answered."""

    query: str
    wanted: Filter
    limit: int
    mode: Any = "or"
    prefer: tuple[str, ...] = ()
    is_substring: bool = False
    is_explained: bool = False
    ranker: Ranker | None = None
    moment: Moment | None = None
    """The time that is asked about, if it is not now."""


class _Answer(NamedTuple):
    match: Match
    found: Found
    place: Place | None = None


def answer(reading: Reading, question: Question, *, now_ms: int) -> list[Hit]:
    """Give the best matches of a question, each with the place in it that matched."""
    answers = _answers(reading, question, now_ms)
    snippets = Snippets(reading.connection, question.query)
    hits = []
    for one in answers:
        snippet = snippets.of(one.found.observation.content)
        hits.append(
            Hit(
                one.found.observation,
                one.place.fused if one.place else one.match.score,
                snippet.text,
                one.match.is_substring,
                snippet.marks,
                _explained(reading, question, one, now_ms) if question.is_explained else None,
            )
        )
    return hits


def _answers(reading: Reading, question: Question, now_ms: int) -> list[_Answer]:
    ranker = question.ranker
    if ranker is None:
        return _found(reading, question, limit=question.limit, now_ms=now_ms)
    from kioku.memory.ranker import RANKED_MIN, fuse

    limit = max(question.limit, RANKED_MIN)
    answers = _found(reading, question, limit=limit, now_ms=now_ms)
    if question.query.strip():
        places = fuse(ranker, question.query, [one.found.observation for one in answers])
        answers = [one._replace(place=place) for one, place in zip(answers, places, strict=True)]
        answers.sort(key=lambda one: -one.place.fused if one.place else 0.0)  # stable
    return answers[: question.limit]


def _found(reading: Reading, question: Question, *, limit: int, now_ms: int) -> list[_Answer]:
    """Give what matches and can be read, now or at the moment that is asked about."""
    options: Any = {
        "filter": question.wanted,
        "limit": limit,
        "mode": question.mode,
        "prefer": question.prefer,
        "substring": question.is_substring,
        "explain": question.is_explained,
    }
    if question.moment is not None:
        from kioku.memory import past

        found = past.search(reading, question.query, moment=question.moment, **options)
    else:
        matches = search(reading.connection, question.query, now_ms=now_ms, **options)
        found = ((match, read_event(reading, match.event_id)) for match in matches)
    return [_Answer(match, one) for match, one in found if one is not None]


def _superseders(reading: Reading, question: Question, event_id: int, now_ms: int) -> list[str]:
    if question.moment is None:
        return superseders(reading.connection, event_id, now_ms)
    from kioku.memory import past

    return past.superseders(reading, event_id, question.moment)


def _explained(reading: Reading, question: Question, one: _Answer, now_ms: int) -> Explanation:
    from kioku.memory.explanation import explain

    return explain(
        one.match.how,
        one.place.fused if one.place else one.match.score,
        is_substring=one.match.is_substring,
        is_held=one.found.observation.is_held,
        superseded_by=tuple(_superseders(reading, question, one.match.event_id, now_ms)),
        place=one.place,
    )
