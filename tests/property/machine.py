"""One store under test with the pure law beside it: what it was told, acknowledged and survived."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.crdt import lww_set
from kioku.log.chunk import decode_chunk
from kioku.log.event import GENESIS, RETRACT, Event, EventId
from kioku.log.hlc import horizon, next_stamp
from kioku.log.payload import decode_targets
from tests.property.stores import law_of, open_store, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kioku.log.store import Entry
    from kioku.replica import Draft, Replica


class Crash(Exception):  # noqa: N818  (it is what happens, not what went wrong)
    """The process ends here."""


@dataclass
class Model:
    """What a store must know: the law's state, which events came at all, and where its clock is."""

    state: lww_set.State = field(default_factory=lww_set.State)
    events: dict[EventId, lww_set.Event] = field(default_factory=dict)
    last: int = 0

    def add(self, one: EventId, event: Event, *, is_held: bool) -> None:
        """Fold an event, or a body that came late for it."""
        targets = frozenset[EventId]()
        if event.kind == RETRACT and event.body is not None:
            targets = frozenset(decode_targets(event.body))
        law = lww_set.Event(event.hlc, *one, event.kind, event.key, targets)
        if one in self.events:
            is_held = law in self.state.held
        self.events[one] = law
        added = lww_set.fold(law, has_body=event.body is not None, is_held=is_held)
        self.state = self.state.merge(added)

    def release(self, now_ms: int) -> None:
        """Fold what was held and is due; the clock follows it."""
        waiting = [event for event in self.state.held if self.state.is_waiting(event)]
        self.state = self.state.released(now_ms)
        self.follow(e.hlc for e in waiting if not self.state.is_waiting(e))

    def follow(self, stamps: Iterable[int]) -> None:
        self.last = max(self.last, *stamps, 0)

    def copy(self) -> Model:
        return replace(self, events=dict(self.events))


class Image(NamedTuple):
    """The bytes of a store's files at one moment, and what the model knew then."""

    files: dict[str, bytes]
    model: Model
    acknowledged: list[EventId]


