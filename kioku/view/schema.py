"""The tables that queries read, and how they follow the fold.

record       one row an observation that may be shown: what filters, lists and supersession need
unreadable   what would be shown and is in a form that this kioku cannot read
superseded   which keys an observation replaces; whether it does so now is decided when it is read
record_text  the word index; it holds words only, the text itself stays in ``event.body`` alone

All is derived: rows are keyed by the event that wins, and leave when it no longer does.

Erasure leans on three things here (docs/adr/0020, 0096; each was seen to leave words in the file
when missing). The index is contentless but *not* ``contentless_delete``; a row leaves by FTS5's
``'delete'`` command with exactly the text it was given, which is analysed again from the old body,
so ``Change.before`` must be what was applied; and ``scrub`` writes the index anew, for until then
the words of a row that has left stay in its pages, where no query sees them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kioku.observation import UnreadableBodyError, read_fields
from kioku.view.text import analyse, searchable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import apsw

    from kioku.crdt.standing import Change, Shown

VERSION: Final = 4  # raise it when a table, the analysis or what may be read changes

TAG_SEPARATOR: Final = "\x1f"  # cannot be in a tag; stands before, between and behind them
ALIAS: Final = "project-alias"  # the tag of what says that a project has another name
ALIAS_TAG: Final = f"{TAG_SEPARATOR}{ALIAS}{TAG_SEPARATOR}"  # as it stands in ``tags``

IS_ALIAS: Final = f"instr(tags, '{ALIAS_TAG}')"  # word for word the index's condition

_TABLES = (
    """CREATE TABLE record(
        event INTEGER PRIMARY KEY, key BLOB NOT NULL, hlc INTEGER NOT NULL,
        project TEXT NOT NULL, memory_type TEXT NOT NULL, importance INTEGER NOT NULL,
        agent_family TEXT NOT NULL, client_id TEXT NOT NULL, host TEXT NOT NULL,
        session_id TEXT NOT NULL, tags TEXT NOT NULL, expires_ms INTEGER, held INTEGER NOT NULL)""",
    "CREATE INDEX record_newest ON record(hlc)",
    "CREATE INDEX record_project ON record(project, hlc)",
    # Who stands next to whom in a session: a search lends relevance to neighbours.
    "CREATE INDEX record_session ON record(session_id, hlc)",
    # The few that say that a project has other names; every other save pays nothing for it.
    f"CREATE INDEX record_alias ON record(hlc) WHERE {IS_ALIAS}",
    """CREATE TABLE unreadable(
        event INTEGER PRIMARY KEY, key BLOB NOT NULL, hlc INTEGER NOT NULL)""",
    """CREATE TABLE superseded(
        key BLOB NOT NULL, by_event INTEGER NOT NULL, PRIMARY KEY(key, by_event)) WITHOUT ROWID""",
    """CREATE VIRTUAL TABLE record_text USING fts5(
        text, content='', tokenize='porter unicode61 remove_diacritics 2')""",
    # Smaller pages of words: a save writes a third less of them, and searching is no slower.
    "INSERT INTO record_text(record_text, rank) VALUES('pgsz', 1000)",
    # Half as many merges as by default; what that saves is within the noise of one save.
    "INSERT INTO record_text(record_text, rank) VALUES('automerge', 8)",
)
_NAMES = ("record", "unreadable", "superseded", "record_text")
_INSERT_RECORD = "INSERT INTO record VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE_RECORD = "DELETE FROM record WHERE event = ?"
_MARK_HELD = "UPDATE record SET held = ? WHERE event = ?"
_INSERT_UNREADABLE = "INSERT INTO unreadable VALUES(?, ?, ?)"
_DELETE_UNREADABLE = "DELETE FROM unreadable WHERE event = ?"
_INSERT_TEXT = "INSERT INTO record_text(rowid, text) VALUES(?, ?)"
_DELETE_TEXT = "INSERT INTO record_text(record_text, rowid, text) VALUES('delete', ?, ?)"
_INSERT_SUPERSEDED = "INSERT OR IGNORE INTO superseded VALUES(?, ?)"
_DELETE_SUPERSEDED = "DELETE FROM superseded WHERE key = ? AND by_event = ?"


class ObservationView:
    """The view of observations, for ``Replica.open(view=…)``; it has no state of its own."""

    version = VERSION

    def create(self, connection: apsw.Connection) -> None:
        """Make the tables unless they are there."""
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'record'").fetchone():
            return
        for statement in _TABLES:
            connection.execute(statement)

    def clear(self, connection: apsw.Connection) -> None:
        """Remove every row, and make the tables anew: an older view's had other columns."""
        for table in _NAMES:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        self.create(connection)

    def apply(self, connection: apsw.Connection, changes: Sequence[Change]) -> None:
        """Follow ``changes``, at most one a key, inside the writing transaction.

        Rows enter and leave in the order of their numbers: FTS5 writes out what it has gathered
        whenever a number goes down.
        """
        leaving = _Rows()
        entering = _Rows()
        marks: list[tuple[bool, int]] = []
        for key, before, after, fields in changes:
            if before and after and before.event_id == after.event_id:
                marks.append((after.held, after.event_id))
                continue
            if before:
                leaving.add(key, before)
            if after:
                entering.add(key, after, fields)
        leaving.leave(connection)
        entering.enter(connection)
        if marks:
            connection.executemany(_MARK_HELD, marks)

    def scrub(self, connection: apsw.Connection) -> None:
        """Write the word index anew, without the words of rows that have left it.

        FTS5 drops the marks of those rows where it merges into its highest level. It does so when
        its pieces lie on more than one; a piece of more pages than one is not pulled down to the
        level of a smaller one that is made beside it. So a long row comes first, then a short one.
        """
        spare = []
        for row in _SPARE_ROWS:
            spare.append(row)
            connection.execute(_INSERT_TEXT, row)
            connection.execute("INSERT INTO record_text(record_text) VALUES('optimize')")
            if connection.execute(_IS_HIGHEST).get:
                break
        connection.executemany(_DELETE_TEXT, spare)


