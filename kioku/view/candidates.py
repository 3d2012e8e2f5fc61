"""What may be found by words, read from the index: who holds them, how strongly, next to whom.

The word index alone picks the best few hundred by plain BM25 (``best``), which is quick; only those
are looked at again, with their neighbours (``rank``). Where scores tie at the edge, or what is
hidden or filtered leaves too few, every match is looked up once instead. Which ones are picked is a
function of the events: no row's number ever decides.

FTS5 tells neither how often a term occurs nor how long a text is, but its BM25 of one term does:
with weight 1 it is ``w * x / (1 + x)``, and with a weight beyond all measure it is ``w``.
"""

from __future__ import annotations

from array import array
from math import log
from typing import TYPE_CHECKING, Any, Final

import apsw

from kioku.view.rank import PROJECT_FACTOR, Candidate, Strengths
from kioku.view.scope import GREATEST_FIRST, PLACE, any_of
from kioku.view.visible import NOT_EXPIRED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kioku.view.query import Query, Term
    from kioku.view.scope import Scope

_BEYOND_MEASURE: Final = 2.0**100
_K1_PLUS_1: Final = 2.2  # of FTS5's BM25, whose k1 is 1.2
_EVENTS = "(SELECT value FROM carray(:events))"

WHOLE_MAX: Final = 1_000
"""So many matches are all looked at again, in some 10 ms."""
POOL: Final = 200
"""Of more, the best by plain BM25: it is not so wrong that what is wanted lies below."""

_LEAST: Final = 2.0**-40  # of a weight: keeps a division from nothing
_NEIGHBOUR = """ifnull((SELECT n.event FROM record n
    WHERE n.session_id = r.session_id AND n.hlc {0}= r.hlc AND (n.hlc, n.key) {0} (r.hlc, r.key)
    AND n.hlc <= :last AND {1} ORDER BY n.hlc {2}, n.key {2} LIMIT 1 OFFSET {3}), 0)"""
_SIDES = (("<", "DESC"), (">", "ASC"))
_NEIGHBOURS = f"""SELECT r.event, {
    ", ".join(
        _NEIGHBOUR.format(sign, NOT_EXPIRED.format("n"), order, offset)
        for offset in (0, 1)
        for sign, order in _SIDES
    )
} FROM record r NOT INDEXED WHERE r.event IN {_EVENTS} AND r.session_id <> ''"""
_WEIGHT = "SELECT -bm25(record_text, ?) FROM record_text WHERE record_text MATCH ? LIMIT 1"
_USUAL: Final = (
    0.45  # of its weight: what a term adds that occurs once in a text of the usual length
)
# The plus keeps FTS5 from being asked anew for each event; it reads the term's list once.
_STRENGTHS = f"""SELECT rowid, -bm25(record_text), -bm25(record_text, :beyond) FROM record_text
    WHERE record_text MATCH :match AND +rowid IN {_EVENTS}"""


def count_up_to(connection: apsw.Connection, expression: str, limit: int) -> int:
    """How many rows match an expression, counting no further than ``limit``."""
    sql = """SELECT count(*) FROM (
        SELECT 1 FROM record_text WHERE record_text MATCH ? LIMIT ?)"""
    return int(connection.execute(sql, (expression, limit)).get)


def newest_stamp(connection: apsw.Connection, last: int) -> int:
    """The newest stamp up to ``last`` that is not ahead of its time; 0 if there is none."""
    sql = "SELECT hlc FROM record WHERE NOT held AND hlc <= ? ORDER BY hlc DESC LIMIT 1"
    return int(connection.execute(sql, (last,)).get or 0)


