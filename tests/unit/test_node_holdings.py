"""How the sums of a replica's tips are kept level: little is read, and nothing is missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from kioku.log.event import SAVE
from kioku.node.holdings import ReplicaHoldings
from kioku.replica import Draft, Replica
from tests.property.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.log.lookup import Changes

NOW_MS = 1_790_000_000_000
KEY = bytes([1]) * 16


@pytest.fixture
def replica() -> Iterator[Replica]:
    with open_store() as replica:
        yield replica


def save(replica: Replica) -> None:
    replica.append([Draft(SAVE, KEY, b"text")], now_ms=NOW_MS)


class Watched:
    """A replica, and what it was asked for."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self.rows: list[int] = []

    def stated_changes(self, row: int, digest: bytes | None) -> Changes:
        self.rows.append(row)
        return self._replica.stated_changes(row, digest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._replica, name)


def test_only_events_since_the_last_look_are_looked_at(replica: Replica) -> None:
    watched = Watched(replica)
    holdings = ReplicaHoldings(cast("Replica", watched), lambda: NOW_MS)
    for _ in range(3):
        save(replica)
        replica.seal()
        assert holdings.digest() == replica.stated_digest()
    assert watched.rows == [-1, 2, 3]


def test_a_tail_that_was_seen_unsealed_counts_once_it_is_sealed(replica: Replica) -> None:
    holdings = ReplicaHoldings(replica, lambda: NOW_MS)
    save(replica)
    assert holdings.count_tips("") == 0
    replica.seal()
    assert holdings.count_tips("") == 1
    assert holdings.reloads() == 1


def test_all_tips_are_read_anew_where_a_change_cannot_be_found(replica: Replica) -> None:
    """As when another version of kioku changes what this one does not know of."""
    holdings = ReplicaHoldings(replica, lambda: NOW_MS)
    with open_store(seed=3) as other:
        save(other)
        for chunk in other.export_chunks():
            replica.ingest_chunk(chunk, now_ms=NOW_MS)
    assert holdings.count_tips("") == 1
    with replica.transaction(now_ms=NOW_MS) as transaction:
        transaction.connection.execute("UPDATE branch SET sealed_seq = 0, sealed_hash = NULL")
        transaction.connection.execute("UPDATE meta SET value = zeroblob(32) WHERE name = 'digest'")
    assert holdings.count_tips("") == 0
    assert holdings.digest() == bytes(32)
    assert holdings.reloads() == 2
