"""A private space: its events never leave the store that they were written into.

The rule this module guards: the mark is a row of the store itself, written once when the store is
created and by nobody since, so it goes wherever a copy goes and no setting can lift it. Whoever
makes something for others asks here first: sealing, stating a frontier or digest, making a chunk.
A store's own log is then never signed, so even a forged call finds nothing that a peer would take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import PrivateSpaceError
from kioku.log.schema import read_meta

if TYPE_CHECKING:
    import apsw

PRIVATE_SPACE: Final = "private"
"""The space that is private by its name; any other is so if it was created so."""


def is_private(connection: apsw.Connection) -> bool:
    """Whether a store's space is private; that named so is, whoever created it."""
    return bool(read_meta(connection, "private")) or space_of(connection) == PRIVATE_SPACE


def refuse_private(connection: apsw.Connection) -> None:
    """Refuse to give anything out of a private space.

    Raises:
        PrivateSpaceError: if it is one.
    """
    if is_private(connection):
        raise PrivateSpaceError(space_of(connection))


def space_of(connection: apsw.Connection) -> str:
    """Give the name of the space that a store was created for."""
    return str(read_meta(connection, "space", ""))
