"""The log's tables. Everything else in the file is derived from them, but for what a person set.

log      one row a log, with the public key from its genesis
branch   a maximal run of one log; a log has one, unless its store was cloned:
             parent ──1──2──3──4──5
                           └──4'─5'     branch with parent, first_seq 4
event    one row an event; never updated but to erase or to supply its body
seal     signatures; a chunk may end where one is
own      the logs this store wrote; at most one is open
missing  events whose body should be here and is not
meta     single values by name
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.log.digest import blake2b

if TYPE_CHECKING:
    import apsw

SCHEMA_VERSION: Final = 1

TABLES: Final = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE log(
        log INTEGER PRIMARY KEY, log_id BLOB NOT NULL UNIQUE,
        public_key BLOB NOT NULL, name TEXT NOT NULL)""",
    """CREATE TABLE branch(
        branch INTEGER PRIMARY KEY, log INTEGER NOT NULL, parent INTEGER,
        first_seq INTEGER NOT NULL, sealed_seq INTEGER NOT NULL, sealed_hash BLOB)""",
    "CREATE INDEX branch_log ON branch(log)",
    """CREATE TABLE event(
        event INTEGER PRIMARY KEY, branch INTEGER NOT NULL, seq INTEGER NOT NULL,
        hlc INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL, hash BLOB NOT NULL,
        commitment BLOB, salt BLOB, header BLOB, body BLOB)""",
    "CREATE UNIQUE INDEX event_place ON event(branch, seq)",
    """CREATE TABLE seal(
        branch INTEGER, seq INTEGER, signature BLOB NOT NULL,
        PRIMARY KEY(branch, seq)) WITHOUT ROWID""",
    """CREATE TABLE own(
        log INTEGER PRIMARY KEY, branch INTEGER NOT NULL, closed_seq INTEGER, successor INTEGER)""",
    "CREATE TABLE missing(event INTEGER PRIMARY KEY)",
)


def read_meta(connection: apsw.Connection, name: str, default: Any = None) -> Any:
    """Give a single value, or ``default``."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return default if row is None else row[0]


def write_meta(connection: apsw.Connection, name: str, value: object) -> None:
    """Set a single value."""
    connection.execute(
        "INSERT INTO meta VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def write_space(connection: apsw.Connection, name: str, *, private: bool) -> None:
    """Say once, as a store is created, which space it holds and whether that is private."""
    write_meta(connection, "space", name)
    write_meta(connection, "space_id", space_id_of(name))
    if private:
        write_meta(connection, "private", 1)


def space_id_of(name: str) -> bytes:
    """Give the id of an open space (16 bytes), which is its name's hash (DESIGN §8)."""
    return blake2b(name.encode(), digest_size=16, person=b"kioku.space.v1").digest()
