"""Who of a machine's processes runs the node of a store: the one that holds its lock.

The rule this module guards: **never two at once, and nobody's death leaves it taken**. The lock is
the system's (``flock``) on ``<store>.node.lock``, so it ends with the process that holds it,
however that ends. The file is never deleted: whoever deletes and makes it anew could hold one lock
while another holds the other. What it says, the holder's process id, is for people.

``flock`` and not ``lockf``: the latter is lost when *any* descriptor of the file is closed in the
process, as a copy of the state directory does. But a ``flock`` is shared with a forked child, and
would outlive its parent in it; so a child closes its copy at once (``close_in_children``).
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from kioku.log.files import access_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

_PID_DIGITS_MAX: Final = 20


def lock_path(store: str) -> str:
    """Give the path of a store's node lock: ``<space>.node.lock`` beside ``<space>.db``."""
    return f"{os.path.splitext(os.path.realpath(store))[0]}.node.lock"


class LeaderLock:
    """The right to run a store's node. Not safe to share between threads."""

    def __init__(self, store: str) -> None:
        self.path = lock_path(store)
        self._file: FileIO | None = None
        self._pid = 0

    def try_take(self) -> bool:
        """Take the lock if nobody has it; True also if it is held here already.

        Raises:
            StoreError: if the file cannot be made or opened.
        """
        if self.is_held:
            return True
        try:
            file = close_in_children(self._open)
        except OSError as error:
            raise access_error(self.path, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            release(file)
            if isinstance(error, BlockingIOError):
                return False
            raise access_error(self.path, error) from error
        self._file, self._pid = file, os.getpid()
        if not self.is_in_place():
            self.release()
            return False
        with suppress(OSError):  # for people: a full disk must not keep the node from running
            file.truncate(0)
            os.pwrite(file.fileno(), f"{self._pid}\n".encode(), 0)
        return True

    def _open(self) -> FileIO:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return open(descriptor, "r+b", buffering=0)

    @property
    def is_held(self) -> bool:
        """Whether this process holds it; a child of it does not."""
        return self._file is not None and not self._file.closed and self._pid == os.getpid()

    def is_in_place(self) -> bool:
        """Whether what is held is still the file at its path, which somebody may have deleted."""
        if self._file is None or self._file.closed:
            return False
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.path))
        except OSError:
            return False

    def release(self) -> None:
        """Let another process have it; safe to call twice, and in a child."""
        file, self._file = self._file, None
        if file is not None:
            release(file)  # closing ends the lock: no child has kept the descriptor


def holder_of(store: str) -> int | None:
    """Give the process that last took a store's lock; None if nobody ever said."""
    try:
        with open(lock_path(store), "rb") as file:
            text = file.read(_PID_DIGITS_MAX)
    except OSError:
        return None
    return int(text) if text.strip().isdigit() else None


# -- descriptors that a fork does not keep


class _Closable(Protocol):
    def close(self) -> None: ...


_Opened = TypeVar("_Opened", bound=_Closable)
_opened: set[_Closable] = set()
_mutex = threading.Lock()


def close_in_children(open_it: Callable[[], _Opened]) -> _Opened:
    """Open something that a forked child closes before it runs; ``release`` ends it here."""
    with _mutex:  # no fork comes between opening and noting it
        opened = open_it()
        _opened.add(opened)
    return opened


def release(opened: _Closable) -> None:
    """Close what ``close_in_children`` opened."""
    with _mutex:
        _opened.discard(opened)
    opened.close()


def _close_all() -> None:
    for opened in _opened:
        with suppress(OSError):
            opened.close()
    _opened.clear()
    _mutex.release()


os.register_at_fork(
    before=_mutex.acquire, after_in_parent=_mutex.release, after_in_child=_close_all
)
