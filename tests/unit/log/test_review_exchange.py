"""What may come from a peer and must stay exchangeable: forks, late bodies, odd names and keys."""

from __future__ import annotations

import unicodedata

import cbor2
import pytest

from kioku.errors import BrokenChainError, MalformedMessageError
from kioku.log import chunk as chunk_module
from kioku.log import transfer as transfer_module
from kioku.log.chunk import CHUNK_BYTES_MAX, decode_chunk
from kioku.log.codec import has_plain_keys
from kioku.log.event import PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY, EventId
from kioku.log.hlc import pack
from kioku.log.payload import NAME_BYTES_MAX, encode_targets, is_name
from kioku.replica import Draft, Replica
from tests.property.authors import Author
from tests.property.stores import open_store
from tests.unit.log.colliding import colliding_map

NOW_MS = 1_790_000_000_000
HLC = pack(NOW_MS)
KEY = bytes([1]) * 16


def grow(author: Author, run: list[EventId], count: int, text: bytes) -> list[EventId]:
    """Extend a run by ``count`` saves."""
    run = list(run)
    for number in range(len(run) + 1, len(run) + count + 1):
        key = number.to_bytes(16, "big")
        body = text + b"%d" % number
        run.append(author.append(run[-1], SAVE, hlc=HLC + number, key=key, body=body))
    return run


def carry(sender: Replica, receiver: Replica) -> None:
    for chunk in sender.export_chunks(receiver.frontier()):
        receiver.ingest_chunk(chunk, now_ms=NOW_MS)


def clean(replica: Replica) -> bool:
    return {found.status for found in replica.check(deep=True, now_ms=NOW_MS)} == {"pass"}


# --- forks and seals ------------------------------------------------------------------------------


def test_a_fork_off_a_seal_that_the_receiver_lacks_travels_and_can_be_sent_on() -> None:
    """The receiver holds that event inside a longer chunk: it is given the seal first."""
    author = Author(1, hlc=HLC)
    main = grow(author, [author.genesis], 699, b"main ")
    fork = grow(author, main[:500], 800, b"fork ")
    sender, receiver, third = open_store(seed=1), open_store(seed=2), open_store(seed=3)
    sender.ingest_chunk(author.chunk(main[0], main[299]), now_ms=NOW_MS)
    sender.ingest_chunk(author.chunk(main[300], main[-1]), now_ms=NOW_MS)
    sender.ingest_chunk(author.chunk(main[300], fork[-1]), now_ms=NOW_MS)
    receiver.ingest_chunk(author.chunk(main[0], main[-1]), now_ms=NOW_MS)
    carry(sender, receiver)
    carry(receiver, third)
    assert sender.digest() == receiver.digest() == third.digest()
    assert third.statistics().events == 700 + 800
    assert clean(receiver)
    assert clean(third)


def test_new_events_that_do_not_begin_at_a_held_seal_are_refused() -> None:
    """Else two seals could come to lie further apart than any chunk reaches."""
    author = Author(2, hlc=HLC)
    run = [author.genesis]
    for number in range(2, 1_001):
        key = number.to_bytes(16, "big")
        run.append(author.append(run[-1], TOMBSTONE, hlc=HLC + number, key=key, body=None))
    fork = grow(author, run[:999], 400, b"fork ")
    replica = open_store()
    replica.ingest_chunk(author.chunk(run[0], run[-1]), now_ms=NOW_MS)
    digest = replica.digest()
    with pytest.raises(BrokenChainError, match="seq 500"):
        replica.ingest_chunk(author.chunk(run[499], fork[-1]), now_ms=NOW_MS)
    assert replica.digest() == digest
    assert replica.statistics().events == 1_000
    assert list(replica.export_chunks())


def test_bodies_that_come_later_and_no_longer_fit_under_one_seal_are_still_exported() -> None:
    author = Author(3, hlc=HLC)
    run = grow(author, [author.genesis], 300, bytes(2_000))
    replica, other = open_store(seed=1), open_store(seed=2)
    replica.ingest_chunk(author.chunk(run[0], run[-1], bodiless=run[1:]), now_ms=NOW_MS)
    for first in range(1, 301, 100):
        away = set(run[1:]) - set(run[first : first + 100])
        chunk = author.chunk(run[0], run[-1], bodiless=away)
        assert replica.ingest_chunk(chunk, now_ms=NOW_MS).new_bodies == 100
    assert replica.statistics().missing == 0
    (chunk,) = replica.export_chunks()
    assert len(chunk) <= CHUNK_BYTES_MAX
    other.ingest_chunk(chunk, now_ms=NOW_MS)
    assert other.digest() == replica.digest()
    assert 0 < other.statistics().missing < 300, "what did not fit is known to be missing"


def crowded(saves: int, retracts: int) -> tuple[Author, list[EventId]]:
    """A log of saves with bodies of one byte, and of retracts, whose bodies nothing erases."""
    author = Author(4, hlc=HLC)
    run = [author.genesis]
    for number in range(1, saves + 1):
        stamp, key = HLC + number, number.to_bytes(16, "big")
        run.append(author.append(run[-1], SAVE, hlc=stamp, key=key, body=b"x"))
    for number in range(1, retracts + 1):
        targets = encode_targets([EventId(KEY, number, bytes(32))])
        stamp = HLC + 1_000 + number
        run.append(author.append(run[-1], RETRACT, hlc=stamp, key=ZERO_KEY, body=targets))
    return author, run


