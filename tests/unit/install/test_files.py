"""Replacing a file: whole or not at all, in its place, and never over what another wrote."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from kioku.install import files
from kioku.install.errors import ChangedMeanwhileError, UnreadableConfigError
from kioku.install.files import ReadOnlyConfigError

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 27, 19, 45, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "client" / "config.json"
    path.parent.mkdir()
    path.write_bytes(b"old")
    path.chmod(0o640)
    return path


def replace(path: Path, old: bytes | None, new: bytes | None) -> None:
    files.replace(str(path), old, new, mode=0o600)


def test_a_replaced_file_keeps_its_mode(file: Path) -> None:
    replace(file, b"old", b"new")
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "links" / "config.json"
    link.parent.mkdir()
    link.symlink_to("../client/config.json")
    replace(link, b"old", b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"
    assert os.listdir(link.parent) == ["config.json"]


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "config.json"
    link.symlink_to("missing")
    with pytest.raises(UnreadableConfigError, match="leads nowhere"):
        files.read(str(link))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(UnreadableConfigError, match="it is no file"):
        files.read(str(tmp_path / "config.json"))


def test_directories_are_made_for_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.json"
    replace(path, None, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_is_read_only_is_refused_also_to_root(file: Path, what: str) -> None:
    place = file if what == "file" else file.parent
    mode = place.stat().st_mode
    place.chmod(0o555)
    try:
        with pytest.raises(ReadOnlyConfigError, match="is read-only"):
            replace(file, b"old", b"new")
    finally:
        place.chmod(mode)
    assert file.read_bytes() == b"old"


def test_a_file_in_the_way_of_a_directory_is_refused(file: Path) -> None:
    with pytest.raises(ReadOnlyConfigError, match="is no directory"):
        replace(file / "below" / "config.json", None, b"new")


@pytest.mark.parametrize("old", [None, b"older"])
@pytest.mark.parametrize("new", [None, b"new"])
def test_what_another_program_wrote_meanwhile_is_not_lost(
    file: Path, old: bytes | None, new: bytes | None
) -> None:
    with pytest.raises(ChangedMeanwhileError):
        replace(file, old, new)
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == ["config.json"]


def test_a_write_right_before_the_renaming_is_seen(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync_and_meet(descriptor: int) -> None:
        file.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", sync_and_meet)
    with pytest.raises(ChangedMeanwhileError):
        replace(file, b"old", b"new")
    assert file.read_bytes() == b"theirs"


def test_two_of_ours_do_not_both_replace_what_they_have_read(file: Path) -> None:
    """Between the last look and the renaming, the other one has to wait its turn."""
    other = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    for new in (b"new", None):
        with pytest.raises(ChangedMeanwhileError, match="try again"):
            replace(file, b"old", new)
    os.close(other)
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == ["config.json"]
    replace(file, b"old", b"new")


def test_who_dies_before_the_renaming_leaves_the_file_as_it_was(file: Path) -> None:
    """The child is killed with the new file written and not yet in its place."""
    child = os.fork()
    if child == 0:
        vars(os)["replace"] = lambda *_: os.kill(os.getpid(), 9)
        replace(file, b"old", b"new")
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert file.read_bytes() == b"old"
    [left] = [name for name in os.listdir(file.parent) if name != "config.json"]
    assert (file.parent / left).stat().st_mode & 0o777 == 0o640
    replace(file, b"old", b"new")
    assert file.read_bytes() == b"new"


def test_copies_are_dated_and_never_replaced(file: Path) -> None:
    first = files.copy_beside(str(file), b"one", NOW)
    second = files.copy_beside(str(file), b"two", NOW)
    assert first.endswith("config.json.20261127-194500.kioku-copy")
    assert files.copies(str(file)) == [second, first]
    assert os.stat(first).st_mode & 0o777 == 0o640


def test_the_copy_of_a_link_lies_beside_the_link(file: Path, tmp_path: Path) -> None:
    """What it leads to may be somebody's repository of settings."""
    link = tmp_path / "links" / "config.json"
    link.parent.mkdir()
    link.symlink_to("../client/config.json")
    copy = files.copy_beside(str(link), b"old", NOW)
    assert os.path.dirname(copy) == str(link.parent)
    assert files.copies(str(link)) == [copy]
    assert os.listdir(file.parent) == ["config.json"]


def test_a_config_beyond_the_limit_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(file, files.CONFIG_BYTES_MAX + 1)
    with pytest.raises(UnreadableConfigError, match="larger than 64 MiB"):
        files.read(str(file))
