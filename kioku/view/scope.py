"""A filter in SQL: conditions over ``record r``, cheap ones for the index, bodies last.

What is not shown: expired observations and, unless asked for, the aliases of projects and those
that another one supersedes (``visible``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from kioku.view.filter import needles, start_of, test_of_bodies
from kioku.view.schema import ALIAS_TAG, TAG_SEPARATOR
from kioku.view.text import set_apart
from kioku.view.visible import NOT_EXPIRED, NOT_SUPERSEDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import apsw

    from kioku.view.filter import Filter
    from kioku.view.query import Query


class Scope(NamedTuple):
    """WHERE clauses and their bindings."""

    where: str
    part: str
    """What of ``where`` an index alone can tell."""
    bindings: dict[str, Any]
    source: str
    """The index that gives the newest first."""
    has_filter: bool
    words: str = ""
    """What the word index can say of it, as far as it can: all that is in scope matches."""

    def also(self, condition: str, bindings: dict[str, Any]) -> Scope:
        """The scope narrowed by one more condition, which an index can tell."""
        return self._replace(
            where=f"{self.where} AND {condition}",
            part=f"{self.part} AND {condition}",
            bindings=self.bindings | bindings,
            has_filter=True,
        )

    def divided(self, projects: tuple[str, ...]) -> list[Scope]:
        """What of the scope lies in ``projects``, then the rest; itself if there are none."""
        if not projects:
            return [self]
        condition, bindings = any_of("r.project", "preferred", projects)
        within = self.also(condition, bindings)
        if len(projects) == 1:
            within = within._replace(source="record_project")
        return [within, self.also(f"NOT ({condition})", bindings)]


PLACE: Final = """
    CROSS JOIN event e ON e.event = r.event
    CROSS JOIN branch b ON b.branch = e.branch CROSS JOIN log l ON l.log = b.log"""
GREATEST_FIRST: Final = "r.hlc DESC, l.log_id DESC, e.seq DESC, e.hash DESC"

_WANTED = "kioku_wanted"  # the function that asks a body
_NOT_EXCLUDED = "r.event NOT IN (SELECT rowid FROM record_text WHERE record_text MATCH :excluded)"

_LISTS = (
    ("projects", "r.project"),
    ("memory_types", "r.memory_type"),
    ("agent_families", "r.agent_family"),
    ("client_ids", "r.client_id"),
    ("hosts", "r.host"),
    ("session_ids", "r.session_id"),
)
_STAMPS = (("since", "r.hlc >= :since"), ("until", "r.hlc < :until"))
_VALUES = (
    ("importance", "r.importance >= :importance"),
    ("supersedes", "r.event IN (SELECT by_event FROM superseded WHERE key = :supersedes)"),
    ("expires", "(r.expires_ms IS NOT NULL) = :expires"),
)


class _Draft:
    """Conditions while they are gathered."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.bindings: dict[str, Any] = {}

    def add(self, condition: str, **bindings: Any) -> None:
        self.conditions.append(condition)
        self.bindings |= bindings

    def add_given(self, filter: Filter, table: tuple[tuple[str, str], ...]) -> None:
        for name, condition in table:
            value = getattr(filter, name)
            if value is not None:
                self.add(condition, **{name: value})

    def add_lists(self, filter: Filter, table: tuple[tuple[str, str], ...]) -> None:
        for name, column in table:
            values = tuple(value for value in getattr(filter, name) if value)
            if values:
                condition, bindings = any_of(column, name, values)
                self.add(condition, **bindings)

    def add_tags(self, tags: tuple[str, ...]) -> None:
        for number, tag in enumerate(tags):
            text = _bindable(f"{TAG_SEPARATOR}{tag}{TAG_SEPARATOR}")
            self.add(f"instr(r.tags, :tag{number})", **{f"tag{number}": text})

    def add_bodies(self, connection: apsw.Connection, filter: Filter) -> None:
        test = test_of_bodies(filter)
        if test is None:
            return
        connection.create_scalar_function(_WANTED, cast("Callable[..., bool]", test), 1)
        literals = {f"literal{n}": _bytes(text) for n, text in enumerate(needles(filter))}
        holds = [f"instr(b.body, :{name})" for name in literals] + [f"{_WANTED}(b.body)"]
        self.add(f"(SELECT {' AND '.join(holds)} FROM event b WHERE b.event = r.event)", **literals)

    @property
    def where(self) -> str:
        return " AND ".join(self.conditions) or "true"


