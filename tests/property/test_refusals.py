"""What a log's own owner might sign, and no store takes: every breach of the table of kinds.

The seals are all true here, so nothing but the rule itself can refuse the chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import (
    BadCommitmentError,
    BrokenChainError,
    MalformedMessageError,
    PeerError,
    UnsupportedVersionError,
)
from kioku.log.chunk import decode_chunk, encode_chunk
from kioku.log.event import (
    GENESIS,
    PURGE,
    RETRACT,
    SAVE,
    TOMBSTONE,
    ZERO_HASH,
    ZERO_KEY,
    EventId,
)
from kioku.log.hlc import pack
from kioku.log.payload import Genesis, encode_genesis, encode_targets
from kioku.log.seal import sign
from tests.property.authors import Author
from tests.property.histories import KEYS, NOW_MS

if TYPE_CHECKING:
    from collections.abc import Callable

STAMP = pack(NOW_MS)
TARGETS = encode_targets([EventId(bytes(16), 1, bytes(32))])


@pytest.fixture
def author() -> Author:
    return Author(1, hlc=STAMP)


@pytest.mark.parametrize(
    ("kind", "key", "body"),
    [
        (SAVE, ZERO_KEY, b"body"),
        (SAVE, KEYS[0], None),
        (TOMBSTONE, ZERO_KEY, None),
        (PURGE, ZERO_KEY, None),
        (PURGE, KEYS[0], b"body"),
        (GENESIS, ZERO_KEY, b"body"),
        (GENESIS, KEYS[0], b"body"),
        (RETRACT, KEYS[0], TARGETS),
        (RETRACT, ZERO_KEY, None),
        (RETRACT, ZERO_KEY, b"not targets"),
        (RETRACT, ZERO_KEY, b"\x80"),
    ],
)
def test_a_breach_of_the_table_of_kinds_is_refused(
    author: Author, kind: int, key: bytes, body: bytes | None
) -> None:
    tip = author.append(author.genesis, kind, hlc=STAMP, key=key, body=body)
    with pytest.raises(MalformedMessageError):
        decode_chunk(author.chunk(tip, tip))


def test_a_second_genesis_is_refused(author: Author) -> None:
    body = encode_genesis(Genesis(author.public_key, "again", ()))
    tip = author.append(author.genesis, GENESIS, hlc=STAMP, key=ZERO_KEY, body=body)
    with pytest.raises(MalformedMessageError, match="seq 2"):
        decode_chunk(author.chunk(tip, tip))


def test_a_log_without_a_genesis_is_refused(author: Author) -> None:
    first = author.append(None, SAVE, hlc=STAMP, key=KEYS[0], body=b"body")
    with pytest.raises(MalformedMessageError, match="seq 1"):
        decode_chunk(author.chunk(first, first))


def test_a_genesis_with_another_logs_key_is_refused(author: Author) -> None:
    other = Author(2, hlc=STAMP)
    body = encode_genesis(Genesis(other.public_key, "me", ()))
    first = author.append(None, GENESIS, hlc=STAMP, key=ZERO_KEY, body=body)
    with pytest.raises(MalformedMessageError, match="another log's key"):
        decode_chunk(author.chunk(first, first))


@pytest.mark.parametrize("kind", [GENESIS, RETRACT])
def test_a_permanent_event_without_its_body_is_refused(author: Author, kind: int) -> None:
    one = author.genesis
    if kind == RETRACT:
        one = author.append(one, RETRACT, hlc=STAMP, key=ZERO_KEY, body=TARGETS)
    with pytest.raises(MalformedMessageError, match="without its body"):
        decode_chunk(author.chunk(one, one, bodiless={one}))


def test_only_the_first_event_follows_nothing(author: Author) -> None:
    tip = author.append(author.genesis, PURGE, hlc=STAMP, key=KEYS[0], body=None)
    event = author.written[tip].event
    for first_seq, prev in ((2, ZERO_HASH), (1, author.genesis.hash)):
        signature = sign(author.seed, tip)
        data = encode_chunk(author.log_id, first_seq, prev, events=[event], signature=signature)
        with pytest.raises(BrokenChainError):
            decode_chunk(data)


# --- a later format -------------------------------------------------------------------------------


def later(author: Author) -> list[object]:
    tip = author.append_later(author.genesis, SAVE, hlc=STAMP, key=KEYS[0], body=b"new")
    header = author.written[tip].event.header
    assert header is not None
    fields: list[object] = cbor2.loads(header)
    return fields


def chunk_of(author: Author, header: bytes, *, body: bytes | None = None) -> bytes:
    salts = [written.event.salt for written in author.written.values()]
    fields = [header, None if body is None else salts[-1], body]
    place = ["kioku.chunk.v1", author.log_id, 2, author.genesis.hash]
    return cbor2.dumps([*place, [fields], bytes(64)])


def test_a_later_format_is_taken_as_it_is(author: Author) -> None:
    header = cbor2.dumps(later(author))
    (event,) = decode_chunk(chunk_of(author, header, body=b"new")).events
    assert event.header == header
    assert event.body == b"new"
    assert event.is_foreign_version


def test_a_later_format_with_another_body_is_refused(author: Author) -> None:
    with pytest.raises(BadCommitmentError):
        decode_chunk(chunk_of(author, cbor2.dumps(later(author)), body=b"other"))


def replaced(place: int, value: object) -> Callable[[list[object]], list[object]]:
    return lambda fields: [*fields[:place], value, *fields[place + 1 :]]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (replaced(0, 1), UnsupportedVersionError),
        (replaced(0, -1), UnsupportedVersionError),
        (replaced(1, bytes(16)), BrokenChainError),
        (replaced(2, 3), BrokenChainError),
        (replaced(3, bytes(32)), BrokenChainError),
        (replaced(4, 1 << 63), UnsupportedVersionError),
        (replaced(6, b"short"), UnsupportedVersionError),
        (replaced(7, b"short"), UnsupportedVersionError),
        (lambda fields: fields[:7], UnsupportedVersionError),
    ],
)
def test_a_later_format_that_cannot_be_chained_stops_its_log(
    author: Author,
    change: Callable[[list[object]], list[object]],
    error: type[PeerError],
) -> None:
    header = cbor2.dumps(change(later(author)))
    with pytest.raises(error):
        decode_chunk(chunk_of(author, header))


@given(st.binary(max_size=60))
def test_any_header_is_a_later_format_or_is_refused(header: bytes) -> None:
    with pytest.raises(PeerError):
        decode_chunk(chunk_of(Author(1, hlc=STAMP), header))