def find(
    connection: apsw.Connection,
    parsed: Query,
    scope: Scope,
    *,
    needs_all: bool,
    prefer: tuple[str, ...],
    limit: int,
) -> list[Candidate]:
    """The observations in scope that match a query best, the greatest event first.

    All of them if they are few; at least ``limit`` if there are as many.
    """
    wholes = [parsed.match_all()] if needs_all else [parsed.match_any()]
    if not (needs_all or parsed.is_single):
        wholes.append(parsed.match_all())
    events: set[int] = set()
    if not scope.has_filter:
        pool = _pool(count_up_to(connection, wholes[0], WHOLE_MAX + 1), limit)
        is_cut = False
        telling = wholes if needs_all else [_telling(connection, parsed, limit), *wholes[1:]]
        for expression in telling:
            found, was_cut = _picked(connection, expression, prefer, pool)
            events |= found
            is_cut |= was_cut
        candidates = _visible(connection, events, scope, prefer)
        if not is_cut or len(candidates) >= limit:
            return candidates
    for expression in wholes:
        events |= _looked_up(connection, expression, scope, prefer, limit)
    return _visible(connection, events, scope, prefer)


def _telling(connection: apsw.Connection, parsed: Query, limit: int) -> str:
    """What is enough to ask for when very many match: words that together add less than the rarest
    does in a usual text bring nothing to the top that the others do not (Turtle and Flood 1995).
    """
    enough = max(WHOLE_MAX, limit) + 1
    kept = parsed
    if len(parsed.any_terms) == 1 or count_up_to(connection, parsed.match_any(), enough) < enough:
        return parsed.match_any()
    weights = {term: _weight(connection, term) for term in parsed.any_terms}
    spare = _USUAL * max(weights.values())
    for term in sorted(parsed.any_terms, key=lambda term: weights[term]):
        spare -= weights[term]
        fewer = kept._replace(any_terms=tuple(each for each in kept.any_terms if each != term))
        if spare < 0 or count_up_to(connection, fewer.match_any(), enough) < enough:
            break
        kept = fewer
    return kept.match_any()


def _weight(connection: apsw.Connection, term: Term) -> float:
    """What a term adds at most; 0 if nothing has it."""
    rows = [
        connection.execute(_WEIGHT, (_BEYOND_MEASURE, phrase.expression)).get
        for phrase in term.phrases
    ]
    return round(max(row or 0.0 for row in rows), 6)


def _picked(
    connection: apsw.Connection, expression: str, prefer: tuple[str, ...], pool: int
) -> tuple[set[int], bool]:
    """The events that match best, hidden ones too, and whether there are more."""
    score, bindings = _score(prefer)
    rows: Any = connection.execute(
        f"""SELECT rowid, {score} AS score FROM record_text
        WHERE record_text MATCH :match ORDER BY score LIMIT :limit""",
        {**bindings, "match": expression, "limit": pool + 1},
    ).fetchall()
    if len(rows) <= pool:
        return {event for event, _ in rows}, False
    last = rows[-1][1]  # more rows may have this score than these
    return {event for event, score in rows if score < last}, True


def _looked_up(
    connection: apsw.Connection,
    expression: str,
    scope: Scope,
    prefer: tuple[str, ...],
    limit: int,
) -> set[int]:
    """The events in scope that match best: score, then stamp; what ties with the last is in."""
    score, bindings = _score(prefer)
    source = f"""SELECT r.event, {score} AS score, r.hlc
        FROM record_text CROSS JOIN record r ON r.event = record_text.rowid
        WHERE record_text MATCH :match AND {scope.where}"""
    bindings = {**scope.bindings, **bindings, "match": expression, "limit": WHOLE_MAX + 1}
    rows: Any = connection.execute(
        f"{source} ORDER BY score, r.hlc DESC LIMIT :limit", bindings
    ).fetchall()
    pool = _pool(len(rows), limit)
    rows = rows[:pool]
    events = {row[0] for row in rows}
    if len(rows) == pool:
        bindings["stamp"] = rows[-1][2]
        events |= {row[0] for row in connection.execute(f"{source} AND r.hlc = :stamp", bindings)}
    return events


def _pool(count: int, limit: int) -> int:
    """How many of ``count`` matches are looked at again, at least ``limit``."""
    return max(limit, POOL if count > WHOLE_MAX else WHOLE_MAX)


