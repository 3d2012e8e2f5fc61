"""Chunks: a contiguous run of one log's events that ends at a seal, the unit of transfer.

    ["kioku.chunk.v1", log_id, first_seq, prev, [event, …], signature]

    event = [kind, hlc, key, salt, body]            the body is here
          | [kind, hlc, key, commitment | null]     erased, missing here, or none
          | [header, salt | null, body | null]      a later format's, relayed as it is

A chunk carries only what cannot be derived. ``decode_chunk`` rebuilds every header, so a chunk that
it returns keeps the table of kinds, links within itself, and matches its commitments; the caller
then checks the one signature (which needs the log's public key) and that ``prev`` is held.
Nothing is stored before all of that has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.errors import (
    BadCommitmentError,
    BrokenChainError,
    MalformedMessageError,
    UnsupportedVersionError,
)
from kioku.log.codec import check_canonical, decode, encode
from kioku.log.event import (
    BODY_BYTES_MAX,
    BODY_KINDS,
    GENESIS,
    LATER_KIND,
    RETRACT,
    SALT_BYTES,
    SAVE,
    UINT_LIMIT,
    VERSION,
    ZERO_HASH,
    ZERO_KEY,
    Event,
    EventId,
    check_place,
    commit,
    encode_header,
    find_breach,
    hash_header,
    header_prefix,
)
from kioku.log.payload import decode_genesis, decode_targets
from kioku.log.seal import SIGNATURE_BYTES, log_id_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from dataclasses import dataclass
else:
    from kioku.values import dataclass

TITLE: Final = "kioku.chunk.v1"
EVENTS_MAX: Final = 1_000
CHUNK_BYTES_MAX: Final = 256 * 1024
"""Of a chunk with more than one event; one larger event travels alone."""
MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
EVENT_OVERHEAD_BYTES: Final = 96
"""At most what an event's fields add to its body, with room for the chunk's own fields."""
HEADER_BYTES_MAX: Final = 4_096
"""Of a later format's header: eight fields of ours are 190 bytes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A verified run of events; ``hashes[i]`` is that of ``events[i]``, at ``first_seq + i``."""

    log_id: bytes
    first_seq: int
    prev: bytes
    events: Sequence[Event]
    hashes: Sequence[bytes]
    signature: bytes

    @property
    def last(self) -> EventId:
        """The event that the seal signs."""
        return EventId(self.log_id, self.first_seq + len(self.events) - 1, self.hashes[-1])


def event_bytes(event: Event) -> int:
    """Bound the size of an event in a chunk, in bytes."""
    body = len(event.body) if event.body is not None else 0
    return body + len(event.header or b"") + EVENT_OVERHEAD_BYTES


def lasting_bytes(data: bytes, events: Sequence[Event]) -> int:
    """Give the size that an encoded chunk can come to have: it must fit its limit even then.

    An event with a body shorter than a salt grows when that is erased, for its commitment is sent
    instead. Were that not counted, a log could become one that nobody can send on.
    """
    growing = (
        len(event.body)
        for event in events
        if event.body is not None and event.header is None and event.kind not in BODY_KINDS
    )
    return len(data) + sum(SALT_BYTES - size for size in growing if size < SALT_BYTES)


def encode_chunk(
    log_id: bytes, first_seq: int, prev: bytes, *, events: Sequence[Event], signature: bytes
) -> bytes:
    """Encode a run of events and the seal of its last. Cost: about 2 µs an event."""
    items = [_encode_event(event) for event in events]
    return encode([TITLE, log_id, first_seq, prev, items, signature])


def _encode_event(event: Event) -> list[object]:
    if event.header is not None:
        return [event.header, event.salt, event.body]
    if event.body is not None:
        return [event.kind, event.hlc, event.key, event.salt, event.body]
    return [event.kind, event.hlc, event.key, event.commitment]


def decode_chunk(data: bytes) -> Chunk:
    """Read a chunk and verify all of it but its seal and its first ``prev``.

    Raises:
        PeerError: the kind that says what is wrong; its message names log and seq.

    Cost: about 4 µs an event of 300 bytes.
    """
    if len(data) > MESSAGE_BYTES_MAX:
        raise MalformedMessageError(f"a chunk of {len(data):,} bytes, over {MESSAGE_BYTES_MAX:,}")
    value = decode(data, "chunk")
    match value:
        case [str(title), bytes(log_id), int(first_seq), bytes(prev), list(items), bytes(sig)] if (
            title == TITLE
            and len(log_id) == 16
            and type(first_seq) is int
            and 1 <= first_seq < UINT_LIMIT - EVENTS_MAX
            and len(prev) == len(ZERO_HASH)
            and 1 <= len(items) <= EVENTS_MAX
            and len(sig) == SIGNATURE_BYTES
        ):
            pass
        case _:
            raise MalformedMessageError("not a kioku chunk, or over a limit")
    if len(items) > 1 and len(data) > CHUNK_BYTES_MAX:
        raise MalformedMessageError(f"a chunk of {len(data):,} bytes, over {CHUNK_BYTES_MAX:,}")
    if (first_seq == 1) != (prev == ZERO_HASH):
        raise BrokenChainError(f"log {log_id.hex()} seq {first_seq}: only seq 1 follows nothing")
    reader = _EventReader(log_id, first_seq, prev)
    events = [reader.read(item) for item in items]
    check_canonical(value, data, "chunk")
    is_near = len(data) + SALT_BYTES * len(items) > CHUNK_BYTES_MAX
    if len(items) > 1 and is_near and lasting_bytes(data, events) > CHUNK_BYTES_MAX:
        raise MalformedMessageError("a chunk that would be over its limit once bodies are erased")
    return Chunk(log_id, first_seq, prev, events, reader.hashes, sig)


