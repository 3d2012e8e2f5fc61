"""The mesh beside a connection: the node of its space, run while the client is there.

The rule this module guards: **nobody waits for the network**. The node is started in a thread of
its own, a moment after the client is connected (one that only looks whether the server answers is
gone by then); what keeps it from starting is told in the status, tried again, and stops no tool.
Nothing of it is imported where the config file says that this machine keeps to itself.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kioku.errors import KiokuError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.config import Settings
    from kioku.memory.facade import Memory
    from kioku.node.status import NodeStatus

LOCAL: Final = "local"
START_AFTER_S: Final = 0.5
RETRY_S: Final = 30.0  # a port that another process holds may become free

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MeshState:
    """How a space stands with other machines.

    ``role`` is ``off``, ``hub`` or ``spoke``; ``is_ready``: some peer that is reached has all that
    is here, and the other way round; ``events_left``: known to be missing here, None if nobody is
    reached who would know; ``problem`` says what is in the way.
    """

    role: str = "off"
    is_ready: bool = False
    peers_reached: int = 0
    events_left: int | None = None
    problem: str = ""


class Mesh:
    """Runs the node of a memory's space, from ``begin`` to ``end``."""

    def __init__(self, memory: Callable[[], Memory]) -> None:
        """``memory`` gives the memory to be kept level; it is called in the node's thread."""
        self._memory = memory
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kioku-mesh", daemon=True)
        self._problem = ""

    def begin(self) -> None:
        """Start in the background; safe to call twice."""
        if self._thread.ident is None:
            self._thread.start()

    def end(self, deadline_s: float) -> None:
        """Publish what is left and leave the mesh, in so much time; it goes on if that is short."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(deadline_s)

    def state(self, settings: Settings, store: str) -> MeshState:
        """How it stands, as whichever process of this machine runs the node says.

        Cost: a second at most.
        """
        from kioku.node.leader import lock_path
        from kioku.node.node import ask_leader

        if settings.mode == LOCAL and not os.path.exists(lock_path(store)):
            return MeshState()  # nobody ever ran a node of it, so nobody is asked
        try:
            status = ask_leader(store)
        except KiokuError as error:
            return MeshState(role=_role(settings), problem=str(error))
        if status is None:
            return MeshState(role=_role(settings), problem=self._problem)
        return _state(status, os.path.realpath(store), self._problem)

    def _run(self) -> None:
        pause_s = START_AFTER_S
        while not self._ending.wait(pause_s):
            pause_s = RETRY_S
            try:
                self._take_part()
            except KiokuError as error:
                self._problem = str(error)
                _log.warning("no mesh: %s", error)
            except Exception as error:  # noqa: BLE001 - the tools go on without a mesh
                self._problem = f"the node failed: {type(error).__name__}"
                _log.exception("no mesh")

    def _take_part(self) -> None:
        memory = self._memory()
        if memory.is_private():
            self._ending.wait()
            return
        with memory.syncing():
            self._problem = ""
            self._ending.wait()


def _role(settings: Settings) -> str:
    return "off" if settings.mode == LOCAL else settings.mode


def _state(status: NodeStatus, store: str, problem: str) -> MeshState:
    space = status.space_at(store)
    engine = space.engine if space is not None else None
    reached = [peer for peer in engine.peers if peer.is_reachable] if engine is not None else []
    problems = (problem, status.remark, space.problem if space else "")
    return MeshState(
        role=status.role,
        is_ready=engine is not None and engine.is_ready,
        peers_reached=len(reached),
        events_left=engine.events_left if engine is not None and reached else None,
        problem="; ".join(one for one in problems if one),
    )
