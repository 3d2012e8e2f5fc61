"""How a store's file comes to be, and what the system's errors mean for it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from kioku.errors import StoreAccessError, StoreFullError, StoreIOError

if TYPE_CHECKING:
    from kioku.errors import StoreError


def create_private(path: str) -> bool:
    """Create the file for its owner alone; False if it is there. WAL and index inherit the mode.

    Raises:
        StoreAccessError: if it cannot be created, or is no file.
        UnsafeFileSystemError: if it would lie on a network file system.
    """
    if os.path.isfile(path):
        return False
    from kioku.log.filesystem import check_place  # once in a store's life

    check_place(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if not os.path.isfile(path):
            raise StoreAccessError(f"{path}: is not a file; give the path of a store") from None
        return False
    except OSError as error:
        raise access_error(path, error) from error
    os.close(descriptor)
    return True


def access_error(path: str, error: OSError) -> StoreError:
    """Give the error of ours for one of the system's, by what must be done about it."""
    reason = f"{error.filename or path}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFullError(f"{reason}; free some space and try again")
    if error.errno == errno.EIO:
        return StoreIOError(f"{reason}; check the disk")
    return StoreAccessError(f"{reason}; check the directory and its permissions")
