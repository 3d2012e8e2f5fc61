"""A network of its own for each machine of a mesh, where the system and our rights allow it.

Each machine gets a network namespace with one cable to a switch, which is a namespace too, so that
nothing of the real network is touched. A cable can be pulled: then nothing arrives and nobody says
so, for both sides at once. Everything goes with the namespaces when the block ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Network:
    """Namespaces joined by a switch; ``add`` gives a machine one."""

    def __init__(self) -> None:
        self._prefix = f"kioku{os.getpid()}"
        self._switch = f"{self._prefix}-switch"
        self._names: list[str] = []

    @staticmethod
    def is_possible() -> bool:
        """Whether we may make namespaces here: it is tried."""
        if not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("ip"):
            return False
        name = f"kioku{os.getpid()}-trial"
        if _ip("netns", "add", name, check=False):
            return False
        is_usable = not _ip("-n", name, "link", "set", "lo", "up", check=False)
        _ip("netns", "delete", name)
        return is_usable

    def add(self, name: str) -> tuple[tuple[str, ...], str]:
        """Make a machine's namespace: what runs commands in it, and its address."""
        number = len(self._names) + 1
        space, cable, address = f"{self._prefix}-{name}", f"port{number}", f"10.213.7.{number}"
        self._names.append(name)
        _ip("netns", "add", space)
        _ip("-n", space, "link", "set", "lo", "up")
        here = ("link", "add", "cable", "type", "veth", "peer", "name", cable)
        _ip("-n", space, *here, "netns", self._switch)
        _ip("-n", self._switch, "link", "set", cable, "master", "switch", "up")
        _ip("-n", space, "address", "add", f"{address}/24", "dev", "cable")
        _ip("-n", space, "link", "set", "cable", "up")
        return ("ip", "netns", "exec", space), address

    def pull(self, name: str) -> None:
        """Pull a machine's cable."""
        self._set(name, "down")

    def plug(self, name: str) -> None:
        """Put a machine's cable back."""
        self._set(name, "up")

    def _set(self, name: str, state: str) -> None:
        cable = f"port{self._names.index(name) + 1}"
        _ip("-n", self._switch, "link", "set", cable, state)

    def __enter__(self) -> Self:
        _ip("netns", "add", self._switch)
        _ip("-n", self._switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "switch", "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for space in (*(f"{self._prefix}-{name}" for name in self._names), self._switch):
            _ip("netns", "delete", space, check=False)


def _ip(*arguments: str, check: bool = True) -> int:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.returncode
