"""A disk that fails once, at the n-th thing that it is asked to do.

It stands under SQLite as its file system, and under the key files as the few calls of ``os`` that
write them, and counts both together: so each n is another moment of one operation.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

FULL = "full"
BROKEN = "broken"
WRITES = frozenset({"write", "truncate", "sync"})
EVERYTHING = WRITES | {"read"}
_CALLS: dict[str, tuple[str, Callable[..., object]]] = {
    "open": ("write", os.open),
    "fsync": ("sync", lambda _: None),
    "replace": ("write", os.replace),
}


class FaultyDisk(apsw.VFS):
    """Every file of SQLite while it is the default; ``failing`` arms it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__("faulty disk", "unix", makedefault=True)
        self._fault: str | None = None
        self._kinds: frozenset[str] = frozenset()
        self._left = 0
        self.has_failed = False
        for name, (kind, real) in _CALLS.items():
            monkeypatch.setattr(os, name, self._failing_call(kind, real))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File(self, name, flags)

    def _failing_call(self, kind: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            if self._is_next(kind):
                number = errno.ENOSPC if self._fault == FULL else errno.EIO
                raise OSError(number, os.strerror(number))
            return real(*arguments, **named)

        return call

    @contextlib.contextmanager
    def failing(self, fault: str, number: int) -> Iterator[None]:
        """Fail once, at the ``number``-th operation from here (from 1), with this fault."""
        self._fault, self._left, self.has_failed = fault, number, False
        self._kinds = WRITES if fault == FULL else EVERYTHING
        try:
            yield
        finally:
            self._fault = None

    def step(self, kind: str) -> None:
        if self._is_next(kind):
            error: apsw.Error = apsw.FullError() if self._fault == FULL else apsw.IOError()
            raise error

    def _is_next(self, kind: str) -> bool:
        if self._fault is None or kind not in self._kinds:
            return False
        self._left -= 1
        self.has_failed |= self._left == 0
        return self._left == 0


class _File(apsw.VFSFile):
    def __init__(
        self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.step("read")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.step("write")
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.step("truncate")
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.step("sync")  # and no more: no power is lost here, and tests must be quick
