"""Every refusal of a chunk: the error says who must act, names the place, and nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from kioku.errors import (
    BadCommitmentError,
    BadSealError,
    BrokenChainError,
    LogLimitError,
    MalformedMessageError,
    PeerError,
    UnsupportedVersionError,
)
from kioku.log.chunk import CHUNK_BYTES_MAX, EVENTS_MAX, HEADER_BYTES_MAX, MESSAGE_BYTES_MAX
from kioku.log.event import (
    BODY_BYTES_MAX,
    GENESIS,
    PURGE,
    RETRACT,
    SAVE,
    TOMBSTONE,
    ZERO_HASH,
    ZERO_KEY,
    EventId,
)
from kioku.log.frontier import TIPS_PER_LOG_MAX
from kioku.log.hlc import pack
from kioku.log.payload import NAME_BYTES_MAX, PARENTS_MAX, Genesis, encode_genesis, encode_targets
from kioku.log.seal import sign
from tests.property.authors import Author
from tests.property.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.replica import Replica

NOW_MS = 1_790_000_000_000
STAMP = pack(NOW_MS)
KEY = bytes(range(16))
OTHER_KEY = bytes(range(1, 17))
TARGET = EventId(KEY, 1, bytes(32))

Fields = list[Any]


def sample() -> Author:
    """Genesis, a save, a tombstone, a retract."""
    author = Author(1, hlc=STAMP)
    tip = author.append(author.genesis, SAVE, hlc=STAMP, key=KEY, body=b"body")
    tip = author.append(tip, TOMBSTONE, hlc=STAMP, key=KEY, body=None)
    author.append(tip, RETRACT, hlc=STAMP, key=ZERO_KEY, body=encode_targets([TARGET]))
    return author


AUTHOR = sample()
(TIP,) = AUTHOR.tips()
CHUNK = AUTHOR.chunk(AUTHOR.path(TIP)[1], TIP)
PLACE = f"log {AUTHOR.log_id.hex()} seq "


@pytest.fixture
def replica() -> Replica:
    """A store that holds the author's genesis and a save of its own."""
    replica = open_store()
    replica.ingest_chunk(AUTHOR.chunk(AUTHOR.genesis, AUTHOR.genesis), now_ms=NOW_MS)
    return replica


def refused(replica: Replica, data: bytes, error: type[PeerError], *said: str) -> None:
    """Demand an error of exactly this class, and a store that is as it was."""
    before = replica.digest(), replica.statistics()
    with pytest.raises(PeerError) as caught:
        replica.ingest_chunk(data, now_ms=NOW_MS)
    assert caught.type is error, caught.value
    for text in said:
        assert text in str(caught.value)
    assert (replica.digest(), replica.statistics()) == before
    assert {found.status for found in replica.check(deep=True, now_ms=NOW_MS)} == {"pass"}


def fields_of() -> Fields:
    fields: Fields = cbor2.loads(CHUNK)
    return fields


# --- the whole ------------------------------------------------------------------------------------


def put(place: int, value: object) -> Callable[[Fields], None]:
    def change(fields: Fields) -> None:
        fields[place] = value

    return change


def put_event(event: int, place: int, value: object) -> Callable[[Fields], None]:
    def change(fields: Fields) -> None:
        fields[4][event][place] = value

    return change


WHOLE: dict[str, tuple[Callable[[Fields], Any], type[PeerError]]] = {
    "another title": (put(0, "kioku.chunk.v2"), MalformedMessageError),
    "no title": (put(0, b"kioku.chunk.v1"), MalformedMessageError),
    "a short log id": (put(1, b"short"), MalformedMessageError),
    "another log's id": (put(1, bytes(16)), BrokenChainError),
    "seq 0": (put(2, 0), MalformedMessageError),
    "a negative seq": (put(2, -1), MalformedMessageError),
    "a true seq": (put(2, True), MalformedMessageError),
    "a seq at the end of all": (put(2, (1 << 63) - 1), MalformedMessageError),
    "another seq": (put(2, 3), BadSealError),
    "a short prev": (put(3, b"short"), MalformedMessageError),
    "no prev": (put(3, None), MalformedMessageError),
    "another prev": (put(3, b"\x01" * 32), BadSealError),
    "the zero prev past seq 1": (put(3, ZERO_HASH), BrokenChainError),
    "no events": (put(4, []), MalformedMessageError),
    "events that are no list": (put(4, {}), MalformedMessageError),
    "a short signature": (put(5, bytes(63)), MalformedMessageError),
    "another signature": (put(5, bytes(64)), BadSealError),
    "a field too many": (lambda fields: fields.append(0), MalformedMessageError),
    "a field too few": (lambda fields: fields.pop(), MalformedMessageError),
    "an event dropped": (lambda fields: fields[4].pop(0), BadSealError),
    "the last event dropped": (lambda fields: fields[4].pop(), BadSealError),
    "events exchanged": (lambda fields: fields[4].reverse(), BadSealError),
    "an event doubled": (lambda fields: fields[4].append(fields[4][-1]), BadSealError),
}


