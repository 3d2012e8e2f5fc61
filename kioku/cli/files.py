"""Files that commands write, whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator


FORCE = "--force replaces it"


@contextmanager
def replace_file(path: str) -> Iterator[BinaryIO]:
    """Write beside ``path`` and put it there when the block has ended and all is on the disk.

    If the block fails, or the process dies, ``path`` is as it was. Readable by its owner alone:
    what an export holds was private to the store.
    """
    beside = f"{path}.{os.getpid()}.part"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
