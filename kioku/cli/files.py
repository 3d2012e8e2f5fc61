"""Files that commands read, and files that they write, whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from kioku.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Iterator


FORCE = "--force replaces it"


class ImportRefusedError(PeerError):
    """Some or all of a file could not be taken in; what could was."""

    hint = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to import: what a person calls it, where it is, how it begins."""

    name: str
    path: str
    file: BinaryIO
    format: str


@contextmanager
def replace_file(path: str) -> Iterator[BinaryIO]:
    """Write beside ``path`` and put it there when the block has ended and all is on the disk.

    If the block fails, or the process dies, ``path`` is as it was. Readable by its owner alone:
    what an export holds was private to the store.
    """
    beside = f"{path}.{os.getpid()}.part"
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        error.filename = path  # what was typed
        raise
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
