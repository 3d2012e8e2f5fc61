"""Locks are tried between two processes, and every way in which they can fail has its words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from kioku.doctor.place import check_locks, check_state_directory
from kioku.errors import UnsafeFileSystemError
from kioku.log import trial
from tests.integration.faulty_disk import FULL, FaultyDisk

if TYPE_CHECKING:
    from pathlib import Path


def test_a_local_directory_passes_and_nothing_is_left(tmp_path: Path) -> None:
    assert trial.find_fault(str(tmp_path)) == ""
    check_state_directory(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_yet_is_tried_above(tmp_path: Path) -> None:
    found = check_locks(str(tmp_path / "not" / "yet"))
    assert found.status == "pass"
    assert found.summary.startswith(f"{tmp_path}: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("during", "after", "fault"),
    [
        ("locked 0", "free 1", ""),
        ("free 0", "free 1", "does not keep"),
        ("locked 1", "free 1", "not committed"),
        ("locked 0", "free 0", "does not see what was committed"),
        ("locked 0", "locked 1", "released"),
        ("no answer", "free 1", "cannot use"),
        ("locked 0", "an error", "cannot use"),
    ],
)
def test_what_another_process_saw_is_judged(during: str, after: str, fault: str) -> None:
    found = trial.judge(during, after)
    assert (fault in found) if fault else not found


def test_without_shared_memory_init_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_VFS", "unix-none")
    with pytest.raises(UnsafeFileSystemError, match="memory cannot be shared"):
        check_state_directory(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("python", ["", "/nowhere/python"])
def test_where_no_other_process_can_be_started_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setattr(sys, "executable", python)
    found = check_locks(str(tmp_path))
    assert found.status == "pass"
    assert "not tried" in found.summary


def test_a_full_disk_says_nothing_of_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FaultyDisk(monkeypatch)
    try:
        for number in (1, 3):
            with disk.failing(FULL, number):
                found = check_locks(str(tmp_path))
            assert disk.has_failed
            assert (found.status, found.hint) == ("pass", "")
            assert found.summary.endswith("not tried, for the disk is full")
            with disk.failing(FULL, number):
                check_state_directory(str(tmp_path))  # what is made there next will say it
    finally:
        disk.unregister()


def test_a_file_called_apsw_where_it_is_run_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apsw.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    assert trial.find_fault(str(tmp_path)) == ""