class Store:
    """A store in a file, its model, and its own clock."""

    def __init__(self, path: str, number: int, model: Model | None = None) -> None:
        self.path = path
        self.number = number
        self.opened = 0
        self.offset_ms = 0
        self.model = model or Model()
        self.acknowledged: list[EventId] = []
        self.replica = self.open()

    def open(self) -> Replica:
        self.opened += 1
        return open_store(self.path, seed=self.number * 1_000 + self.opened)

    def reopen(self) -> None:
        self.replica.close()
        self.replica = self.open()

    # -- what the model is told

    def append(self, drafts: Sequence[Draft], now_ms: int) -> list[Entry]:
        """Append, and hold the new stamps to the clock's laws (invariants 15 and 16)."""
        self.learn_own(now_ms)
        model = self.model
        model.release(now_ms)
        with self.replica.transaction(now_ms=now_ms) as transaction:
            entries = transaction.append(drafts)
        imported = [e.hlc for e, d in zip(entries, drafts, strict=True) if d.hlc is not None]
        stamps = [e.hlc for e, draft in zip(entries, drafts, strict=True) if draft.hlc is None]
        rising = [model.last, *stamps]
        assert rising == sorted(set(rising)), "a stamp is not past all that it could depend on"
        if stamps:
            # One more for a genesis, which has a stamp of its own.
            assert stamps[0] <= next_stamp(model.last, now_ms) + 1, "a stamp runs ahead"
        self.learn_own(now_ms)
        model.follow(stamps)
        model.follow(hlc for hlc in imported if hlc <= horizon(now_ms))
        self.acknowledged += [entry.id for entry in entries]
        return entries

    def learn_own(self, now_ms: int) -> None:
        """Fold what the store wrote by itself: the drafts, a genesis, the tail of a closed log."""
        with self.replica.reading(now_ms=now_ms) as reading:
            rows = reading.connection.execute(
                "SELECT l.log_id, e.seq, e.hash, e.hlc, e.kind, e.key, e.commitment, e.salt, e.body"
                " FROM event e JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log"
            ).fetchall()
        row: Any
        for row in rows:
            one = EventId(*row[:3])
            if one not in self.model.events:
                # A draft's body may be erased at once: then it has been here all the same.
                event = Event(*row[3:])
                self.model.add(one, event, is_held=False)
                if event.kind in (GENESIS, RETRACT):  # its own; all else may be said again
                    self.model.follow([event.hlc])

    def ingest(self, data: bytes, now_ms: int) -> None:
        self.learn_own(now_ms)
        self.replica.ingest_chunk(data, now_ms=now_ms)
        self.model.release(now_ms)
        chunk = decode_chunk(data)
        known = set(self.model.events)
        for index, (digest, event) in enumerate(zip(chunk.hashes, chunk.events, strict=True)):
            one = EventId(chunk.log_id, chunk.first_seq + index, digest)
            is_held = lww_set.is_held(event.hlc, event.kind, now_ms)
            self.model.add(one, event, is_held=is_held)
            if one not in known and event.hlc <= horizon(now_ms):
                self.model.follow([event.hlc])

    # -- what must hold

    def check(self, now_ms: int) -> None:
        """Everything acknowledged is here, and everything told is the law's."""
        self.replica.frontier()  # which may have to say an old tail again
        self.learn_own(now_ms)
        seen = snapshot(self.replica, now_ms=now_ms)
        self.model.release(now_ms)
        state = self.model.state
        assert seen.keys == law_of(state)
        assert seen.retracted == state.retracted
        assert set(self.acknowledged) <= set(self.model.events)
        alive = {one for one, event in self.model.events.items() if state.has_body(event)}
        assert seen.with_body == alive
        assert seen.followed == {
            (key, *known.shown) for key, known in seen.keys.items() if known.shown
        }

    # -- what happens to files

    def names(self) -> list[str]:
        """The database, its WAL and its keys; shared memory is not part of a file's state."""
        folder, base = os.path.split(os.path.splitext(self.path)[0])
        mine = (name for name in os.listdir(folder) if name.startswith(base + "."))
        return [os.path.join(folder, name) for name in mine if not name.endswith("-shm")]

    def image(self) -> Image:
        files = {name: _read(name) for name in self.names()}
        return Image(files, self.model.copy(), list(self.acknowledged))

    def put_back(self, image: Image, *, with_keys: bool) -> None:
        """Write old bytes into the same files (the inode stays), as a restored disk would."""
        self.replica.close()
        self._remove(name for name in self.names() if name not in image.files and with_keys)
        self._remove(name for name in self.names() if name.endswith(("-wal", "-shm")))
        for name, data in image.files.items():
            if with_keys or not name.endswith(".key"):
                with open(name, "r+b" if os.path.exists(name) else "wb") as file:
                    file.write(data)
                    file.truncate()
        self.model, self.acknowledged = image.model.copy(), list(image.acknowledged)
        self.replica = self.open()

    def crash(self, drafts: Sequence[Draft], now_ms: int) -> None:
        """Die in the middle of a transaction, as a killed process does: nothing tidies up."""
        with contextlib.suppress(Crash), self.replica.transaction(now_ms=now_ms) as transaction:
            transaction.append(drafts)
            image = self.image()
            raise Crash
        self.put_back(image, with_keys=True)

    def copy_to(self, path: str, number: int, *, with_keys: bool) -> Store:
        """Copy the store's files elsewhere: another inode, the same bytes."""
        old, new = os.path.splitext(self.path)[0], os.path.splitext(path)[0]
        for name, data in self.image().files.items():
            if with_keys or not name.endswith(".key"):
                with open(new + name.removeprefix(old), "wb") as file:
                    file.write(data)
        clone = Store(path, number, self.model.copy())
        clone.acknowledged = list(self.acknowledged)
        return clone

    def _remove(self, names: Iterable[str]) -> None:
        for name in list(names):
            os.unlink(name)


def _read(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()
