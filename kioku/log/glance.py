"""A look into a store that is there, by a connection that can neither write nor create.

It prepares nothing: a file that is newer, damaged or another program's is an error, and so is one
that is not there. For what lists stores, and for what must answer within a keystroke: what only an
error needs is imported when there is one.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import apsw

from kioku.errors import StoreAccessError, StoreCorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY_MS_MAX: Final = 100
"""Nobody blocks a reader, but for the moment in which a store's first or last process is there."""


@contextmanager
def glance(path: str) -> Iterator[apsw.Connection]:
    """Read a file that should be a store in one transaction; whether it is one, its tables tell.

    Raises:
        StoreError: the kind that says why it cannot be read.
    """
    try:
        # Not READONLY: the last connection of such a kind leaves its index and log files behind.
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(BUSY_MS_MAX)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()
    except apsw.CantOpenError as error:
        raise StoreAccessError(f"{path}: is not there or cannot be read ({error})") from error
    except (apsw.Error, UnicodeDecodeError) as error:
        from kioku.log.database import translate

        raise translate(error, path) from error


def is_private_store(path: str) -> bool:
    """Whether the store of a file is of a private space.

    Raises:
        StoreError: if it cannot be read, or is no store.
    """
    from kioku.log.database import APPLICATION_ID
    from kioku.log.private import is_private

    with glance(path) as connection:
        if connection.execute("PRAGMA application_id").get != APPLICATION_ID:
            raise StoreCorruptError(f"{path}: is no kioku store")
        return is_private(connection)
