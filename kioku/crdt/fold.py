"""The law of ``lww_set`` over SQLite, in batches.

    version    every event of a key, by the key's slot; ``wins`` is 1 for the key's winner, 2 for
               what is shown while all it has is held, 0 else: the winner is one look-up away
    purged     keys: grows only
    retracted  events: grows only
    held       events whose time has not come; a row here is the decision, taken once

A batch of new keys costs one look-up for all of them and one insert each. Only keys that a purge,
a retract or a held event touches are folded from all their versions. A property test holds this
equal to the pure law on any history: whoever changes a rule changes both.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import apsw

from kioku.crdt.lww_set import CANDIDATE_KINDS, is_held, is_permanent
from kioku.crdt.standing import (
    NOTHING_KNOWN,
    WINS,
    Change,
    Known,
    Outcome,
    Shown,
    Standing,
    compare,
    shown_of,
    winning,
)
from kioku.errors import StoreCorruptError
from kioku.log.event import (
    KEY_RANDOM_BYTES,
    PURGE,
    RETRACT,
    ZERO_KEY,
    Event,
    EventId,
    key_at,
    slot_of,
)
from kioku.log.hlc import horizon
from kioku.log.payload import decode_targets
from kioku.log.store import ENTRY_COLUMNS, ENTRY_JOINS, Entry, LogStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FOLD_VERSION: Final = 2
"""Raised when a kind of event is learnt or a table changes, so that every store folds anew."""

# What was deleted since a moment, for those who ask what was there then; only a deletion pays.
_TOMBSTONES: Final = "CREATE INDEX IF NOT EXISTS event_tombstone ON event(hlc) WHERE kind = 2"

TABLES: Final = (
    """CREATE TABLE version(
        slot BLOB NOT NULL, wins INTEGER NOT NULL, event INTEGER NOT NULL,
        PRIMARY KEY(slot, wins, event)) WITHOUT ROWID""",
    "CREATE TABLE purged(key BLOB PRIMARY KEY) WITHOUT ROWID",
    """CREATE TABLE retracted(
        log_id BLOB, seq INTEGER, hash BLOB, PRIMARY KEY(log_id, seq, hash)) WITHOUT ROWID""",
    "CREATE TABLE held(event INTEGER PRIMARY KEY, hlc INTEGER NOT NULL)",
    "CREATE INDEX held_until ON held(hlc)",
    _TOMBSTONES,
)


class Fold:
    """The state that the events in one store add up to."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._connection = store.connection
        self._has_purged = self._has_retracted = True

    def begin(self, now_ms: int) -> int | None:
        """Look, once for a writing transaction, at what is nearly always empty.

        Gives the greatest stamp that ``release`` would fold; None if it would do nothing.
        """
        row: Any = self._connection.execute(
            "SELECT EXISTS(SELECT 1 FROM purged), EXISTS(SELECT 1 FROM retracted),"
            " (SELECT max(hlc) FROM held WHERE hlc <= ?)",
            (horizon(now_ms),),
        ).fetchone()
        self._has_purged, self._has_retracted = map(bool, row[:2])
        newest_due: int | None = row[2]
        return newest_due

    # -- asking

    def is_purged(self, key: bytes) -> bool:
        """Whether a key is erased for ever."""
        return bool(self._connection.execute("SELECT 1 FROM purged WHERE key = ?", (key,)).get)

    def is_retracted(self, event: EventId) -> bool:
        """Whether an event counts for nothing."""
        sql = "SELECT 1 FROM retracted WHERE log_id = ? AND seq = ? AND hash = ?"
        return bool(self._connection.execute(sql, event).get)

    def current(self, keys: Iterable[bytes]) -> dict[bytes, tuple[Entry, int]]:
        """Give what stands for each key: its winner, or what is shown while all is held."""
        rows = self._connection.execute(
            f"SELECT v.wins, {ENTRY_COLUMNS} FROM carray(?) k"
            " CROSS JOIN version v ON v.slot = k.value AND v.wins > 0"
            f" JOIN event e ON e.event = v.event {ENTRY_JOINS}",
            (apsw.carray(tuple(map(slot_of, keys))),),
        )
        return {row[6]: (Entry(*row[1:]), row[0]) for row in rows}

    def winner(self, key: bytes) -> Entry | None:
        """Give a key's greatest save or tombstone that counts; None if it has none."""
        entry, wins = self.current((key,)).get(key, (None, 0))
        return entry if wins == WINS else None

    def shown(self, key: bytes) -> Shown | None:
        """Give what a reader may see of a key."""
        return shown_of(self.current((key,)).get(key))

    def standings(self, key: bytes) -> list[Standing]:
        """Give all versions of a key without their bodies, the greatest first."""
        columns = ENTRY_COLUMNS.replace("e.body", "NULL")
        rows = self._connection.execute(
            f"SELECT v.wins, h.event IS NOT NULL, r.hash IS NOT NULL, {columns}"
            f" FROM version v JOIN event e ON e.event = v.event {ENTRY_JOINS}"
            " LEFT JOIN held h ON h.event = v.event LEFT JOIN retracted r"
            " ON r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash WHERE v.slot = ?",
            (slot_of(key),),
        )
        found = [Standing(Entry(*row[3:]), row[0], bool(row[1]), bool(row[2])) for row in rows]
        return sorted(found, key=lambda standing: standing.entry.order, reverse=True)

    # -- before storing

    def find_erased(self, chunk_ids: Sequence[EventId], events: Sequence[Event]) -> set[int]:
        """Give the indexes of events whose bodies must not be stored.

        What the batch itself purges or retracts counts too: what is erased is never written.
        """
        erases = any(event.kind in (PURGE, RETRACT) for event in events)
        if not (erases or self._has_purged or self._has_retracted):
            return set()
        purged = {event.key for event in events if event.kind == PURGE}
        retracted: set[EventId] = set()
        for event in events:
            if event.kind == RETRACT and event.body is not None:
                retracted.update(decode_targets(event.body))
        purged |= self._known_purged(event.key for event in events)
        return {
            index
            for index, (place, event) in enumerate(zip(chunk_ids, events, strict=True))
            if not is_permanent(event.kind, event.key)
            and (
                event.key in purged
                or place in retracted
                or (self._has_retracted and self.is_retracted(place))
            )
        }

    def _known_purged(self, keys: Iterable[bytes]) -> set[bytes]:
        asked = tuple(set(keys)) if self._has_purged else ()
        if not asked:
            return set()
        rows = self._connection.execute(
            "SELECT k.value FROM carray(?) k CROSS JOIN purged p ON p.key = k.value",
            (apsw.carray(asked),),
        )
        return {row[0] for row in rows}

    # -- folding

    def apply(
        self,
        entries: Sequence[Entry],
        *,
        now_ms: int,
        is_own: bool,
        known: Known = NOTHING_KNOWN,
    ) -> Outcome:
        """Fold events that were just stored.

        Args:
            entries: the new events, in any order.
            now_ms: the wall, which decides what is held.
            is_own: whether this store wrote them: then none is held.
            known: what bodies among them say, for the view.

        Cost: about 4 µs an event of a new key.
        """
        waiting = set() if is_own else self._hold(entries, now_ms)
        return self._fold(entries, waiting, known)

    def _fold(
        self, entries: Sequence[Entry], waiting: set[int], known: Known = NOTHING_KNOWN
    ) -> Outcome:
        purged = self._purge(entries)
        targets = self._retract(entries)
        dirty = purged | {target.key for target in targets}
        dirty |= {entry.key for entry in entries if entry.event_id in waiting}
        best = self._candidates(entries, dirty)
        changes, wins, beaten = compare(best, self.current(best) if best else {}, known)
        if beaten:
            self._connection.executemany(
                "UPDATE version SET wins = 0 WHERE slot = ? AND wins = ? AND event = ?", beaten
            )
        self._connection.executemany(
            "INSERT INTO version VALUES(?, ?, ?)",
            (
                (slot_of(entry.key), WINS if entry.event_id in wins else 0, entry.event_id)
                for entry in entries
                if entry.key != ZERO_KEY and entry.kind != PURGE
            ),
        )
        changes += [change for key in sorted(dirty) if (change := self._refold(key))]
        erased = self._version_rows(purged) + [target.event_id for target in targets]
        return Outcome(changes, erased + self._buried(entries), len(waiting))

    def _buried(self, entries: Sequence[Entry]) -> list[int]:
        """Give own events that say something of a key purged before; a chunk's were stripped."""
        with_body = [entry for entry in entries if entry.body is not None]
        purged = self._known_purged(entry.key for entry in with_body)
        return [entry.event_id for entry in with_body if entry.key in purged]

    def _hold(self, entries: Sequence[Entry], now_ms: int) -> set[int]:
        limit = horizon(now_ms)
        held = [e for e in entries if e.hlc > limit and is_held(e.hlc, e.kind, now_ms)]
        if held:
            rows = ((entry.event_id, entry.hlc) for entry in held)
            self._connection.executemany("INSERT INTO held VALUES(?, ?)", rows)
        return {entry.event_id for entry in held}

    def _purge(self, entries: Sequence[Entry]) -> set[bytes]:
        """Add the keys that are purged, and give those that were not yet."""
        keys = {entry.key for entry in entries if entry.kind == PURGE}
        if keys:
            keys -= self._known_purged(keys)
            rows = ((key,) for key in keys)
            self._connection.executemany("INSERT OR IGNORE INTO purged VALUES(?)", rows)
            self._has_purged = True
        return keys

    def _version_rows(self, keys: Iterable[bytes]) -> list[int]:
        sql = "SELECT event FROM version WHERE slot = ?"
        return [row[0] for k in keys for row in self._connection.execute(sql, (slot_of(k),))]

    def _retract(self, entries: Sequence[Entry]) -> list[Entry]:
        """Add the events that are retracted, and give those that are here."""
        found = []
        for entry in entries:
            if entry.kind != RETRACT:
                continue
            assert entry.body is not None, "a retract is never stored without its body"
            targets = decode_targets(entry.body)
            self._has_retracted = True
            self._connection.executemany("INSERT OR IGNORE INTO retracted VALUES(?, ?, ?)", targets)
            found += [target for t in targets if (target := self._store.find(t))]
        return [entry for entry in found if not is_permanent(entry.kind, entry.key)]

    def _candidates(self, entries: Sequence[Entry], dirty: set[bytes]) -> dict[bytes, Entry]:
        """Give the greatest event that counts of each key that needs no more than that."""
        purged = self._known_purged(entry.key for entry in entries)
        best: dict[bytes, Entry] = {}
        has_retracted = self._has_retracted
        for entry in entries:
            key = entry.key
            if entry.kind not in CANDIDATE_KINDS or key in dirty or key in purged:
                continue
            if has_retracted and self.is_retracted(entry.id):
                continue
            other = best.get(key)
            if other is None or other.order < entry.order:
                best[key] = entry
        return best

    def _refold(self, key: bytes) -> Change | None:
        """Fold one key from all its versions, and say how what is shown of it changes."""
        before = shown_of(self.current((key,)).get(key))
        wins: tuple[int, int] | None = None
        if not self.is_purged(key):
            wins = winning(self.standings(key))
        self._connection.execute(
            "UPDATE version SET wins = 0 WHERE slot = ? AND wins > 0", (slot_of(key),)
        )
        if wins is not None:
            self._connection.execute(
                "UPDATE version SET wins = ? WHERE slot = ? AND wins = 0 AND event = ?",
                (wins[0], slot_of(key), wins[1]),
            )
        after = shown_of(self.current((key,)).get(key))
        return None if before == after else Change(key, before, after)

    # -- later

    def release(self, now_ms: int) -> list[Change]:
        """Fold what was held and whose time has come: once, for its row goes."""
        rows: Any = self._connection.execute(
            "SELECT h.event, e.key FROM held h JOIN event e ON e.event = h.event WHERE h.hlc <= ?",
            (horizon(now_ms),),
        ).fetchall()
        self._connection.executemany(
            "DELETE FROM held WHERE event = ?", ((event,) for event, _ in rows)
        )
        keys = {key for _, key in rows}
        return [change for key in sorted(keys) if (change := self._refold(key))]

    def is_release_due(self, now_ms: int) -> bool:
        """Whether ``release`` would do anything. Cost: a look at an empty table."""
        sql = "SELECT 1 FROM held WHERE hlc <= ? LIMIT 1"
        return bool(self._connection.execute(sql, (horizon(now_ms),)).get)

    def reveal(self, event_ids: Iterable[int]) -> list[Change]:
        """Say what is shown now that these events' missing bodies have come."""
        changes = []
        for event_id in event_ids:
            key = self._connection.execute("SELECT key FROM event WHERE event = ?", (event_id,)).get
            shown = self.shown(key)
            if shown is not None and shown.event_id == event_id:
                changes.append(Change(key, None, shown))
        return changes

    def all_keys(self) -> Iterator[bytes]:
        """Give every key that has an event here, purged ones too; the oldest first."""
        for (slot,) in self._connection.execute("SELECT DISTINCT slot FROM version"):
            yield key_at(slot)

    def all_shown(self) -> Iterator[Change]:
        """Give all that is shown, as it is told to a view in which nothing is yet."""
        for key in self.all_keys():
            shown = self.shown(key)
            if shown is not None:
                yield Change(key, None, shown)

    def are_whole(self, event_ids: Iterable[int]) -> bool:
        """Whether all of these events are what was written. Cost: about 10 µs each."""
        try:
            for event_id in event_ids:
                self._store.entry(event_id)
        except StoreCorruptError:
            return False
        return True

    def keys_with_prefix(self, digits: str, limit: int) -> list[bytes]:
        """Give up to ``limit`` keys whose hex form begins so. Cost: a scan, 10 ms at 100,000."""
        low, high = (bytes.fromhex(digits.ljust(32, fill)) for fill in "0f")
        time_bytes = len(slot_of(low)) - KEY_RANDOM_BYTES
        rows: Any = self._connection.execute(
            "SELECT DISTINCT slot FROM version WHERE substr(slot, ? + 1) BETWEEN ? AND ?"
            " ORDER BY slot",
            (time_bytes, low[:KEY_RANDOM_BYTES], high[:KEY_RANDOM_BYTES]),
        )
        keys = (key_at(slot) for (slot,) in rows)
        return list(islice((key for key in keys if low <= key <= high), limit))

    def clear(self) -> None:
        """Forget what is derived. The held rows stay: they are decisions, not derivations."""
        for table in ("version", "purged", "retracted"):
            self._connection.execute(f"DELETE FROM {table}")
        self._connection.execute(_TOMBSTONES)

    def refold_all(self, entries: Sequence[Entry]) -> Outcome:
        """Fold a batch again, from the log: what is held is what was."""
        held = {row[0] for row in self._connection.execute("SELECT event FROM held")}
        return self._fold(entries, {e.event_id for e in entries if e.event_id in held})