def test_a_chunk_that_erasure_would_make_too_long_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A commitment is longer than a body of one byte: nobody could send such a log on."""
    author, run = crowded(saves=30, retracts=30)
    data = author.chunk(run[0], run[-1])
    for limit, is_taken in ((len(data) + 30 * 15, True), (len(data) + 30 * 15 - 1, False)):
        for module in (chunk_module, transfer_module):
            monkeypatch.setattr(module, "CHUNK_BYTES_MAX", limit)
        monkeypatch.setattr(transfer_module, "PAYLOAD_BYTES_MAX", limit - 512)
        replica, other = open_store(seed=1), open_store(seed=2)
        if not is_taken:
            with pytest.raises(MalformedMessageError, match="once bodies are erased"):
                replica.ingest_chunk(data, now_ms=NOW_MS)
            continue
        replica.ingest_chunk(data, now_ms=NOW_MS)
        drafts = [Draft(PURGE, number.to_bytes(16, "big")) for number in range(1, 31)]
        replica.append(drafts, now_ms=NOW_MS)
        carry(replica, other)
        assert other.digest() == replica.digest()
        assert other.statistics().missing == 0


# --- maps whose keys collide ----------------------------------------------------------------------

# At the quadratic cost that colliding keys have, each of these would take minutes.
COLLIDING = colliding_map(40_000)


def test_colliding_keys_in_a_chunk_are_refused_before_they_are_compared() -> None:
    with pytest.raises(MalformedMessageError):
        decode_chunk(COLLIDING)


def test_colliding_keys_deep_in_a_chunk_are_refused_before_they_are_compared() -> None:
    data = b"\x86\x6ekioku.chunk.v1\x50" + bytes(16) + b"\x01\x58\x20" + bytes(32)
    data += b"\x81\x85\x01\x00\x50" + KEY + b"\x50" + bytes(16) + COLLIDING
    data += b"\x58\x40" + bytes(64)
    with pytest.raises(MalformedMessageError):
        decode_chunk(data)


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        ({1: [{2: [[]]}], "a": b"b"}, True),
        ({}, True),
        ([1, [2, {3: 4}], "text"], True),
        ({(1, 2): 0}, False),
        ([[{"a": {(1,): 0}}]], False),
        ({1: {2: {(3, 4): 5}}}, False),
        ({cbor2.CBORTag(9, 1): 0}, False),
    ],
)
def test_a_container_as_a_maps_key_is_found_wherever_it_is(value: object, is_plain: bool) -> None:
    assert has_plain_keys(cbor2.dumps(value)) == is_plain


@pytest.mark.parametrize("data", [b"", b"\xa1", b"\xa1\x01", b"\x9f\xff", b"\x82\x01", b"\x18"])
def test_what_is_not_whole_has_no_plain_keys(data: bytes) -> None:
    assert not has_plain_keys(data)


# --- names ----------------------------------------------------------------------------------------


def test_a_name_may_have_any_character_but_controls() -> None:
    """Every character, asked of Unicode's own stable classes and not of Python's opinion."""
    found = {number for number in range(0x110000) if not is_name(chr(number))}
    never = {n for n in range(0x110000) if unicodedata.category(chr(n)) in ("Cc", "Cs")}
    assert found == never


# Unassigned, invisible, private, a line separator: none is printable for Python.
@pytest.mark.parametrize("name", ["\u0378", "a\u200bb", "\ue000", "a\u2028b", "é" * 64])
def test_a_log_with_an_odd_name_is_taken(name: str) -> None:
    assert not name.isprintable() or len(name.encode()) == NAME_BYTES_MAX
    replica = open_store()
    author = Author(4, hlc=HLC, name=name)
    replica.ingest_chunk(author.chunk(author.genesis, author.genesis), now_ms=NOW_MS)
    with replica.reading(now_ms=NOW_MS) as reading:
        assert reading.log_name(author.log_id) == name


@pytest.mark.parametrize("name", ["a\nb", "\x00", "\x7f", "\x85", "é" * 65])
def test_a_log_whose_name_has_controls_or_is_too_long_is_refused(name: str) -> None:
    replica = open_store()
    author = Author(5, hlc=HLC, name=name)
    with pytest.raises(MalformedMessageError):
        replica.ingest_chunk(author.chunk(author.genesis, author.genesis), now_ms=NOW_MS)


# --- kinds and formats still to come --------------------------------------------------------------


@pytest.mark.parametrize("comes_first", [True, False])
def test_what_a_later_kioku_says_of_no_key_is_never_erased(comes_first: bool) -> None:
    """A retract of the future stands in either; an old replica must pass its body on."""
    author = Author(6, hlc=HLC)
    targets = encode_targets([author.genesis])
    later = author.append_later(author.genesis, RETRACT, hlc=HLC + 1, key=ZERO_KEY, body=targets)
    roster = author.append(later, 6, hlc=HLC + 2, key=ZERO_KEY, body=b"roster")
    about_a_key = author.append(roster, 7, hlc=HLC + 3, key=KEY, body=b"opinion")
    chunk = author.chunk(author.genesis, about_a_key)
    drafts = [Draft(RETRACT, ZERO_KEY, encode_targets([later, roster, about_a_key]))]
    replica, other = open_store(seed=1), open_store(seed=2)
    if comes_first:
        replica.append(drafts, now_ms=NOW_MS)
    replica.ingest_chunk(chunk, now_ms=NOW_MS)
    if not comes_first:
        replica.append([*drafts, Draft(PURGE, KEY)], now_ms=NOW_MS)
    sent = b"".join(replica.export_chunks())
    assert targets in sent
    assert b"roster" in sent
    assert b"opinion" not in sent, "what is about a key is erased like all that is"
    assert clean(replica)
    carry(replica, other)
    assert other.digest() == replica.digest()
    assert clean(other)
