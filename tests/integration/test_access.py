"""Files that are no store of ours, and stores that this process may not write: a clear error."""

from __future__ import annotations

import contextlib
import os
import pathlib
import sqlite3
import tempfile
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku import SchemaVersionError, StoreAccessError, StoreCorruptError
from tests.integration.child import Child
from tests.integration.wholeness import assert_whole, contents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        memory.save("of today")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    content = path.read_bytes()
    with pytest.raises(SchemaVersionError, match="upgrade"):
        kioku.open(path)
    assert path.read_bytes() == content


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
    first = memory.save("warm").updated_at
    memory.list(), memory.search("warm"), list(memory.export_chunks())
    memory.search("warm", as_of=first), memory.history(memory.list()[0].id)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)

def attempt(what, work):
    try:
        print(what, work())
    except kioku.StoreAccessError as error:
        print(what, "StoreAccessError", os.path.dirname(sys.argv[1]) in str(error))

def then():
    kept = memory.list()[-1].id
    first = memory.history(kept)[-1].stamped_at
    return [hit.observation.content for hit in memory.search("words", as_of=first)]

attempt("open", lambda: kioku.open(sys.argv[1]) and "done")
attempt("other", lambda: kioku.open(sys.argv[1] + ".new") and "done")
try:
    memory = kioku.open(sys.argv[1])
except kioku.StoreAccessError:
    sys.exit()
attempt("list", lambda: len(memory.list()))
attempt("then", then)
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
        kept = memory.save("words of then")
        while memory.now_ms() <= memory.replica.statistics().newest_stamp >> 16:
            pass  # an edit of the same millisecond would be of the same moment
        memory.edit(kept.id, content="sealed")
        memory.digest()
        memory.save("unsealed")
        for file in directory.iterdir():
            file.chmod(0o400 if file.suffix == ".key" else 0o444)
        directory.chmod(0o555)
        try:
            said = as_nobody(path)
        finally:
            directory.chmod(0o755)
    assert said == [
        "open done",
        "other StoreAccessError True",
        "list 2",
        "then ['words of then']",
        "save StoreAccessError True",
        "export 1",
        "unsealed 1",
    ]
