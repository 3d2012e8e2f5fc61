"""Backups: one file with everything of a store but its keys, checked before it has its name.

The rule this module guards: **a backup is a copy that says so**. Everything in it is sealed, so it
is what others may have had as well; its log is closed, so whoever puts it in a store's place begins
another (docs/adr/0049), whatever keys lie there; and no purged text is in it, not even on a page
that nothing points to. It is a store like any other: ``kioku.open`` opens a copy of it.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from random import SystemRandom
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from kioku.audit import check_written
from kioku.errors import ExistsError, InvalidArgumentError, StoreBusyError, StoreCorruptError
from kioku.log.filesystem import is_fit
from kioku.log.keyfile import MemoryKeyRing
from kioku.log.owner import Owner
from kioku.log.path import Path, start_of
from kioku.log.private import is_private
from kioku.log.schema import read_meta
from kioku.log.still import (
    carry_over,
    check_schema,
    copy_pages,
    discard,
    discard_leftovers,
    is_same_file,
    put_in_place,
    settle,
    still,
    temporary_name,
)
from kioku.log.store import LogStore
from kioku.log.transfer import read_chunk, read_seal
from kioku.replica import Replica
from kioku.transaction import Core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import apsw

    from kioku.crdt.standing import View
    from kioku.log.frontier import Frontier

ATTEMPTS: Final = 5
"""Copies made while others erase: each erasure that comes between asks for another."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds, as it was found when the file was checked.

    Attributes:
        path: the file.
        space: the name of the space that it is a copy of.
        events: how many events of how many ``logs``.
        digest: the fingerprint of its frontier, 64 hex digits, as ``Memory.digest`` gives it; None
            of a private space, of which nothing is stated.
        unsealed: events that could not be signed, because the process may not write the store or
            the space is private: they are there, but others cannot have them.
        file_bytes: the size of the file.
    """

    path: str
    space: str
    events: int
    logs: int
    digest: str | None
    unsealed: int
    file_bytes: int


def write(
    replica: Replica,
    path: str,
    *,
    view: View,
    overwrite: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Backup:
    """Copy a store that is in use to ``path``, check the copy, and say what is in it.

    Raises:
        ExistsError: if a file is there and ``overwrite`` is False.
        InvalidArgumentError: if ``path`` is the store itself.
        StoreError: if it cannot be read or written, or is damaged; ``path`` is as it was.
    """
    source = replica.path
    _check_target(path, source, overwrite=overwrite)
    prefix = f"{path}.part-"
    discard_leftovers(prefix)
    part = temporary_name(prefix)
    with ExitStack() as stack:
        stack.callback(discard, part)
        bench = part
        if not is_fit(path):
            # A share may have no locks and no shared memory, which an open store needs.
            bench = os.path.join(stack.enter_context(TemporaryDirectory()), "backup")
        _copy(replica, bench, view=view, progress=progress)
        found = inspect(bench)
        if bench != part:
            carry_over(bench, part)
        put_in_place(part, path, overwrite=overwrite)
    return replace(found, path=os.path.abspath(path))


def _check_target(path: str, source: str, *, overwrite: bool) -> None:
    """Refuse early what can only end badly: the work would be for nothing."""
    for taken in (source, f"{source}-wal", f"{source}-shm"):
        if os.path.realpath(path) == taken or is_same_file(path, taken):
            raise InvalidArgumentError(f"{path}: is the store itself; give another file")
    if os.path.isdir(path):
        raise InvalidArgumentError(f"{path}: is a directory; give a file in it")
    if not overwrite and os.path.lexists(path):
        raise ExistsError(path, "overwrite=True replaces it")


def _copy(
    replica: Replica,
    path: str,
    *,
    view: View,
    progress: Callable[[int, int], object] | None,
) -> None:
    """Copy all pages; again, if something was erased meanwhile, for then its text is in them."""
    for _ in range(ATTEMPTS):
        discard(path)
        with replica.snapshot() as connection:
            copy_pages(connection, path, progress)
        # Opening it finishes what is to be erased, in the copy, whoever still reads the store.
        with Replica.open(path, rng=SystemRandom(), name="backup", view=view) as copy:
            copy.finish_erasure(0)
            copy.disown()
            here, there = copy.statistics(), replica.statistics()
        settle(path)
        if (here.purged, here.retracted) == (there.purged, there.retracted):
            return
    raise StoreBusyError(f"{replica.path}: others keep erasing; try again when they are done")


# -- reading one


def inspect(path: str) -> Backup:
    """Verify a backup and say what is in it.

    All that is written is checked, event by event (some 10 µs each): file, chains, seals and
    commitments. What is derived from that can be derived again.

    Raises:
        StoreError: the kind that says why it cannot be used.
    """
    with still(path) as connection:
        check_schema(connection, path)
        core = _core_of(connection)
        for finding in check_written(core):
            if finding.status == "fail":
                raise StoreCorruptError(
                    f"{path}: {finding.name}: {finding.summary}; use another backup"
                )
        counts = core.statistics(os.path.getsize(path))
        return Backup(
            path=path,
            space=str(read_meta(connection, "space", "")),
            events=counts.events,
            logs=counts.logs,
            digest=None if is_private(connection) else core.store.digest().hex(),
            unsealed=counts.unsealed,
            file_bytes=counts.file_bytes,
        )


def _core_of(connection: apsw.Connection) -> Core:
    """Give what can be asked of a store that nobody writes."""
    store = LogStore(connection)
    owner = Owner(store, MemoryKeyRing(), rng=SystemRandom(), name="", machine_id=None)
    return Core(store, owner, None)


@contextmanager
def reading_chunks(path: str) -> Iterator[Callable[[Frontier], Iterator[bytes]]]:
    """Open a backup for what ``Replica.export_chunks`` gives of a store: nothing is written.

    Raises:
        StoreError: the kind that says why it cannot be used.
    """
    with still(path) as connection:
        store = LogStore(connection)

        def chunks(known: Frontier) -> Iterator[bytes]:
            for tip in store.frontier():
                if tip in known:
                    continue
                on_path = Path(store, tip)
                last, lacks_seal = start_of(on_path, known.of_log(tip.log_id))
                if lacks_seal:
                    yield read_seal(store, on_path, last)
                while (found := read_chunk(store, on_path, last)) is not None:
                    yield found[0]
                    last = found[1]

        yield chunks


def purged_keys(path: str) -> list[bytes]:
    """Give every key that is purged in a store that nobody writes."""
    with still(path) as connection:
        rows: Any = connection.execute("SELECT key FROM purged ORDER BY key").fetchall()
        return [row[0] for row in rows]


# -- putting one in a store's place


def prepare(source: str, temporary: str, *, view: View) -> None:
    """Copy a backup beside the store whose place it takes, its log closed.

    Raises:
        StoreError: if it cannot be read or written.
    """
    with still(source) as connection:
        copy_pages(connection, temporary)
    with Replica.open(temporary, rng=SystemRandom(), name="restore", view=view) as copy:
        copy.disown()
        copy.rebuild()  # nothing vouches for what is derived: it is derived again
