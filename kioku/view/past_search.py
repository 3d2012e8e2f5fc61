"""Searching the past: both halves of it (``past``) are searched, and ranked as one.

BM25 counts within an index, so the scores of two indexes cannot be compared. Their parts can: how
much a term weighs is taken from the store's own index for both halves, and how strongly it occurs
in a text of the shadow is set right by the average length of the store's texts. So an observation
scores much as it did when it stood among the others. Neighbours lend within their half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.view import candidates
from kioku.view import search as present
from kioku.view.past import Past, Place, in_order, recent
from kioku.view.query import Query, parse
from kioku.view.rank import Context, Strengths
from kioku.view.scope import make_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    import apsw

    from kioku.view.filter import Filter
    from kioku.view.past import Half, Moment
    from kioku.view.rank import Candidate
    from kioku.view.search import Match, Mode

_SHADOW_SIZES: Final = "SELECT id, sz FROM temp.record_text_docsize"
_TOTALS: Final = "SELECT block FROM main.record_text_data WHERE id = 1"
_LENGTH_SHARE: Final = 0.75  # BM25's b, as FTS5 has it


class Question(NamedTuple):
    """What is asked of both halves alike."""

    parsed: Query
    filter: Filter
    limit: int
    moment: Moment
    mode: Mode
    prefer: tuple[str, ...]
    explain: bool


class _Words(NamedTuple):
    """What one half holds of the words of a query."""

    found: list[tuple[Candidate, Place]]
    context: Context


def search(
    connection: apsw.Connection,
    query: str,
    *,
    filter: Filter,
    limit: int,
    moment: Moment,
    mode: Mode = "or",
    prefer: tuple[str, ...] = (),
    substring: bool = False,
    explain: bool = False,
) -> list[Match]:
    """The best matches of what was shown at ``moment``; see ``search.search``.

    Cost: that of a search with a filter, and what ``past`` costs.
    """
    parsed = present.finished(connection, parse(query))
    if not parsed.any_terms and not parsed.needles:
        return recent(connection, filter=filter, limit=limit, moment=moment, prefer=prefer)
    past = Past(connection, moment)
    question = Question(parsed, filter, limit, moment, mode, prefer, explain)
    matches = _by_words(connection, past, question) if parsed.any_terms else []
    if len(matches) < limit and parsed.needles:
        depth = present.TOPPED_UP_MAX if matches else present.SCANNED_MAX
        known = {match.event_id for match in matches}
        hits = _by_letters(connection, past, question, None if substring else depth)
        matches += [match for match in hits if match.event_id not in known]
    return matches[:limit]


def _by_words(connection: apsw.Connection, past: Past, question: Question) -> list[Match]:
    parsed, moment = question.parsed, question.moment

    def look(half: Half) -> _Words:
        scope = make_scope(connection, half.wanted, moment.now_ms, parsed)

        def find(asked: int) -> list[Candidate]:
            return candidates.find(
                connection,
                parsed,
                scope,
                needs_all=question.mode == "and",
                prefer=question.prefer,
                limit=asked,
            )

        found = past.enough(find, half, question.limit)
        context = present.context_of(
            connection, parsed, [one for one, _ in found], moment.now_ms, moment.last
        )
        if half.is_shadow:
            context = context._replace(strengths=_set_right(connection, context))
        return _Words(found, context)

    halves = past.in_each_half(look, question.filter)
    found = in_order([one for half in halves for one in half.found], ())
    context = halves[0].context
    if len(halves) > 1:
        then = halves[1].context
        context = _joined(connection, parsed, context, then, spare=len(past.shown))
    return present.ranked(
        parsed,
        found,
        context,
        mode=question.mode,
        limit=question.limit,
        explain=question.explain,
    )


def _by_letters(
    connection: apsw.Connection, past: Past, question: Question, depth: int | None
) -> list[Match]:
    """What holds the query's letters, the greatest first."""
    parsed, moment = question.parsed, question.moment

    def look(half: Half) -> list[tuple[Match, Place]]:
        scope = make_scope(connection, half.wanted, moment.now_ms, parsed)
        events = present.substring_hits(
            connection,
            parsed.needles,
            scope,
            prefer=question.prefer,
            depth=depth,
            needs_all=question.mode == "and",
        )
        found: list[tuple[Match, Place]] = []
        for event in events:
            place = past.places([event])[event]
            if half.keeps(place):
                found.append((present.Match(event, 0.0, True), place))
            if len(found) == 2 * question.limit:  # as many may be known by their words
                break
        return found

    halves = past.in_each_half(look, question.filter)
    return in_order([one for half in halves for one in half], question.prefer)


# --- one scale for two indexes -------------------------------------------------------------------


def _joined(
    connection: apsw.Connection, parsed: Query, now: Context, then: Context, *, spare: int
) -> Context:
    """Both halves' contexts as one, with the weights that the store's own index gives."""
    mine = {each.term: each for each in now.strengths}
    theirs = {each.term: each for each in then.strengths}
    strengths = []
    for term in parsed.any_terms:
        one, other = mine.get(term.label), theirs.get(term.label)
        if other is None:
            strengths += [] if one is None else [one]
            continue
        weight = one.weight if one else candidates.weight_of(connection, term, spare)
        of, begun = (one.of, one.begun) if one else ({}, frozenset())
        strengths.append(Strengths(term.label, weight, {**of, **other.of}, begun | other.begun))
    return Context(strengths, {**now.neighbours, **then.neighbours}, max(now.newest, then.newest))


def _set_right(connection: apsw.Connection, context: Context) -> list[Strengths]:
    """The shadow's strengths, as they would be where texts are as long as the store's are."""
    factors = _length_factors(connection)
    return [
        each._replace(of={event: x * factors[event] for event, x in each.of.items()})
        for each in context.strengths
    ]


def _length_factors(connection: apsw.Connection) -> Mapping[int, float]:
    """By event, what the store's average length makes of a strength that the shadow's gave."""
    rows: Any = connection.execute(_SHADOW_SIZES)
    lengths = {event: _varints(sizes)[0] for event, sizes in rows}
    average = sum(lengths.values()) / max(1, len(lengths))
    rows_of_store, total = (*_varints(connection.execute(_TOTALS).get or b""), 0, 0)[:2]
    average_of_store = total / rows_of_store if total and rows_of_store else average
    return {
        event: _length_norm(length, average) / _length_norm(length, average_of_store)
        for event, length in lengths.items()
    }


def _length_norm(length: int, average: float) -> float:
    return 1 - _LENGTH_SHARE + _LENGTH_SHARE * length / (average or 1.0)


def _varints(data: bytes) -> list[int]:
    """The numbers of one of FTS5's records: seven bits a byte, the greatest first, 1 for more."""
    numbers, number = [], 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    return numbers