def create_shadow(connection: apsw.Connection) -> None:
    """Make the same tables, empty, in the temporary schema: there SQLite looks for a name first.

    They live in memory, and what rolls the transaction back takes them away.
    """
    for statement in _TABLES:
        connection.execute(_CREATES.sub(r"\1temp.", statement, count=1))


def drop_shadow(connection: apsw.Connection) -> None:
    """Remove what ``create_shadow`` made: names mean the store's own tables again."""
    for table in _NAMES:
        connection.execute(f"DROP TABLE temp.{table}")


_CREATES = re.compile(r"^(CREATE (?:VIRTUAL )?(?:TABLE|INDEX) )")
_SPARE_ROWS: Final = (
    (0, " ".join(f"memory{number}" for number in range(400))),  # some pages
    (-1, "memory"),
)
"""No event has these numbers."""
# FTS5 notes each level by two numbers, both 0 if it is empty, and last the pages of a piece.
_IS_HIGHEST: Final = "SELECT substr(block, -2) <> x'0000' FROM record_text_data WHERE id = 10"


class _Rows:
    """What a batch of observations puts into each table."""

    def __init__(self) -> None:
        self.texts: list[tuple[int, str]] = []
        self.records: list[tuple[Any, ...]] = []
        self.superseded: list[tuple[bytes, int]] = []
        self.unreadable: list[tuple[int, bytes, int]] = []

    def leave(self, connection: apsw.Connection) -> None:
        if self.texts:
            self.texts.sort()
            connection.executemany(_DELETE_TEXT, self.texts)
            connection.executemany(_DELETE_RECORD, [(row[0],) for row in self.records])
            connection.executemany(_DELETE_SUPERSEDED, self.superseded)
        if self.unreadable:
            connection.executemany(_DELETE_UNREADABLE, [(row[0],) for row in self.unreadable])

    def enter(self, connection: apsw.Connection) -> None:
        if self.texts:
            self.texts.sort()
            connection.executemany(_INSERT_TEXT, self.texts)
            connection.executemany(_INSERT_RECORD, self.records)
            connection.executemany(_INSERT_SUPERSEDED, self.superseded)
        if self.unreadable:
            connection.executemany(_INSERT_UNREADABLE, self.unreadable)

    def add(self, key: bytes, shown: Shown, fields: Mapping[int, Any] | None = None) -> None:
        """Add one; its ``fields`` where they are known are not read from the body again."""
        try:
            fields = fields or read_fields(shown.body)
        except UnreadableBodyError:
            # It wins as it would and is not shown; doctor counts it.
            self.unreadable.append((shown.event_id, key, shown.hlc))
            return
        event = shown.event_id
        self.texts.append((event, analyse("\n".join(searchable(fields)))))
        self.records.append(_record(key, shown, fields))
        if 10 in fields:
            self.superseded += [(target, event) for target in fields[10]]


def _record(key: bytes, shown: Shown, fields: Mapping[int, Any]) -> tuple[Any, ...]:
    """A row of ``record``, in the order of its columns."""
    get = fields.get
    tags = get(3)
    return (
        shown.event_id,
        key,
        shown.hlc,
        get(2, ""),
        get(4, "note"),
        get(5, 2),
        get(11, ""),
        get(12, ""),
        get(13, ""),
        get(14, ""),
        TAG_SEPARATOR.join(("", *tags, "")) if tags else "",
        get(16),
        shown.held,
    )
