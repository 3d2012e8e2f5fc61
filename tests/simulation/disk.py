"""The files of one machine, and what can happen to them while nobody looks.

A copy of a whole machine has the same machine id, the same keys and the same inode: nothing on it
can tell that it is one. A directory beside it cannot have the same inode, so the key files that are
copied are told the new one, and only if they fitted the old: all else is byte for byte.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

from kioku.log.keyfile import FileKeyRing
from kioku.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable


class Acknowledged(NamedTuple):
    """An event that this store's owner was told is safe."""

    log_id: bytes
    seq: int
    hash: bytes
    hlc: int
    kind: int
    key: bytes


class Image(NamedTuple):
    """The bytes of all files at one moment, and what had been acknowledged by then."""

    files: dict[str, bytes]
    inode: int
    acknowledged: tuple[Acknowledged, ...]


class Disk:
    """One machine's directory."""

    def __init__(self, directory: str, template: str | None = None) -> None:
        os.mkdir(directory)
        self.directory = directory
        self.store = os.path.join(directory, "sim.db")
        self.acknowledged: list[Acknowledged] = []
        if template is not None:
            shutil.copyfile(template, self.store)

    def names(self) -> list[str]:
        """Every file but shared memory, which is no part of what survives."""
        return sorted(n for n in os.listdir(self.directory) if not n.endswith("-shm"))

    def read(self) -> dict[str, bytes]:
        """The bytes of all files."""
        return {name: _read(os.path.join(self.directory, name)) for name in self.names()}

    def image(self) -> Image:
        """All files as they are now, open or not."""
        return Image(self.read(), os.stat(self.store).st_ino, tuple(self.acknowledged))

    def put_back(self, image: Image, *, with_keys: bool = True) -> None:
        """Make the files what they were; the store must be closed.

        Without the keys, those that are here now stay: they know what was signed since.
        """
        for name in os.listdir(self.directory):
            if name.endswith("-shm") or (name not in image.files and not _stays(name, with_keys)):
                os.unlink(os.path.join(self.directory, name))
        for name, data in image.files.items():
            path = os.path.join(self.directory, name)
            if with_keys or not name.endswith(".key") or not os.path.exists(path):
                with open(path, "r+b" if os.path.exists(path) else "wb") as file:
                    file.write(data)
                    file.truncate()
        self.acknowledged = list(image.acknowledged)
        if with_keys:
            self._fit_keys(image)

    def copy_to(self, directory: str, *, with_keys: bool) -> Disk:
        """Give a machine elsewhere the same files; with its keys nobody can tell them apart."""
        copy, image = Disk(directory), self.image()
        for name, data in image.files.items():
            if with_keys or not name.endswith(".key"):
                with open(os.path.join(directory, name), "wb") as file:
                    file.write(data)
        copy.acknowledged = list(image.acknowledged)
        if with_keys:
            copy._fit_keys(image)
        return copy

    def _fit_keys(self, image: Image) -> None:
        """Let the keys that fitted the store's inode fit the one that it has now."""
        inode = os.stat(self.store).st_ino
        if inode == image.inode:
            return
        ring = FileKeyRing(self.store)
        for name in image.files:
            if name.startswith("sim.") and name.endswith(".key"):
                key = ring.load(bytes.fromhex(name.split(".")[1]))
                if key is not None and key.inode == image.inode:
                    ring.store(replace(key, inode=inode))

    def has_text(self, texts: Iterable[str]) -> list[str]:
        """Give those texts that are in any file, wherever in it."""
        everything = b"".join(self.read().values())
        return [text for text in texts if text.encode() in everything]


def _stays(name: str, with_keys: bool) -> bool:
    return name.endswith(".key") and not with_keys


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