class _EventReader:
    """Turns a chunk's items into verified events, linking each to the one before."""

    def __init__(self, log_id: bytes, first_seq: int, prev: bytes) -> None:
        self.log_id = log_id
        self.seq = first_seq
        self.prev = prev
        self.prefix = header_prefix(log_id)
        self.hashes: list[bytes] = []

    def read(self, item: Any) -> Event:
        """Check one item and link it.

        Raises:
            PeerError: if it breaks any rule.
        """
        if type(item) is not list:
            raise self.malformed("an event is not an array")
        if len(item) == 5:
            event = self.full(item)
        elif len(item) == 4:
            event = self.bodiless(item)
        elif len(item) == 3:
            event = self.later_version(item)
        else:
            raise self.malformed(f"an event of {len(item)} fields")
        self.check_rules(event)
        digest = hash_header(encode_header(self.prefix, self.seq, self.prev, event))
        self.hashes.append(digest)
        self.prev = digest
        self.seq += 1
        return event

    def full(self, item: list[Any]) -> Event:
        kind, hlc, key, salt, body = item
        if not (
            type(kind) is int
            and type(hlc) is int
            and type(key) is bytes
            and len(key) == 16
            and 0 <= kind < UINT_LIMIT
            and 0 <= hlc < UINT_LIMIT
        ):
            raise self.malformed("not [kind, hlc, key, salt, body]")
        self.check_body(salt, body)
        return Event(hlc, kind, key, commit(salt, body), salt, body)

    def bodiless(self, item: list[Any]) -> Event:
        kind, hlc, key, commitment = item
        if not (
            type(kind) is int
            and type(hlc) is int
            and type(key) is bytes
            and len(key) == 16
            and 0 <= kind < UINT_LIMIT
            and 0 <= hlc < UINT_LIMIT
            and (commitment is None or (type(commitment) is bytes and len(commitment) == 32))
        ):
            raise self.malformed("not [kind, hlc, key, commitment]")
        return Event(hlc, kind, key, commitment, None, None)

    def later_version(self, item: list[Any]) -> Event:
        header, salt, body = item
        if type(header) is not bytes or len(header) > HEADER_BYTES_MAX:
            raise self.malformed("not [header, salt, body]")
        if self.seq == 1:
            raise UnsupportedVersionError(f"{self.place()}: a log of a later format; upgrade kioku")
        event = decode_later_header(header, EventId(self.log_id, self.seq, self.prev))
        if body is None and salt is None:
            return event
        self.check_body(salt, body)
        if commit(salt, body) != event.commitment:
            raise BadCommitmentError(f"{self.place()}: the body is not the one it commits to")
        return event._replace(salt=salt, body=body)

    def check_body(self, salt: object, body: object) -> None:
        if not (type(salt) is bytes and len(salt) == SALT_BYTES and type(body) is bytes):
            raise self.malformed("salt or body of the wrong form")
        if len(body) > BODY_BYTES_MAX:
            raise self.malformed(f"a body of {len(body):,} bytes, over {BODY_BYTES_MAX:,}")

    def check_rules(self, event: Event) -> None:
        # Nearly every event is a save, and this is all that the table asks of one.
        if event.kind == SAVE and event.commitment and event.key != ZERO_KEY and self.seq > 1:
            return
        if event.header is None:
            breach = find_breach(event.kind, event.key, has_commitment=event.commitment is not None)
            if breach is not None:
                raise self.malformed(breach)
        check_place(event.kind, self.seq)
        if event.kind in (GENESIS, RETRACT):
            self.check_payload(event)

    def check_payload(self, event: Event) -> None:
        if event.body is None:
            raise self.malformed("a genesis or retract without its body, which is never erased")
        if event.kind == RETRACT:
            decode_targets(event.body)
        elif log_id_of(decode_genesis(event.body).public_key) != self.log_id:
            raise self.malformed("the genesis holds another log's key")

    def place(self) -> str:
        return f"log {self.log_id.hex()} seq {self.seq}"

    def malformed(self, reason: str) -> MalformedMessageError:
        return MalformedMessageError(f"{self.place()}: {reason}")


def decode_later_header(header: bytes, expected: EventId) -> Event:
    """Read the fields of a later format's header, which begin as ours do.

    ``expected`` is the place that it must say it stands at, with ``prev`` as its hash.

    Raises:
        UnsupportedVersionError: if it does not begin so, and its log stops here.
        BrokenChainError: if it names another place.
    """
    where = f"log {expected.log_id.hex()} seq {expected.seq}"
    try:
        fields = decode(header, where)
    except MalformedMessageError as error:
        raise UnsupportedVersionError(f"{where}: a format this kioku cannot read") from error
    match fields:
        case [version, log_id, seq, prev, hlc, kind, key, commitment, *_] if (
            all(type(number) is int and 0 <= number < UINT_LIMIT for number in (hlc, kind))
            and type(version) is int
            and version > VERSION
            and type(key) is bytes
            and len(key) == 16
            and (commitment is None or (type(commitment) is bytes and len(commitment) == 32))
        ):
            if (log_id, seq, prev) != expected:
                raise BrokenChainError(f"{where}: its header names another place")
            return Event(hlc, LATER_KIND, key, commitment, None, None, header)
        case _:
            raise UnsupportedVersionError(
                f"{where}: written in a format that this kioku cannot chain; upgrade kioku"
            )
