"""The log over SQLite: reading events back, adding runs of them, and what a file has in all.

Everything here runs inside a transaction that the caller holds. Rows are checked as they are read:
a body must match its commitment, and a chain is checked before a chunk is made of it, so that a
flipped bit is named and never travels.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import LogLimitError, StoreCorruptError
from kioku.log.event import ZERO_HASH, Event, EventId, commit, header_prefix, is_as_written
from kioku.log.frontier import DIGEST_MODULUS, TIPS_MAX, TIPS_PER_LOG_MAX, Frontier, Tip, tip_sum
from kioku.log.private import refuse_private
from kioku.log.schema import read_meta, write_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import apsw

    from kioku.log.payload import Genesis


class Entry(NamedTuple):
    """An event as it is stored here; ``event_id`` is a local row number and means nothing else."""

    event_id: int
    log_id: bytes
    seq: int
    hlc: int
    kind: int
    key: bytes
    hash: bytes
    body: bytes | None

    @property
    def order(self) -> tuple[int, bytes, int, bytes]:
        """The total order of events (DESIGN §4)."""
        return (self.hlc, self.log_id, self.seq, self.hash)

    @property
    def id(self) -> EventId:
        """What names the event in every store."""
        return EventId(self.log_id, self.seq, self.hash)


class Branch(NamedTuple):
    """A run of one log; ``sealed_seq`` is 0 while none of its own events is sealed.

    Its tip is not kept here: that would write one more page with every save.
    """

    branch: int
    log: int
    parent: int | None
    first_seq: int
    sealed_seq: int
    sealed_hash: bytes | None


class BranchTip(NamedTuple):
    """The last event of a branch; seq is 0 and hash zeros for the root of a log without events."""

    seq: int
    hash: bytes
    hlc: int


class LogRow(NamedTuple):
    """A log that is known here."""

    log: int
    log_id: bytes
    public_key: bytes
    name: str


ENTRY_COLUMNS: Final = "e.event, l.log_id, e.seq, e.hlc, e.kind, e.key, e.hash, e.body"
ENTRY_JOINS: Final = "JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log"
# An event with what its hash is taken of: the hash before it stands in its branch, or the parent's.
_CHECKED: Final = f"""SELECT {ENTRY_COLUMNS}, e.commitment, e.salt, e.header,
    (SELECT p.hash FROM event p WHERE p.seq = e.seq - 1
        AND p.branch = iif(e.seq = b.first_seq, b.parent, e.branch))
    FROM event e {ENTRY_JOINS}"""
_TOP: Final = "SELECT max(event) FROM event"
_INSERT: Final = (
    "INSERT INTO event(event, branch, seq, hlc, kind, key, hash, commitment, salt, header, body)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_BRANCH: Final = "SELECT branch, log, parent, first_seq, sealed_seq, sealed_hash"


class LogStore:
    """The tables of ``log.schema`` on one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection

    # -- logs and branches

    def log(self, log_id: bytes) -> LogRow | None:
        """Give a log by its id; None if none of it is here."""
        return self._log("log_id = ?", log_id)

    def log_row(self, log: int) -> LogRow:
        """Give a log by its row number."""
        row = self._log("log = ?", log)
        assert row is not None, f"no log {log}"
        return row

    def _log(self, where: str, value: object) -> LogRow | None:
        sql = f"SELECT log, log_id, public_key, name FROM log WHERE {where}"
        row = self.connection.execute(sql, (value,)).fetchone()
        return LogRow(*row) if row else None

    def logs(self) -> list[LogRow]:
        """Give all logs, in the order they came."""
        rows = self.connection.execute("SELECT log, log_id, public_key, name FROM log ORDER BY log")
        return [LogRow(*row) for row in rows]

    def add_log(self, log_id: bytes, genesis: Genesis) -> LogRow:
        """Add a log that has no events yet."""
        self.connection.execute(
            "INSERT INTO log(log_id, public_key, name) VALUES(?, ?, ?)",
            (log_id, genesis.public_key, genesis.name),
        )
        return LogRow(self.connection.last_insert_rowid(), log_id, genesis.public_key, genesis.name)

    def branches(self, log: int) -> list[Branch]:
        """Give a log's branches, each after its parent."""
        sql = f"{_BRANCH} FROM branch WHERE log = ? ORDER BY branch"
        return [Branch(*row) for row in self.connection.execute(sql, (log,))]

    def branch(self, branch: int) -> Branch:
        """Give one branch."""
        sql = f"{_BRANCH} FROM branch WHERE branch = ?"
        return Branch(*self.connection.execute(sql, (branch,)).get)

    def add_branch(self, log: int, parent: int | None, first_seq: int) -> int:
        """Add a branch that has no events yet, and give its number."""
        self.connection.execute(
            "INSERT INTO branch(log, parent, first_seq, sealed_seq) VALUES(?, ?, ?, 0)",
            (log, parent, first_seq),
        )
        return self.connection.last_insert_rowid()

    def check_room(self, log: LogRow | None) -> None:
        """Refuse another branch from a peer, of a log or (None) with a log of its own.

        Raises:
            LogLimitError: if the log or the space has as many tips as the protocol allows.
        """
        if log is not None and len(self.branches(log.log)) >= TIPS_PER_LOG_MAX:
            name = log.log_id.hex()
            raise LogLimitError(f"log {name}: has {TIPS_PER_LOG_MAX} tips; its owner forks it")
        if self.connection.execute("SELECT count(*) FROM branch").get >= TIPS_MAX:
            raise LogLimitError(f"the space already has {TIPS_MAX:,} tips")

    # -- writing

    def add_events(
        self, branch: int, first_seq: int, events: Sequence[Event], hashes: Sequence[bytes]
    ) -> int:
        """Extend a branch by a run of events, and give the row number of the first.

        The rows are consecutive. Cost: about 2.5 µs an event.
        """
        # One event lets SQLite choose its number, which saves a look-up on the path of a save.
        top = None if len(events) == 1 else self.connection.execute(_TOP).get or 0
        numbers = count(top + 1) if top is not None else repeat(None)
        seqs = count(first_seq)
        rows = [
            (n, branch, seq, e.hlc, e.kind, e.key, h, e.commitment, e.salt, e.header, e.body)
            for n, seq, e, h in zip(numbers, seqs, events, hashes, strict=False)
        ]
        self.connection.executemany(_INSERT, rows)
        return self.connection.last_insert_rowid() - len(rows) + 1

    def add_seal(self, branch: int, seq: int, digest: bytes, signature: bytes) -> None:
        """Keep the seal of an event; keeping it again changes nothing."""
        self.connection.execute(
            "INSERT OR IGNORE INTO seal(branch, seq, signature) VALUES(?, ?, ?)",
            (branch, seq, signature),
        )
        self.connection.execute(
            "UPDATE branch SET sealed_seq = ?, sealed_hash = ? WHERE branch = ? AND sealed_seq < ?",
            (seq, digest, branch, seq),
        )

    # -- reading

    def entry(self, event_id: int) -> Entry:
        """Read one event and check all of it.

        Raises:
            StoreCorruptError: if it is not there, or is not what was written.
        """
        row = self.connection.execute(f"{_CHECKED} WHERE e.event = ?", (event_id,)).fetchone()
        if row is None:
            raise StoreCorruptError(f"event row {event_id} is gone; run kioku doctor --deep")
        return _check_entry(row)

    def entries(self, first: int, last: int, *, strict: bool = True) -> list[Entry]:
        """Read events by their row numbers, ``first`` to ``last``, and check all of them.

        Raises:
            StoreCorruptError: if one is not what was written; unless ``strict``, the mere body
                of what has a key may be.
        """
        sql = f"{_CHECKED} WHERE e.event BETWEEN ? AND ? ORDER BY e.event"
        rows = self.connection.execute(sql, (first, last))
        return [_check_entry(row, strict=strict) for row in rows]

    def find(self, event_id: EventId) -> Entry | None:
        """Find an event by its place and hash; None if it is not here."""
        row = self.connection.execute(
            f"SELECT {ENTRY_COLUMNS} FROM log l JOIN branch b ON b.log = l.log"
            " JOIN event e ON e.branch = b.branch AND e.seq = ? WHERE l.log_id = ? AND e.hash = ?",
            (event_id.seq, event_id.log_id, event_id.hash),
        ).fetchone()
        return Entry(*row) if row else None

    def rows(self, branch: int, first: int, last: int) -> Iterator[tuple[int, int, Event, bytes]]:
        """Read events ``first`` to ``last`` of one branch: row number, seq, event, hash."""
        cursor = self.connection.execute(
            "SELECT event, seq, hlc, kind, key, commitment, salt, body, header, hash FROM event"
            " WHERE branch = ? AND seq BETWEEN ? AND ? ORDER BY seq",
            (branch, first, last),
        )
        for row in cursor:
            yield row[0], row[1], Event(*row[2:9]), row[9]

    def positions(
        self, log: int, first: int, last: int
    ) -> dict[tuple[int, bytes], tuple[Any, ...]]:
        """Map (seq, hash) to (branch, event row, body is absent) for a range of seqs of a log."""
        cursor = self.connection.execute(
            "SELECT e.seq, e.hash, e.branch, e.event, e.body IS NULL FROM branch b"
            " JOIN event e ON e.branch = b.branch AND e.seq BETWEEN ? AND ? WHERE b.log = ?",
            (first, last, log),
        )
        return {(row[0], row[1]): row[2:] for row in cursor}

    def tip(self, branch: Branch) -> BranchTip:
        """Give the last event of a branch."""
        row = self.connection.execute(
            "SELECT seq, hash, hlc FROM event WHERE branch = ? ORDER BY seq DESC LIMIT 1",
            (branch.branch,),
        ).fetchone()
        return BranchTip(*row) if row else BranchTip(branch.first_seq - 1, ZERO_HASH, 0)

    def newest_stamp(self) -> int:
        """Give the greatest stamp of all tips; 0 if there are none."""
        tips = (self.tip(b) for log in self.logs() for b in self.branches(log.log))
        return max((tip.hlc for tip in tips), default=0)

    def is_sealed(self, branch: int, seq: int) -> bool:
        """Whether the seal of an event is here."""
        sql = "SELECT 1 FROM seal WHERE branch = ? AND seq = ?"
        return bool(self.connection.execute(sql, (branch, seq)).get)

    def hash_at(self, branch: int, seq: int) -> bytes | None:
        """Give the hash of one event of a branch; None if it has no such event."""
        sql = "SELECT hash FROM event WHERE branch = ? AND seq = ?"
        digest: bytes | None = self.connection.execute(sql, (branch, seq)).get
        return digest

    def stated_tips(self, log: int) -> list[Tip]:
        """Give a log's sealed events that no other sealed event follows, ascending by seq.

        Only sealed events count: an unsealed tail exists in its owner's file alone.
        """
        return self._stated(self.log_row(log).log_id, self.branches(log))

    def _stated(self, log_id: bytes, branches: list[Branch]) -> list[Tip]:
        by_id = {branch.branch: branch for branch in branches}
        covered: dict[int, int] = {}
        for branch in branches:
            child = branch if branch.sealed_seq else None
            while child is not None and child.parent is not None and child.parent < child.branch:
                covered[child.parent] = max(covered.get(child.parent, 0), child.first_seq - 1)
                child = by_id.get(child.parent)
        tips = []
        for branch in branches:
            seq, digest = branch.sealed_seq, branch.sealed_hash
            if digest is not None and covered.get(branch.branch, 0) < seq:
                tips.append(Tip(log_id, seq, digest))
        return sorted(tips)

    def frontier(self) -> Frontier:
        """Give all stated tips. Cost: about 5 µs a log.

        Raises:
            PrivateSpaceError: if the space is private.
        """
        refuse_private(self.connection)
        rows = self.connection.execute(
            f"{_BRANCH}, log_id FROM branch JOIN log USING(log) ORDER BY log, branch"
        )
        logs: dict[bytes, list[Branch]] = {}
        for row in rows:
            logs.setdefault(row[6], []).append(Branch(*row[:6]))
        return Frontier(tip for found in logs.items() for tip in self._stated(*found))

    @contextmanager
    def stating(self, log: int) -> Iterator[None]:
        """Keep the digest level while a log's stated tips change."""
        before = self.stated_tips(log)
        yield
        after = self.stated_tips(log)
        if before != after:
            change = sum(map(tip_sum, after)) - sum(map(tip_sum, before))
            total = (int.from_bytes(self._digest(), "big") + change) % DIGEST_MODULUS
            write_meta(self.connection, "digest", total.to_bytes(32, "big"))

    def digest(self) -> bytes:
        """Give the digest of the stated frontier, as it is kept: 32 bytes.

        Raises:
            PrivateSpaceError: if the space is private.
        """
        refuse_private(self.connection)
        return self._digest()

    def _digest(self) -> bytes:
        return bytes(read_meta(self.connection, "digest", bytes(32)))

    # -- bodies

    def erase_bodies(self, event_ids: Iterable[int]) -> int:
        """Null the bodies and salts of events, and give how many there were."""
        erased = 0
        for event_id in event_ids:
            self.connection.execute(
                "UPDATE event SET body = NULL, salt = NULL WHERE event = ? AND body IS NOT NULL",
                (event_id,),
            )
            erased += self.connection.changes()
            self.connection.execute("DELETE FROM missing WHERE event = ?", (event_id,))
        return erased

    def add_missing(self, event_ids: Iterable[int]) -> None:
        """Remember that these events' bodies should be here."""
        self.connection.executemany(
            "INSERT OR IGNORE INTO missing VALUES(?)", ((event_id,) for event_id in event_ids)
        )

    def supply_body(self, event_id: int, salt: bytes, body: bytes) -> bool:
        """Give a missing event its body; False if it was not missing."""
        self.connection.execute("DELETE FROM missing WHERE event = ?", (event_id,))
        if not self.connection.changes():
            return False
        self.connection.execute(
            "UPDATE event SET salt = ?, body = ? WHERE event = ?", (salt, body, event_id)
        )
        return True