def _score(prefer: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Plain BM25 in SQL (less is better), more of it for preferred projects."""
    if not prefer:
        return "bm25(record_text)", {}
    condition, bindings = any_of("p.project", "preferred", prefer)
    within = f"record_text.rowid IN (SELECT p.event FROM record p WHERE {condition})"
    return f"bm25(record_text) * iif({within}, {PROJECT_FACTOR}, 1.0)", bindings


def _visible(
    connection: apsw.Connection, events: Iterable[int], scope: Scope, prefer: tuple[str, ...]
) -> list[Candidate]:
    """Those of ``events`` that are in scope, the greatest first."""
    preferred, bindings = any_of("r.project", "preferred", prefer) if prefer else ("FALSE", {})
    rows: Any = connection.execute(
        f"""SELECT r.event, r.hlc, r.importance, {preferred} FROM record r NOT INDEXED {PLACE}
        WHERE r.event IN {_EVENTS} AND {scope.where} ORDER BY {GREATEST_FIRST}""",
        {**scope.bindings, **bindings, "events": _numbers(events)},
    ).fetchall()
    return [
        Candidate(event, hlc, importance, bool(is_preferred))
        for event, hlc, importance, is_preferred in rows
    ]


def neighbours(
    connection: apsw.Connection, candidates: Sequence[Candidate], now_ms: int, last: int
) -> dict[int, Sequence[int]]:
    """The events next to each candidate in its session, by stamp, then key; see ``rank.LENT``.

    Those up to ``last`` that have not expired at ``now_ms``.
    """
    events = _numbers(each.event_id for each in candidates)
    rows: Any = connection.execute(_NEIGHBOURS, {"events": events, "now": now_ms, "last": last})
    return {event: places for event, *places in rows}


def strengths(
    connection: apsw.Connection, terms: Sequence[Term], events: Iterable[int]
) -> list[Strengths]:
    """How strongly each term occurs in each of ``events``; less those that do not."""
    bindings = {"events": _numbers(events), "beyond": _BEYOND_MEASURE}
    found = (_strengths_of(connection, term, bindings) for term in terms)
    return [each for each in found if each.of]


def weight_of(connection: apsw.Connection, term: Term, spare: int) -> float:
    """The weight of a term that none of the candidates holds; by ``spare`` rows if no row does."""
    sql = """SELECT -bm25(record_text, :beyond) FROM record_text
        WHERE record_text MATCH :match LIMIT 1"""
    weights = [
        connection.execute(sql, {"match": phrase.expression, "beyond": _BEYOND_MEASURE}).get
        for phrase in term.phrases
    ]
    found = [float(weight) for weight in weights if weight is not None]
    if found:
        return max(found)
    rows = int(connection.execute("SELECT count(*) FROM record").get) + spare
    return _K1_PLUS_1 * log(2 * rows + 1)


def _strengths_of(connection: apsw.Connection, term: Term, bindings: dict[str, Any]) -> Strengths:
    weight, of, whole = 0.0, dict[int, float](), set[int]()
    for phrase in term.phrases:
        rows: Any = connection.execute(
            _STRENGTHS, {**bindings, "match": phrase.expression}
        ).fetchall()
        if not rows:
            continue
        most = max(row[2] for row in rows)  # they are equal but for the last bit
        weight = max(weight, most)
        for event, score, _ in rows:
            strength = phrase.share * score / max(most - score, most * _LEAST)
            if strength > of.get(event, 0.0):
                of[event] = strength
        if phrase.share == 1.0:
            whole.update(row[0] for row in rows)
    return Strengths(term.label, weight, of, of.keys() - whole)


def _numbers(numbers: Iterable[int]) -> Any:
    """Numbers as SQLite takes them in: ``carray`` costs a fifth of what JSON does."""
    return apsw.carray(
        array("q", (0, *numbers))
    )  # no event has the number 0; none at all is refused
