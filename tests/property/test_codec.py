"""Nothing that is read is trusted: any bytes either decode to what was written, or are refused.

A chunk is altered in every way a disk, a wire or a hostile peer might: bytes flipped, cut short,
lengthened, events swapped, dropped, doubled, fields exchanged. What decodes all the same must be
the original, byte for byte, or fail its seal.
"""

from __future__ import annotations

import contextlib
from typing import Any

import cbor2
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kioku.errors import BadSealError, MalformedMessageError, PeerError
from kioku.log.chunk import Chunk, decode_chunk, encode_chunk
from kioku.log.codec import split_sequence
from kioku.log.event import BODY_BYTES_MAX, PURGE, SAVE, TOMBSTONE, EventId
from kioku.log.frontier import Frontier
from kioku.log.hlc import pack
from kioku.log.payload import (
    Genesis,
    decode_genesis,
    decode_targets,
    encode_genesis,
    encode_targets,
)
from kioku.log.seal import verify
from tests.property.authors import Author
from tests.property.histories import KEYS, NOW_MS, UNKNOWN_KIND

event_ids = st.builds(
    EventId,
    st.binary(min_size=16, max_size=16),
    st.integers(1, (1 << 63) - 1),
    st.binary(min_size=32, max_size=32),
)
cbor_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.binary() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(), inner, max_size=3),
    max_leaves=12,
)
# Bytes that are often nearly right, so that more than the first check is tried.
any_bytes = st.binary(max_size=200) | cbor_values.map(cbor2.dumps)


def sample() -> Author:
    """One log with every kind of item that a chunk can carry."""
    author = Author(1, hlc=pack(NOW_MS))
    tip = author.append(author.genesis, SAVE, hlc=pack(NOW_MS + 1), key=KEYS[0], body=b"first body")
    tip = author.append(tip, SAVE, hlc=pack(NOW_MS + 2), key=KEYS[1], body=b"second body")
    tip = author.append(tip, TOMBSTONE, hlc=pack(NOW_MS + 3), key=KEYS[0], body=None)
    tip = author.append(tip, PURGE, hlc=pack(NOW_MS + 4), key=KEYS[1], body=None)
    tip = author.append_later(tip, UNKNOWN_KIND, hlc=5, key=KEYS[2], body=b"from the future")
    author.append(tip, UNKNOWN_KIND, hlc=pack(NOW_MS + 5), key=KEYS[2], body=b"unknown")
    return author


AUTHOR = sample()
(TIP,) = AUTHOR.tips()
CHUNK = AUTHOR.chunk(AUTHOR.genesis, TIP)


def accept(data: bytes) -> Chunk:
    """Read a chunk as a store does: everything but the link to what is held."""
    chunk = decode_chunk(data)
    verify(AUTHOR.public_key, chunk.last, chunk.signature)
    return chunk


def encoded(chunk: Chunk) -> bytes:
    return encode_chunk(
        chunk.log_id,
        chunk.first_seq,
        chunk.prev,
        events=chunk.events,
        signature=chunk.signature,
    )


def test_a_chunk_comes_back_as_it_was_written() -> None:
    chunk = accept(CHUNK)
    assert list(chunk.hashes) == [one.hash for one in AUTHOR.path(TIP)]
    assert list(chunk.events) == [AUTHOR.written[one].event for one in AUTHOR.path(TIP)]
    assert encoded(chunk) == CHUNK


@given(st.data())
def test_a_run_keeps_its_hashes_whichever_bodies_are_left_out(data: st.DataObject) -> None:
    path = AUTHOR.path(TIP)
    first = data.draw(st.integers(0, len(path) - 1))
    last = data.draw(st.integers(first, len(path) - 1))
    bodiless = data.draw(st.sets(st.sampled_from(path[1:])))
    chunk = accept(AUTHOR.chunk(path[first], path[last], bodiless=bodiless))
    assert list(chunk.hashes) == [one.hash for one in path[first : last + 1]]
    for one, event in zip(path[first : last + 1], chunk.events, strict=True):
        written = AUTHOR.written[one].event
        assert event.body == (None if one in bodiless else written.body)
        assert event.commitment == written.commitment


@given(any_bytes)
@example(b"")
@example(CHUNK + b"\x00")
def test_any_bytes_are_no_chunk_or_are_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        decode_chunk(data)


