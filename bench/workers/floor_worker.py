"""The floors: the same rows in bare SQLite, nothing hashed, checked, folded or analysed.

``whole`` writes the rows that one save of kioku leaves behind: the event, its version, its thin
record, its words and the log's new tip. Otherwise only the event row is written. Rows are made
before the clock starts, so what is timed is SQLite and the calls into it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import apsw
import cbor2

from bench.corpus import Item, items
from bench.workers.protocol import Answer, p95_ms, save_each, serve, timed, wait_for_go

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = "bare.db"

TABLES = (
    """CREATE TABLE branch(branch INTEGER PRIMARY KEY, tip_seq INTEGER,
       tip_hash BLOB, tip_hlc INTEGER)""",
    """CREATE TABLE event(event INTEGER PRIMARY KEY, branch INTEGER NOT NULL,
       seq INTEGER NOT NULL, hlc INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL,
       hash BLOB NOT NULL, commitment BLOB, salt BLOB, header BLOB, body BLOB)""",
    "CREATE UNIQUE INDEX event_place ON event(branch, seq)",
    """CREATE TABLE version(slot BLOB NOT NULL, wins INTEGER NOT NULL,
       event INTEGER NOT NULL, PRIMARY KEY(slot, wins, event)) WITHOUT ROWID""",
    """CREATE TABLE record(event INTEGER PRIMARY KEY, key BLOB NOT NULL,
       hlc INTEGER NOT NULL, project TEXT, memory_type TEXT, importance INTEGER,
       agent_family TEXT, client_id TEXT, host TEXT, session_id TEXT, tags TEXT,
       expires_ms INTEGER, held INTEGER)""",
    "CREATE INDEX record_newest ON record(hlc)",
    "CREATE INDEX record_project ON record(project, hlc)",
    "CREATE INDEX record_session ON record(session_id, hlc)",
    """CREATE VIRTUAL TABLE record_text USING fts5(text, content='',
       tokenize="porter unicode61 remove_diacritics 2")""",
    "INSERT INTO record_text(record_text, rank) VALUES('pgsz', 1000)",
    "INSERT INTO record_text(record_text, rank) VALUES('automerge', 8)",
)
"""kioku's own tables and indexes; if you change those, also change these."""
PRAGMAS = (
    "journal_mode = WAL",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cache_size = -8000",
    "wal_autocheckpoint = 4000",
)
INSERT_EVENT = "INSERT INTO event VALUES(?,?,?,?,?,?,?,?,?,?,?)"
INSERT_VERSION = "INSERT INTO version VALUES(?,?,?)"
INSERT_RECORD = "INSERT INTO record VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"
INSERT_TEXT = "INSERT INTO record_text(rowid, text) VALUES(?,?)"
BEST_TEN = """SELECT rowid FROM record_text WHERE record_text MATCH ?
    ORDER BY bm25(record_text) LIMIT 10"""
MOVE_TIP = "INSERT OR REPLACE INTO branch VALUES(?,?,?,?)"


class Rows(NamedTuple):
    """What one save leaves behind, a tuple a table."""

    event: tuple[object, ...]
    version: tuple[object, ...]
    record: tuple[object, ...]
    text: tuple[object, ...]
    tip: tuple[object, ...]


