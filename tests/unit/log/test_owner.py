"""A log is ours while its key fits; else it is closed, and another begins that loses nothing."""

from __future__ import annotations

import os
import shutil
from random import Random
from typing import TYPE_CHECKING

import pytest

from kioku.errors import (
    InvalidArgumentError,
    StoreAccessError,
    StoreCorruptError,
    TooLargeError,
    UsageError,
)
from kioku.log.event import (
    BODY_BYTES_MAX,
    GENESIS,
    PURGE,
    RETRACT,
    SAVE,
    TOMBSTONE,
    ZERO_KEY,
    EventId,
)
from kioku.log.hlc import pack
from kioku.log.payload import encode_targets
from kioku.replica import Draft, Replica
from tests.property.authors import Author
from tests.property.stores import FollowingView, open_store

if TYPE_CHECKING:
    from pathlib import Path

NOW_MS = 1_790_000_000_000
KEY = bytes(range(16))


def save(replica: Replica, number: int, body: bytes | None = None) -> EventId:
    draft = Draft(SAVE, bytes([number]) * 16, body or b"body %d" % number)
    return replica.append([draft], now_ms=NOW_MS)[0].id


def bodies(replica: Replica) -> set[bytes]:
    with replica.reading(now_ms=NOW_MS) as reading:
        keys = reading.keys_with_prefix("")
        return {found.body for key in keys if (found := reading.shown(key))}


def logs(replica: Replica) -> int:
    return replica.statistics().logs


def clean(replica: Replica) -> bool:
    return {found.status for found in replica.check(deep=True, now_ms=NOW_MS)} == {"pass"}


# --- what is appended -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draft",
    [
        Draft(SAVE, b"short", b"body"),
        Draft(SAVE, KEY + b"\x00", b"body"),
        Draft(SAVE, ZERO_KEY, b"body"),
        Draft(SAVE, KEY, None),
        Draft(SAVE, KEY, b"body", -1),
        Draft(SAVE, KEY, b"body", 1 << 63),
        Draft(-1, KEY, b"body"),
        Draft(1 << 63, KEY, b"body"),
        Draft(PURGE, KEY, b"body"),
        Draft(GENESIS, ZERO_KEY, b"body"),
        Draft(RETRACT, ZERO_KEY, None),
        Draft(RETRACT, ZERO_KEY, b"no targets"),
        Draft(RETRACT, KEY, encode_targets([EventId(KEY, 1, bytes(32))])),
    ],
)
def test_what_no_peer_would_accept_is_never_appended(draft: Draft) -> None:
    replica = open_store()
    with pytest.raises(InvalidArgumentError):
        replica.append([Draft(SAVE, KEY, b"before"), draft], now_ms=NOW_MS)
    assert bodies(replica) == set()
    save(replica, 1)
    other = open_store(seed=1)
    for chunk in replica.export_chunks():
        other.ingest_chunk(chunk, now_ms=NOW_MS)
    assert bodies(other) == {b"body 1"}


def test_a_body_over_the_limit_is_refused_and_the_limit_itself_travels() -> None:
    replica, other = open_store(), open_store(seed=1)
    with pytest.raises(TooLargeError) as caught:
        save(replica, 1, bytes(BODY_BYTES_MAX + 1))
    assert (caught.value.size, caught.value.limit) == (BODY_BYTES_MAX + 1, BODY_BYTES_MAX)
    save(replica, 1, bytes(BODY_BYTES_MAX))
    for chunk in replica.export_chunks():
        other.ingest_chunk(chunk, now_ms=NOW_MS)
    assert bodies(other) == {bytes(BODY_BYTES_MAX)}


@pytest.mark.parametrize("name", ["x" * 129, "名" * 43, "line\nbreak"])
def test_a_name_that_no_genesis_may_state_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        Replica.open(":memory:", rng=Random(0), name=name)


def test_what_is_written_after_a_released_event_comes_after_it() -> None:
    """The clock moves past what is folded, whenever it is folded."""
    author = Author(1, hlc=pack(NOW_MS))
    tip = author.append(author.genesis, TOMBSTONE, hlc=pack(NOW_MS + 100_000), key=KEY, body=None)
    replica = open_store()
    assert replica.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS).held == 1
    later_ms = NOW_MS + 50_000  # the event's time lies within a minute now
    (entry,) = replica.append([Draft(SAVE, KEY, b"mine")], now_ms=later_ms)
    assert entry.hlc > pack(NOW_MS + 100_000)
    with replica.reading(now_ms=later_ms) as reading:
        assert reading.winner(KEY) == entry


