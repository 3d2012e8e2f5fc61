"""A node: what takes this machine's spaces into the mesh, for as long as it runs.

One thread (``loop``) drives one engine a space over one connection; every process may start a node
of a space, and one of them leads (``leader``). Here is where the clock and chance come in, and
where another process's words end: what is public about a running node.
"""

from __future__ import annotations

import math
import os
import time
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from kioku.errors import (
    AddressInUseError,
    ConfigError,
    InvalidArgumentError,
    PrivateSpaceError,
    ReplicaClosedError,
)
from kioku.node import control
from kioku.node.engine import Profile
from kioku.node.loop import Loop, Parts
from kioku.node.status import NodeStatus

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from kioku.node.engine import Clock
    from kioku.node.seat import NodeSpace
    from kioku.node.settings import MeshSettings
    from kioku.node.status import SpaceStatus
    from kioku.transport.link import Transport

STOP_S: Final = 2.0
"""Within which a node has stopped, whatever its hubs do."""
STATUS_S: Final = 1.0
SPACES_MAX: Final = 64
_POLL_S: Final = 0.02
_COMPARE_S: Final = 0.1
_COMPARE_S_MAX: Final = 2.0
"""Between two comparisons while somebody waits to be level: what was just published arrives."""


class SystemClock:
    """The clocks of this machine."""

    def wall_ms(self) -> int:
        """Give the milliseconds since 1970; may jump."""
        return time.time_ns() // 1_000_000

    def steady_ms(self) -> int:
        """Give milliseconds since some moment; never goes back."""
        return time.monotonic_ns() // 1_000_000


