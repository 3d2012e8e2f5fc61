"""What a replica owes its callers: transactions, known gaps, exports after any frontier."""

from __future__ import annotations

import os
import threading
from random import Random
from typing import TYPE_CHECKING

import pytest

from kioku.errors import BrokenChainError, ReplicaClosedError, StoreCorruptError
from kioku.log.chunk import CHUNK_BYTES_MAX, EVENTS_MAX, decode_chunk
from kioku.log.event import PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY, EventId
from kioku.log.frontier import Frontier, Tip
from kioku.log.hlc import pack
from kioku.log.payload import encode_targets
from kioku.replica import Draft, Replica
from tests.property.authors import Author
from tests.property.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW_MS = 1_790_000_000_000
KEY, OTHER = bytes([1]) * 16, bytes([2]) * 16


def save(replica: Replica, key: bytes, body: bytes, now_ms: int = NOW_MS) -> EventId:
    return replica.append([Draft(SAVE, key, body)], now_ms=now_ms)[0].id


def shown(replica: Replica, key: bytes, now_ms: int = NOW_MS) -> bytes | None:
    with replica.reading(now_ms=now_ms) as reading:
        found = reading.shown(key)
        return found and found.body


def carry(sender: Replica, receiver: Replica, after: Frontier | None = None) -> int:
    count = 0
    for chunk in sender.export_chunks(after):
        receiver.ingest_chunk(chunk, now_ms=NOW_MS)
        count += 1
    return count


def statuses(replica: Replica) -> dict[str, str]:
    return {found.name: found.status for found in replica.check(deep=True, now_ms=NOW_MS)}


# --- transactions ---------------------------------------------------------------------------------


def test_a_transaction_is_all_or_nothing() -> None:
    replica = open_store()

    def append_and_fail() -> None:
        with replica.transaction(now_ms=NOW_MS) as transaction:
            transaction.append([Draft(SAVE, KEY, b"one")])
            found = transaction.shown(KEY)
            assert found is not None
            assert found.body == b"one"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        append_and_fail()
    assert shown(replica, KEY) is None
    assert replica.statistics().events == 0


def test_an_empty_transaction_writes_nothing() -> None:
    replica = open_store()
    with replica.transaction(now_ms=NOW_MS) as transaction:
        transaction.append([])
    assert list(replica.export_chunks()) == []


def test_what_is_closed_says_so() -> None:
    replica = open_store()
    replica.close()
    replica.close()
    calls: list[Callable[[], object]] = [
        lambda: save(replica, KEY, b"late"),
        lambda: shown(replica, KEY),
        replica.frontier,
        replica.digest,
        replica.statistics,
        replica.rebuild,
        lambda: list(replica.export_chunks()),
    ]
    for call in calls:
        with pytest.raises(ReplicaClosedError):
            call()


def test_threads_share_a_replica(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "space.db")) as replica:
        failed: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for count in range(20):
                    save(replica, bytes([number, count]) * 8, b"%d %d" % (number, count))
                    assert shown(replica, bytes([number, count]) * 8)
                    replica.digest()
            except BaseException as error:  # noqa: BLE001  (whatever it is, it failed)
                failed.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert replica.statistics().events == 1 + 80
        assert set(statuses(replica).values()) == {"pass"}


def test_a_fork_must_open_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(str(tmp_path / "space.db")) as replica:
        save(replica, KEY, b"body")
        pid = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: pid + 1)
        with pytest.raises(ReplicaClosedError, match="forked"):
            save(replica, OTHER, b"body")
        monkeypatch.setattr(os, "getpid", lambda: pid)
        assert shown(replica, KEY) == b"body"


# --- bodies that are missing ----------------------------------------------------------------------


@pytest.fixture
def author() -> Author:
    """Genesis, then two saves of KEY and one of OTHER."""
    author = Author(1, hlc=pack(NOW_MS - 10))
    tip = author.append(author.genesis, SAVE, hlc=pack(NOW_MS - 9), key=KEY, body=b"first")
    tip = author.append(tip, SAVE, hlc=pack(NOW_MS - 8), key=KEY, body=b"second")
    author.append(tip, SAVE, hlc=pack(NOW_MS - 7), key=OTHER, body=b"other")
    return author


def test_a_missing_body_is_known_until_it_comes(author: Author) -> None:
    (tip,) = author.tips()
    genesis, first, second, other = author.path(tip)
    replica = open_store()
    counts = replica.ingest_chunk(
        author.chunk(genesis, tip, bodiless=[second, other]), now_ms=NOW_MS
    )
    assert (counts.new_events, counts.missing) == (4, 2)
    assert replica.statistics().missing == 2
    assert statuses(replica)["missing"] == "warn"
    assert shown(replica, KEY) is None, "the first does not win because the second's body is away"
    assert shown(replica, OTHER) is None
    again = replica.ingest_chunk(author.chunk(second, tip, bodiless=[other]), now_ms=NOW_MS)
    assert (again.new_events, again.new_bodies) == (0, 1)
    assert (shown(replica, KEY), shown(replica, OTHER)) == (b"second", None)
    assert replica.statistics().missing == 1
    replica.ingest_chunk(author.chunk(genesis, tip), now_ms=NOW_MS)
    assert shown(replica, OTHER) == b"other"
    assert replica.statistics().missing == 0
    assert set(statuses(replica).values()) == {"pass"}
    assert first in author.written


