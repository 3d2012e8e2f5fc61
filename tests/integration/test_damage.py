"""Files that are not as they were written: each is refused by name, and nothing false is shown."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import sqlite3
import tempfile
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import kioku
from kioku import Memory, StoreCorruptError, StoreError, doctor
from tests.integration.wholeness import contents, problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLIPS = 60
PAGE_BYTES = 4096


class Built(NamedTuple):
    """The files of a store with some of everything, by name, and what it shows."""

    files: dict[str, bytes]
    ids: list[str]
    shown: dict[str, str]


@functools.cache
def built() -> Built:
    with tempfile.TemporaryDirectory() as directory:
        with kioku.open(f"{directory}/space.db") as memory:
            saved = [memory.save(f"content {n} {'pad ' * 9 * n}", tags=["t"]) for n in range(30)]
            ids = [one.id for one in saved]
            memory.edit(ids[0], content="content edited")
            memory.delete(ids[1], reason="a reason")
            memory.purge(ids[2])
            memory.digest()
            memory.save("content unsealed")
            shown = contents(memory)
        files = {file.name: file.read_bytes() for file in pathlib.Path(directory).iterdir()}
        return Built(files, ids, shown)


class Image:
    """A copy of that store, to be damaged."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "space.db"
        files, self.ids, self.shown = built()
        self.bytes = files["space.db"]
        self._files = {directory / name: content for name, content in files.items()}
        self.write(self.bytes)

    def write(self, content: bytes) -> None:
        """Put the store back with other bytes, in place, and nothing else beside it."""
        for file in self.path.parent.iterdir():
            if file not in self._files:
                file.unlink()
        for file, kept in self._files.items():
            file.write_bytes(content if file == self.path else kept)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    directory = tmp_path / "store"
    directory.mkdir()
    return Image(directory)


def steps(memory: Memory, image: Image) -> list[Callable[[], Any]]:
    """Everything that reads, with what it shows where that is content by id."""
    return [
        lambda: contents(memory),
        lambda: {one: found.content for one in image.ids if (found := memory.get(one))},
        lambda: {hit.observation.id: hit.observation.content for hit in memory.search("content")},
        lambda: [memory.history(one) for one in image.ids[:4]] and {},
        lambda: list(memory.export_chunks()) and {},
        lambda: contents_rebuilt(memory),
    ]


def contents_rebuilt(memory: Memory) -> dict[str, str]:
    memory.rebuild()
    return contents(memory)


def is_found_by_a_deep_look(memory: Memory) -> bool:
    try:
        return bool(problems(memory))
    except StoreError:
        return True


def show(memory: Memory, image: Image) -> bool:
    """Read all in every way; whether anything was refused. Nothing false is ever shown."""
    refusals = []
    for step in steps(memory, image):
        try:
            shown = step()
        except StoreError as error:
            refusals.append(str(error))
        else:
            assert shown.items() <= image.shown.items()
    assert all(image.path.name in said or "log " in said for said in refusals), refusals
    return bool(refusals)


def open_or_none(image: Image) -> Memory | None:
    """Open the store; None if it is refused, which must name it."""
    refusals = []
    try:
        return kioku.open(image.path)
    except StoreError as error:
        refusals.append(str(error))
    assert all(image.path.name in said for said in refusals)
    return None


def test_a_flipped_bit_is_refused_or_does_no_harm(image: Image) -> None:
    """Anywhere in the file: no traceback, nothing false shown, nothing lost without a word."""
    random = Random(1)
    refused = 0
    for offset in sorted(random.sample(range(len(image.bytes)), FLIPS)):
        flipped = bytearray(image.bytes)
        flipped[offset] ^= 1 << random.randrange(8)
        image.write(bytes(flipped))
        memory = open_or_none(image)
        if memory is None:
            refused += 1
            continue
        with memory:
            found = is_found_by_a_deep_look(memory)
            is_refused = show(memory, image)
            assert found or not is_refused, f"byte {offset}: a deep look saw nothing"
            if not is_refused:
                assert contents(memory) == image.shown, f"byte {offset}: lost in silence"
            refused += is_refused
    assert refused > 2, "too few flips hit anything: this proves nothing"


def test_a_flipped_bit_in_an_event_is_named_and_never_folded(image: Image) -> None:
    at = image.bytes.index(b"content 7 ")
    image.write(image.bytes[:at] + b"C" + image.bytes[at + 1 :])
    with kioku.open(image.path) as memory:
        place = "log [0-9a-f]{32} seq 9"
        with pytest.raises(StoreCorruptError, match=place):
            memory.get(image.ids[7])
        with pytest.raises(StoreCorruptError, match=place):
            list(memory.export_chunks())
        with pytest.raises(StoreCorruptError, match=place):
            memory.rebuild()
        assert any("seq 9" in one for one in problems(memory))
        assert memory.get(image.ids[8])
        memory.save("goes on")


def test_a_key_that_was_changed_in_the_file_shows_nothing_under_it(image: Image) -> None:
    image.write(image.bytes)
    other = bytes(16).replace(b"\0", b"\x77")
    with contextlib.closing(sqlite3.connect(image.path)) as connection:
        key = bytes.fromhex(image.ids[7])
        connection.execute("UPDATE event SET key = ? WHERE key = ?", (other, key))
        connection.commit()
    with kioku.open(image.path) as memory:
        for read in (memory.list, lambda: memory.search("content"), memory.rebuild):
            with pytest.raises(StoreCorruptError, match="seq 9"):
                read()
        assert memory.get(other.hex()) is None


