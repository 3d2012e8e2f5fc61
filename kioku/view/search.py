"""Finding observations: by words, by literal strings, or simply the newest.

Results are a function of the events alone. Where scores are equal the greater event comes first, in
the order (hlc, log_id, seq, hash); a row's number never decides. Every function reads within the
caller's transaction.

Words come first: what may be found is read from the index (``candidates``) and ranked (``rank``).
If the last word may still be being typed and few observations hold it, it also stands for the words
that it begins. Fewer hits than wanted are topped up by observations that hold the query's letters
somewhere: the automatic scan looks through the newest ``SCANNED_MAX`` bodies if no word was found,
else through the newest ``TOPPED_UP_MAX``, so that a search costs the same in a store of any size;
``substring=True`` looks through all.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from kioku.log.hlc import STAMP_LIMIT
from kioku.observation import reread_fields
from kioku.view import candidates, rank
from kioku.view.query import Query, parse
from kioku.view.scope import GREATEST_FIRST, PLACE, Scope, make_scope
from kioku.view.text import lower_ascii, searchable
from kioku.view.visible import SUPERSEDERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import apsw

    from kioku.view.filter import Filter

Mode = Literal["or", "and", "and_or"]

SCANNED_MAX: Final = 20_000
"""Bodies scanned when no word was found: some 15 ms."""
TOPPED_UP_MAX: Final = 2_000
"""Bodies scanned for a few more results: some milliseconds."""
RARE: Final = 1_000
"""Rows that hold the words of a filter: so many are looked up sooner than the newest are read."""
FEW: Final = 10
"""A last word that at least so many observations hold is taken to be finished."""


UNEXPLAINED: Final = rank.Score()


class Match(NamedTuple):
    """One result: the event to show, and how well it matched (the greater the better).

    ``is_substring``: it holds the query's letters, but was not found by its words. ``how`` is the
    score in parts, if that was asked for; of a substring or a list, empty.
    """

    event_id: int
    score: float
    is_substring: bool
    how: rank.Score = UNEXPLAINED


def search(
    connection: apsw.Connection,
    query: str,
    *,
    filter: Filter,
    limit: int,
    now_ms: int,
    mode: Mode = "or",
    prefer: tuple[str, ...] = (),
    substring: bool = False,
    explain: bool = False,
) -> list[Match]:
    """The best matches first; the newest observations if ``query`` is blank.

    ``mode``: ``or`` any of the words, ``and`` all of them, ``and_or`` first those with all, then
    those with any. Substring matches come last, the newest first, with a score of 0. What lies in
    the projects ``prefer`` counts for more, and comes first where scores are equal. ``explain``
    gives each match its score in parts.

    Cost: about that of bare FTS5, and a scan of bodies if fewer than ``limit`` are found.
    """
    parsed = finished(connection, parse(query))
    scope = make_scope(connection, filter, now_ms, parsed)
    if not parsed.any_terms and not parsed.needles:
        return _newest(connection, scope, prefer, limit)
    asked = _Asked(parsed, scope, mode, prefer, limit, now_ms, explain)
    matches = _word_matches(connection, asked) if parsed.any_terms else []
    if len(matches) < limit and parsed.needles:
        depth = None if substring else TOPPED_UP_MAX if matches else SCANNED_MAX
        known = {match.event_id for match in matches}
        hits = substring_hits(
            connection, parsed.needles, scope, prefer=prefer, depth=depth, needs_all=mode == "and"
        )
        new = (Match(event, 0.0, True) for event in hits if event not in known)
        matches += islice(new, limit - len(matches))
    return matches


class _Asked(NamedTuple):
    """A search as the steps of it see it."""

    parsed: Query
    scope: Scope
    mode: Mode
    prefer: tuple[str, ...]
    limit: int
    now_ms: int
    explain: bool


def recent(
    connection: apsw.Connection,
    *,
    filter: Filter,
    limit: int,
    now_ms: int,
    prefer: tuple[str, ...] = (),
) -> list[Match]:
    """The greatest events first; those in the projects ``prefer`` before all others."""
    return _newest(connection, make_scope(connection, filter, now_ms), prefer, limit)


def superseders(connection: apsw.Connection, event_id: int, now_ms: int) -> list[str]:
    """The ids of what supersedes an observation now, ascending."""
    keys = f"SELECT group_concat(hex(n.key)) {SUPERSEDERS}"
    joined = connection.execute(
        f"SELECT ({keys}) FROM record r WHERE r.event = :event", {"event": event_id, "now": now_ms}
    ).get
    return sorted(joined.lower().split(",")) if joined else []


def finished(connection: apsw.Connection, parsed: Query) -> Query:
    """The query, its last word also as a beginning if it may be one and few hold it as it is."""
    if parsed.unfinished is None:
        return parsed
    few = candidates.count_up_to(connection, parsed.unfinished.expression, FEW) < FEW
    return parsed.completed() if few else parsed


def _newest(
    connection: apsw.Connection, scope: Scope, prefer: tuple[str, ...], limit: int
) -> list[Match]:
    matches: list[Match] = []
    is_rare = scope.words and candidates.count_up_to(connection, scope.words, RARE + 1) <= RARE
    for part in scope.divided(prefer):
        source, where = f"record r INDEXED BY {part.source}", part.where
        if is_rare:
            source = "record_text CROSS JOIN record r ON r.event = record_text.rowid"
            where = f"record_text MATCH :words AND {where}"
        rows: Any = connection.execute(
            f"""SELECT r.event FROM {source} {PLACE}
            WHERE {where} ORDER BY {GREATEST_FIRST} LIMIT :limit""",
            {**part.bindings, "words": scope.words, "limit": limit - len(matches)},
        )
        matches += [Match(event, 0.0, False) for (event,) in rows]
    return matches


def _word_matches(connection: apsw.Connection, asked: _Asked) -> list[Match]:
    parsed, mode = asked.parsed, asked.mode
    found = candidates.find(
        connection,
        parsed,
        asked.scope,
        needs_all=mode == "and",
        prefer=asked.prefer,
        limit=asked.limit,
    )
    context = context_of(connection, parsed, found, asked.now_ms)
    return ranked(parsed, found, context, mode=mode, limit=asked.limit, explain=asked.explain)


def ranked(
    parsed: Query,
    found: Sequence[rank.Candidate],
    context: rank.Context,
    *,
    mode: Mode,
    limit: int,
    explain: bool,
) -> list[Match]:
    """The candidates by their scores; of equal ones those that come first here stay so."""
    scored = [(rank.total(candidate, context), candidate) for candidate in found]
    scored.sort(key=lambda one: -one[0])  # stable
    if mode == "and_or" and not parsed.is_single:
        holders = _holders_of_all(parsed, context.strengths)
        scored.sort(key=lambda one: one[1].event_id not in holders)
    return [
        Match(
            candidate.event_id,
            score,
            False,
            rank.explained(candidate, context) if explain else UNEXPLAINED,
        )
        for score, candidate in scored[:limit]
    ]


def context_of(
    connection: apsw.Connection,
    parsed: Query,
    found: Sequence[rank.Candidate],
    now_ms: int,
    last: int = STAMP_LIMIT - 1,
) -> rank.Context:
    """What the words of the query say of candidates and of those next to them, up to ``last``."""
    neighbours = candidates.neighbours(connection, found, now_ms, last)
    events = {place for places in neighbours.values() for place in places}
    events.update(candidate.event_id for candidate in found)
    strengths = candidates.strengths(connection, parsed.any_terms, events)
    return rank.Context(strengths, neighbours, candidates.newest_stamp(connection, last))


def _holders_of_all(parsed: Query, strengths: Sequence[rank.Strengths]) -> set[int]:
    """The events that hold every term that must be there for a match of all."""
    by_term = {each.term: each.of.keys() for each in strengths}
    wanted = [set(by_term.get(term.label, ())) for term in parsed.all_terms]
    return set.intersection(*wanted) if wanted else set()


# --- by literal strings --------------------------------------------------------------------------


def substring_hits(
    connection: apsw.Connection,
    needles: tuple[str, ...],
    scope: Scope,
    *,
    prefer: tuple[str, ...],
    depth: int | None,
    needs_all: bool,
) -> Iterator[int]:
    """The events whose text holds the needles, the greatest first, of the ``depth`` newest.

    SQLite looks through the raw bodies, which are CBOR, so that the text is looked at again: a
    needle may have been found in a host's name or in a head. Case is ignored for A to Z.
    """
    joined = " AND " if needs_all else " OR "
    holds = joined.join(
        f"instr(CAST(lower(e.body) AS BLOB), :needle{number})" for number in range(len(needles))
    )
    literals = {f"needle{number}": text.encode() for number, text in enumerate(needles)}
    test = all if needs_all else any
    if depth is not None:
        scope = _newest_part(connection, scope, depth)
    for part in scope.divided(prefer):
        # What the index does not tell is asked last, of the few rows that hold a needle.
        rows = connection.execute(
            f"""SELECT r.event, e.body FROM record r INDEXED BY {part.source} {PLACE}
            WHERE {part.part} AND ({holds})
            AND (SELECT {part.where} FROM record r WHERE r.event = e.event)
            ORDER BY {GREATEST_FIRST}""",
            {**part.bindings, **literals},
        )
        for event, body in rows:
            texts = [lower_ascii(text) for text in searchable(reread_fields(body))]
            if test(any(needle in text for text in texts) for needle in needles):
                yield event


def _newest_part(connection: apsw.Connection, scope: Scope, depth: int) -> Scope:
    """``scope``, but only from the stamp of its ``depth``-th newest record on."""
    floor = connection.execute(
        f"""SELECT r.hlc FROM record r INDEXED BY {scope.source} WHERE {scope.part}
        ORDER BY r.hlc DESC LIMIT 1 OFFSET {depth - 1}""",
        scope.bindings,
    ).fetchone()
    return scope if floor is None else scope.also("r.hlc >= :floor", {"floor": floor[0]})
