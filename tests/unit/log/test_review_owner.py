"""Whose log it is, whatever happened to the file, the key or the clock; and what stays behind."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from kioku.errors import (
    InvalidArgumentError,
    LogLimitError,
    NestedTransactionError,
    StoreAccessError,
)
from kioku.log import store as log_store
from kioku.log.event import PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY
from kioku.log.hlc import horizon, pack
from kioku.log.payload import encode_targets
from kioku.replica import Draft, Replica
from tests.property.authors import Author
from tests.property.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW_MS = 1_790_000_000_000
YEAR_MS = 365 * 86_400_000
KEY, OTHER = bytes([1]) * 16, bytes([2]) * 16
SECRET = b"quetzalcoatlus" * 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.db"


def save(replica: Replica, key: bytes, body: bytes) -> None:
    replica.append([Draft(SAVE, key, body)], now_ms=NOW_MS)


def shown(replica: Replica, key: bytes) -> bytes | None:
    with replica.reading(now_ms=NOW_MS) as reading:
        found = reading.shown(key)
        return found and found.body


def carry(sender: Replica, receiver: Replica) -> None:
    for chunk in sender.export_chunks(receiver.frontier()):
        receiver.ingest_chunk(chunk, now_ms=NOW_MS)


def logs(replica: Replica) -> int:
    return replica.statistics().logs


def clean(replica: Replica) -> bool:
    return {found.status for found in replica.check(deep=True, now_ms=NOW_MS)} == {"pass"}


def keys_beside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}.*.key"))


def files_with(path: Path, secret: bytes) -> list[str]:
    return [one.name for one in path.parent.iterdir() if secret in one.read_bytes()]


# --- tails that are appended again ----------------------------------------------------------------


def test_a_retract_of_what_was_appended_again_leaves_nothing_of_it(path: Path) -> None:
    """A peer knows the second copy alone; the first is retracted by whoever appended it again."""
    peer = open_store(seed=9)
    with open_store(str(path)) as replica:
        save(replica, KEY, SECRET)
    keys_beside(path)[0].unlink()
    with open_store(str(path), seed=1) as replica:
        save(replica, OTHER, b"other")
        with replica.reading(now_ms=NOW_MS) as reading:
            versions = reading.versions(KEY)
            winner = reading.winner(KEY)
        assert sorted(version.status for version in versions) == ["retracted", "wins"]
        carry(replica, peer)
        assert shown(peer, KEY) == SECRET
        assert winner is not None
        peer.append([Draft(RETRACT, ZERO_KEY, encode_targets([winner.id]))], now_ms=NOW_MS)
        carry(peer, replica)
        carry(replica, peer)
        assert peer.digest() == replica.digest()
        assert (shown(replica, KEY), shown(peer, KEY)) == (None, None)
        assert files_with(path, SECRET) == []
        assert clean(replica)


def test_a_purge_and_what_a_purge_erased_are_not_appended_as_text_again(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, KEY, SECRET)
        replica.append([Draft(PURGE, KEY)], now_ms=NOW_MS)
    keys_beside(path)[0].unlink()
    with open_store(str(path), seed=1) as replica:
        save(replica, OTHER, b"other")
        peer = open_store(seed=9)
        carry(replica, peer)
        assert SECRET not in b"".join(replica.export_chunks())
        with peer.reading(now_ms=NOW_MS) as reading:
            assert reading.is_purged(KEY)
        assert clean(replica)


# --- clocks and imports ---------------------------------------------------------------------------


def test_an_import_from_the_future_can_be_changed_and_deleted_here() -> None:
    """Else what is written now would lose against a stamp that lies years ahead."""
    replica = open_store()
    ahead = pack(NOW_MS + 10 * YEAR_MS)
    drafts = [Draft(SAVE, key, b"imported", ahead) for key in (KEY, OTHER)]
    entries = replica.append(drafts, now_ms=NOW_MS)
    assert all(entry.hlc <= horizon(NOW_MS) for entry in entries)
    save(replica, KEY, b"edited")
    replica.append([Draft(TOMBSTONE, OTHER)], now_ms=NOW_MS)
    assert (shown(replica, KEY), shown(replica, OTHER)) == (b"edited", None)
    assert clean(replica)


def test_an_import_from_the_past_keeps_its_time() -> None:
    replica = open_store()
    past = pack(NOW_MS - YEAR_MS)
    (entry,) = replica.append([Draft(SAVE, KEY, b"imported", past)], now_ms=NOW_MS)
    assert entry.hlc == past


# --- somebody else has our key --------------------------------------------------------------------


def test_a_log_that_somebody_else_sealed_is_closed_before_it_forks(path: Path) -> None:
    """A clone of the whole machine: the seal over our own events is the first that we see of it."""
    with open_store(str(path), seed=1) as replica:
        for number in range(1, 5):
            save(replica, bytes([number]) * 16, b"before the clone")
    (key,) = keys_beside(path)
    image = path.read_bytes(), key.read_bytes()
    peer = open_store(seed=7)
    with open_store(str(path), seed=2) as clone:
        sealed = list(clone.export_chunks())
        save(clone, b"c" * 16, b"of the clone")
        carry(clone, peer)
    path.write_bytes(image[0])  # the same inode, and a key that knows of no seal
    key.write_bytes(image[1])
    with open_store(str(path), seed=3) as replica:
        for chunk in sealed:
            assert replica.ingest_chunk(chunk, now_ms=NOW_MS).new_events == 0
        save(replica, b"o" * 16, b"of the original")
        assert logs(replica) == 2
        carry(replica, peer)
        assert (logs(peer), peer.statistics().tips) == (2, 2), "nothing forked"
        assert shown(peer, b"c" * 16) == b"of the clone"
        assert shown(peer, b"o" * 16) == b"of the original"
        carry(peer, replica)
        assert replica.digest() == peer.digest()
        assert clean(replica)
        assert clean(peer)


def test_our_own_seal_coming_back_closes_nothing() -> None:
    replica, peer = open_store(seed=1), open_store(seed=2)
    save(replica, KEY, b"body")
    carry(replica, peer)
    for chunk in peer.export_chunks():
        replica.ingest_chunk(chunk, now_ms=NOW_MS)
    save(replica, OTHER, b"more")
    assert logs(replica) == 1


# --- transactions ---------------------------------------------------------------------------------


def test_a_call_inside_a_transaction_is_refused_and_the_outer_one_is_whole(path: Path) -> None:
    with open_store(str(path)) as replica:
        calls: list[Callable[[], object]] = [
            lambda: save(replica, OTHER, b"nested"),
            replica.frontier,
            replica.seal,
            replica.rebuild,
            replica.statistics,
            lambda: shown(replica, KEY),
            lambda: list(replica.export_chunks()),
        ]
        with replica.transaction(now_ms=NOW_MS) as transaction:
            transaction.append([Draft(SAVE, KEY, b"outer")])
            for call in calls:
                with pytest.raises(NestedTransactionError, match="transaction itself"):
                    call()
            transaction.append([Draft(SAVE, OTHER, b"outer too")])
        assert len(keys_beside(path)) == 1, "the key of the log that the outer one began"
        assert (shown(replica, KEY), shown(replica, OTHER)) == (b"outer", b"outer too")
        assert replica.seal() == 3
        assert clean(replica)


def test_a_refused_draft_that_is_caught_leaves_nothing_half_done(path: Path) -> None:
    """Also where the next append begins a log and says a closed one's tail again."""
    with open_store(str(path)) as replica:
        save(replica, KEY, b"tail")
    keys_beside(path)[0].unlink()
    with open_store(str(path), seed=1) as replica:
        with replica.transaction(now_ms=NOW_MS) as transaction:
            with pytest.raises(InvalidArgumentError):
                transaction.append([Draft(SAVE, OTHER, b"good"), Draft(SAVE, ZERO_KEY, b"bad")])
            transaction.append([Draft(SAVE, OTHER, b"better")])
        assert (shown(replica, KEY), shown(replica, OTHER)) == (b"tail", b"better")
        assert len(keys_beside(path)) == 1
        assert clean(replica)


