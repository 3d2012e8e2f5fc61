"""A store with the log's tables and the view, filled by hand: any log, stamp and arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw

from kioku.crdt.standing import Change, Shown
from kioku.log.schema import TABLES
from kioku.observation import Observation, encode_body
from kioku.view import ObservationView
from kioku.view.filter import Filter
from kioku.view.search import Match, recent, search

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW_MS = 1_800_000_000_000
NO_FILTER = Filter()


def log_id_of(letter: str) -> bytes:
    return letter.encode() * 16


def key_of(number: int) -> bytes:
    return number.to_bytes(16, "big")


class ViewStore:
    """What a view holds after some changes; each ``show`` replaces what its key showed before."""

    def __init__(self, path: str = ":memory:") -> None:
        self.connection = apsw.Connection(path)
        self.connection.execute("PRAGMA journal_mode = WAL").fetchall()
        self.connection.execute("PRAGMA secure_delete = ON").fetchall()
        self.view = ObservationView()
        self.shown: dict[bytes, Shown] = {}
        with self.connection:
            for table in TABLES:
                self.connection.execute(table)
            self.view.create(self.connection)

    def event(
        self,
        observation: Observation | bytes,
        *,
        key: int,
        hlc: int,
        log: str = "a",
        held: bool = False,
    ) -> Change:
        """Store an event; the change that shows it must still be applied."""
        body = observation if isinstance(observation, bytes) else encode_body(observation)
        branch = self._branch(log_id_of(log))
        seq = self.connection.execute(
            "SELECT count(*) + 1 FROM event WHERE branch = ?", (branch,)
        ).get
        digest = hash_of(log, seq)
        self.connection.execute(
            """INSERT INTO event(branch, seq, hlc, kind, key, hash, body)
            VALUES(?, ?, ?, 1, ?, ?, ?)""",
            (branch, seq, hlc, key_of(key), digest, body),
        )
        number = self.connection.last_insert_rowid()
        shown = Shown(number, log_id_of(log), int(seq), hlc, digest, body, held)
        before = self.shown.get(key_of(key))
        self.shown[key_of(key)] = shown
        return Change(key_of(key), before, shown)

    def show(
        self,
        observation: Observation | bytes,
        *,
        key: int,
        hlc: int,
        log: str = "a",
        held: bool = False,
    ) -> int:
        """Store an event and show it; gives its number."""
        with self.connection:
            change = self.event(observation, key=key, hlc=hlc, log=log, held=held)
            self.view.apply(self.connection, [change])
        assert change.after is not None
        return change.after.event_id

    def hide(self, key: int) -> None:
        """Show nothing of a key any more, as after a tombstone or a purge."""
        before = self.shown.pop(key_of(key))
        with self.connection:
            self.view.apply(self.connection, [Change(key_of(key), before, None)])
            self.connection.execute(
                "UPDATE event SET body = NULL WHERE event = ?", (before.event_id,)
            )

    def search(self, query: str, *, filter: Filter = NO_FILTER, **options: Any) -> list[Match]:
        options = {"limit": 10, "now_ms": NOW_MS, **options}
        return search(self.connection, query, filter=filter, **options)

    def contents(self, query: str, **options: Any) -> list[str]:
        return self.texts_of(self.search(query, **options))

    def newest(self, *, filter: Filter = NO_FILTER, limit: int = 10) -> list[str]:
        return self.texts_of(recent(self.connection, filter=filter, limit=limit, now_ms=NOW_MS))

    def texts_of(self, matches: Iterable[Match]) -> list[str]:
        from kioku.observation import decode_body

        bodies = {shown.event_id: shown.body for shown in self.shown.values()}
        return [decode_body(bodies[match.event_id]).content for match in matches]

    def words(self) -> list[tuple[Any, ...]]:
        """Every word of the index, with how many rows and how often."""
        self.connection.execute("DROP TABLE IF EXISTS temp.word")
        self.connection.execute(
            "CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, record_text, row)"
        )
        return self.connection.execute("SELECT * FROM temp.word ORDER BY term").fetchall()

    def _branch(self, log_id: bytes) -> int:
        row = self.connection.execute("SELECT log FROM log WHERE log_id = ?", (log_id,)).fetchone()
        if row:
            return int(row[0])
        self.connection.execute("INSERT INTO log VALUES(NULL, ?, ?, 'x')", (log_id, bytes(32)))
        log = self.connection.last_insert_rowid()
        self.connection.execute(
            "INSERT INTO branch(branch, log, first_seq, sealed_seq) VALUES(?, ?, 1, 0)", (log, log)
        )
        return log


def hash_of(log: str, seq: int) -> bytes:
    return f"{log}{seq}".encode().ljust(32, b".")
