"""Keeping a memory level with other machines' while a program uses it: ``memory.syncing()``.

It runs the node of the memory's space in this process, unless another process of this machine does
already; then it relies on that one, and takes over when it is gone. Saving never waits for any of
it. Nothing here is imported before somebody syncs.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kioku.errors import InvalidArgumentError, PrivateSpaceError, TransportError
from kioku.log.database import BESIDE_TIMEOUT_MS
from kioku.memory.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from kioku.config.mesh import MeshArguments
    from kioku.node.node import Node
    from kioku.node.status import NodeStatus, SpaceStatus
    from kioku.replica import Replica

LISTEN_S: Final = 2.0
"""For a hub to listen: it needs nobody for that, and is done within milliseconds."""
LEVEL_S: Final = 30.0
"""How long ``wait_level`` waits unless told: a hub that is up is level within seconds."""


class Synced(Handle):
    """What a memory offers to whoever shares it with other machines."""

    def syncing(
        self,
        *,
        connect: Iterable[str] = (),
        listen: Iterable[str] = (),
        insecure: bool = False,
    ) -> Syncing:
        """Give what keeps this memory level with other machines' while its ``with`` lasts.

        Args:
            connect: addresses of hubs, or one; else what the config file says.
            listen: where to be a hub for others; else what the config file says.
            insecure: accept that whoever reaches ``listen`` can read and change the whole memory.

        Raises:
            ConfigError: if nothing says where to connect or listen, or a setting cannot be used.
            PrivateSpaceError: if the space is private.
            InvalidArgumentError: if the store is in memory, where no second connection reaches it.
        """
        if self._replica.path == ":memory:":
            raise InvalidArgumentError("a store in memory cannot be synced; open a file")
        if self._replica.is_private():
            raise PrivateSpaceError(self._replica.space_name())
        from kioku.config.mesh import MeshArguments

        listens, connects = _addresses(listen), _addresses(connect)
        mode = "hub" if listens else "spoke" if connects else None
        said = MeshArguments(mode=mode, listen=listens, connect=connects, insecure=insecure or None)
        return self._syncing(said)

    def _syncing(self, said: MeshArguments) -> Syncing:
        from importlib import metadata

        from kioku.config.mesh import load_mesh
        from kioku.node.node import Node
        from kioku.node.seat import NodeSpace
        from kioku.node.settings import settings_from

        replica, settings = self._replica, self._settings
        name = replica.space_name()
        is_named = settings.sources.get("space", "default") != "default"
        space = NodeSpace(
            name=name,
            path=replica.path,
            open=lambda: replica.open_again(busy_timeout_ms=BESIDE_TIMEOUT_MS),
            is_chosen=is_named and settings.space == name,
        )
        mesh = settings_from(load_mesh(os.environ, said))
        node = Node(mesh, [space], version=metadata.version("kioku-log"))
        return Syncing(replica, node, is_hub=mesh.role == "hub")


def _addresses(given: Iterable[str]) -> tuple[str, ...]:
    """Several, or the one that was not put into a list: a text is one of letters, too."""
    return (given,) if isinstance(given, str) else tuple(given)


class Syncing:
    """A memory that is kept level with other machines' until its ``with`` ends, or ``stop``.

    Hubs that are down are dialled in the background for as long as it lasts. Its end publishes what
    is left and takes two seconds at most, whatever the hubs do.
    """

    def __init__(self, replica: Replica, node: Node, *, is_hub: bool) -> None:
        """Take over a node of the replica's space, which has not begun."""
        self._replica = replica
        self._node = node
        self._is_hub = is_hub

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, and return at once: a spoke before any hub is reached, a hub once it listens.

        Raises:
            InvalidArgumentError: if it has begun already.
            AddressInUseError: if a hub cannot listen where it was told to.
        """
        self._node.start()
        try:
            if self._is_hub:
                self._node.wait_open(LISTEN_S)
        except BaseException:
            self._node.stop()
            raise
        self._replica.followers.append(self._node.notify)

    def stop(self) -> None:
        """End; safe to call twice."""
        if self._node.notify in self._replica.followers:
            self._replica.followers.remove(self._node.notify)
        self._node.stop()

    def statistics(self) -> NodeStatus:
        """Tell how it stands: of the node that leads, in this process or in another.

        Raises:
            NodeSilentError: if another process leads and does not answer: it was stopped.
        """
        return self._asked(compare=False)

    def _asked(self, *, compare: bool) -> NodeStatus:
        from kioku.node.node import ask_leader, ask_leader_to_compare

        if compare:
            self._node.compare_now()
        own = self._node.statistics()
        space = own.space_at(self._replica.path)
        if space is None or space.state != "standby":
            return own
        ask = ask_leader_to_compare if compare else ask_leader
        return ask(self._replica.path) or own

    def wait_level(
        self, timeout_s: float = LEVEL_S, *, is_stopped: Callable[[], bool] | None = None
    ) -> bool:
        """Wait until this memory is level with every machine that can be reached.

        What was saved before is counted in. False if that was not so in time, or no other machine
        could be reached; what is here then waits in its log. ``is_stopped`` is asked between two
        looks and ends it.

        Raises:
            InvalidArgumentError: if ``timeout_s`` is no number of seconds.
        """
        from kioku.node.node import wait_level

        return wait_level(self._look, self._compare, timeout_s, is_stopped=is_stopped)

    def _look(self) -> Sequence[SpaceStatus]:
        try:
            found = self.statistics().space_at(self._replica.path)
        except TransportError:
            return ()  # it may go on, or end and leave the node to us
        return () if found is None else (found,)

    def _compare(self) -> None:
        with suppress(TransportError):
            self._asked(compare=True)