def test_a_chunk_without_bodies_erases_none(author: Author) -> None:
    """An absent body is a gap, not an erasure."""
    (tip,) = author.tips()
    replica = open_store()
    replica.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
    bare = author.chunk(author.genesis, tip, bodiless=author.path(tip)[1:])
    counts = replica.ingest_chunk(bare, now_ms=NOW_MS)
    assert (counts.new_events, counts.missing) == (0, 0)
    assert (shown(replica, KEY), shown(replica, OTHER)) == (b"second", b"other")
    assert replica.statistics().missing == 0


def test_a_gap_is_passed_on_as_a_gap(author: Author) -> None:
    (tip,) = author.tips()
    middle, last = open_store(seed=1), open_store(seed=2)
    bare = author.chunk(author.genesis, tip, bodiless=author.path(tip)[2:])
    middle.ingest_chunk(bare, now_ms=NOW_MS)
    carry(middle, last)
    assert last.statistics().missing == 2
    assert last.digest() == middle.digest()
    last.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
    carry(last, middle)  # everything, since equal frontiers tell nothing of gaps
    assert middle.statistics().missing == 0
    assert shown(middle, KEY) == b"second"


@pytest.mark.parametrize("kind", [PURGE, RETRACT])
def test_an_erasure_ends_a_gap(author: Author, kind: int) -> None:
    (tip,) = author.tips()
    path = author.path(tip)
    replica = open_store()
    bare = author.chunk(author.genesis, tip, bodiless=path[1:])
    replica.ingest_chunk(bare, now_ms=NOW_MS)
    if kind == PURGE:
        drafts = [Draft(PURGE, KEY), Draft(PURGE, OTHER)]
    else:
        drafts = [Draft(RETRACT, ZERO_KEY, encode_targets(path[1:]))]
    replica.append(drafts, now_ms=NOW_MS)
    assert replica.statistics().missing == 0
    counts = replica.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
    assert counts.new_bodies == 0
    assert (shown(replica, KEY), shown(replica, OTHER)) == (None, None)
    assert b"second" not in b"".join(replica.export_chunks())
    assert set(statuses(replica).values()) == {"pass"}


# --- held events ----------------------------------------------------------------------------------


def test_an_event_from_the_future_is_shown_marked_and_counts_when_its_time_comes() -> None:
    ahead_ms = NOW_MS + 3_600_000
    author = Author(1, hlc=pack(NOW_MS))
    tip = author.append(author.genesis, SAVE, hlc=pack(ahead_ms), key=KEY, body=b"ahead")
    tip = author.append(tip, TOMBSTONE, hlc=pack(ahead_ms), key=OTHER, body=None)
    replica = open_store()
    save(replica, OTHER, b"mine")
    counts = replica.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
    assert counts.held == 2
    with replica.reading(now_ms=NOW_MS) as reading:
        found = reading.shown(KEY)
        assert found is not None
        assert found.held
        assert reading.winner(KEY) is None
        assert [version.status for version in reading.versions(KEY)] == ["held"]
    assert shown(replica, OTHER) == b"mine"
    assert statuses(replica)["held"] == "warn"
    replica.rebuild()
    assert replica.statistics().held == 2
    assert shown(replica, OTHER, ahead_ms) is None
    assert shown(replica, KEY, ahead_ms) == b"ahead"
    assert replica.statistics().held == 0
    # Decided once: a clock that goes back holds nothing again.
    assert shown(replica, OTHER, NOW_MS) is None


# --- exports --------------------------------------------------------------------------------------


def grown(seed: int, steps: int = 30) -> tuple[list[Replica], list[Frontier]]:
    """Replicas that wrote and exchanged at random, and every frontier they had on the way."""
    random = Random(seed)
    replicas = [open_store(seed=seed * 10 + number) for number in range(3)]
    frontiers = [Frontier()]
    for step in range(steps):
        replica = random.choice(replicas)
        key = bytes([random.randrange(1, 9)]) * 16
        if random.random() < 0.7:
            save(replica, key, b"body %d" % step + bytes(random.randrange(2_000)))
        elif random.random() < 0.3:
            replica.append([Draft(PURGE, key)], now_ms=NOW_MS)
        else:
            carry(random.choice(replicas), replica, replica.frontier())
        frontiers.append(replica.frontier())
    return replicas, frontiers