class Node:
    """Takes spaces into the mesh. ``start`` and ``stop`` it, as often as needed, or use ``with``.

    Any thread may call it; a forked child may not, and its own ends nothing of the parent's.
    """

    def __init__(
        self,
        settings: MeshSettings,
        spaces: Sequence[NodeSpace],
        *,
        version: str,
        dial: Callable[[MeshSettings], Transport] | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Make one, which does nothing yet. ``dial`` opens a connection: Zenoh's by default."""
        if not 0 < len(spaces) <= SPACES_MAX:
            raise InvalidArgumentError(f"spaces: {len(spaces)}; give 1 to {SPACES_MAX}")
        dial = dial_zenoh if dial is None else dial
        self._parts = Parts(
            settings=settings,
            spaces=tuple(spaces),
            profile=Profile(machine=settings.machine, role=settings.role, version=version),
            dial=lambda: dial(settings),
            clock=clock or SystemClock(),
            rng=rng or SystemRandom(),
        )
        self._pid = os.getpid()
        self._loop: Loop | None = None

    # -- its life

    def start(self) -> None:
        """Begin, and return at once: hubs are dialled, and locks waited for, in the background.

        Raises:
            PrivateSpaceError: if a space is private: it never takes part.
            InvalidArgumentError: if it runs already.
        """
        self._check_process()
        if self.is_running:
            raise InvalidArgumentError("the node runs already; stop it first")
        for space in self._parts.spaces:
            if space.is_private():
                raise PrivateSpaceError(space.name)
        self._loop = Loop(self._parts)
        self._loop.thread.start()

    def stop(self, deadline_s: float = STOP_S) -> bool:
        """Publish what is left, leave the mesh and let another process lead.

        Safe to call twice, from a signal's handler, and in a forked child, where it does nothing.
        Gives whether all of that was done within the deadline; it goes on if not.

        Raises:
            BaseException: what ended the node before, if anything did.
        """
        loop = self._loop
        if loop is None or os.getpid() != self._pid:
            return True
        loop.stop(self._parts.clock.steady_ms() + int(deadline_s * 1_000))
        loop.thread.join(deadline_s)
        if loop.thread.is_alive():
            return False
        error, loop.error = loop.error, None
        if error is not None:
            raise error
        return True

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._loop is not None and self._loop.thread.is_alive()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended; gives whether it has."""
        self._check_process()
        if self._loop is not None:
            self._loop.thread.join(timeout_s)
        return not self.is_running

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

    # -- what it does

    def notify(self) -> None:
        """Let it look now at what this process saved, instead of within 50 ms; costs nothing."""
        loop = self._loop
        if loop is not None and os.getpid() == self._pid:
            loop.wake()

    def compare_now(self) -> None:
        """Compare with every peer that can be reached, whatever the digests say."""
        self._check_process()
        if self._loop is not None:
            self._loop.compare_now()

    # -- what it tells

    def statistics(self) -> NodeStatus:
        """Give how it stands; what was saved before is counted in."""
        self._check_process()
        if self._loop is None:
            return Loop(self._parts).status(0)
        return self._loop.status(STATUS_S)

    def wait_level(self, timeout_s: float) -> bool:
        """Wait until all its spaces are level with a peer at least; gives whether they are.

        What was saved before is counted in. It has them compared meanwhile, for peers that are
        level already would otherwise say so only with their next beacon.
        """
        return wait_level(lambda: self.statistics().spaces, self.compare_now, timeout_s)

    def wait_open(self, timeout_s: float) -> bool:
        """Wait until it has a connection, or needs none for others lead; gives whether it has.

        Raises:
            AddressInUseError: if a hub cannot listen where it was told to.
            ConfigError: if its settings cannot be used.
        """
        self._check_process()
        deadline = time.monotonic() + timeout_s
        while (loop := self._loop) is not None and self.is_running:
            if isinstance(loop.dial_error, AddressInUseError | ConfigError):
                raise loop.dial_error
            if loop.is_open:
                return True
            if loop.is_idle or time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return False

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise ReplicaClosedError("made before this process was forked; make another node here")


def wait_level(
    look: Callable[[], Sequence[SpaceStatus]],
    compare: Callable[[], object],
    timeout_s: float,
    *,
    is_stopped: Callable[[], bool] | None = None,
) -> bool:
    """Wait until spaces are level, each with a peer at least; gives whether they are.

    ``compare`` has them compared: now, and again while that is not enough, less often each time.
    ``is_stopped`` is asked between two looks and ends it.

    Raises:
        InvalidArgumentError: if ``timeout_s`` is no time that passes.
    """
    if type(timeout_s) not in (int, float) or not 0 <= timeout_s < math.inf:
        raise InvalidArgumentError(f"timeout_s: {timeout_s!r} is no number of seconds from 0 on")
    began = time.monotonic()
    compared_s = step_s = 0.0
    while is_stopped is None or not is_stopped():
        found = look()
        if found and all(space.is_level for space in found):
            return True
        waited_s = time.monotonic() - began
        if waited_s >= timeout_s:
            return False
        if waited_s >= compared_s:
            compare()
            step_s = min(_COMPARE_S_MAX, step_s * 2 or _COMPARE_S)
            compared_s = waited_s + step_s
        time.sleep(min(_POLL_S, timeout_s - waited_s))
    return False


def ask_leader(store: str) -> NodeStatus | None:
    """Ask whichever process leads the node of a store how it stands; None if none does.

    Raises:
        NodeSilentError: if one does and does not answer within a second: it was stopped.
        TransportError: if it is of another version of kioku.
        StoreAccessError: if this user may not ask.
    """
    return _asked(store, "status")


def ask_leader_to_compare(store: str) -> NodeStatus | None:
    """Let the leader compare with every peer now; else as ``ask_leader``."""
    return _asked(store, "sync")


def _asked(store: str, question: str) -> NodeStatus | None:
    answer = control.ask(store, question)
    return None if answer is None else NodeStatus.from_json(answer)


def dial_zenoh(settings: MeshSettings) -> Transport:
    """Open a connection over Zenoh."""
    from kioku.transport.zenoh_link import ZenohTransport
    from kioku.transport.zenoh_settings import ZenohSettings

    return ZenohTransport.open(
        ZenohSettings(
            role=settings.role,
            listen=settings.listen,
            connect=settings.connect,
            overrides=settings.zenoh,
        )
    )