@pytest.mark.parametrize(("change", "error"), WHOLE.values(), ids=WHOLE.keys())
def test_a_chunk_that_is_not_as_it_was_sealed_is_refused(
    replica: Replica, change: Callable[[Fields], Any], error: type[PeerError]
) -> None:
    fields = fields_of()
    change(fields)
    refused(replica, cbor2.dumps(fields), error)


EVENT: dict[str, tuple[Callable[[Fields], Any], type[PeerError]]] = {
    "no array": (put(4, [1]), MalformedMessageError),
    "two fields": (put(4, [[1, 2]]), MalformedMessageError),
    "a kind that is no number": (put_event(0, 0, "1"), MalformedMessageError),
    "a true kind": (put_event(0, 0, True), MalformedMessageError),
    "a negative kind": (put_event(0, 0, -1), MalformedMessageError),
    "a kind over the limit": (put_event(0, 0, 1 << 63), MalformedMessageError),
    "another kind": (put_event(0, 0, 9), BadSealError),
    "a negative stamp": (put_event(0, 1, -1), MalformedMessageError),
    "a stamp over the limit": (put_event(0, 1, 1 << 63), MalformedMessageError),
    "a stamp that is no number": (put_event(0, 1, 1.0), MalformedMessageError),
    "another stamp": (put_event(0, 1, STAMP + 1), BadSealError),
    "a short key": (put_event(0, 2, b"short"), MalformedMessageError),
    "another key": (put_event(0, 2, OTHER_KEY), BadSealError),
    "a short salt": (put_event(0, 3, b"short"), MalformedMessageError),
    "another salt": (put_event(0, 3, bytes(16)), BadSealError),
    "no salt": (put_event(0, 3, None), MalformedMessageError),
    "a body that is no bytes": (put_event(0, 4, "body"), MalformedMessageError),
    "another body": (put_event(0, 4, b"other"), BadSealError),
    "no body": (put_event(0, 4, None), MalformedMessageError),
    "a short commitment": (put_event(1, 3, b"short"), MalformedMessageError),
    "a commitment to nothing": (put_event(1, 3, bytes(32)), BadSealError),
}


@pytest.mark.parametrize(("change", "error"), EVENT.values(), ids=EVENT.keys())
def test_an_event_that_is_not_as_it_was_sealed_is_refused(
    replica: Replica, change: Callable[[Fields], Any], error: type[PeerError]
) -> None:
    fields = fields_of()
    change(fields)
    refused(replica, cbor2.dumps(fields), error, PLACE)


# --- the encoding ---------------------------------------------------------------------------------

ENCODINGS = {
    "nothing": b"",
    "trailing bytes": CHUNK + b"\x00",
    "a second chunk behind it": CHUNK + CHUNK,
    "cut": CHUNK[:-1],
    "an indefinite array": b"\x9f" + CHUNK[1:] + b"\xff",
    "a longer head": b"\x98\x06" + CHUNK[1:],
    "an indefinite title": CHUNK[:1] + b"\x7f" + CHUNK[1:16] + b"\xff" + CHUNK[16:],
    "a longer seq": CHUNK.replace(b"\x02\x58\x20", b"\x18\x02\x58\x20", 1),
    "a tag": b"\xc6" + CHUNK,
    "a self-described chunk": b"\xd9\xd9\xf7" + CHUNK,
    "a map": b"\xa0",
}


@pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_another_encoding_of_a_true_chunk_is_refused(replica: Replica, data: bytes) -> None:
    refused(replica, data, MalformedMessageError)


# --- the link to what is held ---------------------------------------------------------------------


def test_a_log_whose_beginning_is_not_here_is_refused() -> None:
    replica = open_store()
    refused(replica, CHUNK, BrokenChainError, f"{PLACE}2", "earlier chunks first")


def test_a_chunk_past_a_gap_is_refused(replica: Replica) -> None:
    data = AUTHOR.chunk(TIP, TIP)
    refused(replica, data, BrokenChainError, f"{PLACE}4", "earlier chunks first")


def test_a_genesis_sealed_by_another_key_is_refused() -> None:
    other = Author(2, hlc=STAMP)
    fields = cbor2.loads(other.chunk(other.genesis, other.genesis))
    fields[5] = sign(AUTHOR.seed, other.genesis)
    refused(open_store(), cbor2.dumps(fields), BadSealError, f"log {other.log_id.hex()} seq 1")


# --- the table of kinds: the seal is true, the event must not be ----------------------------------

BREACHES = {
    "a save without a key": (SAVE, ZERO_KEY, b"body"),
    "a save without a body": (SAVE, KEY, None),
    "a tombstone without a key": (TOMBSTONE, ZERO_KEY, None),
    "a purge of the zero key": (PURGE, ZERO_KEY, None),
    "a purge with a body": (PURGE, KEY, b"body"),
    "a second genesis": (GENESIS, ZERO_KEY, encode_genesis(Genesis(AUTHOR.public_key, "", ()))),
    "a retract with a key": (RETRACT, KEY, encode_targets([TARGET])),
    "a retract without a body": (RETRACT, ZERO_KEY, None),
    "a retract of nothing": (RETRACT, ZERO_KEY, b"\x80"),
    "a retract in disorder": (RETRACT, ZERO_KEY, cbor2.dumps([[*TARGET], [*TARGET]])),
    "a retract of no event": (RETRACT, ZERO_KEY, cbor2.dumps([[KEY, 0, bytes(32)]])),
}


