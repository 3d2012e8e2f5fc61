"""The log that this store writes: begun, extended, sealed and closed.

A log is ours only while its key file is here, fits this store and this machine, and the last event
that it sealed is still in the store. Otherwise we are a copy, or were rolled back, and somebody may
hold other events at our next seqs: the log is closed, and the next append begins another whose
genesis names it. A closed log is never sealed either, for another may have signed other hashes at
those seqs: its unsealed tail is appended again to the new log, so nothing is lost. Merely opening
a store writes nothing.

Every method runs inside the appending transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from kioku.errors import (
    InvalidArgumentError,
    StoreAccessError,
)
from kioku.log.chunk import EVENT_OVERHEAD_BYTES, EVENTS_MAX
from kioku.log.draft import Draft, check_draft, stamps_of
from kioku.log.event import (
    BODY_KINDS,
    GENESIS,
    PURGE,
    RETRACT,
    SALT_BYTES,
    SAVE,
    ZERO_HASH,
    ZERO_KEY,
    Event,
    EventId,
    commit,
    encode_header,
    has_its_body,
    hash_header,
    header_prefix,
    is_as_written,
)
from kioku.log.hlc import STAMP_LIMIT, horizon
from kioku.log.keyfile import KeyRing, LogKey
from kioku.log.payload import (
    NAME_BYTES_MAX,
    PARENTS_MAX,
    TARGETS_MAX,
    Genesis,
    encode_genesis,
    encode_targets,
    is_name,
)
from kioku.log.private import is_private, refuse_private
from kioku.log.schema import read_meta, write_meta
from kioku.log.store import Branch, BranchTip, Entry, LogRow, LogStore
from kioku.log.transfer import PAYLOAD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class RandomBytes(Protocol):
    """What draws salts and keys: ``random.SystemRandom()``, or a seeded one in a simulation."""

    def randbytes(self, n: int, /) -> bytes:
        """Give ``n`` random bytes."""


class Own(NamedTuple):
    """One of the logs that this store wrote."""

    log: LogRow
    branch: Branch
    closed_seq: int | None


_OWN: Final = """SELECT l.log, l.log_id, l.public_key, l.name, b.branch, b.log, b.parent,
    b.first_seq, b.sealed_seq, b.sealed_hash, o.closed_seq
    FROM own o JOIN log l ON l.log = o.log JOIN branch b ON b.branch = o.branch WHERE """


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
        """Bind a store to its keys; ``name`` goes into the genesis of every log begun here.

        Raises:
            InvalidArgumentError: if the name is over its limit or not printable.
        """
        if not is_name(name):
            raise InvalidArgumentError(f"name: must be printable, at most {NAME_BYTES_MAX} bytes")
        self._store = store
        self._keys = keys
        self.rng = rng
        self.name = name
        self.machine_id = machine_id
        self.opened_inode = keys.inode()
        self._begun: bytes | None = None

    def has_written(self) -> bool:
        """Whether a key lies beside this store, as of one that has a log."""
        return self._keys.has_any()

    def current(self) -> Own | None:
        """Give the open log; None if the next append begins one."""
        return next(iter(self._own("closed_seq IS NULL")), None)

    def _own(self, where: str) -> list[Own]:
        rows: Any = self._store.connection.execute(_OWN + where)
        return [Own(LogRow(*row[:4]), Branch(*row[4:10]), row[10]) for row in rows]

    def key_of(self, own: Own) -> LogKey | None:
        """Give the open log's key if the log is still ours to extend, else None."""
        key = self._keys.load(own.log.log_id)
        if key is None or not key.belongs_to(self.machine_id, self.opened_inode):
            return None
        return key if self._has_sealed(own.branch, key) else None

    def find_loss(self, own: Own) -> str:
        """Say why the open log is not ours to extend; empty if it is.

        Raises:
            StoreError: if the key's file cannot be read, or holds something else.
        """
        key = self._keys.load(own.log.log_id)
        if key is None:
            return "its key is not here: this store is a copy, or its key was lost"
        if not key.belongs_to(self.machine_id, self.opened_inode):
            return "its key was made for another file or machine: this store is a copy"
        if not self._has_sealed(own.branch, key):
            return "its key has signed more than is here: this store is an older copy of itself"
        return ""

    def _has_sealed(self, branch: Branch, key: LogKey) -> bool:
        """Whether the last event that the key sealed is here: if not, we were rolled back."""
        if not key.sealed_seq:
            return True
        if key.sealed_seq == branch.sealed_seq:
            return key.sealed_hash == branch.sealed_hash
        return self._store.hash_at(branch.branch, key.sealed_seq) == key.sealed_hash

    # -- appending

    def append(
        self, drafts: Sequence[Draft], *, now_ms: int, is_retracted: Callable[[EventId], bool]
    ) -> list[Entry]:
        """Append drafts to our log, beginning one if need be; gives all that was appended.

        That may be more than the drafts: a genesis, and the tail of a log that was closed.

        Args:
            drafts: what to append, in order.
            now_ms: the wall; every new event is stamped with it, or past the greatest stamp.
            is_retracted: whether an event of a closed tail counts for nothing any more.

        Raises:
            StoreAccessError: if the file was moved or replaced since it was opened.
            UsageError: if a draft breaks the table of kinds or a limit; nothing is written.
        """
        for draft in drafts:
            check_draft(draft)
        own = self.current()
        entries: list[Entry] = []
        if own is None or self.key_of(own) is None:
            own, entries = self._take_over(own, now_ms, is_retracted)
            last = max(entry.hlc for entry in entries if entry.kind in BODY_KINDS)
            tip = BranchTip(entries[-1].seq, entries[-1].hash, last)
        else:
            tip = self._store.tip(own.branch)
            last = self._last(tip)
        stamps = list(stamps_of(drafts, last, now_ms, trusts=horizon(now_ms)))
        entries += self._extend(own, tip, self._events(drafts, stamps))
        if any(draft.hlc is not None for draft in drafts) or len(entries) > len(drafts) + 1:
            self._remember(last, zip(drafts, stamps, strict=True), horizon(now_ms))
            write_meta(self._store.connection, "hlc_foreign", entries[-1].hash)
        return entries

    def clock_last(self) -> int:
        """Give the greatest stamp of our clock: the next one is past it."""
        own = self.current()
        return self._last(self._store.tip(own.branch) if own else BranchTip(0, ZERO_HASH, 0))

    def _last(self, tip: BranchTip) -> int:
        """Give the greatest stamp of our clock: our tip's, unless that was brought from elsewhere.

        An import stamped years ahead must not take the clock along: whoever reads us would hold
        all that we write from then on.
        """
        last = int(read_meta(self._store.connection, "hlc_last", 0))
        if tip.hlc > last and read_meta(self._store.connection, "hlc_foreign") != tip.hash:
            return tip.hlc
        return last

    def _remember(self, last: int, stamped: Iterable[tuple[Draft, int]], limit: int) -> None:
        """Keep our clock where the tip does not show it; it follows imports up to ``limit``."""
        ours = (stamp for draft, stamp in stamped if draft.hlc is None or stamp <= limit)
        write_meta(self._store.connection, "hlc_last", max(last, *ours, 0))

    def set_clock(self, last: int) -> None:
        """Let our clock go on from ``last``, also if our tip is stamped later."""
        own = self.current()
        if own is not None:
            write_meta(self._store.connection, "hlc_foreign", self._store.tip(own.branch).hash)
        write_meta(self._store.connection, "hlc_last", last)

    def check_file(self) -> None:
        """Refuse to write to a file that is not where it was opened: nobody would read it.

        Raises:
            StoreAccessError: if it was moved, deleted or replaced since.
        """
        if self._keys.inode() != self.opened_inode:
            raise StoreAccessError(
                "the store's file was moved, deleted or replaced while it was open; open it again"
            )

    def _events(self, drafts: Sequence[Draft], stamps: Iterable[int]) -> list[Event]:
        """Make events of drafts; all their salts are drawn at once, for each draw is a call."""
        salts = self.rng.randbytes(SALT_BYTES * len(drafts))
        events = []
        for draft, stamp, at in zip(drafts, stamps, range(0, len(salts), SALT_BYTES), strict=True):
            kind, key, body, _, _ = draft
            if body is None:
                events.append(Event(stamp, kind, key, None, None, None))
            else:
                salt = salts[at : at + SALT_BYTES]
                events.append(Event(stamp, kind, key, commit(salt, body), salt, body))
        return events

    def _extend(self, own: Own, tip: BranchTip, events: Sequence[Event]) -> list[Entry]:
        if not events:
            return []
        log_id, branch = own.log.log_id, own.branch
        prefix, prev, first_seq = header_prefix(log_id), tip.hash, tip.seq + 1
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

    def adopt_tails(self, is_retracted: Callable[[EventId], bool]) -> list[Entry]:
        """Begin a log if another has an unsealed tail that is not ours to seal; gives its events.

        It needs no wall: a log's first events may be stamped just past the greatest stamp.
        """
        own = self.current()
        if (own is not None and self.key_of(own) is not None) or not self.count_unsealed():
            return []
        return self._take_over(own, 0, is_retracted)[1]

    def _take_over(
        self, own: Own | None, now_ms: int, is_retracted: Callable[[EventId], bool]
    ) -> tuple[Own, list[Entry]]:
        """Close a log that is not ours any more, and begin another."""
        last = self.clock_last()
        if own is not None:
            self.close(own)
        return self._begin(last, now_ms, is_retracted)

    def _begin(
        self, last: int, now_ms: int, is_retracted: Callable[[EventId], bool]
    ) -> tuple[Own, list[Entry]]:
        """Begin a log: its key is on disk before its genesis is committed."""
        from kioku.log.seal import log_id_of, public_key_of

        closed = self._own("closed_seq IS NOT NULL AND successor IS NULL")
        tails = [draft for own in closed for draft in self._unsent(own, is_retracted)]
        parents = [tip for own in closed for tip in self._store.stated_tips(own.log.log)]
        seed = self.rng.randbytes(32)
        genesis = Genesis(public_key_of(seed), self.name, tuple(parents[:PARENTS_MAX]))
        log_id = log_id_of(genesis.public_key)
        self._begun = log_id
        self._keys.store(LogKey(log_id, seed, self.machine_id, self._keys.inode()))
        log = self._store.add_log(log_id, genesis)
        number = self._store.add_branch(log.log, None, 1)
        connection = self._store.connection
        connection.execute(
            "UPDATE own SET successor = ? WHERE closed_seq IS NOT NULL AND successor IS NULL",
            (log.log,),
        )
        connection.execute("INSERT INTO own(log, branch) VALUES(?, ?)", (log.log, number))
        own = Own(log, self._store.branch(number), None)
        drafts = [Draft(GENESIS, ZERO_KEY, encode_genesis(genesis)), *tails]
        stamps = stamps_of(drafts, last, now_ms, trusts=STAMP_LIMIT)
        events = self._events(drafts, stamps)
        return own, self._extend(own, BranchTip(0, ZERO_HASH, 0), events)

    def ended(self, *, committed: bool) -> None:
        """Learn how the transaction ended: a log that was begun in vain leaves no key behind."""
        if self._begun is not None and not committed:
            self._keys.discard(self._begun)
        self._begun = None

    def _unsent(self, own: Own, is_retracted: Callable[[EventId], bool]) -> list[Draft]:
        """Give what says a closed log's tail again for others; of a private space none waits."""
        return [] if is_private(self._store.connection) else self._tail(own, is_retracted)

    def _tail(self, own: Own, is_retracted: Callable[[EventId], bool]) -> list[Draft]:
        """Give what says again what is in a closed log's unsealed tail.

        The first copies are retracted, for another store may have sealed them or do so yet, and
        then everybody has both. Saves whose body was erased are left behind, and so is what a
        retract has undone. What is damaged is left too: said again, it would pass for whole.
        """
        prefix = header_prefix(own.log.log_id)
        prev = own.branch.sealed_hash or ZERO_HASH
        tail: list[Draft] = []
        again: list[EventId] = []
        for _, seq, event, digest in self._store.rows(
            own.branch.branch, own.branch.sealed_seq + 1, own.closed_seq or 0
        ):
            place = EventId(own.log.log_id, seq, digest)
            is_whole = is_as_written(prefix, seq, prev, event, digest) and has_its_body(event)
            prev = digest
            gone = event.kind == SAVE and event.body is None
            if is_whole and event.kind != GENESIS and not gone and not is_retracted(place):
                tail.append(Draft(event.kind, event.key, event.body, event.hlc))
                if event.key != ZERO_KEY and event.kind != PURGE:
                    again.append(place)
        bodies = (
            encode_targets(again[at : at + TARGETS_MAX]) for at in range(0, len(again), TARGETS_MAX)
        )
        return [*tail, *(Draft(RETRACT, ZERO_KEY, body) for body in bodies)]

    def close(self, own: Own) -> None:
        """Close a log for ever: never extended again; its tail is dealt with by the next one.

        Whoever does that may be an old copy, to which no peer has confirmed anything yet.
        """
        from kioku.log.peers import forget_receipts

        forget_receipts(self._store.connection)
        connection, tip = self._store.connection, self._store.tip(own.branch)
        connection.execute("UPDATE own SET closed_seq = ? WHERE log = ?", (tip.seq, own.log.log))
        write_meta(connection, "hlc_last", self._last(tip))

    # -- sealing

    def seal_tail(self) -> int:
        """Seal what our log has since its last seal; gives how many events that was."""
        own = self.current()
        key = self.key_of(own) if own is not None else None
        return self._seal(own, key) if own is not None and key is not None else 0

    def _seal(self, own: Own, key: LogKey) -> int:
        """Sign the tail, every chunk's limit; gives its length."""
        from kioku.log.seal import sign

        refuse_private(self._store.connection)
        last: EventId | None = None
        with self._store.stating(own.log.log):
            for place in list(self._seal_places(own)):
                signature = sign(key.seed, place)
                self._store.add_seal(own.branch.branch, place.seq, place.hash, signature)
                last = place
        if last is None:
            return 0
        # Before the commit, so that no crash can leave a published seal that the key forgot.
        self._keys.store(key.sealed(last.seq, last.hash))
        return last.seq - own.branch.sealed_seq

    def count_unsealed(self) -> int:
        """Count the events of our logs that nobody else can have, because they are not sealed."""
        sql = """SELECT ifnull(sum((SELECT max(seq) FROM event e WHERE e.branch = b.branch)
            - b.sealed_seq), 0)
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
