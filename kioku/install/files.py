"""Reading a client's config, and replacing it whole or not at all.

A file that is a link stays one: what it leads to is replaced. What was read is compared once more
right before the new file takes its place, so that a client that writes meanwhile loses nothing; two
of ours take turns there.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kioku.install.errors import ChangedMeanwhileError, InstallError, UnreadableConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

CONFIG_BYTES_MAX: Final = 64 << 20
"""Claude Code's file holds its history; beyond this it is somebody's mistake."""
COPY_ENDING: Final = ".kioku-copy"
_COPIES_MAX: Final = 1000  # of one second


class ReadOnlyConfigError(InstallError):
    """A config is not to be written, or cannot be."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}; nothing was written: make it writable, or edit it there"
        )
        self.path = path


def read(path: str) -> bytes | None:
    """The bytes of a config; None if there is none.

    Raises:
        UnreadableConfigError: it is a directory, too large, or cannot be read.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableConfigError(path, "it is no file")
            if status.st_size > CONFIG_BYTES_MAX:
                limit = f"{CONFIG_BYTES_MAX >> 20} MiB"
                raise UnreadableConfigError(path, f"it is larger than {limit}")
            return file.read(CONFIG_BYTES_MAX + 1)
    except FileNotFoundError:
        if os.path.islink(path):
            raise UnreadableConfigError(path, "it is a link that leads nowhere") from None
        return None
    except IsADirectoryError:
        raise UnreadableConfigError(path, "it is a directory") from None
    except OSError as error:
        raise UnreadableConfigError(path, error.strerror or str(error)) from None


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; also a pipe, which else waits until somebody writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def require_writable(path: str) -> None:
    """Refuse a file, or a directory for it, that somebody has made read-only.

    Also to root, whom no permission stops: a file without a write bit is not to be written.

    Raises:
        ReadOnlyConfigError: it says which.
    """
    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    while not os.path.exists(directory):
        directory = os.path.dirname(directory)
    if not os.path.isdir(directory):
        raise ReadOnlyConfigError(path, f"{directory} is no directory")
    for place, said in ((target, "it is read-only"), (directory, f"{directory} is read-only")):
        if os.path.exists(place):
            mode = os.stat(place).st_mode
            if not mode & 0o222 or not os.access(place, os.W_OK):
                raise ReadOnlyConfigError(path, said)


def copy_beside(path: str, data: bytes, now: datetime) -> str:
    """Keep a dated copy beside a file, as private as the file; the copy's path.

    Never replaces another copy. Of a link it lies beside the link: what that leads to may be a
    repository of somebody's, in which a copy would be found and sent on.
    """
    mode = stat.S_IMODE(os.stat(path).st_mode)
    dated = f"{path}.{now:%Y%m%d-%H%M%S}"
    for number in range(_COPIES_MAX):
        copy = f"{dated}{f'-{number}' if number else ''}{COPY_ENDING}"
        try:
            descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return copy
    raise InstallError(
        f"{dated}: there are {_COPIES_MAX} copies of this second; wait, and try again"
    )


def copies(path: str) -> list[str]:
    """The dated copies beside a file, the newest first."""
    directory, name = os.path.split(path)
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    found = [n for n in names if n.startswith(name + ".") and n.endswith(COPY_ENDING)]
    newest_first = sorted((one.removesuffix(COPY_ENDING) for one in found), reverse=True)
    return [os.path.join(directory, one + COPY_ENDING) for one in newest_first]


def replace(path: str, old: bytes | None, new: bytes | None, *, mode: int) -> None:
    """Put ``new`` in the place of ``old``, or remove the file where ``new`` is None.

    If the process dies, the file is either as it was or as it shall be.

    Raises:
        ChangedMeanwhileError: the file does not hold ``old`` any more.
        ReadOnlyConfigError: it must not be written.
    """
    require_writable(path)
    target = os.path.realpath(path)
    directory, name = os.path.split(target)
    if new is None:
        with _turn(path, directory):
            _require_same(path, old)
            os.unlink(target)
        return
    os.makedirs(directory, mode=0o700, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=f".{name}.", suffix=".kioku-part", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _make_alike(file.fileno(), target, mode)
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        with _turn(path, directory):
            _require_same(path, old)
            os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise
    _sync_directory(directory)


@contextmanager
def _turn(path: str, directory: str) -> Iterator[None]:
    """Have no other kioku between its last look and its renaming here, where the system has locks.

    Raises:
        ChangedMeanwhileError: another one is.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChangedMeanwhileError(path) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(descriptor)


def _require_same(path: str, old: bytes | None) -> None:
    if read(path) != old:
        raise ChangedMeanwhileError(path)


def _make_alike(descriptor: int, target: str, mode: int) -> None:
    """Give a new file the permissions, and where that is allowed the owner, of what it replaces."""
    try:
        status = os.stat(target)
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.fchown(descriptor, status.st_uid, status.st_gid)
        except PermissionError:
            raise ReadOnlyConfigError(target, "it belongs to somebody else") from None
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _sync_directory(directory: str) -> None:
    """Make the new name survive a power loss, where the system can."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