def test_an_append_of_nothing_begins_no_log(path: Path) -> None:
    with open_store(str(path)) as replica:
        assert replica.append([], now_ms=NOW_MS) == []
        assert (logs(replica), replica.statistics().events) == (0, 0)
    assert keys_beside(path) == []


# --- files and limits -----------------------------------------------------------------------------


def test_a_store_that_was_replaced_while_open_takes_nothing_at_all(path: Path) -> None:
    """Whoever opens the path now reads another file: what we wrote would be lost to everybody."""
    author = Author(3, hlc=pack(NOW_MS))
    chunk = author.chunk(author.genesis, author.genesis)
    with open_store(str(path)) as replica:
        save(replica, KEY, b"body")
        with open_store(str(path.with_name("other.db")), seed=1) as other:
            save(other, OTHER, b"other")
        shutil.copyfile(path.with_name("other.db"), path.with_name("copy"))
        os.replace(path.with_name("copy"), path)
        calls: list[Callable[[], object]] = [
            lambda: save(replica, OTHER, b"late"),
            lambda: replica.ingest_chunk(chunk, now_ms=NOW_MS),
            replica.seal,
        ]
        for call in calls:
            with pytest.raises(StoreAccessError, match="open it again"):
                call()
        assert shown(replica, KEY) == b"body"


def test_a_full_space_takes_no_strange_log_but_its_own_first_save(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_store, "TIPS_MAX", 2)
    replica = open_store()
    authors = [Author(number, hlc=pack(NOW_MS)) for number in (1, 2, 3)]
    chunks = [author.chunk(author.genesis, author.genesis) for author in authors]
    for chunk in chunks[:2]:
        replica.ingest_chunk(chunk, now_ms=NOW_MS)
    with pytest.raises(LogLimitError):
        replica.ingest_chunk(chunks[2], now_ms=NOW_MS)
    save(replica, KEY, b"mine")
    assert shown(replica, KEY) == b"mine"
    assert logs(replica) == 3