@pytest.mark.parametrize("seed", range(4))
def test_an_export_after_any_frontier_is_all_that_its_holder_lacks(seed: int) -> None:
    replicas, frontiers = grown(seed)
    source = open_store(seed=seed + 100)
    for replica in replicas:
        carry(replica, source)
    for frontier in frontiers:
        holder = open_store(seed=seed + 200)
        for chunk in source.export_chunks():
            _take_up_to(holder, chunk, frontier)
        carry(source, holder, frontier)
        assert holder.digest() == source.digest()
        assert list(source.export_chunks(holder.frontier())) == []


def _take_up_to(holder: Replica, data: bytes, frontier: Frontier) -> None:
    """Ingest what a replica with this frontier has of a chunk, if it has any."""
    chunk = decode_chunk(data)
    seqs = [tip.seq for tip in frontier.of_log(chunk.log_id)]
    if seqs and chunk.first_seq <= max(seqs):
        holder.ingest_chunk(data, now_ms=NOW_MS)


def test_a_frontier_of_unknown_tips_is_answered_with_everything() -> None:
    replica, other = open_store(seed=1), open_store(seed=2)
    save(replica, KEY, b"body")
    (tip,) = replica.frontier()
    strange = Frontier([Tip(bytes(16), 5, bytes(32)), tip._replace(seq=99, hash=bytes(32))])
    assert list(replica.export_chunks(strange)) == list(replica.export_chunks())
    assert carry(replica, other, strange) == 1
    assert shown(other, KEY) == b"body"


def test_a_long_log_is_cut_at_seals_within_the_limits() -> None:
    replica, other = open_store(seed=1), open_store(seed=2)
    keys = [number.to_bytes(16, "big") for number in range(1, 2_601)]
    replica.append([Draft(SAVE, key, b"small") for key in keys[:2_500]], now_ms=NOW_MS)
    replica.append([Draft(SAVE, key, bytes(20_000)) for key in keys[2_500:]], now_ms=NOW_MS)
    replica.append([Draft(SAVE, KEY, bytes(CHUNK_BYTES_MAX + 1))], now_ms=NOW_MS)
    chunks = list(replica.export_chunks())
    sizes = [(len(chunk), len(decode_chunk(chunk).events)) for chunk in chunks]
    assert max(count for _, count in sizes) <= EVENTS_MAX
    assert all(size <= CHUNK_BYTES_MAX or count == 1 for size, count in sizes)
    assert sum(count for _, count in sizes) == 2_602
    with pytest.raises(BrokenChainError):
        other.ingest_chunk(chunks[1], now_ms=NOW_MS)
    for chunk in chunks:
        other.ingest_chunk(chunk, now_ms=NOW_MS)
    assert other.digest() == replica.digest()


def test_what_is_erased_during_an_export_is_not_sent() -> None:
    replica = open_store()
    replica.append([Draft(SAVE, OTHER, bytes(200_000))] * 3, now_ms=NOW_MS)
    save(replica, KEY, b"secret")
    export = replica.export_chunks()
    next(export)
    replica.append([Draft(PURGE, KEY)], now_ms=NOW_MS)
    assert b"secret" not in b"".join(export)


def test_ingesting_again_changes_nothing() -> None:
    replicas, _ = grown(7)
    target = open_store(seed=300)
    for replica in replicas:
        carry(replica, target)
    before = target.digest(), target.statistics()
    for replica in replicas:
        for chunk in replica.export_chunks():
            counts = target.ingest_chunk(chunk, now_ms=NOW_MS)
            assert (counts.new_events, counts.new_bodies) == (0, 0)
    assert (target.digest(), target.statistics()) == before


# --- damage ---------------------------------------------------------------------------------------


def test_a_tail_that_was_damaged_is_not_said_again(tmp_path: Path) -> None:
    """Said again in a new log it would pass for whole: it stays where it is, and is named."""
    path = str(tmp_path / "space.db")
    with open_store(path) as replica:
        save(replica, KEY, b"good")
        save(replica, OTHER, b"original")
        replica._database.connection.execute(
            "UPDATE event SET body = ? WHERE body = ?", (b"forged!!", b"original")
        )
    next(tmp_path.glob("*.key")).unlink()
    with open_store(path, seed=1) as replica:
        save(replica, bytes([3]) * 16, b"new")
        assert replica.statistics().logs == 2
        assert shown(replica, KEY) == b"good"
        with pytest.raises(StoreCorruptError, match="seq 3"):
            shown(replica, OTHER)
        other = open_store(seed=2)
        for chunk in replica.export_chunks():
            other.ingest_chunk(chunk, now_ms=NOW_MS)
        assert shown(other, KEY) == b"good"
        assert shown(other, OTHER) is None
        assert statuses(replica)["chain"] == "fail"
