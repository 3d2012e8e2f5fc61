"""What every check gets: which clients there are, and homes that have them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.clients.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.offline import Offline
    from tests.clients.packages import Had, Node


class Stage(NamedTuple):
    """The clients that could be had, by name, and where homes are made."""

    node: Node
    had: dict[str, Had]
    offline: Offline
    directory: Path

    def home(self, *clients: str) -> Home:
        """A new home that has these clients."""
        commands = [self.node.commands, *(self.had[client].commands for client in clients)]
        return Home(Path(tempfile.mkdtemp(dir=self.directory)), commands, self.offline)


class Check(NamedTuple):
    """Something that must be so: in words, of whom, and how it is found out.

    ``clients`` are those that it needs: where one can't be had, the check does not run.
    """

    clients: tuple[str, ...]
    words: str
    find_out: Callable[[Stage], None]