def open_bare(synchronous: str) -> apsw.Connection:
    """Open the file with the pragmas that kioku sets, and its tables."""
    connection = apsw.Connection(FILE)
    connection.set_busy_timeout(30_000)
    for pragma in (*PRAGMAS, f"synchronous = {synchronous}"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'event'").fetchone():
        for table in TABLES:
            connection.execute(table)
    connection.execute("COMMIT")
    return connection


def make_rows(start: int, count: int, *, branch: int = 1) -> list[Rows]:
    """Make the rows of ``count`` saves; ``branch`` keeps the writers of one file apart."""
    rng = random.Random(start)
    numbers = range(start, start + count)
    return [
        _row(each, number, rng, branch)
        for number, each in zip(numbers, items(start, count), strict=True)
    ]


def _row(each: Item, number: int, rng: random.Random, branch: int) -> Rows:
    event, hlc = number + 1, (1_750_000_000_000 + number) << 16
    key, digest = rng.randbytes(10) + hlc.to_bytes(8)[:6], rng.randbytes(32)
    tags = cbor2.dumps(each["tags"])
    identity = ("bench", "bench", "host", "bench-session")
    fields = (each["project"], each["memory_type"], each["importance"])
    body = cbor2.dumps(
        dict(enumerate((each["content"], *fields, each["tags"], *identity, hlc >> 16), 1))
    )
    return Rows(
        (
            event,
            branch,
            event,
            hlc,
            1,
            key,
            digest,
            rng.randbytes(32),
            rng.randbytes(16),
            None,
            body,
        ),
        (key[10:] + key[:10], 1, event),
        (event, key, hlc, *fields, *identity, tags, None, 0),
        (event, each["content"]),
        (branch, event, digest, hlc),
    )


def write(connection: apsw.Connection, rows: Rows, *, whole: bool) -> None:
    """Write one save's rows in a transaction of their own."""
    execute = connection.execute
    execute("BEGIN IMMEDIATE")
    execute(INSERT_EVENT, rows.event)
    if whole:
        execute(INSERT_VERSION, rows.version)
        execute(INSERT_RECORD, rows.record)
        execute(INSERT_TEXT, rows.text)
        execute(MOVE_TIP, rows.tip)
    execute("COMMIT")


def write_all(connection: apsw.Connection, rows: Sequence[Rows], *, whole: bool) -> None:
    """Write all in one transaction."""
    many = connection.executemany
    connection.execute("BEGIN IMMEDIATE")
    many(INSERT_EVENT, [each.event for each in rows])
    if whole:
        many(INSERT_VERSION, sorted(each.version for each in rows))
        many(INSERT_RECORD, [each.record for each in rows])
        many(INSERT_TEXT, [each.text for each in rows])
        connection.execute(MOVE_TIP, rows[-1].tip)
    connection.execute("COMMIT")


def build(*, count: int) -> Answer:
    """Fill the file with the whole rows of ``count`` saves."""
    connection = open_bare("NORMAL")
    for start in range(0, count, 10_000):
        write_all(connection, make_rows(start, min(10_000, count - start)), whole=True)
    connection.close()
    return {}


def save_one(*, count: int, synchronous: str, whole: bool) -> Answer:
    """Write one by one into a fresh file."""
    connection, rows = open_bare(synchronous), make_rows(0, count)

    def save() -> None:
        for each in rows:
            write(connection, each, whole=whole)

    return {"seconds": timed(save)}


def save_many(*, count: int, whole: bool) -> Answer:
    """Write all in one transaction into a fresh file."""
    connection, rows = open_bare("FULL"), make_rows(0, count)
    return {"seconds": timed(lambda: write_all(connection, rows, whole=whole))}


def decode(*, file: str) -> Answer:
    """Decode every chunk of ``file``, and do nothing with it."""
    from bench.workers.kioku_worker import read_chunks

    chunks = read_chunks(file)

    def load() -> None:
        for chunk in chunks:
            cbor2.loads(chunk)

    return {"seconds": timed(load)}


def writer(*, number: int, count: int) -> Answer:
    """Write ``count`` saves' rows, once all writers are there."""
    connection = open_bare("FULL")
    rows = make_rows(number * count, count, branch=number + 1)
    wait_for_go()
    return save_each(lambda each: write(connection, each, whole=True), rows)


def search(*, match: str, repeats: int) -> Answer:
    """Ask the word index of kioku's own store, and fetch the ten bodies, undecoded."""
    connection = apsw.Connection("default.db", flags=apsw.SQLITE_OPEN_READONLY)
    connection.execute("PRAGMA temp_store = MEMORY").fetchall()

    def ask() -> None:
        rows = connection.execute(BEST_TEN, (match,)).fetchall()
        for row in rows:
            connection.execute("SELECT body FROM event WHERE event = ?", row).fetchall()

    return {"p95_ms": p95_ms(ask, repeats)}


def count() -> Answer:
    """Count the events of the file."""
    [[events]] = open_bare("FULL").execute("SELECT count(*) FROM event")
    return {"observations": events}


if __name__ == "__main__":
    serve(
        {
            "build": build,
            "save_one": save_one,
            "save_many": save_many,
            "decode": decode,
            "writer": writer,
            "count": count,
            "search": search,
        }
    )