def make_scope(
    connection: apsw.Connection, filter: Filter, now_ms: int, parsed: Query | None = None
) -> Scope:
    """Say in SQL what ``filter`` wants of what is shown at ``now_ms``, less what a query excludes.

    It holds until the next one is made on this connection: its test of bodies is an SQL function.
    """
    draft = _Draft()
    draft.add_given(filter, _STAMPS)
    draft.add_lists(filter, _LISTS[:1])
    part = draft.where
    draft.add_lists(filter, _LISTS[1:])
    draft.add_given(filter, _VALUES)
    draft.add_tags(filter.tags)
    draft.add_bodies(connection, filter)
    has_filter = bool(draft.conditions)
    draft.add(NOT_EXPIRED.format("r"), now=now_ms)
    if not filter.shows_aliases:
        draft.add(f"NOT instr(r.tags, '{ALIAS_TAG}')")
    if not filter.include_superseded:
        draft.add(NOT_SUPERSEDED)
    if parsed and parsed.excluded:
        draft.add(_NOT_EXCLUDED, excluded=parsed.match_excluded())
    source = "record_project" if "projects0" in draft.bindings else "record_newest"
    if "projects1" in draft.bindings:
        source = "record_newest"
    words = _any_of_phrases(map(_words_of, filter.references))
    words = words or _any_of_phrases(_phrase(path.strip("/")) for path in filter.source_files)
    return Scope(draft.where, part, draft.bindings, source, has_filter, words)


def _any_of_phrases(phrases: Iterable[str]) -> str:
    """What matches any of some phrases; empty if one of them cannot be told, or there are none."""
    found = list(phrases)
    return " OR ".join(found) if all(found) else ""


def _words_of(reference: str) -> str:
    """The phrase of words that whatever has this reference holds; empty if that cannot be told.

    It ends where a word surely does: the index knows stems, and half a word may not begin one.
    """
    start = start_of(reference)[:_PHRASE_CHARACTERS_MAX]
    if start != reference:
        start = start[: max(map(start.rfind, _WORD_ENDS)) + 1]
    return _phrase(start)


def _phrase(text: str) -> str:
    """The words of a text that begins where one begins and ends where one ends, as a phrase."""
    if _UNTELLABLE.search(text) or not _ALPHANUMERIC.search(text):
        return ""
    apart = text if text.isascii() else set_apart(text)
    return '"' + apart.replace('"', " ") + '"'


_PHRASE_CHARACTERS_MAX: Final = 200
_WORD_ENDS: Final = " /:.-_?=&#"
_ALPHANUMERIC: Final = re.compile("[A-Za-z0-9]")
_UNTELLABLE: Final = re.compile("[\0\ud800-\udfff]")


def any_of(column: str, name: str, values: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """The condition that a column has one of ``values``, and its bindings."""
    bindings = {f"{name}{number}": _bindable(value) for number, value in enumerate(values)}
    if len(bindings) == 1:
        return f"{column} = :{name}0", bindings
    return f"{column} IN ({', '.join(f':{each}' for each in bindings)})", bindings


def _bindable(value: str) -> str | bytes:
    """``value``, or bytes that equal no text where it holds half a character (a stray argument)."""
    if value.isascii():
        return value
    data = _bytes(value)
    return value if data.decode("utf-8", "replace") == value else data


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
