"""A refused chunk changes nothing: not one row, whatever it is and however it was altered.

The store already holds part of the same logs, so that what is altered meets events that are here,
ends of branches, missing bodies and erased ones.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import BadSealError, BrokenChainError, LogLimitError, PeerError
from kioku.log.chunk import encode_chunk
from kioku.log.event import SAVE
from kioku.log.frontier import TIPS_PER_LOG_MAX
from kioku.log.hlc import pack
from kioku.log.seal import sign
from tests.property.authors import Author
from tests.property.forests import Delivery, Forest, Mirror, deliveries, forests
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import damage, law_of, open_store, snapshot

if TYPE_CHECKING:
    from kioku.replica import Replica


def rows(replica: Replica) -> dict[str, list[Any]]:
    """Every row of every table."""
    with replica.reading(now_ms=NOW_MS) as reading:
        ask = reading.connection.execute
        tables: Any = ask("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {name: ask(f"SELECT * FROM {name}").fetchall() for (name,) in tables}


def altered(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes, but not quite."""
    at = draw(st.integers(0, len(data) - 1))
    way = draw(st.integers(0, 5))
    if way == 0:
        return data[:at] + bytes((data[at] ^ draw(st.integers(1, 255)),)) + data[at + 1 :]
    if way == 1:
        return data[:at]
    if way == 2:
        return data + draw(st.binary(min_size=1, max_size=4))
    fields = cbor2.loads(data)
    items = fields[4]
    one, other = draw(st.integers(0, len(items) - 1)), draw(st.integers(0, len(items) - 1))
    if way == 3:
        items[one], items[other] = items[other], items[one]
    elif way == 4:
        del items[one]
    else:
        items[one][draw(st.integers(0, len(items[one]) - 1))] = draw(
            st.none() | st.integers(0, 2**64) | st.binary(max_size=33)
        )
    return cbor2.dumps(fields)


@st.composite
def attacks(draw: st.DrawFn) -> tuple[list[Delivery], list[bytes]]:
    """What a store was sent, and altered chunks of the same logs."""
    forest: Forest = draw(forests(size_max=8))
    sent = draw(deliveries(forest))
    chosen = draw(st.lists(st.sampled_from(sent), min_size=1, max_size=4))
    return sent[: draw(st.integers(0, len(sent)))], [altered(draw, one.data) for one in chosen]


@given(attacks())
def test_an_altered_chunk_changes_nothing_or_is_a_true_one(
    attack: tuple[list[Delivery], list[bytes]],
) -> None:
    sent, chunks = attack
    with open_store() as replica:
        mirror = Mirror(replica)
        for delivery in sent:
            mirror.take(delivery, NOW_MS)
        before = rows(replica)
        for data in chunks:
            try:
                replica.ingest_chunk(data, now_ms=NOW_MS)
            except PeerError:
                assert rows(replica) == before
            else:
                # Only a body can have been left out of it; the chain and its seal are the owner's.
                before = rows(replica)
                assert not damage(replica, now_ms=NOW_MS)


@given(st.binary(max_size=300))
def test_any_bytes_change_nothing(data: bytes) -> None:
    with open_store() as replica:
        before = rows(replica)
        with pytest.raises(PeerError):
            replica.ingest_chunk(data, now_ms=NOW_MS)
        assert rows(replica) == before


@given(forests(size_max=8), st.data())
def test_a_true_seal_under_a_wrong_link_is_refused(forest: Forest, data: st.DataObject) -> None:
    """The owner itself signs a run that hangs in the air."""
    author = data.draw(st.sampled_from(forest.authors))
    with open_store() as replica:
        Mirror(replica).take_all(data.draw(deliveries(forest)), repeat(NOW_MS))
        before = rows(replica)
        event = author.written[author.genesis].event._replace(kind=SAVE, key=KEYS[0])
        wrong = bytes(31) + b"\x01"
        unsigned = encode_chunk(author.log_id, 2, wrong, events=[event], signature=bytes(64))
        with pytest.raises(BadSealError):
            replica.ingest_chunk(unsigned, now_ms=NOW_MS)
        last = author.append(
            author.genesis._replace(hash=wrong), SAVE, hlc=1, key=KEYS[0], body=b"body"
        )
        event = author.written[last].event
        signed = encode_chunk(
            author.log_id, 2, wrong, events=[event], signature=sign(author.seed, last)
        )
        with pytest.raises(BrokenChainError):
            replica.ingest_chunk(signed, now_ms=NOW_MS)
        assert rows(replica) == before


def test_an_owner_that_forks_its_log_on_purpose_is_stopped_at_the_limit() -> None:
    author = Author(1, hlc=pack(NOW_MS))
    with open_store() as replica:
        replica.ingest_chunk(author.chunk(author.genesis, author.genesis), now_ms=NOW_MS)
        for number in range(TIPS_PER_LOG_MAX):
            tip = author.append(
                author.genesis, SAVE, hlc=pack(NOW_MS + number), key=KEYS[0], body=b"body"
            )
            replica.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
        before = rows(replica)
        tip = author.append(author.genesis, SAVE, hlc=pack(NOW_MS + 99), key=KEYS[0], body=b"x")
        with pytest.raises(LogLimitError):
            replica.ingest_chunk(author.chunk(tip, tip), now_ms=NOW_MS)
        assert rows(replica) == before


def test_new_events_begin_where_a_seal_is_held() -> None:
    """Else seals could come to lie further apart than a chunk, and nobody could pass them on."""
    author = Author(1, hlc=pack(NOW_MS))
    one = author.append(author.genesis, SAVE, hlc=pack(NOW_MS), key=KEYS[0], body=b"one")
    two = author.append(one, SAVE, hlc=pack(NOW_MS + 1), key=KEYS[0], body=b"two")
    with open_store() as replica:
        replica.ingest_chunk(author.chunk(author.genesis, one), now_ms=NOW_MS)
        fork = author.append(author.genesis, SAVE, hlc=pack(NOW_MS), key=KEYS[0], body=b"fork")
        with pytest.raises(BrokenChainError):
            replica.ingest_chunk(author.chunk(fork, fork), now_ms=NOW_MS)
        replica.ingest_chunk(author.chunk(two, two), now_ms=NOW_MS)
        replica.ingest_chunk(author.chunk(author.genesis, fork), now_ms=NOW_MS)
        assert set(replica.frontier()) == {two, fork}


def test_a_chunk_may_bring_what_the_store_could_not_hold_on_to() -> None:
    """A body that was missing comes with a chunk that holds nothing else that is new."""
    author = Author(1, hlc=pack(NOW_MS))
    tip = author.append(author.genesis, SAVE, hlc=pack(NOW_MS), key=KEYS[0], body=b"body")
    forest = Forest([author])
    with open_store() as replica:
        mirror = Mirror(replica)
        mirror.take(Delivery(author, author.path(tip), frozenset((tip,))), NOW_MS)
        assert snapshot(replica, now_ms=NOW_MS).missing == {tip}
        mirror.take(Delivery(author, author.path(tip), frozenset()), NOW_MS)
        seen = snapshot(replica, now_ms=NOW_MS)
        assert not seen.missing
        assert seen.keys == law_of(mirror.state)
        assert seen.with_body == {written.id for written in forest.events()}
