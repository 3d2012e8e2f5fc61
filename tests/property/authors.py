"""Authors: whole logs made by hand, so that a test can write what no honest replica would.

An ``Author`` holds a log's key and grows a tree of events: any branch, stamp and kind, also a later
format's. ``chunk`` cuts a sealed run out of it, as any replica that holds the log would send it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import cbor2

from kioku.crdt import lww_set
from kioku.log.chunk import encode_chunk
from kioku.log.event import (
    GENESIS,
    LATER_KIND,
    RETRACT,
    ZERO_HASH,
    ZERO_KEY,
    Event,
    EventId,
    commit,
    encode_header,
    hash_header,
    header_prefix,
)
from kioku.log.payload import Genesis, decode_targets, encode_genesis
from kioku.log.seal import log_id_of, public_key_of, sign

if TYPE_CHECKING:
    from collections.abc import Collection

LATER_VERSION = 2


class Written(NamedTuple):
    """An event in its place; ``before`` is the event that it follows."""

    id: EventId
    before: EventId | None
    event: Event

    @property
    def law(self) -> lww_set.Event:
        """The event as the law sees it."""
        kind = self.event.kind
        targets = frozenset[EventId]()
        if kind == RETRACT and self.event.body is not None:
            targets = frozenset(decode_targets(self.event.body))
        return lww_set.Event(self.event.hlc, *self.id, kind, self.event.key, targets)


def _salt(*parts: object) -> bytes:
    """One event's own, so that a test may look for it; the same in every run."""
    return blake2b(repr(parts).encode(), digest_size=16).digest()


class Author:
    """One log and its key, born with a genesis at ``hlc``."""

    def __init__(
        self, number: int, *, hlc: int, parents: tuple[EventId, ...] = (), name: str = ""
    ) -> None:
        self.seed = bytes((number,)) * 32
        self.public_key = public_key_of(self.seed)
        self.log_id = log_id_of(self.public_key)
        self.written: dict[EventId, Written] = {}
        body = encode_genesis(Genesis(self.public_key, name or f"author {number}", parents))
        self.genesis = self.append(None, GENESIS, hlc=hlc, key=ZERO_KEY, body=body)

    def append(
        self, before: EventId | None, kind: int, *, hlc: int, key: bytes, body: bytes | None
    ) -> EventId:
        """Write an event behind ``before``: a second one there makes a branch."""
        salt = None
        if body is not None:
            salt = _salt(self.log_id, before, hlc, kind, key, body)
        commitment = None if salt is None or body is None else commit(salt, body)
        return self._place(before, Event(hlc, kind, key, commitment, salt, body))

    def append_later(
        self, before: EventId, kind: int, *, hlc: int, key: bytes, body: bytes
    ) -> EventId:
        """Write an event as a kioku of the future might: more fields, its own version."""
        salt = _salt(self.log_id, before, hlc, kind, key, body, "later")
        commitment = commit(salt, body)
        place = (self.log_id, before.seq + 1, before.hash)
        header = cbor2.dumps([LATER_VERSION, *place, hlc, kind, key, commitment, "new"])
        return self._place(before, Event(hlc, LATER_KIND, key, commitment, salt, body, header))

    def chunk(self, first: EventId, last: EventId, *, bodiless: Collection[EventId] = ()) -> bytes:
        """Cut the run that ends at ``last`` and begins at its ancestor ``first``, and seal it."""
        run = self.path(last)
        run = run[run.index(first) :]
        events = [self.written[one].event for one in run]
        sent = [
            event._replace(salt=None, body=None) if one in bodiless else event
            for one, event in zip(run, events, strict=True)
        ]
        before = self.written[first].before
        prev = before.hash if before else ZERO_HASH
        signature = sign(self.seed, last)
        return encode_chunk(self.log_id, first.seq, prev, events=sent, signature=signature)

    def path(self, last: EventId) -> list[EventId]:
        """The way from genesis to ``last``."""
        way, one = [], self.written[last]
        while one.before is not None:
            way.append(one.id)
            one = self.written[one.before]
        return [one.id, *reversed(way)]

    def tips(self) -> list[EventId]:
        """Events that none follows."""
        followed = {written.before for written in self.written.values()}
        return [one for one in self.written if one not in followed]

    def _place(self, before: EventId | None, event: Event) -> EventId:
        seq, prev = (before.seq + 1, before.hash) if before else (1, ZERO_HASH)
        header = encode_header(header_prefix(self.log_id), seq, prev, event)
        one = EventId(self.log_id, seq, hash_header(header))
        self.written.setdefault(one, Written(one, before, event))
        return one
