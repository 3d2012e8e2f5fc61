"""Events: the immutable entries of a log, and the one encoding of their headers.

A header is a deterministic CBOR array of eight (DESIGN §4):

    [version, log_id, seq, prev, hlc, kind, key, commitment | null]

``hash = BLAKE2b-256(header)`` and each header holds the hash before it, so one hash fixes a whole
log. The body is not in the header: its salted hash is, which is why a body can be erased and the
chain still verifies, and why nobody can test a guess of what was erased.

The encoder is written by hand: a chunk's headers are rebuilt by every receiver, and this is three
times as fast as a general encoder (docs/adr/0010).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kioku.errors import MalformedMessageError
from kioku.log.digest import blake2b

VERSION: Final = 1
SAVE: Final = 1
TOMBSTONE: Final = 2
PURGE: Final = 3
GENESIS: Final = 4
RETRACT: Final = 5
LATER_KIND: Final = 0
"""Stands for whatever kind a later format's header names: stored and relayed, never folded."""
KINDS: Final = {
    SAVE: "save",
    TOMBSTONE: "tombstone",
    PURGE: "purge",
    GENESIS: "genesis",
    RETRACT: "retract",
}

BODY_KINDS: Final = (GENESIS, RETRACT)
"""The kinds whose bodies the log itself reads: they never travel without."""

ZERO_KEY: Final = bytes(16)
ZERO_HASH: Final = bytes(32)
SALT_BYTES: Final = 16
KEY_RANDOM_BYTES: Final = 10
_TIME_MASK: Final = (1 << 48) - 1
BODY_BYTES_MAX: Final = 1_572_864
"""1.5 MiB: the largest content (768 KiB) with every other field at its limit, and room."""

UINT_LIMIT: Final = 1 << 63
_EVENT_PERSON: Final = b"kioku.event.v1"
_BODY_PERSON: Final = b"kioku.body.v1"
_begun_hash: Final = blake2b(digest_size=32, person=_EVENT_PERSON).copy

# The table of kinds: (key is zero, body is required, body is allowed). A kind that is not here is
# stored and relayed with whatever it carries, and never folded.
_RULES: Final = {
    SAVE: (False, True, True),
    TOMBSTONE: (False, False, True),
    PURGE: (False, False, False),
    GENESIS: (True, True, True),
    RETRACT: (True, True, True),
}


class EventId(NamedTuple):
    """Names one event for ever: its log (16 bytes), its seq (from 1) and its hash (32 bytes)."""

    log_id: bytes
    seq: int
    hash: bytes


class Event(NamedTuple):
    """One event as it travels and as it is stored, whatever its format's version.

    ``header`` is kept only for a version that is not ours: ours is rebuilt from the fields.
    ``salt`` and ``body`` are both there or both None (erased, missing, or never were).
    """

    hlc: int
    kind: int
    key: bytes
    commitment: bytes | None
    salt: bytes | None
    body: bytes | None
    header: bytes | None = None

    @property
    def is_foreign_version(self) -> bool:
        """Whether a newer kioku wrote it, so that it is relayed and not folded."""
        return self.header is not None


def make_key(drawn: bytes, unix_ms: int) -> bytes:
    """Make the key of something new: ten random bytes, then the milliseconds since 1970.

    The time makes keys of one hour neighbours in ``slot_of``'s order; the random bytes come first
    because people name a key by its first digits.
    """
    return drawn[:KEY_RANDOM_BYTES] + (unix_ms & _TIME_MASK).to_bytes(6, "big")


def slot_of(key: bytes) -> bytes:
    """Give the form of a key that indexes are ordered by: the time first.

    A batch of new keys then lands on neighbouring pages instead of one page each, which makes
    ingest a third faster and keeps a save flat as the store grows (docs/adr/0013).
    """
    return key[KEY_RANDOM_BYTES:] + key[:KEY_RANDOM_BYTES]


def key_at(slot: bytes) -> bytes:
    """Give the key that ``slot_of`` made a slot of."""
    return slot[-KEY_RANDOM_BYTES:] + slot[:-KEY_RANDOM_BYTES]


def uint(value: int) -> bytes:
    """Encode an unsigned integer in its one shortest CBOR form."""
    if value < 24:
        return bytes((value,))
    if value < 0x100:
        return bytes((0x18, value))
    if value < 0x1_0000:
        return b"\x19" + value.to_bytes(2, "big")
    if value < 0x1_0000_0000:
        return b"\x1a" + value.to_bytes(4, "big")
    return b"\x1b" + value.to_bytes(8, "big")


def header_prefix(log_id: bytes) -> bytes:
    """Give the bytes that all headers of one log begin with."""
    return b"\x88\x01\x50" + log_id


def encode_header(prefix: bytes, seq: int, prev: bytes, event: Event) -> bytes:
    """Encode the header of an event at a place in the log that ``prefix`` belongs to.

    Cost: 0.5 µs. Every field has been checked: this is the only encoder there is.
    """
    if event.header is not None:
        return event.header
    commitment = event.commitment
    return b"".join(
        (
            prefix,
            uint(seq),
            b"\x58\x20",
            prev,
            uint(event.hlc),
            uint(event.kind),
            b"\x50",
            event.key,
            b"\xf6" if commitment is None else b"\x58\x20" + commitment,
        )
    )


def hash_header(header: bytes) -> bytes:
    """Hash a header: 32 bytes that name the event and, through ``prev``, all before it."""
    begun = _begun_hash()  # reading its settings again takes longer than hashing does
    begun.update(header)
    return begun.digest()


def is_as_written(prefix: bytes, seq: int, prev: bytes, event: Event, digest: bytes) -> bool:
    """Whether an event that was read back, with values of any type, is the one that was hashed."""
    try:
        return hash_header(encode_header(prefix, seq, prev, event)) == digest
    except (TypeError, ValueError, OverflowError, AttributeError):
        return False


def commit(salt: bytes, body: bytes) -> bytes:
    """Commit to a body: 32 bytes that bind it and, without the salt, tell nothing about it."""
    return blake2b(body, digest_size=32, key=salt, person=_BODY_PERSON).digest()


def has_its_body(event: Event) -> bool:
    """Whether a body that was read back is the one that its event commits to, if it has any."""
    if event.body is None:
        return True
    try:
        return event.salt is not None and commit(event.salt, event.body) == event.commitment
    except (TypeError, ValueError):
        return False


def find_breach(kind: int, key: bytes, *, has_commitment: bool) -> str | None:
    """Say how an event breaks the table of kinds, or None if it keeps it."""
    rule = _RULES.get(kind)
    if rule is None:
        return None
    zero_key, needs_body, may_have_body = rule
    if (key == ZERO_KEY) != zero_key:
        return f"a {KINDS[kind]} {'must have the zero key' if zero_key else 'needs a key'}"
    if needs_body and not has_commitment:
        return f"a {KINDS[kind]} needs a body"
    if has_commitment and not may_have_body:
        return f"a {KINDS[kind]} has no body"
    return None


def check_place(kind: int, seq: int) -> None:
    """Refuse a genesis that is not first, or a first event that is no genesis.

    Raises:
        MalformedMessageError: if kind and seq do not go together.
    """
    if (kind == GENESIS) != (seq == 1):
        raise MalformedMessageError(f"seq {seq}: a genesis is seq 1 and only there")
