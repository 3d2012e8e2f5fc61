"""The log that this store writes: begun, extended, sealed and closed.

A log is ours only while its key file is here, fits this store and this machine, and the last event
that it sealed is still in the store. Otherwise we are a copy, or were rolled back, and somebody may
hold other events at our next seqs: the log is closed, and the next append begins another whose
genesis names it. Nothing is lost: the unsealed tail is sealed if its key is here, and otherwise
appended again to the new log. Merely opening a store writes nothing.

Every method runs inside the appending transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from kioku.errors import InvalidArgumentError, LogClosedError, StoreAccessError, TooLargeError
from kioku.log.chunk import EVENT_OVERHEAD_BYTES, EVENTS_MAX
from kioku.log.event import (
    BODY_BYTES_MAX,
    GENESIS,
    SALT_BYTES,
    SAVE,
    ZERO_HASH,
    ZERO_KEY,
    Event,
    EventId,
    commit,
    encode_header,
    find_breach,
    hash_header,
    header_prefix,
)
from kioku.log.hlc import next_stamp
from kioku.log.keyfile import KeyRing, LogKey
from kioku.log.payload import Genesis, encode_genesis
from kioku.log.store import Branch, Entry, LogRow, LogStore
from kioku.log.transfer import PAYLOAD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class RandomBytes(Protocol):
    """What draws salts and keys: ``random.SystemRandom()``, or a seeded one in a simulation."""

    def randbytes(self, n: int, /) -> bytes:
        """Give ``n`` random bytes."""


class Draft(NamedTuple):
    """An event to append; ``hlc`` only for one that happened elsewhere or before."""

    kind: int
    key: bytes
    body: bytes | None = None
    hlc: int | None = None


class Own(NamedTuple):
    """One of the logs that this store wrote."""

    log: LogRow
    branch: Branch
    closed_seq: int | None


_OWN: Final = "SELECT log, branch, closed_seq FROM own WHERE "


class Owner:
    """Writes this store's own log."""

    def __init__(
        self,
        store: LogStore,
        keys: KeyRing,
        *,
        rng: RandomBytes,
        name: str,
        machine_id: bytes | None,
    ) -> None:
        """Bind a store to its keys; ``name`` goes into the genesis of every log begun here."""
        self._store = store
        self._keys = keys
        self._rng = rng
        self._name = name
        self._machine_id = machine_id
        self._opened_inode = keys.inode()
        self._begun: bytes | None = None

    def current(self) -> Own | None:
        """Give the open log; None if the next append begins one."""
        return next(iter(self._own("closed_seq IS NULL")), None)

    def _own(self, where: str) -> list[Own]:
        rows: Any = self._store.connection.execute(_OWN + where).fetchall()
        return [
            Own(self._store.log_row(log), self._store.branch(branch), closed)
            for log, branch, closed in rows
        ]

    def key_of(self, own: Own) -> LogKey | None:
        """Give the open log's key if the log is still ours to extend, else None."""
        key = self._keys.load(own.log.log_id)
        if key is None or not key.belongs_to(self._machine_id, self._keys.inode()):
            return None
        if key.sealed_seq and self._store.hash_at(own.branch.branch, key.sealed_seq) != (
            key.sealed_hash
        ):
            return None
        return key

    # -- appending

    def append(
        self,
        drafts: Sequence[Draft],
        *,
        last: int,
        now_ms: int,
        is_retracted: Callable[[EventId], bool],
    ) -> tuple[list[Entry], int]:
        """Append drafts to our log, beginning one if need be.

        Gives all that was appended, and the greatest stamp since.

        That may be more than the drafts: a genesis, and the tail of a log that was closed.

        Args:
            drafts: what to append, in order.
            last: the greatest stamp so far; every new event is stamped past it.
            now_ms: the wall.
            is_retracted: whether an event of a closed tail counts for nothing any more.

        Raises:
            StoreAccessError: if the file was moved or replaced since it was opened.
            TooLargeError: if a body is over its limit; nothing is written.
        """
        self._check_file()
        own = self.current()
        entries: list[Entry] = []
        if own is None or self.key_of(own) is None:
            if own is not None:
                self.close(own)
            own, entries = self._begin(last, now_ms, is_retracted)
            last = entries[0].hlc
        stamps = list(_stamps(drafts, last, now_ms))
        events = [self._event(draft, stamp) for draft, stamp in zip(drafts, stamps, strict=True)]
        own_stamps = (s for s, draft in zip(stamps, drafts, strict=True) if draft.hlc is None)
        return entries + self._extend(own, events), max(own_stamps, default=last)

    def _check_file(self) -> None:
        if self._keys.inode() != self._opened_inode:
            raise StoreAccessError(
                "the store's file was moved, deleted or replaced while it was open; open it again"
            )

    def _event(self, draft: Draft, stamp: int) -> Event:
        body = draft.body
        breach = find_breach(draft.kind, draft.key, has_commitment=body is not None)
        if breach is not None:
            raise InvalidArgumentError(breach)
        if body is None:
            return Event(stamp, draft.kind, draft.key, None, None, None)
        if len(body) > BODY_BYTES_MAX:
            raise TooLargeError("body", len(body), BODY_BYTES_MAX)
        salt = self._rng.randbytes(SALT_BYTES)
        return Event(stamp, draft.kind, draft.key, commit(salt, body), salt, body)

    def _extend(self, own: Own, events: Sequence[Event]) -> list[Entry]:
        if not events:
            return []
        log_id, branch = own.log.log_id, own.branch
        prefix, prev, first_seq = header_prefix(log_id), branch.tip_hash, branch.tip_seq + 1
        hashes = []
        for seq, event in enumerate(events, first_seq):
            prev = hash_header(encode_header(prefix, seq, prev, event))
            hashes.append(prev)
        row = self._store.add_events(branch.branch, first_seq, events, hashes)
        return [
            Entry(row + n, log_id, first_seq + n, e.hlc, e.kind, e.key, hashes[n], e.body)
            for n, e in enumerate(events)
        ]

    # -- beginning and closing

    def _begin(
        self, last: int, now_ms: int, is_retracted: Callable[[EventId], bool]
    ) -> tuple[Own, list[Entry]]:
        """Begin a log: its key is on disk before its genesis is committed."""
        from kioku.log.seal import log_id_of, public_key_of

        closed = self._own("closed_seq IS NOT NULL AND successor IS NULL")
        tails = [draft for own in closed for draft in self._tail(own, is_retracted)]
        parents = [tip for own in closed if (tip := self._sealed_tip(own))]
        seed = self._rng.randbytes(32)
        genesis = Genesis(public_key_of(seed), self._name, tuple(parents))
        log_id = log_id_of(genesis.public_key)
        self._begun = log_id
        self._keys.store(LogKey(log_id, seed, self._machine_id, self._keys.inode()))
        log = self._store.add_log(log_id, genesis)
        number = self._store.add_branch(log.log, None, 1)
        connection = self._store.connection
        connection.execute(
            "UPDATE own SET successor = ? WHERE closed_seq IS NOT NULL AND successor IS NULL",
            (log.log,),
        )
        connection.execute("INSERT INTO own(log, branch) VALUES(?, ?)", (log.log, number))
        branch = self._store.branch(number)._replace(tip_hash=ZERO_HASH)
        first = Draft(GENESIS, ZERO_KEY, encode_genesis(genesis))
        drafts = [first, *tails]
        stamps = _stamps(drafts, last, now_ms)
        events = [self._event(draft, stamp) for draft, stamp in zip(drafts, stamps, strict=True)]
        entries = self._extend(Own(log, branch, None), events)
        return Own(log, self._store.branch(number), None), entries

    def ended(self, *, committed: bool) -> None:
        """Learn how the transaction ended: a log that was begun in vain leaves no key behind."""
        if self._begun is not None and not committed:
            self._keys.discard(self._begun)
        self._begun = None

    def _tail(self, own: Own, is_retracted: Callable[[EventId], bool]) -> list[Draft]:
        """Give what must be appended again: events of a closed log that no one can seal.

        Saves whose body was erased are left behind, and so is what a retract has undone.
        """
        if self._keys.load(own.log.log_id) is not None:
            self.seal(own)
            return []
        tail = []
        for _, seq, event, digest in self._store.rows(
            own.branch.branch, own.branch.sealed_seq + 1, own.closed_seq or 0
        ):
            place = EventId(own.log.log_id, seq, digest)
            gone = event.kind == SAVE and event.body is None
            if event.kind != GENESIS and not gone and not is_retracted(place):
                tail.append(Draft(event.kind, event.key, event.body, event.hlc))
        return tail

    def _sealed_tip(self, own: Own) -> EventId | None:
        branch = self._store.branch(own.branch.branch)
        digest = self._store.hash_at(branch.branch, branch.sealed_seq)
        return EventId(own.log.log_id, branch.sealed_seq, digest) if digest else None

    def close(self, own: Own) -> None:
        """Close a log for ever: never extended again; its tail is dealt with by the next one."""
        self._store.connection.execute(
            "UPDATE own SET closed_seq = ? WHERE log = ?", (own.branch.tip_seq, own.log.log)
        )

    # -- sealing

    def seal_tail(self) -> int:
        """Seal what the open log has since its last seal; gives how many events that was.

        A copy that has the key may do it too: its tail is a part of what the original has.

        Raises:
            LogClosedError: if the key is not here; the next append begins another log.
        """
        own = self.current()
        if own is None or own.branch.sealed_seq == own.branch.tip_seq:
            return 0
        if self._keys.load(own.log.log_id) is None:
            raise LogClosedError(f"log {own.log.log_id.hex()}: its key is not beside the store")
        return self.seal(own)

    def seal(self, own: Own) -> int:
        """Sign the tail of a log whose key is here, every chunk's limit; gives its length."""
        from kioku.log.seal import sign

        key = self._keys.load(own.log.log_id)
        assert key is not None, "the caller has looked for the key"
        is_ours = self.key_of(own) is not None
        last: EventId | None = None
        with self._store.stating(own.log.log):
            for place in list(self._seal_places(own)):
                self._store.add_seal(own.branch.branch, place.seq, sign(key.seed, place))
                last = place
        if last is None:
            return 0
        # Before the commit, so that no crash can leave a published seal that the key forgot. A
        # copy's key file names its original: there the mark is not ours to move.
        if is_ours:
            self._keys.store(key.sealed(last.seq, last.hash))
        return last.seq - own.branch.sealed_seq

    def count_unsealed(self) -> int:
        """Count the events of our logs that nobody else can have, because they are not sealed."""
        sql = """SELECT ifnull(sum(b.tip_seq - max(b.sealed_seq, b.first_seq - 1)), 0)
            FROM own o JOIN branch b ON b.branch = o.branch WHERE o.successor IS NULL"""
        return int(self._store.connection.execute(sql).get)

    def _seal_places(self, own: Own) -> Iterator[EventId]:
        """Give the events to seal: the last, and before it one for every full chunk."""
        rows: Any = self._store.connection.execute(
            "SELECT seq, hash, ifnull(length(body), 0) + ifnull(length(header), 0) FROM event"
            " WHERE branch = ? AND seq > ? ORDER BY seq",
            (own.branch.branch, own.branch.sealed_seq),
        )
        count, size = 0, 0
        before: EventId | None = None
        for seq, digest, carried_bytes in rows:
            event_size = carried_bytes + EVENT_OVERHEAD_BYTES
            if before and (size + event_size > PAYLOAD_BYTES_MAX or count == EVENTS_MAX):
                yield before
                count, size = 0, 0
            before = EventId(own.log.log_id, seq, digest)
            count, size = count + 1, size + event_size
        if before:
            yield before


def _stamps(drafts: Iterable[Draft], last: int, now_ms: int) -> Iterator[int]:
    """Give every draft's stamp: its own, or the next of our clock."""
    for draft in drafts:
        if draft.hlc is None:
            last = next_stamp(last, now_ms)
            yield last
        else:
            yield draft.hlc
