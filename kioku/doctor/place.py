"""The place where a store lies or would lie: file system, directory, locks, room, leftovers."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kioku.doctor.report import Check
from kioku.errors import UnsafeFileSystemError
from kioku.log import filesystem, trial
from kioku.log.files import access_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FREE_BYTES_WARN: Final = 256 * 2**20
"""Below this a disk tends to be full within days, and a checkpoint needs room for the WAL."""
FREE_BYTES_FAIL: Final = 16 * 2**20
LEFT_S_MIN: Final = 600
"""Younger than this, what looks left over may be in use: it is renewed while it is written."""
_LEFT_ENDS: Final = (".key.new", ".part")
_LEFT_COPY: Final = re.compile(r"\.(restoring|part)-\d+(-wal|-shm|-journal)?$")
_ELSEWHERE: Final = "set KIOKU_STATE_DIR to a directory on a local disk, and move the stores there"


def check_place(path: str, config_path: str) -> Iterator[Check]:
    """Look at where a store lies, whether or not it is there yet, and at the config file."""
    directory = os.path.dirname(path)
    yield _check_config(config_path)
    yield check_filesystem(directory)
    checked = _check_directory(directory)
    yield checked
    if checked.status != "fail":
        yield check_locks(directory)
        yield _check_disk(directory)
        yield _check_leftovers({directory, os.path.dirname(config_path)})


def check_state_directory(directory: str) -> None:
    """Refuse a directory where no store can live, before anything is made there.

    Raises:
        UnsafeFileSystemError: if it lies on a network file system, or locks do not work there.
        StoreAccessError: if nothing can be written there.
    """
    filesystem.check_place(directory)
    nearest = _nearest(directory)
    with suppress(trial.UntriedError):
        try:
            fault = trial.find_fault(nearest)
        except OSError as error:
            raise access_error(nearest, error) from error
        if fault:
            raise UnsafeFileSystemError(nearest, f"a file system that is not fit ({fault})")


def chmod(paths: Sequence[str], *, clear: int) -> Callable[[], str]:
    """Give what takes rights away from files."""

    def mend() -> str:
        for path in paths:
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & ~clear)
        return f"chmod {'go-rwx' if clear & stat.S_IRWXG else 'o-w'} {' '.join(paths)}"

    return mend


def has_rights(path: str, rights: int) -> bool:
    """Whether any of these rights is given on a path, where rights mean anything."""
    return os.name != "nt" and bool(os.stat(path).st_mode & rights)


def _check_config(path: str) -> Check:
    if not path or not os.path.isfile(path):
        return Check("config", "pass", f"{path}: none, and none is needed")
    if has_rights(path, stat.S_IWOTH):
        return Check(
            "config",
            "warn",
            f"{path}: every user of this machine can change it",
            f"chmod o-w {path}",
            chmod([path], clear=stat.S_IWOTH),
        )
    return Check("config", "pass", f"{path}: only its owners can change it")


def check_filesystem(directory: str) -> Check:
    """Look at the kind of the file system below a directory, whether or not that is there."""
    mount = filesystem.find_mount(directory, filesystem.read_mounts())
    fault = filesystem.find_fault(mount)
    if fault:
        return Check("filesystem", "fail", f"{directory}: lies on {fault}", _ELSEWHERE)
    if filesystem.is_shared(mount):
        return Check(
            "filesystem",
            "warn",
            f"{directory}: is shared with this machine's host; the host must not use it meanwhile",
            _ELSEWHERE,
        )
    kind = f"on {mount.kind}" if mount else "the system does not say on what file system"
    return Check("filesystem", "pass", f"{directory}: {kind}")


def check_locks(directory: str) -> Check:
    """Really lock something in a directory, or in the nearest that is there."""
    nearest = _nearest(directory)
    try:
        fault = trial.find_fault(nearest)
    except trial.UntriedError as error:
        return Check("locks", "pass", f"{nearest}: not tried, for {error}")
    except OSError as error:
        fault = f"cannot be tried: {error.strerror or error}"
    if fault:
        return Check("locks", "fail", f"{nearest}: {fault}", _ELSEWHERE)
    return Check("locks", "pass", f"{nearest}: two processes lock and see each other's writes")


def _check_directory(directory: str) -> Check:
    nearest = _nearest(directory)
    if not (os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)):
        return Check(
            "directory",
            "fail",
            f"{nearest}: is no directory that can be written",
            "change its permissions or set KIOKU_STATE_DIR to another directory",
        )
    if nearest != directory:
        return Check("directory", "pass", f"{directory}: will be created")
    if has_rights(directory, stat.S_IWOTH):
        return Check(
            "directory",
            "warn",
            f"{directory}: every user of this machine can write there",
            f"chmod o-w {directory}",
            chmod([directory], clear=stat.S_IWOTH),
        )
    return Check("directory", "pass", f"{directory}: can be written")


def _nearest(path: str) -> str:
    """Give the path, or what is there already on the way to it."""
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _check_disk(directory: str) -> Check:
    from shutil import disk_usage

    free = disk_usage(_nearest(directory)).free
    summary = f"{free / 2**20:,.0f} MiB free"
    if free >= FREE_BYTES_WARN:
        return Check("disk", "pass", summary)
    return Check("disk", "fail" if free < FREE_BYTES_FAIL else "warn", summary, "free some space")


def _check_leftovers(directories: set[str]) -> Check:
    found = sorted(path for directory in directories for path in _leftovers(directory))
    if not found:
        return Check("leftovers", "pass", "no file is left of what was interrupted")
    return Check(
        "leftovers",
        "warn",
        f"{', '.join(found)}: left of something that was interrupted; nothing reads it",
        "kioku doctor --fix, or delete it",
        _remove(found),
    )


def _leftovers(directory: str) -> Iterator[str]:
    """Give what a killed process left behind: a key or an export half-written, a trial."""
    if not os.path.isdir(directory):
        return
    with os.scandir(directory) as entries:
        for entry in entries:
            is_named_so = entry.name.endswith(_LEFT_ENDS) or _LEFT_COPY.search(entry.name)
            is_half = is_named_so and entry.is_file(follow_symlinks=False)
            is_trial = entry.name.startswith(trial.PREFIX) and entry.is_dir(follow_symlinks=False)
            if (is_half or is_trial) and _is_old(entry):
                yield entry.path


def _is_old(entry: os.DirEntry[str]) -> bool:
    return time.time() - entry.stat(follow_symlinks=False).st_mtime >= LEFT_S_MIN


def _remove(paths: Sequence[str]) -> Callable[[], str]:
    def mend() -> str:
        from shutil import rmtree

        for path in paths:
            if os.path.isdir(path):
                rmtree(path)
            else:
                os.unlink(path)
        return f"deleted {', '.join(paths)}"

    return mend
