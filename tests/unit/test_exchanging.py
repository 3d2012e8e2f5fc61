"""What an exchange asks of a replica: its nonces, its own log, its space, and late bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kioku.errors import (
    BadCommitmentError,
    BadSealError,
    InvalidArgumentError,
    StoreAccessError,
)
from kioku.exchanging import NONCES_MAX
from kioku.log.chunk import decode_chunk
from kioku.log.event import BODY_BYTES_MAX, GENESIS, PURGE, SAVE
from kioku.log.hlc import pack
from kioku.log.payload import decode_genesis
from kioku.log.schema import space_id_of
from kioku.replica import Draft, Replica
from kioku.transport.holdings import Body
from tests.property.authors import Author
from tests.property.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kioku.log.event import EventId

NOW_MS = 1_790_000_000_000
KEY, OTHER = bytes([1]) * 16, bytes([2]) * 16


@pytest.fixture
def replica() -> Iterator[Replica]:
    with open_store() as replica:
        yield replica


def save(replica: Replica, key: bytes, body: bytes) -> EventId:
    return replica.append([Draft(SAVE, key, body)], now_ms=NOW_MS)[-1].id


def shown(replica: Replica, key: bytes) -> bytes | None:
    with replica.reading(now_ms=NOW_MS) as reading:
        found = reading.shown(key)
        return found and found.body


# -- what is stated


def test_stating_seals_and_writes_nothing(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db")) as replica, open_store(str(tmp_path / "a.db")) as other:
        save(replica, KEY, b"unsealed")
        before = other.data_version()
        assert replica.stated_digest() == bytes(32)
        assert len(replica.stated_frontier()) == 0
        assert replica.stated_changes(-1, None).logs == []
        assert replica.count_unsealed() == 2
        assert other.data_version() == before
        replica.seal()
        assert other.data_version() != before
        assert replica.stated_digest() == replica.stated_frontier().digest() != bytes(32)


def test_changes_are_none_while_the_digest_is_what_is_known(replica: Replica) -> None:
    save(replica, KEY, b"one")
    replica.seal()
    first = replica.stated_changes(-1, None)
    assert [log_id for log_id, _ in first.logs] == [replica.begin_log(NOW_MS)]
    assert replica.stated_changes(first.row, first.digest).logs == []
    tip = save(replica, KEY, b"two")
    replica.seal()
    assert replica.stated_changes(first.row, first.digest).logs == [(tip.log_id, [tip])]


# -- nonces


def test_a_nonce_is_known_to_the_store_that_wrote_it_and_to_no_other(tmp_path: Path) -> None:
    nonce = bytes(range(16))
    with open_store(str(tmp_path / "a.db")) as replica:
        replica.note_nonce(nonce)
    with open_store(str(tmp_path / "a.db")) as replica, open_store() as other:
        assert replica.has_nonce(nonce)
        assert not replica.has_nonce(bytes(16))
        assert not other.has_nonce(nonce)


def test_nonces_are_compared_whole_and_where_they_stand(replica: Replica) -> None:
    replica.note_nonce(b"a" * 8 + b"b" * 8)
    replica.note_nonce(b"c" * 8 + b"d" * 8)
    assert not replica.has_nonce(b"b" * 8 + b"c" * 8)
    assert not replica.has_nonce(b"a" * 8)
    assert not replica.has_nonce(b"")


def test_the_newest_nonces_are_remembered(replica: Replica) -> None:
    nonces = [bytes([number]) * 16 for number in range(NONCES_MAX + 3)]
    for nonce in nonces:
        replica.note_nonce(nonce)
    assert [replica.has_nonce(nonce) for nonce in nonces] == [False] * 3 + [True] * NONCES_MAX


# -- the own log


def test_a_log_is_begun_once_and_then_nothing_is_written(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db")) as replica, open_store(str(tmp_path / "a.db")) as other:
        log_id = replica.begin_log(NOW_MS)
        before = other.data_version()
        assert replica.begin_log(NOW_MS + 1) == log_id
        assert other.data_version() == before
        assert replica.statistics().events == 1


def test_a_closed_log_is_named_by_the_one_that_is_begun_after_it(replica: Replica) -> None:
    tip = save(replica, KEY, b"text")
    replica.seal()
    assert replica.close_own_log(tip.log_id)
    successor = replica.begin_log(NOW_MS)
    assert successor != tip.log_id
    replica.seal()
    [chunk] = map(decode_chunk, replica.read_range(replica.tips_of(successor)[0], None) or ())
    assert chunk.events[0].kind == GENESIS
    assert decode_genesis(chunk.events[0].body or b"").parents == (tip,)


def test_a_log_that_was_followed_by_another_is_not_closed_twice(replica: Replica) -> None:
    first = replica.begin_log(NOW_MS)
    assert replica.close_own_log(first)
    second = replica.begin_log(NOW_MS)
    assert not replica.close_own_log(first)
    assert replica.begin_log(NOW_MS) == second
    assert replica.close_own_log()
    assert not replica.close_own_log()


# -- the space


def test_a_replica_that_met_nobody_becomes_one_of_another_space(replica: Replica) -> None:
    assert (replica.space_id(), replica.space_name()) == (space_id_of(":memory:"), ":memory:")
    save(replica, KEY, b"before")
    replica.adopt_space(bytes(16), "team")
    assert (replica.space_id(), replica.space_name()) == (bytes(16), "team")
    assert shown(replica, KEY) == b"before"


def test_one_that_has_met_others_stays_in_its_space(replica: Replica) -> None:
    replica.adopt_space(bytes(16), "team")
    replica.note_peer(bytes(16), machine="m", role="hub", version="1", now_ms=NOW_MS)
    replica.adopt_space(bytes(16), "team")  # it is one already
    for space_id, name in ((bytes([1]) * 16, "team"), (bytes(16), "other")):
        with pytest.raises(StoreAccessError, match=r"kioku export here, and kioku import there"):
            replica.adopt_space(space_id, name)
    replica.forget_peer(bytes(16))
    with pytest.raises(StoreAccessError):
        replica.adopt_space(bytes(16), "other")
    assert (replica.space_id(), replica.space_name()) == (bytes(16), "team")


def test_one_that_holds_what_a_peer_sent_stays_in_its_space(replica: Replica) -> None:
    """However the exchange with that peer ended, and though it was never noted as met."""
    replica.adopt_space(bytes(16), "team")
    with open_store() as other:
        save(other, KEY, b"the team's")
        (chunk,) = other.export_chunks()
    with pytest.raises(BadSealError):
        replica.ingest_chunk(chunk[:-1] + b"?", now_ms=NOW_MS, space_id=bytes(16))
    assert not replica.has_met_peers()
    with pytest.raises(StoreAccessError, match="another space"):
        replica.ingest_chunk(chunk, now_ms=NOW_MS, space_id=bytes([1]) * 16)
    assert not replica.has_met_peers()
    assert shown(replica, KEY) is None
    replica.ingest_chunk(chunk, now_ms=NOW_MS, space_id=bytes(16))
    with pytest.raises(StoreAccessError):
        replica.adopt_space(bytes([1]) * 16, "other")
    assert shown(replica, KEY) == b"the team's"


def test_what_a_person_brings_keeps_no_store_from_joining_a_space(replica: Replica) -> None:
    with open_store() as other:
        save(other, KEY, b"on a stick")
        (chunk,) = other.export_chunks()
    replica.ingest_chunk(chunk, now_ms=NOW_MS)
    replica.adopt_space(bytes(16), "team")


def test_no_replica_becomes_one_of_the_private_space(replica: Replica) -> None:
    with pytest.raises(InvalidArgumentError, match="never shared"):
        replica.adopt_space(bytes(16), "private")
    assert not replica.is_private()


# -- late bodies


def bodiless(replica: Replica, *bodies: bytes) -> list[Body]:
    """Let a replica hold saves whose bodies are missing, and give those."""
    author = Author(1, hlc=pack(NOW_MS))
    events = [author.genesis]
    for number, body in enumerate(bodies, 1):
        key = bytes([number]) * 16
        events.append(author.append(events[-1], SAVE, hlc=pack(NOW_MS), key=key, body=body))
    chunk = author.chunk(events[0], events[-1], bodiless=frozenset(events[1:]))
    replica.ingest_chunk(chunk, now_ms=NOW_MS)
    written = [author.written[one].event for one in events[1:]]
    return [
        Body(one, event.salt or b"", event.body or b"")
        for one, event in zip(events[1:], written, strict=True)
    ]


def test_a_body_that_comes_late_is_shown(replica: Replica) -> None:
    first, second = bodiless(replica, b"one", b"two")
    assert replica.missing_events(9) == [second.event, first.event]
    assert replica.missing_events(1) == [second.event]
    assert replica.bodies([first.event]) == []
    assert replica.supply_bodies([first], now_ms=NOW_MS) == 1
    assert replica.bodies([first.event, second.event]) == [first]
    assert replica.missing_events(9) == [second.event]
    assert shown(replica, bytes([1]) * 16) == b"one"
    assert replica.supply_bodies([first, first], now_ms=NOW_MS) == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: one._replace(body=b"forged"),
        lambda one: one._replace(salt=bytes(16)),
        lambda one: one._replace(salt=b""),
        lambda one: one._replace(body=bytes(BODY_BYTES_MAX + 1)),
    ],
)
def test_none_is_stored_where_one_is_not_what_its_event_commits_to(
    replica: Replica, spoil: Callable[[Body], Body]
) -> None:
    first, second = bodiless(replica, b"one", b"two")
    with pytest.raises(BadCommitmentError, match=f"log {second.event.log_id.hex()} seq 3"):
        replica.supply_bodies([first, spoil(second)], now_ms=NOW_MS)
    assert replica.missing_events(9) == [second.event, first.event]


def test_a_body_over_its_limit_is_refused_although_its_event_commits_to_it(
    replica: Replica,
) -> None:
    """No chunk could carry it to anybody."""
    [body] = bodiless(replica, bytes(BODY_BYTES_MAX + 1))
    with pytest.raises(BadCommitmentError):
        replica.supply_bodies([body], now_ms=NOW_MS)


def test_a_body_that_was_purged_meanwhile_is_not_taken(replica: Replica) -> None:
    [body] = bodiless(replica, b"a secret")
    replica.append([Draft(PURGE, bytes([1]) * 16)], now_ms=NOW_MS)
    assert replica.missing_events(9) == []
    assert replica.supply_bodies([body], now_ms=NOW_MS) == 0
    assert replica.bodies([body.event]) == []


def test_a_body_of_an_event_that_is_not_here_is_left(replica: Replica) -> None:
    [body] = bodiless(replica, b"text")
    stranger = body._replace(event=body.event._replace(seq=7))
    assert replica.supply_bodies([stranger], now_ms=NOW_MS) == 0


def test_a_body_that_rotted_is_not_given_out(replica: Replica) -> None:
    event = save(replica, KEY, b"text")
    with replica.transaction(now_ms=NOW_MS) as transaction:
        sql = "UPDATE event SET body = ? WHERE kind = 1"
        transaction.connection.execute(sql, (b"rotted",))
    assert replica.bodies([event]) == []
