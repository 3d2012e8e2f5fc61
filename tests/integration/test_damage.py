"""Files that are not as they were written: each is refused by name, and nothing false is shown."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import sqlite3
import tempfile
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import kioku
from kioku import Memory, SchemaVersionError, StoreAccessError, StoreCorruptError, StoreError
from tests.integration.child import Child
from tests.integration.wholeness import assert_whole, contents, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FLIPS = 60
TEN_YEARS_NS = 10 * 365 * 24 * 3_600 * 10**9


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
        assert show(memory, image)


@pytest.mark.parametrize("kept", [0.999, 0.9, 0.5, 0.1, 0.04])
def test_a_truncated_file_is_refused(image: Image, kept: float) -> None:
    image.write(image.bytes[: int(len(image.bytes) * kept)])
    memory = open_or_none(image)
    if memory is not None:
        with memory:
            assert is_found_by_a_deep_look(memory)
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


# --- what is no store of ours ---------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"some notes\n" * 500, b"\x89PNG\r\n" + bytes(9_000)])
def test_a_file_of_another_kind_is_refused_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match=r"notes\.txt"):
        kioku.open(path)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_another_programs_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs(x)")
    content = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="no kioku store"):
        kioku.open(path)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["other.db"]


def test_a_newer_schema_is_refused_and_not_touched(image: Image) -> None:
    with contextlib.closing(sqlite3.connect(image.path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    content = image.path.read_bytes()
    with pytest.raises(SchemaVersionError, match="upgrade"):
        kioku.open(image.path)
    assert image.path.read_bytes() == content


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreAccessError, match="not a file"):
        kioku.open(tmp_path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreAccessError, match="gone"):
        kioku.open(tmp_path / "gone" / "space.db")


# --- what may not be written ----------------------------------------------------------------------

READ_ONLY = """
import os, sys
import kioku

# Import all that there is before the rights are gone with which it can be read.
with kioku.open(":memory:") as memory:
    memory.save("warm")
    memory.list(), memory.search("warm"), list(memory.export_chunks())
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)

def attempt(what, work):
    try:
        print(what, work())
    except kioku.StoreAccessError as error:
        print(what, "StoreAccessError", os.path.dirname(sys.argv[1]) in str(error))

attempt("open", lambda: kioku.open(sys.argv[1]) and "done")
attempt("other", lambda: kioku.open(sys.argv[1] + ".new") and "done")
try:
    memory = kioku.open(sys.argv[1])
except kioku.StoreAccessError:
    sys.exit()
attempt("list", lambda: len(memory.list()))
attempt("save", lambda: memory.save("refused").id)
attempt("export", lambda: len(list(memory.export_chunks())))
attempt("unsealed", lambda: memory.replica.count_unsealed())
"""


def as_nobody(path: Path) -> list[str]:
    """What a process without rights sees of a store; as root its own rights are dropped."""
    with Child(READ_ONLY, path) as child:
        status, out, err = child.finish()
    assert (status, err) == (0, "")
    return out.splitlines()


@pytest.fixture
def open_tree(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that anybody can reach: pytest's own are their user's alone."""
    with tempfile.TemporaryDirectory() as directory:
        tree = pathlib.Path(directory)
        tree.chmod(0o755)
        monkeypatch.setenv("KIOKU_CONFIG", str(tree / "config.toml"))
        yield tree


def test_a_read_only_directory_is_a_clear_error(open_tree: Path) -> None:
    directory = open_tree / "state"
    directory.mkdir()
    path = directory / "space.db"
    with kioku.open(path) as memory:
        memory.save("kept")
    path.chmod(0o444)
    next(directory.glob("*.key")).chmod(0o400)
    directory.chmod(0o555)
    try:
        said = as_nobody(path)
        assert said[:2] == ["open StoreAccessError True", "other StoreAccessError True"]
        assert len(said) == 2
    finally:
        directory.chmod(0o755)
    path.chmod(0o600)
    with kioku.open(path) as memory:
        assert_whole(memory, [(one, "kept") for one in contents(memory)])


def test_a_reader_without_rights_to_write_exports_what_is_sealed(open_tree: Path) -> None:
    directory = open_tree / "state"
    directory.mkdir()
    path = directory / "space.db"
    with kioku.open(path) as memory:
        memory.save("sealed")
        memory.digest()
        memory.save("unsealed")
        path.chmod(0o644)
        for file in directory.glob("space.db-*"):
            file.chmod(0o644)
        next(directory.glob("*.key")).chmod(0o400)
        directory.chmod(0o755)
        said = as_nobody(path)
    assert said == [
        "open done",
        "other StoreAccessError True",
        "list 2",
        "save StoreAccessError True",
        "export 1",
        "unsealed 1",
    ]


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump_ns", [TEN_YEARS_NS, -TEN_YEARS_NS])
def test_a_clock_that_jumps_and_comes_back_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_ns: int
) -> None:
    with kioku.open(tmp_path / "space.db") as memory, kioku.open(":memory:") as peer:
        real = memory._clock
        saved = {}
        for number, offset_ns in enumerate((0, jump_ns, jump_ns, 0, -jump_ns, 0)):
            monkeypatch.setattr(memory, "_clock", lambda offset=offset_ns: real() + offset)
            one = memory.save(f"save {number}")
            saved[one.id] = f"save {number}"
            first = next(iter(saved))
            memory.edit(first, content=f"edit {number}")
            saved[first] = f"edit {number}"
            assert contents(memory) == saved
        assert_whole(memory, saved.items())
        for chunk in memory.export_chunks():
            peer.ingest_chunk(chunk)
        # A peer shows at once what is stamped ahead of its clock, where nothing else has its key.
        assert contents(peer).keys() == saved.keys()
        assert peer.digest() == memory.digest()
        monkeypatch.setattr(peer, "_clock", lambda: real() + 3 * TEN_YEARS_NS)
        assert contents(peer) == saved
        assert problems(peer) == []
    with kioku.open(tmp_path / "space.db") as memory:
        assert_whole(memory, saved.items())
        assert memory.replica.statistics().logs == 1


@pytest.mark.parametrize("now_ns", [-(10**15), 200_000 * TEN_YEARS_NS])
def test_a_clock_beyond_all_time_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now_ns: int
) -> None:
    with kioku.open(tmp_path / "space.db") as memory:
        kept = memory.save("kept")
        real = memory._clock
        monkeypatch.setattr(memory, "_clock", lambda: now_ns)
        with pytest.raises(kioku.KiokuError, match=r"clock|time"):
            memory.save("refused")
        monkeypatch.setattr(memory, "_clock", real)
        assert_whole(memory, [(kept.id, "kept")])
