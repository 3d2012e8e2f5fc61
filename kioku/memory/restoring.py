"""Putting a backup in a store's place, so that nothing is lost, forked or brought back by it.

    verify the backup ─ copy it beside the store, its log closed ─ purge there what was purged here
        ─ keep the store that is there under another name ─ give the copy its name

Up to the last step, which is one rename, the store that was there is in its place. The copy lies in
the same directory under a name that gives its keys their final names (the store's, another ending),
so that what is appended to it (the purges) is its own once it has been renamed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kioku import backup
from kioku.config import load_settings
from kioku.errors import ExistsError, InvalidArgumentError, StoreBusyError, StoreError
from kioku.log.erasure import processes_using
from kioku.log.event import PURGE
from kioku.log.filesystem import check_place
from kioku.log.still import (
    discard,
    discard_leftovers,
    drop_second_names,
    free_name,
    keep_aside,
    put_in_place,
    settle,
    temporary_name,
)
from kioku.memory.intake import path_of
from kioku.memory.opening import create_directory, open_store
from kioku.replica import Draft
from kioku.view.schema import ObservationView

if TYPE_CHECKING:
    from kioku.backup import Backup
    from kioku.config import Settings

ERASURE_WAIT_MS = 30_000
_HINT = "overwrite=True keeps the store that is there under another name"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has put in place.

    Attributes:
        path: the store.
        backup: what the backup held.
        kept: where the store that was there is now; empty if there was none.
        purges: how many observations were purged again, because the store that was there had
            purged them since; None if it could not be read.
    """

    path: str
    backup: Backup
    kept: str
    purges: int | None


def restore(
    source: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    space: str | None = None,
    overwrite: bool = False,
) -> Restored:
    """Put a backup in the place of a space's store, or of the file ``path``.

    The restored store goes on in a log of its own; what others have of its old log comes back
    with the next exchange. What was purged since the backup stays purged.

    Args:
        source: a file that ``Memory.backup`` made.
        path: the store's file; the space's own unless given.
        space: the space's name; the default one unless given.
        overwrite: if a store is there, keep it under another name and take its place.

    Raises:
        ExistsError: if a store is there and ``overwrite`` is False.
        StoreBusyError: if other processes have that store open.
        UnsafeFileSystemError: if the store would lie on a network file system.
        InvalidArgumentError: if the backup is of another space, or is the store.
        StoreError: if the backup cannot be used, or not be put there; the store is as it was.
    """
    settings = load_settings(os.environ, space=space)
    target = os.path.realpath(path_of(settings.store_path if path is None else path))
    if target == os.path.realpath(path_of(source)):
        raise InvalidArgumentError(f"{target}: is the store itself; give a backup of it")
    found = backup.inspect(path_of(source))
    if path is None:
        _check_space(found, settings)
        create_directory(settings.state_dir)
    is_there = os.path.lexists(target)
    _check_room(target, is_there=is_there, overwrite=overwrite)
    kept, count = _replace(target, found, settings, is_there=is_there)
    if kept and count is not None:
        _erase_in_kept(target, settings)
    return Restored(target, found, kept, count)


def _replace(
    target: str, found: Backup, settings: Settings, *, is_there: bool
) -> tuple[str, int | None]:
    """Make the copy and give it its name; ``Restored`` says what ``kept`` and ``purges`` are."""
    prefix = f"{os.path.splitext(target)[0]}.restoring-"
    discard_leftovers(prefix)
    temporary = temporary_name(prefix)
    try:
        purged = _close_down(target, settings) if is_there else []
        backup.prepare(found.path, temporary, view=ObservationView())
        count = None if purged is None else _purge_again(temporary, purged, settings)
        if is_there and count is not None:
            _owe_erasure(temporary, settings)
        settle(temporary)
        kept = _keep(target, is_readable=purged is not None)
        put_in_place(temporary, target, overwrite=is_there)
    finally:
        discard(temporary)
    return kept, count


def _check_room(target: str, *, is_there: bool, overwrite: bool) -> None:
    if not is_there:
        check_place(target)
    elif not overwrite:
        raise ExistsError(target, _HINT)


def _check_space(found: Backup, settings: Settings) -> None:
    if found.space != settings.space:
        raise InvalidArgumentError(
            f"{found.path}: is a backup of the space {found.space!r}, not of {settings.space!r};"
            f" restore it with --space {found.space}"
        )


def _close_down(target: str, settings: Settings) -> list[bytes] | None:
    """Seal a store that is to be put aside, and give what it has purged; None if it is damaged.

    Raises:
        StoreBusyError: if somebody else has it open.
    """
    others = processes_using(target)
    if others:
        raise StoreBusyError(
            f"{target}: is open in other processes ({', '.join(map(str, others))});"
            " end them first, then restore again"
        )
    drop_second_names(target)
    try:
        with open_store(target, settings) as memory:
            if not memory.is_private():
                memory.replica.seal()  # so that an import can take all of it later
    except StoreBusyError:
        raise
    except StoreError:
        return None
    settle(target)
    return backup.purged_keys(target)


def _purge_again(temporary: str, keys: list[bytes], settings: Settings) -> int:
    """Purge in the copy what is not purged there yet; gives how much that was."""
    with open_store(temporary, settings) as memory:
        with memory.replica.reading(now_ms=memory.now_ms()) as reading:
            keys = [key for key in keys if not reading.is_purged(key)]
        if keys:
            memory.replica.append([Draft(PURGE, key) for key in keys], now_ms=memory.now_ms())
            memory.replica.finish_erasure(ERASURE_WAIT_MS)
    return len(keys)


def _owe_erasure(temporary: str, settings: Settings) -> None:
    """What the backup has purged may be in the store that is kept: note that it has to go."""
    with open_store(temporary, settings) as memory:
        memory.replica.owe_erasure()


def _erase_in_kept(target: str, settings: Settings) -> None:
    """Do what is noted; if somebody reads that store, whoever opens this one next goes on."""
    with suppress(StoreError), open_store(target, settings) as memory:
        memory.replica.finish_erasure(ERASURE_WAIT_MS)


def _keep(target: str, *, is_readable: bool) -> str:
    """Give the store that is there a second name, and that alone its write-ahead log."""
    if is_readable and os.path.exists(target):
        settle(target)  # again: refuses if somebody has opened it meanwhile
    kept = free_name(target)
    return kept if keep_aside(target, kept) else ""
