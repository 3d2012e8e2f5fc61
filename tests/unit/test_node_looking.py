"""A look at a store's log tells of every commit, and of nothing while there is none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import apsw
import pytest

from kioku.node.looking import DOUBT_MS, Looking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUIET_MS = 10 * DOUBT_MS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(tmp_path / "space.db"))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("CREATE TABLE one(value)")
    yield connection
    connection.close()


def looked(store: apsw.Connection) -> Looking:
    """One that has seen the store, and had its time of doubt."""
    looking = Looking(store.filename)
    assert looking.is_due(0), "nothing is known yet"
    assert looking.is_due(DOUBT_MS)
    assert not looking.is_touched(DOUBT_MS)
    return looking


def test_a_commit_of_another_connection_is_seen_at_the_next_look(store: apsw.Connection) -> None:
    looking = looked(store)
    for now_ms in range(QUIET_MS, 5 * QUIET_MS, QUIET_MS):
        with apsw.Connection(store.filename) as other:
            other.execute("INSERT INTO one VALUES(1)")
        assert looking.is_touched(now_ms)
        assert looking.is_due(now_ms)
        assert not looking.is_touched(now_ms + DOUBT_MS)


def test_a_log_that_begins_anew_at_the_same_size_is_seen(store: apsw.Connection) -> None:
    """After a checkpoint the next commit overwrites the first one in the file."""
    store.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    store.execute("INSERT INTO one VALUES(1)")
    size = os.path.getsize(f"{store.filename}-wal")
    looking = looked(store)
    store.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    store.execute("INSERT INTO one VALUES(2)")
    assert os.path.getsize(f"{store.filename}-wal") == size
    assert looking.is_touched(QUIET_MS)


def test_what_was_written_is_asked_about_until_it_can_be_seen(store: apsw.Connection) -> None:
    """The commit may come long after its frames, and another one within the same tick."""
    looking = looked(store)
    store.execute("INSERT INTO one VALUES(1)")
    looks = range(QUIET_MS, QUIET_MS + 2 * DOUBT_MS, 50)
    asked = [now_ms for now_ms in looks if looking.is_due(now_ms)]
    assert asked == [*range(QUIET_MS, QUIET_MS + DOUBT_MS, 50), looks[-1]]


def test_a_quiet_store_is_asked_once_a_second(store: apsw.Connection) -> None:
    looking = looked(store)
    asked = [now for now in range(QUIET_MS, QUIET_MS + 5 * DOUBT_MS, 50) if looking.is_due(now)]
    assert asked == [QUIET_MS + n * DOUBT_MS for n in range(5)]


def test_a_log_that_cannot_be_looked_at_is_no_reason_not_to_ask(tmp_path: Path) -> None:
    looking = Looking(str(tmp_path / "gone.db"))
    assert [looking.is_due(now_ms) for now_ms in range(0, 5 * DOUBT_MS, 50)] == [True] * 100
