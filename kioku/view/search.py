"""Finding observations: by words, by literal strings, or simply the newest.

Results are a function of the events alone. Where scores are equal the greater event comes first, in
the order (hlc, log_id, seq, hash); a row's number never decides. Every function reads within the
caller's transaction.

Words are ranked by BM25 over any of the query's words; those that match all of them count for more.
FTS5 alone picks the best few, which is the quick way; when ties, hidden observations or filters
leave too few of them, every match is looked up once (``_all_ranked``). Word hits that are fewer
than wanted are topped up by a scan of the bodies for the literal strings: of all of them if no word
was found, else of the newest ``SCANNED_MAX``, so that a rare word costs the same in a store of any
size.

What is not shown: expired observations and, unless asked for, those that another one supersedes
while that one is visible and its event is the greater. So cycles hide nothing, and arrival order
does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kioku.observation import reread_fields
from kioku.view.query import Query, lower_ascii, parse
from kioku.view.schema import TAG_SEPARATOR
from kioku.view.text import searchable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import apsw

Mode = Literal["or", "and", "and_or"]

ALL_WORDS_FACTOR = 1.2  # how much more a match of every word counts than BM25's sum already says
SCANNED_MAX = 2_000  # bodies, some milliseconds: what a few more results are worth
_STEMS_MAX, _PLACES_MAX = 12, 8  # of a snippet: the work grows with the square of their product
_SPARE = 50  # more than wanted, so that ties and hidden observations seldom need a second look


@dataclass(frozen=True, slots=True)
class Filter:
    """Which observations are wanted; None and empty mean any."""

    project: str | None = None
    memory_type: str | None = None
    tags: tuple[str, ...] = ()
    """All of them."""
    agent_family: str | None = None
    client_id: str | None = None
    host: str | None = None
    session_id: str | None = None
    since: int | None = None
    """The least stamp, inclusive."""
    until: int | None = None
    """The greatest stamp, exclusive."""
    importance: int | None = None
    """The least."""
    include_superseded: bool = False


class Match(NamedTuple):
    """One result: the event to show, and how well it matched (the greater the better)."""

    event_id: int
    score: float
    is_substring: bool


def search(
    connection: apsw.Connection,
    query: str,
    *,
    filter: Filter,
    limit: int,
    now_ms: int,
    mode: Mode = "or",
) -> list[Match]:
    """The best matches first; the newest observations if ``query`` is blank.

    ``mode``: ``or`` any of the words, ``and`` all of them, ``and_or`` first those with all, then
    those with any. Substring matches come last, the newest first, with a score of 0.

    Cost: about that of bare FTS5 if words are found; else a scan of all bodies.
    """
    parsed = parse(query)
    scope = _scope(filter, now_ms, parsed)
    if not parsed.any_terms and not parsed.needles:
        return _newest(connection, scope, limit)
    scores = dict(_word_hits(connection, parsed, scope, mode, limit)) if parsed.any_terms else {}
    matches = [Match(event, score, False) for event, score in scores.items()]
    if len(matches) < limit and parsed.needles:
        if matches:
            scope = _newest_part(connection, scope)
        hits = _substring_hits(connection, parsed.needles, scope, needs_all=mode == "and")
        for event in hits:
            if event not in scores:
                matches.append(Match(event, 0.0, True))
            if len(matches) == limit:
                break
    return matches


def recent(connection: apsw.Connection, *, filter: Filter, limit: int, now_ms: int) -> list[Match]:
    """The greatest events first."""
    return _newest(connection, _scope(filter, now_ms), limit)


# --- what may be found ---------------------------------------------------------------------------


class _Scope(NamedTuple):
    """WHERE clauses over ``record r``, and their bindings."""

    where: str
    part: str
    """What of ``where`` the index alone can tell."""
    bindings: dict[str, Any]
    source: str
    """The index that gives the newest first."""
    has_filter: bool


_PLACE = """
    CROSS JOIN event e ON e.event = r.event
    CROSS JOIN branch b ON b.branch = e.branch CROSS JOIN log l ON l.log = b.log"""
_GREATEST_FIRST = "r.hlc DESC, l.log_id DESC, e.seq DESC, e.hash DESC"

_NOT_EXPIRED = "(r.expires_ms IS NULL OR r.expires_ms > :now)"
_RANK_OF = """(SELECT l.log_id, e.seq, e.hash FROM event e JOIN branch b ON b.branch = e.branch
    JOIN log l ON l.log = b.log WHERE e.event = {}.event)"""
# A held observation is shown but wins nothing yet, so it hides nothing yet.
_NOT_SUPERSEDED = f"""NOT EXISTS (
    SELECT 1 FROM superseded s JOIN record n ON n.event = s.by_event
    WHERE s.key = r.key AND NOT n.held AND (n.expires_ms IS NULL OR n.expires_ms > :now)
    AND (n.hlc > r.hlc OR n.hlc = r.hlc AND {_RANK_OF.format("n")} > {_RANK_OF.format("r")}))"""
_NOT_EXCLUDED = "r.event NOT IN (SELECT rowid FROM record_text WHERE record_text MATCH :excluded)"

_CONDITIONS = (
    ("project", "r.project = :project"),
    ("memory_type", "r.memory_type = :memory_type"),
    ("agent_family", "r.agent_family = :agent_family"),
    ("client_id", "r.client_id = :client_id"),
    ("host", "r.host = :host"),
    ("session_id", "r.session_id = :session_id"),
    ("since", "r.hlc >= :since"),
    ("until", "r.hlc < :until"),
    ("importance", "r.importance >= :importance"),
)
_INDEXED = ("project", "since", "until")


def _scope(filter: Filter, now_ms: int, parsed: Query | None = None) -> _Scope:
    conditions = []
    bindings: dict[str, Any] = {}
    for name, condition in _CONDITIONS:
        value = getattr(filter, name)
        if value not in (None, ""):
            conditions.append(condition)
            bindings[name] = _bindable(value)
    for number, tag in enumerate(filter.tags):
        conditions.append(f"instr(r.tags, :tag{number})")
        bindings[f"tag{number}"] = _bindable(f"{TAG_SEPARATOR}{tag}{TAG_SEPARATOR}")
    has_filter = bool(conditions)
    conditions.append(_NOT_EXPIRED)
    bindings["now"] = now_ms
    if not filter.include_superseded:
        conditions.append(_NOT_SUPERSEDED)
    if parsed and parsed.excluded:
        conditions.append(_NOT_EXCLUDED)
        bindings["excluded"] = parsed.match_excluded()
    part = " AND ".join(
        [text for name, text in _CONDITIONS if name in bindings and name in _INDEXED]
    )
    source = "record_project" if "project" in bindings else "record_newest"
    return _Scope(" AND ".join(conditions), part or "true", bindings, source, has_filter)


def _bindable(value: str | int) -> str | int | bytes:
    """``value``, or bytes that equal no text where it holds half a character (a stray argument)."""
    if isinstance(value, int) or value.isascii():
        return value
    data = value.encode("utf-8", "surrogatepass")
    return value if data.decode("utf-8", "replace") == value else data


def _newest_part(connection: apsw.Connection, scope: _Scope) -> _Scope:
    """``scope``, but only from the stamp of the ``SCANNED_MAX``-th newest record on."""
    floor = connection.execute(
        f"""SELECT r.hlc FROM record r INDEXED BY {scope.source} WHERE {scope.part}
        ORDER BY r.hlc DESC LIMIT 1 OFFSET {SCANNED_MAX - 1}""",
        scope.bindings,
    ).fetchone()
    if floor is None:
        return scope
    bindings = {**scope.bindings, "floor": floor[0]}
    return scope._replace(part=f"r.hlc >= :floor AND {scope.part}", bindings=bindings)


def _newest(connection: apsw.Connection, scope: _Scope, limit: int) -> list[Match]:
    rows = connection.execute(
        f"""SELECT r.event FROM record r INDEXED BY {scope.source} {_PLACE}
        WHERE {scope.where} ORDER BY {_GREATEST_FIRST} LIMIT :limit""",
        {**scope.bindings, "limit": limit},
    )
    return [Match(event, 0.0, False) for (event,) in rows]


# --- by words ------------------------------------------------------------------------------------

_Hit = tuple[int, float]


def _word_hits(
    connection: apsw.Connection, parsed: Query, scope: _Scope, mode: Mode, limit: int
) -> list[_Hit]:
    """Events and scores, best first, at most ``limit``."""
    if mode == "or" and not parsed.is_single:
        return _ranked(
            connection, _Words(parsed.match_any(), better=parsed.match_all()), scope, limit
        )
    hits = _ranked(connection, _Words(parsed.match_all()), scope, limit)
    if mode == "and_or" and not parsed.is_single and len(hits) < limit:
        rest = _Words(parsed.match_any(), without=parsed.match_all())
        hits += _ranked(connection, rest, scope, limit - len(hits))
    return hits


class _Words(NamedTuple):
    """FTS5 expressions: what must match, what makes a match count for more, what must not."""

    match: str
    better: str | None = None
    without: str | None = None

    @property
    def score(self) -> str:
        if self.better is None:
            return "bm25(record_text)"
        better = "SELECT rowid FROM record_text WHERE record_text MATCH :better"
        return f"bm25(record_text) * iif(record_text.rowid IN ({better}), {ALL_WORDS_FACTOR}, 1)"

    @property
    def where(self) -> str:
        if self.without is None:
            return "record_text MATCH :match"
        return """record_text MATCH :match AND record_text.rowid NOT IN (
            SELECT rowid FROM record_text WHERE record_text MATCH :without)"""

    def bindings(self) -> dict[str, Any]:
        return {name: value for name, value in self._asdict().items() if value is not None}


def _ranked(connection: apsw.Connection, words: _Words, scope: _Scope, limit: int) -> list[_Hit]:
    if not scope.has_filter:
        wanted = limit + _SPARE
        rows: Any = connection.execute(
            f"""SELECT rowid, {words.score} AS score FROM record_text WHERE {words.where}
            ORDER BY score LIMIT :limit""",
            {**words.bindings(), "limit": wanted},
        ).fetchall()
        if len(rows) == wanted:  # the last score may have more rows than these
            rows = [row for row in rows if row[1] < rows[-1][1]]
            if len(hits := _in_order(connection, rows, scope, limit)) < limit:
                return _all_ranked(connection, words, scope, limit)
            return hits
        return _in_order(connection, rows, scope, limit)
    return _all_ranked(connection, words, scope, limit)


def _all_ranked(
    connection: apsw.Connection, words: _Words, scope: _Scope, limit: int
) -> list[_Hit]:
    """As ``_ranked``, by looking up every match; the stamp breaks ties, then the whole order."""
    source = f"""SELECT r.event, {words.score} AS score, r.hlc
        FROM record_text CROSS JOIN record r ON r.event = record_text.rowid
        WHERE {words.where} AND {scope.where}"""
    bindings = {**words.bindings(), **scope.bindings, "limit": limit}
    found: Any = connection.execute(
        f"{source} ORDER BY score, r.hlc DESC LIMIT :limit", bindings
    ).fetchall()
    hits = {event: score for event, score, _ in found}
    if len(found) == limit:  # others may share the last stamp
        bindings["stamp"] = found[-1][2]
        rows: Any = connection.execute(f"{source} AND r.hlc = :stamp", bindings)
        hits.update((event, score) for event, score, _ in rows)
    return _in_order(connection, hits.items(), scope, limit)


def _in_order(
    connection: apsw.Connection, hits: Iterable[_Hit], scope: _Scope, limit: int
) -> list[_Hit]:
    """Those of ``hits`` that are in scope, with the sign of their scores turned, in their order."""
    scores = dict(hits)
    rows: Any = connection.execute(
        f"""SELECT r.event FROM record r NOT INDEXED {_PLACE}
        WHERE r.event IN (SELECT value FROM json_each(:events)) AND {scope.where}
        ORDER BY {_GREATEST_FIRST}""",
        {**scope.bindings, "events": f"[{','.join(map(str, scores))}]"},
    )
    ordered = [(event, -scores[event]) for (event,) in rows]
    ordered.sort(key=lambda hit: -hit[1])  # stable: equal scores stay the greater event first
    return ordered[:limit]


# --- by literal strings --------------------------------------------------------------------------


def _substring_hits(
    connection: apsw.Connection, needles: tuple[str, ...], scope: _Scope, *, needs_all: bool
) -> Iterator[int]:
    """The events whose text holds the needles, the greatest first.

    SQLite looks through the raw bodies, which are CBOR, so that the text is looked at again: a
    needle may have been found in a host's name or in a head. Case is ignored for A to Z.
    """
    joined = " AND " if needs_all else " OR "
    holds = joined.join(
        f"instr(CAST(lower(e.body) AS BLOB), :needle{number})" for number in range(len(needles))
    )
    literals = {f"needle{number}": text.encode() for number, text in enumerate(needles)}
    # What the index does not tell is asked last, of the few rows that hold a needle.
    rows = connection.execute(
        f"""SELECT r.event, e.body FROM record r INDEXED BY {scope.source} {_PLACE}
        WHERE {scope.part} AND ({holds})
        AND (SELECT {scope.where} FROM record r WHERE r.event = e.event)
        ORDER BY {_GREATEST_FIRST}""",
        {**scope.bindings, **literals},
    )
    test = all if needs_all else any
    for event, body in rows:
        texts = [lower_ascii(text) for text in searchable(reread_fields(body))]
        if test(any(needle in text for text in texts) for needle in needles):
            yield event


# --- showing why ---------------------------------------------------------------------------------


def snippet(content: str, query: str, width: int = 160) -> str:
    """The piece of ``content`` with most of the query's words, on one line of about ``width``."""
    line = " ".join(content.split())
    if len(line) <= width:
        return line
    start = _best_place(lower_ascii(line), _stems(query), width)
    start = max(0, min(start - width // 4, len(line) - width))
    if start:  # begin with a whole word, if one begins soon
        space = line.find(" ", start, start + 16)
        start = space + 1 if space >= 0 else start
    end = start + width
    if end < len(line):
        space = line.rfind(" ", end - 16, end)
        end = space if space > start else end
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"


def _stems(query: str) -> list[str]:
    """What to look for: the needles, and the longer words without what inflects them."""
    needles = parse(query).needles
    words = [word for needle in needles for word in needle.split() if len(word) > 4]
    return [*needles, *(word[:-3] if len(word) > 6 else word[:-1] for word in words)][:_STEMS_MAX]


def _best_place(line: str, stems: list[str], width: int) -> int:
    """Where the window begins that holds most of ``stems``; 0 if none is found."""
    places = sorted((place, stem) for stem in stems for place in _places(line, stem, width // 2))
    best, best_count = 0, 0
    for place, _ in places:
        count = len({stem for other, stem in places if place <= other < place + width * 3 // 4})
        if count > best_count:
            best, best_count = place, count
    return best


def _places(line: str, stem: str, step: int) -> Iterator[int]:
    place = line.find(stem)
    for _ in range(_PLACES_MAX):
        if place < 0:
            return
        yield place
        place = line.find(stem, place + step)
