"""Messages: one encoding of each value, and any bytes are read or refused, never worse."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import MalformedMessageError, PeerError
from kioku.log.event import EventId
from kioku.transport.holdings import Body, Head, Place
from kioku.transport.message import (
    Beacon,
    BodiesAnswer,
    BodiesQuery,
    ChunkReply,
    End,
    HashesAnswer,
    HashesQuery,
    HeadsAnswer,
    HeadsQuery,
    Leaving,
    Live,
    Part,
    RangeQuery,
    SpacesAnswer,
    decode,
)
from kioku.transport.peek import chunk_start
from tests.property.forests import deliveries, forests
from tests.vectors.messages import messages

GOLDEN = {name: message.encode() for name, message in messages().items()}

uints = st.integers(0, 2**63 - 1)
seqs = st.integers(1, 2**63 - 1)


def raw(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


def rising(items: st.SearchStrategy[Any], low: int, high: int) -> st.SearchStrategy[Any]:
    return st.sets(items, min_size=low, max_size=high).map(lambda found: tuple(sorted(found)))


places = st.builds(Place, seqs, raw(32))
events = st.builds(EventId, raw(16), seqs, raw(32))
names = st.text(st.characters(exclude_categories=["C"]), max_size=20)
digits = st.text("0123456789abcdef", max_size=32)
heads = rising(events, 0, 4).flatmap(
    lambda tips: st.tuples(*(st.builds(Head, st.just(tip), uints) for tip in tips))
)
parts = st.one_of(
    st.builds(Part, st.just(""), heads, st.none()),
    st.builds(Part, digits, st.just(()), st.none()),
    st.builds(Part, digits, st.none(), st.tuples(*[raw(16)] * 16)),
)


def by_prefix(found: list[Part]) -> tuple[Part, ...]:
    return tuple(sorted({part.prefix: part for part in found}.values(), key=lambda p: p.prefix))


owned = st.one_of(st.just((None, None)), st.tuples(events, raw(64)))
beacons = owned.flatmap(
    lambda own: st.builds(
        Beacon,
        digest=raw(32),
        tip_count=uints,
        own_tip=st.just(own[0]),
        seal=st.just(own[1]),
        wall_ms=uints,
        nonce=raw(16),
        version=names,
        erased=st.booleans(),
        missing=uints,
        role=st.sampled_from(("hub", "spoke")),
        identity=st.binary(max_size=16),
        credential=st.none() | st.binary(min_size=1, max_size=64),
    )
)
everything = st.one_of(
    beacons,
    st.builds(Live, st.binary(min_size=1)),
    st.builds(HeadsQuery, rising(digits, 1, 64)),
    st.builds(
        HeadsAnswer, st.lists(parts, min_size=1, max_size=8).map(by_prefix), st.booleans(), raw(32)
    ),
    st.builds(HashesQuery, events, rising(seqs, 1, 32)),
    st.builds(HashesAnswer, st.none() | rising(places, 0, 32)),
    st.builds(RangeQuery, events, st.none() | places, uints),
    st.builds(ChunkReply, st.binary(min_size=1)),
    st.builds(BodiesQuery, rising(events, 1, 20)),
    st.builds(
        BodiesAnswer,
        st.lists(st.builds(Body, events, raw(16), st.binary()), min_size=1, max_size=5).map(tuple),
    ),
    st.builds(
        End, st.sampled_from(("done", "credit", "unknown", "refused", "malformed", "version"))
    ),
    st.builds(SpacesAnswer, rising(st.tuples(raw(16), names), 0, 5)),
    st.builds(Leaving, raw(16)),
)


@given(everything)
def test_what_is_encoded_is_decoded(message: Any) -> None:
    assert decode(message.encode()) == message


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        message = decode(data)
    except PeerError:
        return
    assert decode(message.encode()) == message


@given(st.sampled_from(sorted(GOLDEN.values())), st.data())
def test_a_damaged_message_is_refused_or_is_another_whole_one(
    data: bytes, draw: st.DataObject
) -> None:
    """Bytes changed, cut out or put in: what is read all the same has that one encoding."""
    at = draw.draw(st.integers(0, len(data) - 1))
    put = draw.draw(st.binary(max_size=4))
    damaged = data[:at] + put + data[at + draw.draw(st.integers(0, 4)) :]
    try:
        message = decode(damaged)
    except PeerError:
        return
    if type(message).__name__ != "Unknown":
        assert message.encode() == damaged


NOTHING = bytes(32)
PLACE = [bytes(16), 1, NOTHING]
HEAD = [*PLACE, 0, None]


@pytest.mark.parametrize(
    "value",
    [
        [],
        [3],
        [3, 0, [""]],
        [3, True, [""]],
        [True, 1, [""]],
        [0, 1],
        [-1, 1],
        [3, 1],
        [3, 1, [""], None],
        [3, 1, []],
        [3, 1, ["", ""]],
        [3, 1, ["b", "a"]],
        [3, 1, ["A"]],
        [3, 1, ["g"]],
        [3, 1, ["0" * 33]],
        [3, 1, [b""]],
        [3, 1, [f"{n:02x}" for n in range(65)]],
        [4, 1, [], True, NOTHING],
        [4, 1, [["", []], ["", []]], True, NOTHING],
        [4, 1, [["", []]], 1, NOTHING],
        [4, 1, [["", []]], True, bytes(31)],
        [4, 1, [["", bytes(255)]], True, NOTHING],
        [4, 1, [["", [HEAD, HEAD]]], True, NOTHING],
        [4, 1, [["1", [HEAD]]], True, NOTHING],
        [4, 1, [["", [PLACE]]], True, NOTHING],
        [4, 1, [["", [[*PLACE, 2**63, None]]]], True, NOTHING],
        [4, 1, [["", [[*PLACE, 0, b""]]]], True, NOTHING],
        [4, 1, [["", [[bytes(16), n, NOTHING, 0, None] for n in range(1, 34)]]], True, NOTHING],
        [5, 1, PLACE, []],
        [5, 1, PLACE, [0]],
        [5, 1, PLACE, [2, 2]],
        [5, 1, PLACE, list(range(1, 34))],
        [5, 1, [bytes(15), 1, NOTHING], [1]],
        [6, 1, [[1, NOTHING], [1, NOTHING]]],
        [6, 1, [[n, NOTHING] for n in range(1, 34)]],
        [7, 1, PLACE, [0, NOTHING], 0],
        [7, 1, PLACE, None, -1],
        [7, 1, PLACE, None, True],
        [7, 1, PLACE, None, 2**63],
        [7, 1, [bytes(16), 2**63, NOTHING], None, 0],
        [8, 1, b""],
        [8, 1, "text"],
        [9, 1, []],
        [9, 1, [PLACE, PLACE]],
        [9, 1, [[bytes(16), n, NOTHING] for n in range(1, 258)]],
        [10, 1, []],
        [10, 1, [[*PLACE, bytes(15), b""]]],
        [10, 1, [[*PLACE, bytes(16), bytes(1_572_865)]]],
        [11, 1, "over"],
        [11, 1, b"done"],
        [12, 1, [[bytes(16), "a\nb"]]],
        [12, 1, [[bytes(16), "x" * 129]]],
        [12, 1, [[n.to_bytes(16, "big"), "s"] for n in range(65)]],
        [13, 1, bytes(15)],
        [13, 1],
        [2, 1, b"x", 1],
        {"type": 1},
        "text",
        7,
    ],
)
def test_what_breaks_a_rule_is_refused(value: Any) -> None:
    with pytest.raises(MalformedMessageError):
        decode(cbor2.dumps(value))


@pytest.mark.parametrize("field", range(2, 14))
def test_no_field_of_a_beacon_may_be_anything_else(field: int) -> None:
    value = cbor2.loads(GOLDEN["beacon"])
    others: list[Any] = [2**63, -1, "no\x00name", [], b"\x00" * 65, 1.5]
    for other in others:
        value[field] = other
        with pytest.raises(MalformedMessageError):
            decode(cbor2.dumps(value))


def test_a_tip_comes_with_its_seal_and_a_seal_with_its_tip() -> None:
    for field in (4, 5):
        value = cbor2.loads(GOLDEN["beacon"])
        value[field] = None
        with pytest.raises(MalformedMessageError, match="tip without its seal"):
            decode(cbor2.dumps(value))


def test_the_longer_form_of_a_number_is_refused() -> None:
    data = GOLDEN["heads query"]
    assert data[1] == 3
    with pytest.raises(MalformedMessageError, match="deterministic"):
        decode(data[:1] + b"\x18\x03" + data[2:])


@pytest.mark.parametrize("size", [4 * 1024 * 1024 - 8, 4 * 1024 * 1024 + 1])
def test_four_mib_of_empty_lists_are_refused_before_they_are_made(size: int) -> None:
    data = b"\x83\x04\x01\x9a" + size.to_bytes(4, "big") + b"\x80" * size
    with pytest.raises(MalformedMessageError, match=r"of too many parts|over 4,194,304"):
        decode(data)


def test_the_largest_message_is_read() -> None:
    chunk = bytes(4 * 1024 * 1024 - 8)
    assert decode(ChunkReply(chunk).encode()) == ChunkReply(chunk)
    with pytest.raises(MalformedMessageError, match="over 4,194,304"):
        decode(ChunkReply(chunk + b"\x00").encode())


# -- what a chunk says of itself


@given(st.data())
def test_a_chunk_begins_where_it_says(data: st.DataObject) -> None:
    for delivery in data.draw(deliveries(data.draw(forests()))):
        start = chunk_start(delivery.data)
        first, last = delivery.run[0], delivery.run[-1]
        assert (start.log_id, start.first_seq, start.last_seq) == (*first[:2], last.seq)
        before = delivery.author.written[first].before
        assert start.prev == (before.hash if before else bytes(32))


@given(st.binary() | st.integers(0, 60).map(lambda at: messages()["chunk"].encode()[4:][:at]))
def test_what_begins_as_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessageError, match="not a kioku chunk"):
        chunk_start(data)