@pytest.mark.parametrize(("kind", "key", "body"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_of_the_table_of_kinds_stores_nothing(
    replica: Replica, kind: int, key: bytes, body: bytes | None
) -> None:
    author = Author(1, hlc=STAMP)
    good = author.append(author.genesis, SAVE, hlc=STAMP, key=KEY, body=b"good")
    bad = author.append(good, kind, hlc=STAMP, key=key, body=body)
    error_place = "seq 3" if kind != RETRACT or key == KEY else ""
    refused(replica, author.chunk(good, bad), MalformedMessageError, error_place)


def genesis_chunk(name: str, parents: tuple[EventId, ...] = (), extra: bytes = b"") -> bytes:
    author = Author(7, hlc=STAMP)
    body = encode_genesis(Genesis(author.public_key, name, parents)) + extra
    return author.chunk(*[author.append(None, GENESIS, hlc=STAMP, key=ZERO_KEY, body=body)] * 2)


@pytest.mark.parametrize(
    "data",
    [
        genesis_chunk("x" * (NAME_BYTES_MAX + 1)),
        genesis_chunk("bell\a"),
        genesis_chunk("ok", (TARGET,) * (PARENTS_MAX + 1)),
        genesis_chunk("ok", (TARGET._replace(seq=0),)),
        genesis_chunk("ok", extra=b"\x00"),
    ],
)
def test_a_genesis_over_a_limit_stores_nothing(replica: Replica, data: bytes) -> None:
    refused(replica, data, MalformedMessageError, "genesis")


# --- limits ---------------------------------------------------------------------------------------


def run_of(count: int, body_bytes: int) -> tuple[Author, bytes]:
    author = Author(1, hlc=STAMP)
    first = tip = author.append(author.genesis, SAVE, hlc=STAMP, key=KEY, body=bytes(body_bytes))
    for _ in range(count - 1):
        tip = author.append(tip, SAVE, hlc=STAMP, key=KEY, body=bytes(body_bytes))
    return author, author.chunk(first, tip)


def test_the_most_events_that_a_chunk_may_have(replica: Replica) -> None:
    refused(replica, run_of(EVENTS_MAX + 1, 1)[1], MalformedMessageError)
    counts = replica.ingest_chunk(run_of(EVENTS_MAX, 1)[1], now_ms=NOW_MS)
    assert counts.new_events == EVENTS_MAX


def test_only_one_event_may_be_larger_than_a_chunk(replica: Replica) -> None:
    refused(replica, run_of(2, CHUNK_BYTES_MAX // 2)[1], MalformedMessageError, "262,144")
    assert replica.ingest_chunk(run_of(1, BODY_BYTES_MAX)[1], now_ms=NOW_MS).new_events == 1


def test_a_body_over_the_limit_stores_nothing(replica: Replica) -> None:
    data = run_of(1, BODY_BYTES_MAX + 1)[1]
    refused(replica, data, MalformedMessageError, f"{PLACE}2", "1,572,864")


def test_a_message_over_the_limit_is_not_even_read(replica: Replica) -> None:
    refused(replica, b"\x9f" * (MESSAGE_BYTES_MAX + 1), MalformedMessageError, "4,194,304")


def test_a_later_formats_header_has_a_limit(replica: Replica) -> None:
    fields = fields_of()
    fields[4] = [[bytes(HEADER_BYTES_MAX + 1), None, None]]
    refused(replica, cbor2.dumps(fields), MalformedMessageError, PLACE)


def test_a_later_format_that_cannot_be_chained_is_named(replica: Replica) -> None:
    fields = fields_of()
    fields[4] = [[cbor2.dumps([2, "of another shape"]), None, None]]
    refused(replica, cbor2.dumps(fields), UnsupportedVersionError, PLACE, "upgrade")


def test_a_later_formats_body_must_be_its_own(replica: Replica) -> None:
    author = Author(1, hlc=STAMP)
    tip = author.append_later(author.genesis, SAVE, hlc=STAMP, key=KEY, body=b"body")
    fields = cbor2.loads(author.chunk(tip, tip))
    fields[4][0][2] = b"other"
    refused(replica, cbor2.dumps(fields), BadCommitmentError, PLACE)


def test_a_log_takes_sixteen_tips_and_no_more(replica: Replica) -> None:
    author = Author(1, hlc=STAMP)
    chunks = []
    for number in range(TIPS_PER_LOG_MAX + 1):
        body = b"branch %d" % number
        tip = author.append(author.genesis, SAVE, hlc=STAMP + number, key=KEY, body=body)
        chunks.append(author.chunk(tip, tip))
    for chunk in chunks[:-1]:
        replica.ingest_chunk(chunk, now_ms=NOW_MS)
    refused(replica, chunks[-1], LogLimitError, author.log_id.hex())
    assert len(replica.frontier()) == TIPS_PER_LOG_MAX
