"""Seals: a log's Ed25519 signature over (log, seq, hash).

A hash fixes all that is before it, so one signature vouches for a whole run of events; that is why
appending costs none, and why a chunk ends at a seal. Signing is deterministic: two processes that
seal the same event write the same bytes. A log's id is the hash of its public key, so nobody else
can sign for it (DESIGN §4).

``cryptography`` takes 15 ms to import and a plain save needs none of it: it is imported where used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from kioku.errors import BadSealError
from kioku.log.codec import encode
from kioku.log.digest import blake2b

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from kioku.log.event import EventId

SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_TITLE: Final = "kioku.seal.v1"


def log_id_of(public_key: bytes) -> bytes:
    """Give the id of the log that a public key writes: self-certifying, 16 bytes."""
    return blake2b(public_key, digest_size=16, person=b"kioku.log.v1").digest()


def public_key_of(seed: bytes) -> bytes:
    """Give the public key (32 bytes) of a private one (its 32-byte seed)."""
    return _private(seed).public_key().public_bytes_raw()


def sign(seed: bytes, event: EventId) -> bytes:
    """Sign that ``event`` stands in its log. 64 bytes, the same every time. Cost: 0.05 ms."""
    return _private(seed).sign(_message(event))


def verify(public_key: bytes, event: EventId, signature: bytes) -> None:
    """Check the seal of an event. Cost: 0.1 ms.

    Raises:
        BadSealError: if the log's owner did not make it.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        _public(public_key).verify(signature, _message(event))
    except (InvalidSignature, ValueError) as error:
        raise BadSealError(
            f"log {event.log_id.hex()} seq {event.seq}: the seal is not its owner's"
        ) from error


def _message(event: EventId) -> bytes:
    return encode([_TITLE, event.log_id, event.seq, event.hash])


@lru_cache(maxsize=8)
def _private(seed: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=256)
def _public(public_key: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public_key)
