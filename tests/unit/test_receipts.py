"""What peers have confirmed to have erased: never what they did not state, nor by a copy's word."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import apsw
import pytest

from kioku import backup
from kioku.log.draft import retracts
from kioku.log.event import PURGE, RETRACT, SAVE
from kioku.log.keyfile import FileKeyRing
from kioku.replica import Draft, Replica
from kioku.transport.holdings import Place
from kioku.values import replace
from tests.property.stores import FollowingView, damage, open_store
from tests.unit.meetings import (
    KEY,
    NOW_MS,
    OTHER,
    PEER,
    STRANGER,
    carry,
    confirmed_by,
    confirmed_purge,
    meet,
    purge,
    state,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with open_store(str(tmp_path / "a.db")) as replica:
        yield replica


# -- receipts


def test_a_purge_is_confirmed_by_whoever_states_it_once_it_is_erased_there(
    replica: Replica,
) -> None:
    with open_store(seed=3) as other:
        log_id = other.begin_log(NOW_MS)
        meet(replica, log_id)
        event = purge(replica)
        state(replica, other)
        assert confirmed_by(replica, event) == set()
        carry(replica, other)
        other.owe_erasure()
        state(replica, other)
        assert confirmed_by(replica, event) == set()
        other.finish_erasure(0)
        state(replica, other)
        assert confirmed_by(replica, event) == {log_id}


@pytest.mark.parametrize("kind", [PURGE, RETRACT])
def test_what_erases_is_on_the_disk_before_anybody_states_it(tmp_path: Path, kind: int) -> None:
    """Also where a power loss may take back saves: a receipt must not come true too early."""
    with open_store(seed=3) as other, open_store(str(tmp_path / "b.db")) as replica:
        saved = other.append([Draft(SAVE, KEY, b"text")], now_ms=NOW_MS)[-1].id
        carry(other, replica)
        drafts = [Draft(PURGE, KEY)] if kind == PURGE else list(retracts([saved]))
        erasing = other.append(drafts, now_ms=NOW_MS)[-1].id
        other.seal()
        chunks = other.read_range(erasing, Place(saved.seq, saved.hash))
        said: list[str] = []
        connection = replica._database.connection

        def listen(_: object, sql: str, __: object) -> bool:
            said.append(sql)
            return True

        connection.exec_trace = listen
        for chunk in chunks or ():
            replica.ingest_chunk(chunk, now_ms=NOW_MS)
        connection.exec_trace = None
        before = said[: said.index("COMMIT")]
        assert [sql for sql in before if "synchronous" in sql] == ["PRAGMA synchronous = FULL"]


def test_equal_digests_confirm_everything(replica: Replica) -> None:
    with open_store(seed=3) as other:
        log_id = other.begin_log(NOW_MS)
        meet(replica, log_id)
        event = purge(replica)
        carry(replica, other)
        carry(other, replica)
        digest = other.stated_digest()
        assert not replica.note_level(log_id, bytes(32), is_erased=True)
        assert not replica.note_level(log_id, digest, is_erased=False)
        assert not replica.note_level(STRANGER, digest, is_erased=True)
        assert confirmed_by(replica, event) == set()
        assert replica.note_level(log_id, digest, is_erased=True)
        assert not replica.note_level(log_id, digest, is_erased=True)
        assert confirmed_by(replica, event) == {log_id}


def test_saves_change_no_receipt(replica: Replica, tmp_path: Path) -> None:
    """So that replicas which save and are level write nothing beside what is saved."""
    with open_store(seed=3) as other, open_store(str(tmp_path / "a.db")) as watcher:
        log_id = other.begin_log(NOW_MS)
        meet(replica, log_id)
        purge(replica)
        carry(replica, other)
        state(replica, other)
        for number in range(3):
            replica.append([Draft(SAVE, OTHER, bytes([number]))], now_ms=NOW_MS)
            replica.seal()
            carry(replica, other)
            before = watcher.data_version()
            state(replica, other)
            assert watcher.data_version() == before


def test_a_peer_that_lost_a_purge_takes_its_receipt_back(replica: Replica, tmp_path: Path) -> None:
    path, old = tmp_path / "b.db", tmp_path / "old.db"
    with open_store(str(path), seed=3) as other:
        log_id = other.begin_log(NOW_MS)
        carry(replica, other)
        backup.write(other, str(old), view=FollowingView())
        meet(replica, log_id)
        event = purge(replica)
        carry(replica, other)
        state(replica, other)
        assert confirmed_by(replica, event) == {log_id}
    with open_store(str(old), seed=3) as other:  # its disk was put back to an older state
        stated = replica.extent()
        theirs = other.stated_frontier()
        differing = [(event.log_id, theirs.of_log(event.log_id))]
        assert replica.note_statement(log_id, stated, differing=differing, is_erased=True)
        assert confirmed_by(replica, event) == set()


def test_a_tip_that_is_not_held_here_covers_nothing(replica: Replica) -> None:
    """The peer may be ahead, or may lie: nobody can tell what is on the way to it."""
    meet(replica)
    event = purge(replica)
    unknown = event._replace(seq=event.seq + 5, hash=bytes(32))
    differing = [(event.log_id, [unknown])]
    replica.note_statement(PEER, replica.extent(), differing=differing, is_erased=True)
    assert confirmed_by(replica, event) == set()


def test_what_came_while_they_compared_is_not_confirmed(replica: Replica) -> None:
    with open_store(seed=3) as other:
        meet(replica)
        mine = purge(replica)
        stated = replica.extent()
        theirs = purge(other, OTHER)
        carry(other, replica)
        replica.note_statement(PEER, stated, differing=(), is_erased=True)
        assert confirmed_by(replica, mine) == {PEER}
        assert confirmed_by(replica, theirs) == set()


def test_a_log_is_confirmed_up_to_the_tip_that_was_stated(replica: Replica) -> None:
    with open_store(seed=3) as other:
        log_id = other.begin_log(NOW_MS)
        meet(replica, log_id)
        covered = purge(replica)
        carry(replica, other)
        lacked = purge(replica, OTHER)
        state(replica, other)
        assert confirmed_by(replica, covered) == {log_id}
        assert confirmed_by(replica, lacked) == set()


def test_what_is_not_sealed_yet_was_confirmed_by_nobody(replica: Replica) -> None:
    meet(replica)
    event = replica.append([Draft(PURGE, KEY)], now_ms=NOW_MS)[-1].id
    assert not replica.note_level(PEER, replica.stated_digest(), is_erased=True)
    [erasure] = replica.erasures()
    assert (erasure.event, erasure.is_sealed) == (event, False)
    assert [peer.log_id for peer in erasure.outstanding] == [PEER]


def test_what_was_sealed_while_they_compared_is_not_confirmed(replica: Replica) -> None:
    meet(replica)
    event = replica.append([Draft(PURGE, KEY)], now_ms=NOW_MS)[-1].id
    stated = replica.extent()
    replica.seal()
    later = purge(replica, OTHER)
    replica.note_statement(PEER, stated, differing=(), is_erased=True)
    assert confirmed_by(replica, event) == confirmed_by(replica, later) == set()


def test_an_erasure_says_what_it_is(replica: Replica) -> None:
    saved = [entry.id for entry in replica.append([Draft(SAVE, KEY, b"a")] * 2, now_ms=NOW_MS)]
    replica.append(retracts(saved), now_ms=NOW_MS)
    purge(replica)
    purged, retracted = replica.erasures()
    assert (purged.kind, purged.key, purged.targets) == (PURGE, KEY, 0)
    assert (retracted.kind, retracted.targets) == (RETRACT, 2)
    assert {purged.writer, retracted.writer} == {"replica 0"}
    assert purged.is_sealed
    assert replica.erasures(1) == [purged]


# -- copies


def test_a_restored_store_keeps_its_peers_and_believes_no_receipt(
    replica: Replica, tmp_path: Path
) -> None:
    """What a peer took back since the backup is not in it."""
    log_id, event = confirmed_purge(replica)
    backup.write(replica, str(tmp_path / "backup.db"), view=FollowingView())
    backup.prepare(str(tmp_path / "backup.db"), str(tmp_path / "restored.db"), view=FollowingView())
    with open_store(str(tmp_path / "restored.db")) as restored:
        assert confirmed_by(restored, event) == set()
        assert [peer.log_id for peer in restored.peers()] == [log_id]
        assert restored.has_met_peers()
        assert damage(restored, now_ms=NOW_MS) == []


def test_a_copy_believes_no_receipt_also_before_it_writes(replica: Replica, tmp_path: Path) -> None:
    log_id, event = confirmed_purge(replica)
    copy_store(replica.path, str(tmp_path / "copy.db"))
    with open_store(str(tmp_path / "copy.db"), seed=9) as copy:
        assert confirmed_by(copy, event) == set()
        copy.append([Draft(SAVE, OTHER, b"text")], now_ms=NOW_MS)
        assert confirmed_by(copy, event) == set()
    assert confirmed_by(replica, event) == {log_id}


def test_a_log_that_is_closed_because_another_writes_it_too_ends_all_receipts(
    replica: Replica,
) -> None:
    """A store that was rolled back unseen finds out so, and its receipts may be as old as it."""
    _, event = confirmed_purge(replica)
    replica.close_own_log()
    assert confirmed_by(replica, event) == set()


def test_a_tail_that_a_clone_seals_after_all_was_confirmed_by_nobody(
    replica: Replica, tmp_path: Path
) -> None:
    """The purge was said again in the next log, and only that copy of it went to the peer."""
    path, clone_path = str(tmp_path / "a.db"), str(tmp_path / "clone.db")
    old_log = replica.begin_log(NOW_MS)
    replica.seal()
    event = replica.append([Draft(PURGE, KEY)], now_ms=NOW_MS)[-1].id
    clone_undetected(path, clone_path, old_log)
    replica.close_own_log()
    replica.begin_log(NOW_MS)
    replica.seal()
    [again] = replica.erasures()
    assert again.event != event
    with open_store(seed=3) as other:
        log_id = other.begin_log(NOW_MS)
        meet(replica, log_id)
        carry(replica, other)
        later = purge(replica, OTHER)
        carry(replica, other)
        state(replica, other)
        assert confirmed_by(replica, again.event) == confirmed_by(replica, later) == {log_id}
    with open_store(clone_path) as clone:
        carry(clone, replica)
    assert replica.stated_frontier().of_log(old_log) == [event]
    assert confirmed_by(replica, event) == set()
    assert confirmed_by(replica, again.event) == {log_id}


def clone_undetected(path: str, clone_path: str, log_id: bytes) -> None:
    """Copy a store with its key, as a copy of a whole disk would be."""
    copy_store(path, clone_path)
    key = FileKeyRing(path).load(log_id)
    assert key is not None
    FileKeyRing(clone_path).store(replace(key, inode=os.stat(clone_path).st_ino))


def copy_store(path: str, copy_path: str) -> None:
    """Copy the file of a store that is open, and nothing else."""
    with apsw.Connection(path) as source, apsw.Connection(copy_path) as target:
        with target.backup("main", source, "main") as copying:
            copying.step(-1)
        target.execute("PRAGMA journal_mode = WAL").fetchall()


@pytest.mark.parametrize(
    "damage", ["lacks = x'ff'", "lacks = x'8101'", "lacks = 'text'", "covered = 'many'"]
)
def test_a_receipt_that_cannot_be_read_confirms_nothing(replica: Replica, damage: str) -> None:
    log_id, event = confirmed_purge(replica)
    with replica.transaction(now_ms=NOW_MS) as transaction:
        transaction.connection.execute(f"UPDATE peer SET {damage}")
    assert confirmed_by(replica, event) == set()
    assert replica.note_level(log_id, replica.stated_digest(), is_erased=True)
    assert confirmed_by(replica, event) == {log_id}
