"""Key files: whole or not there, private, and strict about what they hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import cbor2
import pytest

from kioku.errors import StoreAccessError, StoreCorruptError, StoreFullError
from kioku.log.keyfile import FileKeyRing, LogKey, MemoryKeyRing, read_machine_id

if TYPE_CHECKING:
    from pathlib import Path

LOG_ID = bytes(range(16))
KEY = LogKey(LOG_ID, bytes(32), b"m" * 16, 5)


@pytest.fixture
def ring(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(str(tmp_path / "space.db"))


@pytest.fixture(params=["file", "memory"])
def any_ring(request: pytest.FixtureRequest, ring: FileKeyRing) -> FileKeyRing | MemoryKeyRing:
    return ring if request.param == "file" else MemoryKeyRing()


def test_what_is_kept_is_given_back(any_ring: FileKeyRing | MemoryKeyRing) -> None:
    assert any_ring.load(LOG_ID) is None
    any_ring.store(KEY)
    assert any_ring.load(LOG_ID) == KEY
    sealed = KEY.sealed(7, bytes(32))
    any_ring.store(sealed)
    assert any_ring.load(LOG_ID) == sealed
    any_ring.discard(LOG_ID)
    any_ring.discard(LOG_ID)
    assert any_ring.load(LOG_ID) is None
    assert any_ring.inode() is None


def test_another_process_sees_what_is_kept(ring: FileKeyRing, tmp_path: Path) -> None:
    ring.store(KEY)
    other = FileKeyRing(str(tmp_path / "space.db"))
    assert other.load(LOG_ID) == KEY
    ring.store(KEY.sealed(7, bytes(32)))
    assert other.load(LOG_ID) == KEY.sealed(7, bytes(32))


def test_a_write_that_fails_leaves_the_older_file(
    ring: FileKeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.store(KEY)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreFullError, match="space"):
        ring.store(KEY.sealed(7, bytes(32)))
    assert FileKeyRing(str(tmp_path / "space.db")).load(LOG_ID) == KEY
    assert [path.suffix for path in tmp_path.iterdir()] == [".key"]


def test_a_key_is_for_one_store_on_one_machine() -> None:
    assert KEY.belongs_to(b"m" * 16, 5)
    assert KEY.belongs_to(None, 5)
    assert not KEY.belongs_to(b"n" * 16, 5)
    assert not KEY.belongs_to(b"m" * 16, 6)
    assert not KEY.belongs_to(b"m" * 16, None)


FIELDS: list[object] = ["kioku.key.v1", LOG_ID, bytes(32), None, 5, 0, b""]
FORMS = {
    "cut": cbor2.dumps(FIELDS)[:-1],
    "lengthened": cbor2.dumps(FIELDS) + b"\x00",
    "zeroed": bytes(80),
    "another title": cbor2.dumps(["kioku.key.v2", *FIELDS[1:]]),
    "a short seed": cbor2.dumps([*FIELDS[:2], b"short", *FIELDS[3:]]),
    "a field too few": cbor2.dumps(FIELDS[:-1]),
    "a machine that is no bytes": cbor2.dumps([*FIELDS[:3], "m", *FIELDS[4:]]),
    "an inode that is no number": cbor2.dumps([*FIELDS[:4], "5", *FIELDS[5:]]),
    "another log's": cbor2.dumps([FIELDS[0], bytes(16), *FIELDS[2:]]),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS.keys())
def test_a_damaged_file_is_named(ring: FileKeyRing, data: bytes) -> None:
    with open(ring.path(LOG_ID), "wb") as file:
        file.write(data)
    with pytest.raises(StoreCorruptError, match=LOG_ID.hex()):
        ring.load(LOG_ID)


def test_what_cannot_be_read_is_an_access_error(ring: FileKeyRing) -> None:
    os.mkdir(ring.path(LOG_ID))
    with pytest.raises(StoreAccessError, match=LOG_ID.hex()):
        ring.load(LOG_ID)


def test_a_machine_is_told_by_a_hash_alone() -> None:
    found = read_machine_id()
    assert found is None or len(found) == 16
    assert found == read_machine_id()
