"""Opening a memory: where settings, the clock, chance and the machine's identity come in.

Everything below takes them as arguments. Opening writes nothing into a store that is there.
"""

from __future__ import annotations

import os
import time
from random import SystemRandom
from typing import TYPE_CHECKING

from kioku.config import load_settings
from kioku.errors import InvalidArgumentError, StoreAccessError
from kioku.log.database import BESIDE_TIMEOUT_MS, BUSY_TIMEOUT_MS
from kioku.log.keyfile import read_machine_id
from kioku.log.private import PRIVATE_SPACE
from kioku.memory.facade import Memory
from kioku.memory.intake import path_of
from kioku.replica import Replica
from kioku.view.schema import ObservationView

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.config import Settings

_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def open(  # noqa: A001 - it is kioku.open, as io's is io.open
    path: str | os.PathLike[str] | None = None,
    *,
    space: str | None = None,
    session_id: str | None = None,
    agent_family: str | None = None,
    client_id: str | None = None,
    durability: str | None = None,
    private: bool = False,
) -> Memory:
    """Open a memory, the default space's unless told; its first save creates it.

    Args:
        path: a file, or ``:memory:``; else the space's file in the state directory.
        space: a space's name (a-z, 0-9 and -).
        session_id: what this session's saves have in common; a fresh one for each memory if none
            is given or set.
        agent_family: which family of agents saves; else from the environment or the launcher.
        client_id: which client saves; likewise.
        durability: ``full`` (an acknowledged save survives a power cut) or ``normal``.
        private: create the space as one whose events never leave its store, for good; the space
            called ``private`` always is.

    Raises:
        ConfigError: if a setting cannot be used.
        InvalidArgumentError: if ``private`` is asked of a space that is there and is not.
        StoreError: if the file cannot; the kind says why.
    """
    settings = load_settings(
        os.environ,
        space=space,
        agent_family=agent_family,
        client_id=client_id,
        session_id=session_id,
        durability=durability,
    )
    if path is not None:
        return open_store(path_of(path), settings, space=space, private=private)
    create_directory(settings.state_dir)
    return open_store(settings.store_path, settings, space=settings.space, private=private)


def open_store(
    path: str,
    settings: Settings,
    *,
    space: str | None = None,
    private: bool = False,
    clock: Callable[[], int] = time.time_ns,
) -> Memory:
    """Open a file with settings that are already decided.

    ``space`` names the space of a store that is created; the file's own name unless given.

    Raises:
        InvalidArgumentError: if it should be private, by argument or by name, and is not.
    """
    replica = open_replica(
        path, settings, space=space, private=private, busy_timeout_ms=BUSY_TIMEOUT_MS
    )
    if (private or space == PRIVATE_SPACE) and not replica.is_private():
        replica.close()
        raise InvalidArgumentError(
            f"{path}: is there and is not private, and what it holds may have left already;"
            " create a private space under another name"
        )
    session_id = settings.session_id or f"s-{os.urandom(6).hex()}"
    return Memory(replica, settings, session_id=session_id, clock=clock, random_bytes=os.urandom)


def open_replica(
    path: str,
    settings: Settings,
    *,
    space: str | None = None,
    private: bool = False,
    busy_timeout_ms: int = BESIDE_TIMEOUT_MS,
) -> Replica:
    """Open a file's replica as memories do, for whoever works on it beside them: a node.

    It waits less for others' locks, for what it could not do now it does later, and it has to end
    when it is told to.
    """
    return Replica.open(
        path,
        rng=SystemRandom(),
        name=settings.pc_id,
        view=ObservationView(),
        space=space,
        private=private,
        durability="normal" if settings.durability == "normal" else "full",
        machine_id=_machine_id(),
        busy_timeout_ms=busy_timeout_ms,
    )


def _machine_id() -> bytes | None:
    """Give what stands for this machine; None in a container, which may get another id each time.

    A store is mounted into one container after the other, and must not look like a copy each time.
    """
    if any(os.path.exists(mark) for mark in _CONTAINER_MARKS):
        return None
    return read_machine_id()


def create_directory(path: str) -> None:
    """Create the state directory for its owner alone.

    Raises:
        StoreAccessError: if it cannot be created.
        UnsafeFileSystemError: if it would lie on a network file system.
    """
    if os.path.isdir(path):
        return
    from kioku.log.filesystem import check_place

    check_place(path)
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreAccessError(
            f"{path}: {error.strerror}; make it writable or set KIOKU_STATE_DIR"
        ) from error