@given(st.integers(0, len(CHUNK) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused(offset: int, flip: int) -> None:
    flipped = bytearray(CHUNK)
    flipped[offset] ^= flip
    with pytest.raises(PeerError):
        accept(bytes(flipped))


@given(st.integers(0, len(CHUNK) - 1), st.binary(max_size=8))
def test_a_chunk_that_is_cut_or_spliced_is_refused(offset: int, instead: bytes) -> None:
    spliced = CHUNK[:offset] + instead
    assume(not CHUNK.startswith(spliced) or len(spliced) < len(CHUNK))
    assume(spliced != CHUNK)
    with pytest.raises(PeerError):
        accept(spliced)


@given(st.integers(0, len(CHUNK)), st.binary(min_size=1, max_size=8))
def test_inserted_bytes_are_refused(offset: int, extra: bytes) -> None:
    with pytest.raises(PeerError):
        accept(CHUNK[:offset] + extra + CHUNK[offset:])


def mutate(fields: list[Any], data: st.DataObject) -> None:
    """Alter a decoded chunk in place, in one of the ways that keep it well-formed CBOR."""
    items = fields[4]
    index = data.draw(st.integers(0, len(items) - 1))
    other = data.draw(st.integers(0, len(items) - 1))
    match data.draw(st.integers(0, 6)):
        case 0:
            items[index], items[other] = items[other], items[index]
        case 1:
            del items[index]
        case 2:
            items.insert(other, items[index])
        case 3:
            field = data.draw(st.integers(0, len(items[index]) - 1))
            items[index][field] = data.draw(cbor_values)
        case 4:
            place = data.draw(st.sampled_from((0, 1, 2, 3, 5)))
            fields[place] = data.draw(cbor_values)
        case 5:
            items[index] = data.draw(cbor_values)
        case _:
            items[index][-1], items[other][-1] = items[other][-1], items[index][-1]


@given(st.data())
def test_an_altered_chunk_is_refused_unless_it_only_lacks_a_body(data: st.DataObject) -> None:
    fields = cbor2.loads(CHUNK)
    mutate(fields, data)
    altered = cbor2.dumps(fields)
    try:
        chunk = accept(altered)
    except PeerError:
        return
    # Another last event with its own seal would be a shorter run; nobody but the owner can sign it.
    assert list(chunk.hashes) == list(decode_chunk(CHUNK).hashes)
    assert encoded(chunk) == altered
    for event, written in zip(chunk.events, decode_chunk(CHUNK).events, strict=True):
        assert event in (written, written._replace(salt=None, body=None))


@given(st.data())
def test_a_longer_encoding_of_the_same_values_is_refused(data: st.DataObject) -> None:
    """Every integer or length in the chunk, written in a longer form than it needs."""
    short = cbor2.dumps(cbor2.loads(CHUNK)[4][1])
    start = CHUNK.index(short)
    assert CHUNK[start] == 0x85
    assert CHUNK[start + 1] == SAVE
    width = data.draw(st.sampled_from((0x18, 0x19, 0x1A, 0x1B)))
    longer = bytes((width,)) + SAVE.to_bytes(1 << (width - 0x18), "big")
    with pytest.raises(MalformedMessageError):
        decode_chunk(CHUNK[: start + 1] + longer + CHUNK[start + 2 :])


def test_a_seal_of_another_log_or_place_is_refused() -> None:
    other = Author(2, hlc=pack(NOW_MS))
    with pytest.raises(BadSealError):
        verify(other.public_key, TIP, decode_chunk(CHUNK).signature)
    with pytest.raises(BadSealError):
        verify(AUTHOR.public_key, TIP._replace(seq=TIP.seq + 1), decode_chunk(CHUNK).signature)


def test_a_body_over_the_limit_is_refused() -> None:
    author = Author(3, hlc=1)
    tip = author.append(author.genesis, SAVE, hlc=2, key=KEYS[0], body=bytes(BODY_BYTES_MAX + 1))
    with pytest.raises(MalformedMessageError):
        decode_chunk(author.chunk(tip, tip))


# --- the smaller formats --------------------------------------------------------------------------


@given(st.sets(event_ids, max_size=5))
def test_a_frontier_comes_back_as_it_was_written(tips: set[EventId]) -> None:
    frontier = Frontier(tips)
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier
    assert set(frontier) == tips
    assert frontier.digest() == Frontier(reversed(list(frontier))).digest()


@given(any_bytes)
def test_any_bytes_are_a_frontier_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(PeerError):
        assert Frontier.from_bytes(data).to_bytes() == data


@given(st.sets(event_ids, min_size=1, max_size=5))
def test_targets_come_back_sorted(targets: set[EventId]) -> None:
    assert decode_targets(encode_targets(targets)) == sorted(targets)


@given(any_bytes | st.lists(event_ids.map(list)).map(cbor2.dumps))
def test_any_bytes_are_targets_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(PeerError):
        assert encode_targets(decode_targets(data)) == data


names = st.text(st.characters(codec="utf-8"), max_size=30).filter(str.isprintable)


@given(st.binary(min_size=32, max_size=32), names, st.lists(event_ids, max_size=3))
def test_a_genesis_comes_back_as_it_was_written(
    public_key: bytes, name: str, parents: list[EventId]
) -> None:
    genesis = Genesis(public_key, name, tuple(parents))
    assert decode_genesis(encode_genesis(genesis)) == genesis


@given(any_bytes)
def test_any_bytes_are_a_genesis_or_are_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        decode_genesis(data)


@given(st.lists(cbor_values, min_size=1, max_size=4))
def test_a_sequence_is_split_where_its_items_end(values: list[Any]) -> None:
    items = [cbor2.dumps(value) for value in values]
    data, offset = b"".join(items), 0
    for item in items:
        stop = split_sequence(data, offset)
        assert data[offset:stop] == item
        offset = stop
    assert offset == len(data)


@given(st.binary(max_size=60))
def test_splitting_any_bytes_makes_progress_or_refuses(data: bytes) -> None:
    with contextlib.suppress(PeerError):
        assert 0 < split_sequence(data, 0) <= len(data)