def _check_entry(row: tuple[Any, ...], *, strict: bool = True) -> Entry:
    entry = Entry(*row[:8])
    commitment, salt, header, prev = row[8:]
    event = Event(entry.hlc, entry.kind, entry.key, commitment, salt, entry.body, header)
    prefix = header_prefix(entry.log_id) if type(entry.log_id) is bytes else b""
    if not is_as_written(prefix, entry.seq, prev or ZERO_HASH, event, entry.hash):
        raise StoreCorruptError(
            f"{_place(entry)}: is not what was written; run kioku doctor --deep"
        )
    if strict or not any(entry.key):  # a retract, with no key, names what to erase
        check_body(entry.id, commitment, salt, entry.body)
    return entry


def _place(entry: Entry) -> str:
    log_id = entry.log_id.hex() if type(entry.log_id) is bytes else repr(entry.log_id)
    return f"log {log_id} seq {entry.seq} (row {entry.event_id})"


def check_body(
    place: EventId, commitment: bytes | None, salt: bytes | None, body: bytes | None
) -> None:
    """Check what was read against its commitment.

    Raises:
        StoreCorruptError: if it is not what was written.
    """
    if body is None:
        return
    try:
        is_whole = salt is not None and commit(salt, body) == commitment
    except (TypeError, ValueError):
        is_whole = False
    if not is_whole:
        raise StoreCorruptError(
            f"log {place.log_id.hex()} seq {place.seq}: the body is not what was written;"
            " run kioku doctor --deep"
        )
