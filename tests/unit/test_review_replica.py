"""What a replica owes whoever calls it when something else goes wrong, and at what cost."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import apsw
import pytest

import kioku
from kioku.errors import (
    ReplicaClosedError,
    StoreAccessError,
    StoreBusyError,
    StoreFullError,
    StoreIOError,
)
from kioku.log.event import PURGE, SAVE
from kioku.log.hlc import pack
from kioku.observation import UnreadableBodyError, read_fields
from kioku.replica import Draft, Replica
from tests.integration.faulty_disk import BROKEN, FaultyDisk
from tests.property.authors import Author
from tests.property.stores import open_store
from tests.unit.log.colliding import colliding_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
KEY, OTHER = bytes([1]) * 16, bytes([2]) * 16
READS_MAX = 400


def save(replica: Replica, key: bytes, body: bytes) -> None:
    replica.append([Draft(SAVE, key, body)], now_ms=NOW_MS)


def shown(replica: Replica, key: bytes) -> bytes | None:
    with replica.reading(now_ms=NOW_MS) as reading:
        found = reading.shown(key)
        return found and found.body


# --- erasure that fails after the commit ----------------------------------------------------------


@pytest.mark.parametrize(
    "error", [StoreFullError("disk full in the checkpoint"), StoreBusyError("somebody reads")]
)
@pytest.mark.parametrize("step", ["truncate_wal", "vacuum"])
def test_an_erasure_that_fails_after_the_commit_is_finished_later_and_no_failed_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    """What was asked for is committed: to raise would make the caller do it twice."""

    def fail(timeout_ms: int) -> bool:
        raise error

    with open_store(str(tmp_path / "space.db")) as replica:
        save(replica, KEY, b"secret body")
        with monkeypatch.context() as broken:
            broken.setattr(replica._database, step, fail)
            replica.append([Draft(PURGE, KEY)], now_ms=NOW_MS)
            save(replica, OTHER, b"other")
            assert shown(replica, OTHER) == b"other"
            assert replica.statistics().erasures_due == 1
            with pytest.raises(type(error)):
                replica.finish_erasure(0)
        save(replica, OTHER, b"once more")
        assert replica.statistics().erasures_due == 0
        left = [one.name for one in tmp_path.iterdir() if b"secret body" in one.read_bytes()]
        assert left == []


# --- cost -----------------------------------------------------------------------------------------


def _held_store() -> Replica:
    author = Author(1, hlc=pack(NOW_MS))
    tip = author.genesis
    for number in range(1, 4):
        stamp = pack(NOW_MS + number * HOUR_MS)
        tip = author.append(tip, SAVE, hlc=stamp, key=bytes([number]) * 16, body=b"ahead")
    replica = open_store()
    replica.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
    return replica


def test_what_is_held_is_never_scanned_to_see_what_is_due() -> None:
    """Every read and every save asks; a peer with a wrong clock can have much held."""
    replica = _held_store()
    connection = replica._database.connection
    asked: list[tuple[str, Any]] = []

    def trace(_: apsw.Cursor, statement: str, bindings: Any) -> bool:
        if re.search(r"\bheld\b.*\bhlc <= ", statement):
            asked.append((statement, bindings))
        return True

    connection.set_exec_trace(trace)
    shown(replica, KEY)
    save(replica, OTHER, b"mine")
    with replica.reading(now_ms=NOW_MS + HOUR_MS):
        pass
    connection.set_exec_trace(None)
    assert len(asked) >= 3
    for statement, bindings in asked:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings).fetchall()
        steps = [str(step[3]) for step in plan]
        assert any("INDEX held_until (hlc<" in step for step in steps), steps
    assert replica.statistics().held == 2


def test_standings_carry_no_bodies() -> None:
    """A key may have thousands of versions of a megabyte each; who wins is asked of all of them."""
    replica = open_store()
    for number in range(3):
        save(replica, KEY, b"version %d" % number)
    with replica.reading(now_ms=NOW_MS) as reading:
        standings = replica._core.fold.standings(KEY)
        assert [standing.entry.body for standing in standings] == [None] * 3
        assert [version.entry.body for version in reading.versions(KEY)] == [
            b"version 2",
            b"version 1",
            b"version 0",
        ]


@pytest.mark.parametrize("prefix", [b"", b"\xa1\x11", b"\xa1\x11\xa1\x61a", b"\xa1\x12\x81"])
def test_a_body_whose_map_keys_collide_is_unreadable_at_once(prefix: bytes) -> None:
    """At the top, in ``extra``, in a map within it, in a field of the future."""
    with pytest.raises(UnreadableBodyError):
        read_fields(prefix + colliding_map(40_000))


# --- forks ----------------------------------------------------------------------------------------


class _LockOfAnotherThread:
    """A lock that a thread held at the fork: in the child nobody ever lets go of it."""

    def __enter__(self) -> None:
        raise AssertionError("the child waits for ever")

    def __exit__(self, *_: object) -> None:
        """Nothing was taken."""


def test_a_forked_child_is_refused_before_it_waits_for_any_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = Author(1, hlc=pack(NOW_MS))
    with open_store(str(tmp_path / "space.db")) as replica:
        save(replica, KEY, b"body")
        calls: list[Callable[[], object]] = [
            lambda: save(replica, OTHER, b"late"),
            lambda: shown(replica, KEY),
            lambda: replica.ingest_chunk(author.chunk(*[author.genesis] * 2), now_ms=NOW_MS),
            lambda: replica.check(deep=False, now_ms=NOW_MS),
            lambda: replica.finish_erasure(0),
            lambda: list(replica.export_chunks()),
            replica.count_unsealed,
            replica.seal,
            replica.frontier,
            replica.digest,
            replica.rebuild,
            replica.statistics,
        ]
        parent = os.getpid()
        with monkeypatch.context() as child:
            child.setattr(replica, "_lock", _LockOfAnotherThread())
            child.setattr(os, "getpid", lambda: parent + 1)
            for call in calls:
                with pytest.raises(ReplicaClosedError, match="forked"):
                    call()
            replica.close()
        assert shown(replica, KEY) == b"body", "the child's close is not the parent's"


# --- disks that fail ------------------------------------------------------------------------------


def test_the_call_after_a_disk_error_has_a_new_connection(tmp_path: Path) -> None:
    def read_and_fail() -> None:
        with replica.reading(now_ms=NOW_MS):
            raise apsw.IOError

    with open_store(str(tmp_path / "space.db")) as replica:
        save(replica, KEY, b"body")
        before = replica._database.connection
        with pytest.raises(StoreIOError):
            read_and_fail()
        assert shown(replica, KEY) == b"body"
        assert replica._database.connection is not before
        save(replica, OTHER, b"other")
        assert shown(replica, OTHER) == b"other"


def test_a_new_connection_does_not_take_another_file_for_the_store(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    with open_store(str(path)) as replica:
        save(replica, KEY, b"mine")
        other = tmp_path / "other.db"
        with open_store(str(other), seed=1) as stranger:
            save(stranger, OTHER, b"another store's")
        other.replace(path)
        replica._database.has_failed = True
        with pytest.raises(StoreAccessError, match="replaced"):
            save(replica, KEY, b"where nobody would look")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    found = FaultyDisk(monkeypatch)
    yield found
    found.unregister()


def test_a_search_after_a_read_that_failed_finds_what_is_there(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    """FTS5 keeps what it could not read in mind, and would call the file malformed from then on."""
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        memory.save_many({"content": f"word{n} common text {n}"} for n in range(300))
    for number in range(1, READS_MAX):
        with kioku.open(path) as memory:
            with disk.failing(BROKEN, number), suppress(StoreIOError):
                memory.search("common word7")
            (hit, *_) = memory.search("word7")
            assert hit.observation.content == "word7 common text 7"
        if not disk.has_failed:
            assert number > 3
            return
    raise AssertionError("the search never ends")
