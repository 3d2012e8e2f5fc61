"""A disk that, when the power goes, keeps what was synced and any part of what was not.

It stands under SQLite as its file system. ``lose_power`` gives the bytes that each file has after a
power cut at this moment; the process goes on, so that many cuts can be taken from one run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    from random import Random

SECTOR_BYTES = 512


class _Kept:
    """One file: what is synced, and what was written since, in order."""

    def __init__(self, content: bytes) -> None:
        self.synced = bytearray(content)
        self.pending: list[tuple[int, bytes | None]] = []

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.synced, change)
        self.pending.clear()

    def after_power_loss(self, random: Random | None) -> bytes:
        content = bytearray(self.synced)
        for offset, data in self.pending if random else []:
            assert random is not None
            if data is None:
                if random.random() < 0.5:
                    _apply(content, (offset, None))
                continue
            for start in range(0, len(data), SECTOR_BYTES):
                if random.random() < 0.5:
                    part = data[start : start + SECTOR_BYTES]
                    _apply(content, (offset + start, part))
        return bytes(content)


def _apply(content: bytearray, change: tuple[int, bytes | None]) -> None:
    offset, data = change
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class ForgetfulDisk(apsw.VFS):
    """Every file of SQLite while it is the default."""

    def __init__(self) -> None:
        super().__init__("forgetful disk", "unix", makedefault=True)
        self._files: dict[str, _Kept] = {}

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:
            return apsw.VFSFile("unix", name, flags)
        if path not in self._files:
            content = b""
            if os.path.exists(path):
                with open(path, "rb") as file:
                    content = file.read()
            self._files[path] = _Kept(content)
        return ForgetfulFile(self._files[path], name, flags)

    def xDelete(self, name: str, sync_directory: bool) -> None:  # noqa: N802
        super().xDelete(name, sync_directory)
        self._files.pop(name, None)

    def lose_power(self, random: Random | None) -> dict[str, bytes]:
        """What the files hold if the power goes now; ``random`` chooses what else was written."""
        return {path: kept.after_power_loss(random) for path, kept in self._files.items()}

    def restart(self, image: dict[str, bytes]) -> None:
        """Put the files in the state that a power loss left, in place; nobody has them open."""
        for path in [*self._files, *(f"{path}-shm" for path in self._files)]:
            if path not in image and os.path.exists(path):
                os.unlink(path)
        self._files.clear()
        for path, content in image.items():
            with open(path, "r+b" if os.path.exists(path) else "wb") as file:
                file.truncate(0)
                file.write(content)


class ForgetfulFile(apsw.VFSFile):
    """One file of it; a sync is what makes its writes last."""

    def __init__(self, kept: _Kept, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._kept = kept

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._kept.pending.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._kept.pending.append((size, None))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._kept.sync()  # the real disk need not: its power stays on
