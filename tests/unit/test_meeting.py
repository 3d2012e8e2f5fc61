"""Whom a replica has met, and whom it waits for: kept for good, and seldom written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kioku.log import peers
from kioku.log.event import SAVE
from kioku.log.peers import KEPT_SEEN_MS, SILENT_AFTER_MS
from kioku.log.receipt import Receipt
from kioku.replica import Draft, Replica
from tests.property.stores import open_store
from tests.unit.meetings import (
    KEY,
    NOW_MS,
    PEER,
    STRANGER,
    carry,
    confirmed_by,
    meet,
    only,
    purge,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with open_store(str(tmp_path / "a.db")) as replica:
        yield replica


# -- meeting


def test_a_store_that_met_nobody_has_no_table_of_peers(replica: Replica) -> None:
    assert not replica.has_met_peers()
    assert replica.peers() == []
    assert not replica.forget_peer(PEER)
    assert not replica.note_level(PEER, bytes(32), is_erased=True)
    replica.append([Draft(SAVE, KEY, b"text")], now_ms=NOW_MS)
    with replica.reading(now_ms=NOW_MS) as reading:
        sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('peer', 'event_erasing')"
        assert reading.connection.execute(sql).get == 0


def test_a_peer_is_what_it_said_of_itself_and_when(replica: Replica) -> None:
    assert meet(replica)
    assert only(replica) == peers.Peer(
        log_id=PEER,
        name="",
        machine="alice",
        role="spoke",
        version="1",
        first_met_ms=NOW_MS,
        last_seen_ms=NOW_MS,
        receipt=Receipt(),
        is_succeeded=False,
    )
    assert meet(replica, version="2", now_ms=NOW_MS + 5)
    assert (only(replica).version, only(replica).first_met_ms) == ("2", NOW_MS)
    assert only(replica).last_seen_ms == NOW_MS + 5


def test_a_peer_has_the_name_that_its_genesis_states(replica: Replica) -> None:
    with open_store(seed=3) as other:
        log_id = other.begin_log(NOW_MS)
        meet(replica, log_id)
        assert only(replica).name == ""
        carry(other, replica)
        assert only(replica).name == "replica 3"


def test_being_heard_again_writes_nothing(replica: Replica, tmp_path: Path) -> None:
    meet(replica)
    with open_store(str(tmp_path / "a.db")) as other:
        before = other.data_version()
        for later_ms in range(0, KEPT_SEEN_MS, KEPT_SEEN_MS // 9):
            assert not meet(replica, now_ms=NOW_MS + later_ms)
        assert other.data_version() == before
    assert only(replica).last_seen_ms == NOW_MS


@pytest.mark.parametrize("later_ms", [KEPT_SEEN_MS + 1, -KEPT_SEEN_MS - 1])
def test_when_a_peer_was_seen_is_kept_once_a_day(replica: Replica, later_ms: int) -> None:
    """Also when the clock was set back: else it would seem to be from the future for ever."""
    meet(replica)
    assert meet(replica, now_ms=NOW_MS + later_ms)
    assert only(replica).last_seen_ms == NOW_MS + later_ms


def test_when_a_peer_was_seen_last_is_kept_if_asked(replica: Replica) -> None:
    meet(replica)
    assert meet(replica, now_ms=NOW_MS + 1, keep=True)
    assert not meet(replica, now_ms=NOW_MS + 1, keep=True)
    assert only(replica).last_seen_ms == NOW_MS + 1


def test_a_store_is_not_its_own_peer(replica: Replica) -> None:
    first = replica.begin_log(NOW_MS)
    assert not meet(replica, first)
    assert replica.peers() == []


def test_whoever_speaks_under_a_log_that_was_closed_here_is_a_peer(replica: Replica) -> None:
    """A copy of this store, or what this is a copy of: it is waited for like any other."""
    first = replica.begin_log(NOW_MS)
    replica.close_own_log()
    replica.begin_log(NOW_MS)
    assert meet(replica, first)
    assert only(replica).log_id == first


def test_a_forgotten_peer_is_waited_for_no_more_and_can_be_met_again(replica: Replica) -> None:
    meet(replica)
    event = purge(replica)
    assert [peer.log_id for peer in replica.erasures()[0].outstanding] == [PEER]
    assert replica.forget_peer(PEER)
    assert not replica.forget_peer(PEER)
    assert replica.erasures()[0].outstanding == ()
    assert replica.has_met_peers()
    assert meet(replica)
    assert confirmed_by(replica, event) == set()


def test_the_table_has_room_for_those_whose_log_is_here(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever invents replicas drives out what was invented, and nobody else."""
    monkeypatch.setattr(peers, "PEERS_MAX", 3)
    with open_store(seed=3) as other:
        known = other.begin_log(NOW_MS)
        carry(other, replica)
        meet(replica, known, now_ms=NOW_MS - 1)
    for number in range(5):
        assert meet(replica, bytes([number]) * 16, now_ms=NOW_MS + number)
    assert [peer.log_id[0] for peer in replica.peers()] == [known[0], 3, 4]
    monkeypatch.setattr(peers, "PEERS_MAX", 1)
    for log_id in (bytes([3]) * 16, bytes([4]) * 16):
        replica.forget_peer(log_id)
    assert not meet(replica, STRANGER)
    assert only(replica).log_id == known


# -- who is waited for


def test_a_log_that_another_peer_continues_is_waited_for_while_it_is_heard(
    replica: Replica,
) -> None:
    with open_store(seed=3) as other:
        first = other.begin_log(NOW_MS)
        meet(replica, first)
        other.seal()
        other.close_own_log()
        second = other.begin_log(NOW_MS)
        carry(other, replica)
        purge(replica)
        assert [peer.log_id for peer in replica.erasures()[0].outstanding] == [first]
        # Its successor is known, but whether it is the same replica shows when that is met.
        met_ms = NOW_MS + 1_000_000
        meet(replica, second, now_ms=met_ms)
        assert [peer.log_id for peer in replica.erasures()[0].outstanding] == [second]
        # Both go on: one of them is a clone.
        assert not meet(replica, first, now_ms=met_ms + SILENT_AFTER_MS)
        assert meet(replica, first, now_ms=met_ms + SILENT_AFTER_MS + 1)
        waiting = {peer.log_id for peer in replica.erasures()[0].outstanding}
        assert waiting == {first, second}


def test_a_log_is_continued_over_several_that_were_never_met(replica: Replica) -> None:
    with open_store(seed=3) as other:
        logs = []
        for _ in range(4):
            logs.append(other.begin_log(NOW_MS))
            other.seal()
            other.close_own_log()
        carry(other, replica)
    meet(replica, logs[0])
    meet(replica, logs[3], now_ms=NOW_MS + 1)
    assert [peer.is_succeeded for peer in replica.peers()] == [True, False]