# --- copies, restores and moves -------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.db"


def keys_beside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}.*.key"))


def test_opening_writes_nothing_and_begins_no_log(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
    before = path.read_bytes()
    with open_store(str(path), seed=1) as replica:
        assert bodies(replica) == {b"body 1"}
    assert path.read_bytes() == before
    assert len(keys_beside(path)) == 1


def test_a_key_is_private_and_not_in_the_store(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
        chunks = b"".join(replica.export_chunks())
    (key,) = keys_beside(path)
    assert key.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o600
    seed = Random(0).randbytes(32)
    assert seed in key.read_bytes()
    assert seed not in path.read_bytes() + chunks


def test_a_log_without_its_key_is_closed_and_its_tail_appended_again(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
        replica.seal()
        save(replica, 2)
    keys_beside(path)[0].unlink()
    with open_store(str(path), seed=1) as replica:
        assert replica.count_unsealed() == 1
        save(replica, 3)
        assert logs(replica) == 2
        assert replica.count_unsealed() == 4  # a genesis, the tail, what takes it back, the save
        assert bodies(replica) == {b"body 1", b"body 2", b"body 3"}
        assert clean(replica)
        other = open_store(seed=2)
        for chunk in replica.export_chunks():
            other.ingest_chunk(chunk, now_ms=NOW_MS)
        assert bodies(other) == bodies(replica)
        assert other.digest() == replica.digest()


def test_what_was_left_unsealed_is_given_to_others_without_another_save(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
        replica.seal()
        save(replica, 2)
    keys_beside(path)[0].unlink()
    with open_store(str(path), seed=1) as replica:
        other = open_store(seed=2)
        for chunk in replica.export_chunks():
            other.ingest_chunk(chunk, now_ms=NOW_MS)
        assert bodies(other) == bodies(replica) == {b"body 1", b"body 2"}
        assert other.digest() == replica.digest()
        assert clean(replica)
        assert clean(other)


def test_the_tail_of_a_moved_store_is_not_signed_twice(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
        replica.seal()
        sealed = next(iter(replica.frontier()))
        last = save(replica, 2)
    moved = path.with_name("moved.db")
    shutil.copyfile(path, moved)
    keys_beside(path)[0].rename(
        keys_beside(path)[0].with_name(keys_beside(path)[0].name.replace("space", "moved"))
    )
    with open_store(str(moved), seed=1) as replica:
        save(replica, 3)
        assert logs(replica) == 2
        assert last not in replica.frontier()
        assert sealed in replica.frontier()
        assert bodies(replica) == {b"body 1", b"body 2", b"body 3"}
        assert clean(replica)


def test_a_log_that_was_begun_in_vain_leaves_no_key(path: Path) -> None:
    seen: list[Path] = []

    def append_and_fail() -> None:
        with replica.transaction(now_ms=NOW_MS) as transaction:
            transaction.append([Draft(SAVE, KEY, b"body")])
            seen.extend(keys_beside(path))
            raise RuntimeError

    with open_store(str(path)) as replica:
        with pytest.raises(RuntimeError):
            append_and_fail()
        assert len(seen) == 1
        assert keys_beside(path) == []
        save(replica, 1)
        assert len(keys_beside(path)) == 1


def test_another_machine_begins_a_log_of_its_own(path: Path) -> None:
    def open_on(machine_id: bytes | None) -> Replica:
        return Replica.open(
            path, rng=Random(7), name="m", view=FollowingView(), machine_id=machine_id
        )

    with open_on(b"one") as replica:
        save(replica, 1)
    with open_on(None) as replica:  # a machine that cannot be told is believed
        save(replica, 2)
        assert logs(replica) == 1
    with Replica.open(
        path, rng=Random(8), name="n", view=FollowingView(), machine_id=b"two"
    ) as replica:
        save(replica, 3)
        assert logs(replica) == 2


def test_a_store_restored_in_place_begins_a_log(path: Path) -> None:
    """What it sealed since is known elsewhere, so its next seqs are taken."""
    backup = path.with_name("backup")
    with open_store(str(path)) as replica:
        save(replica, 1)
    shutil.copyfile(path, backup)
    other = open_store(seed=9)
    with open_store(str(path)) as replica:
        save(replica, 2)
        for chunk in replica.export_chunks():
            other.ingest_chunk(chunk, now_ms=NOW_MS)
    inode = path.stat().st_ino
    shutil.copyfile(backup, path)
    assert path.stat().st_ino == inode
    with open_store(str(path), seed=3) as replica:
        save(replica, 3)
        assert logs(replica) == 2
        for chunk in replica.export_chunks(other.frontier()):
            other.ingest_chunk(chunk, now_ms=NOW_MS)
        for chunk in other.export_chunks(replica.frontier()):
            replica.ingest_chunk(chunk, now_ms=NOW_MS)
        assert bodies(replica) == bodies(other) == {b"body 1", b"body 2", b"body 3"}
        assert replica.digest() == other.digest()
        assert replica.statistics().tips == 2  # one a log: nothing forked


def test_a_thousand_reopenings_begin_no_log(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 200)
    for number in range(1, 1_001):
        with open_store(str(path), seed=number) as replica:
            if number % 100 == 0:
                save(replica, number // 100)
    with open_store(str(path)) as replica:
        assert logs(replica) == 1
    assert len(keys_beside(path)) == 1


def test_another_device_number_begins_no_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
    real = os.stat

    def on_another_device(name: str, *rest: object, **named: object) -> os.stat_result:
        found = list(real(name, *rest, **named))  # type: ignore[arg-type]
        found[2] += 1_000
        return os.stat_result(found)

    monkeypatch.setattr(os, "stat", on_another_device)
    with open_store(str(path), seed=1) as replica:
        save(replica, 2)
        assert logs(replica) == 1


def test_a_store_that_went_away_while_open_takes_no_save(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
        path.unlink()
        with pytest.raises(StoreAccessError, match="open it again"):
            save(replica, 2)
        assert bodies(replica) == {b"body 1"}


def test_a_store_that_was_replaced_while_open_takes_no_save(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
        with open_store(str(path.with_name("other.db")), seed=1) as other:
            save(other, 2)
        os.replace(path.with_name("other.db"), path)
        with pytest.raises(StoreAccessError, match="open it again"):
            save(replica, 3)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x87", bytes(200)])
def test_a_damaged_key_is_named_and_takes_no_save(path: Path, content: bytes) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
    (key,) = keys_beside(path)
    key.write_bytes(content)
    with open_store(str(path)) as replica:
        with pytest.raises(StoreCorruptError, match=key.name):
            save(replica, 2)
        assert bodies(replica) == {b"body 1"}


# --- clones that nobody noticed -------------------------------------------------------------------


def test_a_log_that_a_peer_extends_is_closed_and_nothing_of_it_is_lost(path: Path) -> None:
    """A clone with key and inode goes on in the same log; both tails survive as branches."""
    with open_store(str(path)) as replica:
        save(replica, 1)
    (key,) = keys_beside(path)
    image = path.read_bytes(), key.read_bytes()
    with open_store(str(path)) as replica:
        save(replica, 2)
        from_original = list(replica.export_chunks())
    path.write_bytes(image[0])  # the same inode, and a key that knows of no seal
    key.write_bytes(image[1])
    third = open_store(seed=5)
    with open_store(str(path), seed=6) as replica:
        save(replica, 3)
        assert logs(replica) == 1
        for chunk in (*from_original, *replica.export_chunks()):
            third.ingest_chunk(chunk, now_ms=NOW_MS)
        assert (logs(third), third.statistics().tips) == (1, 2)
        assert bodies(third) == {b"body 1", b"body 2", b"body 3"}
        for chunk in third.export_chunks(replica.frontier()):
            replica.ingest_chunk(chunk, now_ms=NOW_MS)
        save(replica, 4)
        assert logs(replica) == 2
        for chunk in replica.export_chunks(third.frontier()):
            third.ingest_chunk(chunk, now_ms=NOW_MS)
        assert bodies(replica) == bodies(third)
        assert len(bodies(replica)) == 4
        assert replica.digest() == third.digest()
        assert clean(replica)
        assert clean(third)


def test_an_unsealed_tail_of_a_log_that_forked_is_exported_all_the_same(path: Path) -> None:
    with open_store(str(path)) as replica:
        save(replica, 1)
    (key,) = keys_beside(path)
    image = path.read_bytes(), key.read_bytes()
    with open_store(str(path)) as replica:
        save(replica, 2)
        from_original = list(replica.export_chunks())
    path.write_bytes(image[0])
    key.write_bytes(image[1])
    third = open_store(seed=5)
    with open_store(str(path), seed=6) as replica:
        save(replica, 3)
        for chunk in from_original:
            replica.ingest_chunk(chunk, now_ms=NOW_MS)
        for chunk in replica.export_chunks():
            third.ingest_chunk(chunk, now_ms=NOW_MS)
        assert bodies(third) == {b"body 1", b"body 2", b"body 3"}
        assert third.digest() == replica.digest()
