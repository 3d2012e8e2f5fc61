"""The replicas that this one has met, and what each has confirmed to have erased.

The table is made when the first peer is met, or the first event comes from one: its being there
says so for ever. It is written when something is new and not when somebody is heard of, so that a
mesh in which nothing happens writes nothing. What is in it travels with a backup; a store that
finds itself a copy keeps the peers and believes none of their receipts (``forget_receipts``): what
they took back since is not in there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import MalformedMessageError
from kioku.log.codec import decode, encode
from kioku.log.event import RETRACT, EventId
from kioku.log.path import Path
from kioku.log.payload import decode_genesis, decode_targets
from kioku.log.receipt import Erasing, Extent, Receipt, heard

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from dataclasses import dataclass

    import apsw

    from kioku.log.frontier import Tip
    from kioku.log.receipt import Lack
    from kioku.log.store import LogStore
else:
    from kioku.values import dataclass


PEERS_MAX: Final = 1_000
"""Rows: DESIGN's largest mesh has fifty replicas; whoever invents more is not noted."""
ANCESTORS_MAX: Final = 256
"""Logs that one continues: more than a store is ever restored or moved."""
SILENT_AFTER_MS: Final = 60_000
"""How long messages of a log may still be under way once its successor was met."""
KEPT_SEEN_MS: Final = 24 * 60 * 60 * 1000
"""How stale "last seen" may become on the disk of a node that is killed; else nothing is written
while nothing happens."""

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS peer(
        log_id BLOB PRIMARY KEY, machine TEXT NOT NULL, role TEXT NOT NULL, version TEXT NOT NULL,
        first_met_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL,
        covered INTEGER NOT NULL, lacks BLOB NOT NULL) WITHOUT ROWID""",
    # Only what erases pays for it, and only where somebody is waited for.
    "CREATE INDEX IF NOT EXISTS event_erasing ON event(kind) WHERE kind IN (3, 5)",
)
_PEERS: Final = """SELECT p.log_id, ifnull(l.name, ''), machine, role, version, first_met_ms,
    last_seen_ms, covered, lacks FROM peer p LEFT JOIN log l ON l.log_id = p.log_id
    WHERE NOT EXISTS(SELECT 1 FROM own WHERE own.log = l.log AND closed_seq IS NULL)
    ORDER BY first_met_ms, p.log_id"""
_ERASING: Final = """SELECT e.event, l.log_id, e.seq FROM event e
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log WHERE e.kind IN (3, 5)"""
# Of an own log that is closed, what was never sealed was said again in the next one.
_ERASURES: Final = """SELECT e.event, l.log_id, e.seq, e.hash, l.name, e.hlc, e.kind, e.key, e.body,
    e.seq <= b.sealed_seq FROM event e JOIN branch b ON b.branch = e.branch
    JOIN log l ON l.log = b.log LEFT JOIN own o ON o.branch = e.branch
    WHERE e.kind IN (3, 5) AND (o.successor IS NULL OR e.seq <= b.sealed_seq)
    ORDER BY e.event DESC LIMIT ?"""
# A log of ours that was closed is another store's now, if anybody speaks under it.
_IS_OWN: Final = "SELECT 1 FROM own JOIN log USING(log) WHERE log_id = ? AND closed_seq IS NULL"
_GENESIS: Final = """SELECT e.body FROM log l JOIN branch b ON b.log = l.log
    JOIN event e ON e.branch = b.branch AND e.seq = 1 WHERE l.log_id = ?"""
_MET_BETWEEN: Final = """SELECT 1 FROM peer
    WHERE log_id <> ? AND first_met_ms + ? >= ? AND first_met_ms + ? < ?"""
# A wall that was ahead when it met a peer, and was set right since: nobody is met in the future.
_MET_LATER: Final = "SELECT 1 FROM peer WHERE first_met_ms > ? LIMIT 1"
_MET_NOW: Final = "UPDATE peer SET first_met_ms = ? WHERE first_met_ms > ?"
_WRITE: Final = """INSERT INTO peer VALUES(?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT(log_id) DO UPDATE SET
    machine = excluded.machine, role = excluded.role, version = excluded.version,
    last_seen_ms = excluded.last_seen_ms"""
# Only what erases is excepted: a copy's own events may stand at the same seqs, on another branch.
_UNSEALED: Final = """SELECT l.log_id, min(e.seq) FROM own o JOIN branch b USING(branch)
    JOIN log l ON l.log = o.log
    JOIN event e ON e.branch = b.branch AND e.seq > b.sealed_seq AND e.kind IN (3, 5)
    GROUP BY b.branch"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A replica that this one has met, by the log that it writes.

    Attributes:
        log_id: its log.
        name: what that log's genesis calls it; empty until that is here.
        machine, role, version: what it said of itself.
        first_met_ms, last_seen_ms: by this machine's wall.
        receipt: what it has confirmed to have erased.
        is_succeeded: whether another peer's log continues it and it has been silent since, so that
            nobody waits for it.
    """

    log_id: bytes
    name: str
    machine: str
    role: str
    version: str
    first_met_ms: int
    last_seen_ms: int
    receipt: Receipt
    is_succeeded: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """A purge or a retract, and who has confirmed that it erased what is named there.

    Attributes:
        event: which event it is.
        writer: the name of the log that it is in.
        hlc, kind, key: of the event; a retract has the zero key.
        targets: how many events a retract names; 0 for a purge.
        is_sealed: whether others can have it yet.
        confirmed, outstanding: the peers that are waited for, those met first before.
    """

    event: EventId
    writer: str
    hlc: int
    kind: int
    key: bytes
    targets: int
    is_sealed: bool
    confirmed: tuple[Peer, ...]
    outstanding: tuple[Peer, ...]


StatedTips = tuple[bytes, "Sequence[Tip]"]
"""A log, and the tips that a peer stated of it: none if it lacks all of it."""


class Sighting(NamedTuple):
    """What a replica said of itself, and when by our wall."""

    log_id: bytes
    machine: str
    role: str
    version: str
    now_ms: int


def has_met(connection: apsw.Connection) -> bool:
    """Whether this store has ever met a peer."""
    sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'peer'"
    return bool(connection.execute(sql).get)


def note_meeting(connection: apsw.Connection) -> None:
    """Note for ever that this store has met others."""
    if not has_met(connection):
        for statement in _TABLES:
            connection.execute(statement)


def forget_receipts(connection: apsw.Connection) -> None:
    """Let every peer confirm anew: this store is a copy, and may have missed what came since."""
    if has_met(connection):
        connection.execute("UPDATE peer SET covered = 0, lacks = ?", (_encode_lacks(()),))


class PeerTable:
    """The peers of one store, within a transaction."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._connection = store.connection
        self.has_met = has_met(store.connection)

    def read(self, *, with_receipts: bool = True) -> list[Peer]:
        """Give all peers that were met and not forgotten, in the order in which they were met.

        Without receipts, none of them has confirmed anything.
        """
        if not self.has_met:
            return []
        rows: Any = self._connection.execute(_PEERS).fetchall()
        succeeded = self._succeeded({row[0]: (row[5], row[6]) for row in rows})
        peers = []
        for *said, covered, lacks in rows:
            receipt = _read_receipt(covered, lacks) if with_receipts else Receipt()
            values: list[Any] = [*said, receipt, said[0] in succeeded]
            peers.append(Peer(*values))
        return peers

    def _succeeded(self, met: Mapping[bytes, tuple[int, int]]) -> set[bytes]:
        """Find the logs that a peer's log continues and that were silent since that one was met."""
        found = set()
        for log_id, (first_met_ms, _) in met.items():
            for parent in self._ancestors(log_id):
                if parent in met and met[parent][1] <= first_met_ms + SILENT_AFTER_MS:
                    found.add(parent)
        return found

    def _ancestors(self, log_id: bytes) -> set[bytes]:
        """Give the logs that a log continues, by the genesis of each that is here."""
        found: set[bytes] = set()
        waiting = [log_id]
        while waiting and len(found) < ANCESTORS_MAX:
            new = set(self._parents(waiting.pop())) - found - {log_id}
            found |= new
            waiting += new
        return found

    def _parents(self, log_id: bytes) -> list[bytes]:
        body = self._connection.execute(_GENESIS, (log_id,)).get
        return [parent.log_id for parent in decode_genesis(body).parents] if body else []

    # -- sightings

    def is_news(self, seen: Sighting, *, keep: bool) -> bool:
        """Whether a sighting is worth writing down; ``keep`` if no other may follow it."""
        if self._connection.execute(_IS_OWN, (seen.log_id,)).get:
            return False
        sql = "SELECT machine, role, version, last_seen_ms FROM peer WHERE log_id = ?"
        row: Any = None
        if self.has_met:
            row = self._connection.execute(sql, (seen.log_id,)).fetchone()
        if row is None or tuple(row[:3]) != seen[1:4]:
            return True
        last_seen_ms = row[3]
        if abs(seen.now_ms - last_seen_ms) > KEPT_SEEN_MS or (keep and seen.now_ms > last_seen_ms):
            return True
        # Whether it was silent since another was met may decide whether anybody waits for it.
        if self._connection.execute(_MET_LATER, (seen.now_ms,)).get:
            return True
        limits = (SILENT_AFTER_MS, last_seen_ms, SILENT_AFTER_MS, seen.now_ms)
        return bool(self._connection.execute(_MET_BETWEEN, (seen.log_id, *limits)).get)

    def write(self, seen: Sighting) -> bool:
        """Note a sighting; False if so many are noted that there is no room for this one."""
        note_meeting(self._connection)
        sql = "SELECT 1 FROM peer WHERE log_id = ?"
        if not self._connection.execute(sql, (seen.log_id,)).get and not self._make_room():
            return False
        self._connection.execute(_WRITE, (*seen, seen.now_ms, _encode_lacks(())))
        self._connection.execute(_MET_NOW, (seen.now_ms, seen.now_ms))
        return True

    def _make_room(self) -> bool:
        """Drop, if there are too many, the peer silent longest of those whose log is not here."""
        if self._connection.execute("SELECT count(*) FROM peer").get < PEERS_MAX:
            return True
        self._connection.execute(
            "DELETE FROM peer WHERE log_id = (SELECT log_id FROM peer"
            " WHERE log_id NOT IN (SELECT log_id FROM log) ORDER BY last_seen_ms LIMIT 1)"
        )
        return bool(self._connection.changes())

    def delete(self, log_id: bytes) -> bool:
        """Forget a peer and its receipts; False if none such was met."""
        if not self.has_met:
            return False
        self._connection.execute("DELETE FROM peer WHERE log_id = ?", (log_id,))
        return bool(self._connection.changes())

    # -- receipts

    def extent(self) -> Extent:
        """Give what is stated now, for what a peer then says to be held against.

        Raises:
            PrivateSpaceError: if the space is private.
        """
        top = self._connection.execute("SELECT max(event) FROM event").get or 0
        unsealed: Any = self._connection.execute(_UNSEALED)
        return Extent(self._store.digest(), top, tuple((log_id, seq) for log_id, seq in unsealed))

    def weigh(
        self, log_id: bytes, stated: Extent, differing: Sequence[StatedTips], *, is_erased: bool
    ) -> Receipt | None:
        """Give the receipt that a peer's statement gives; None if it changes nothing.

        Cost: a look-up for a peer that is level; else O(purges and retracts).
        """
        sql = "SELECT covered, lacks FROM peer WHERE log_id = ?"
        row: Any = self._connection.execute(sql, (log_id,)).fetchone() if self.has_met else None
        if row is None:
            return None
        receipt = _read_receipt(*row)
        may_lack = bool(differing or stated.unsealed or receipt.lacks)
        if not may_lack and not self._erases(receipt.covered, stated.row):
            return None
        erasing = [Erasing(*found) for found in self._connection.execute(_ERASING)]
        lacks = [*stated.unsealed, *self._lacks(differing, {one.log_id for one in erasing})]
        new = heard(receipt, erasing, row=stated.row, lacks=lacks, is_erased=is_erased)
        return None if new == receipt else new

    def _lacks(self, differing: Iterable[StatedTips], logs: Container[bytes]) -> Iterator[Lack]:
        """Say from where on some logs are not covered by the tips that a peer stated of them."""
        for log_id, tips in differing:
            log = self._store.log(log_id) if log_id in logs else None
            if log is not None:
                held = [Path(self._store, tip) for tip in tips if self._store.find(tip)]
                for branch in self._store.branches(log.log):
                    seq, digest, _ = self._store.tip(branch)
                    path = Path(self._store, EventId(log_id, seq, digest))
                    covered = max((path.split_from(other) for other in held), default=0)
                    if covered < seq:
                        yield log_id, covered + 1

    def _erases(self, after: int, last: int) -> bool:
        """Whether a purge or retract lies past one row and up to another."""
        sql = "SELECT 1 FROM event WHERE kind IN (3, 5) AND event > ? AND event <= ? LIMIT 1"
        return bool(self._connection.execute(sql, (after, last)).get)

    def write_receipt(self, log_id: bytes, receipt: Receipt) -> None:
        """Keep what a peer has confirmed."""
        self._connection.execute(
            "UPDATE peer SET covered = ?, lacks = ? WHERE log_id = ?",
            (receipt.covered, _encode_lacks(receipt.lacks), log_id),
        )

    def erasures(self, peers: Sequence[Peer], limit: int) -> list[Erasure]:
        """Give the newest purges and retracts that are here, with who has confirmed them."""
        waited = [peer for peer in peers if not peer.is_succeeded]
        rows: Any = self._connection.execute(_ERASURES, (limit,)).fetchall()
        return [_erasure(row, waited) for row in rows]


def _erasure(row: tuple[Any, ...], waited: Sequence[Peer]) -> Erasure:
    event = Erasing(*row[:3])
    return Erasure(
        event=EventId(*row[1:4]),
        writer=row[4],
        hlc=row[5],
        kind=row[6],
        key=row[7],
        targets=len(decode_targets(row[8])) if row[6] == RETRACT else 0,
        is_sealed=bool(row[9]),
        confirmed=tuple(peer for peer in waited if peer.receipt.confirms(event)),
        outstanding=tuple(peer for peer in waited if not peer.receipt.confirms(event)),
    )


def _encode_lacks(lacks: Iterable[Lack]) -> bytes:
    return encode([list(lack) for lack in lacks])


def _read_receipt(covered: Any, lacks: Any) -> Receipt:
    """Make a receipt of what was read back; one that cannot be read confirms nothing."""
    try:
        pairs = [(bytes(log_id), int(first)) for log_id, first in decode(lacks, "lacks")]
        return Receipt(int(covered), tuple(pairs))
    except (MalformedMessageError, TypeError, ValueError):
        return Receipt()