@pytest.mark.parametrize("value", ["text", 1.5, None, -1, b"", 1 << 62])
@pytest.mark.parametrize("column", ["seq", "hlc", "kind", "key", "hash", "commitment", "salt"])
def test_a_value_that_was_never_written_is_no_traceback(
    image: Image, column: str, value: object
) -> None:
    with contextlib.closing(sqlite3.connect(image.path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '')")
        connection.commit()
    with contextlib.closing(sqlite3.connect(image.path)) as connection:
        row = connection.execute(
            "SELECT event FROM event WHERE key = ?", (bytes.fromhex(image.ids[7]),)
        ).fetchone()
        connection.execute(f"UPDATE event SET {column} = ? WHERE event = ?", (value, *row))
        connection.commit()
    with kioku.open(image.path) as memory:
        assert is_found_by_a_deep_look(memory)
        assert not doctor.check(memory, deep=True).ok
        assert show(memory, image)


@pytest.mark.parametrize("kept", [0.999, 0.9, 0.5, 0.1, 0.04])
def test_a_truncated_file_is_refused(image: Image, kept: float) -> None:
    size = int(len(image.bytes) * kept)
    # Of a last page that is cut, SQLite reads the rest as zeros: if it was that, nothing is lost.
    is_the_same = len(image.bytes) - size < PAGE_BYTES and not any(image.bytes[size:])
    image.write(image.bytes[:size])
    memory = open_or_none(image)
    if memory is not None:
        with memory:
            assert is_found_by_a_deep_look(memory) or is_the_same
            assert show(memory, image) or contents(memory) == image.shown


@pytest.mark.parametrize("size", [0, 1, 15, 16, 99, 100, 511, 4_095])
def test_a_stub_of_a_store_is_refused(image: Image, size: int) -> None:
    """Also an empty one: a log's key beside it tells that it was more than that."""
    image.write(image.bytes[:size])
    for _ in range(2):
        with pytest.raises(StoreCorruptError, match=image.path.name):
            kioku.open(image.path)


def test_a_store_that_was_moved_away_makes_room_for_another(image: Image) -> None:
    image.path.rename(image.path.with_name("moved.db"))
    with kioku.open(image.path) as memory:
        assert contents(memory) == {}
        memory.save("anew")
    with kioku.open(image.path.with_name("moved.db")) as memory:
        assert contents(memory) == image.shown
        assert memory.replica.statistics().logs == 1
        memory.save("goes on in a log of its own")
        assert memory.replica.statistics().logs == 2
        assert problems(memory) == []


def test_a_zeroed_file_is_refused_and_not_touched(image: Image) -> None:
    image.write(bytes(len(image.bytes)))
    with pytest.raises(StoreCorruptError, match=image.path.name):
        kioku.open(image.path)
    assert image.path.read_bytes() == bytes(len(image.bytes))


@pytest.mark.parametrize("page", range(1, 12))
def test_a_zeroed_page_is_refused_or_does_no_harm(image: Image, page: int) -> None:
    start = page * 4_096
    image.write(image.bytes[:start] + bytes(4_096) + image.bytes[start + 4_096 :])
    memory = open_or_none(image)
    if memory is not None:
        with memory:
            assert is_found_by_a_deep_look(memory)
            show(memory, image)


def test_a_torn_end_of_the_wal_costs_nothing_that_was_synced(tmp_path: Path) -> None:
    path, copy = tmp_path / "space.db", tmp_path / "copy.db"
    with kioku.open(path) as memory:
        kept = memory.save("kept")
        size = (tmp_path / "space.db-wal").stat().st_size
        memory.save("torn")
        store, wal = path.read_bytes(), (tmp_path / "space.db-wal").read_bytes()
    assert len(wal) > size
    for end in (size, size + 1, size + 24, (size + len(wal)) // 2, len(wal) - 1):
        copy.write_bytes(store)
        (tmp_path / "copy.db-wal").write_bytes(wal[:end])
        with kioku.open(copy) as memory:
            assert contents(memory) == {kept.id: "kept"}
            assert problems(memory) == []


def test_a_rotten_body_keeps_nobody_from_a_newer_kioku(image: Image) -> None:
    """What an older kioku built is built anew on opening, without asking for every body."""
    image.write(image.bytes)
    with contextlib.closing(sqlite3.connect(image.path)) as connection:
        key = bytes.fromhex(image.ids[7])
        [body] = connection.execute("SELECT body FROM event WHERE key = ?", (key,)).fetchone()
        rotten = body[:-1] + bytes([body[-1] ^ 1])
        connection.execute("UPDATE event SET body = ? WHERE key = ?", (rotten, key))
        connection.execute("UPDATE meta SET value = '1.1' WHERE name = 'derived_by'")
        connection.commit()
    with kioku.open(image.path) as memory:
        saved = memory.save("goes on")
        assert memory.search("goes")[0].observation.id == saved.id
        assert memory.get(image.ids[8])
        with pytest.raises(StoreCorruptError, match="seq 9"):
            memory.get(image.ids[7])
        failed = [
            one.name for one in doctor.check(memory, deep=True).checks if one.status == "fail"
        ]
        assert failed == ["chain"]


def test_a_rotten_retract_is_not_believed(image: Image) -> None:
    image.write(image.bytes)
    with kioku.open(image.path) as memory:
        memory.edit(image.ids[7], content="content 7")
        memory.gc(retention=timedelta(0), history=timedelta(0))
    with contextlib.closing(sqlite3.connect(image.path)) as connection:
        connection.execute("UPDATE event SET body = zeroblob(length(body)) WHERE kind = 5")
        connection.execute("UPDATE meta SET value = '1.1' WHERE name = 'derived_by'")
        connection.commit()
    with pytest.raises(StoreCorruptError, match="not what was written"):
        kioku.open(image.path)
