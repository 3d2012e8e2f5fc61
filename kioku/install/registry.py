"""What a client has now: our entry, entries of the older server, and what its config says.

Old entries are known by their name (``mesh-mem`` …), by the program, and by ``python -m`` with the
older package; one that the new package's alias answers is kioku itself, under an old name.
"""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.install.clients import file_of
from kioku.install.editing import Config, parse
from kioku.install.files import read
from kioku.install.launcher import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kioku.install.clients import Client
    from kioku.install.entries import Shape
    from kioku.install.place import Place
    from kioku.install.server import Server

_OLD_WORD: Final = re.compile(r"(?<![a-z])(mesh[-_]mem|kioku[-_]mesh)", re.IGNORECASE)
_OLD_MODULE: Final = re.compile(r"(?:mesh_mem|kioku_mesh)(?:\.[\w.]+)?")
OUR_MODULE: Final = "kioku.mcp"


class Present(NamedTuple):
    """One server that stands in a client's config, and the names that lead to it."""

    name: str
    entry: Any
    server: Server | None
    path: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        """Whether it starts a kioku, this one or another."""
        return self.server is not None and is_ours(self.server.command)

    @property
    def is_old(self) -> bool:
        """Whether it starts the server that kioku replaces, or bears its name."""
        if self.server is not None and is_old(self.server.command):
            return True
        return bool(_OLD_WORD.fullmatch(self.name.removesuffix("-mcp").removesuffix("_mcp")))


class Standing(NamedTuple):
    """One client's config of one scope, read.

    ``nested``: servers that the user's config has for one directory alone (Claude Code's scope
    ``local``, in which ``claude mcp add`` puts a server unless it is told otherwise).
    """

    client: Client
    scope: str
    config: Config
    servers: tuple[Present, ...] = ()
    nested: tuple[Present, ...] = ()

    @property
    def shape(self) -> Shape:
        """How a server is written in this config."""
        own = self.client.project_shape if self.scope == "project" else None
        return own or self.client.shape

    def named(self, name: str) -> Present | None:
        """The server of this name, None if there is none."""
        return next((one for one in self.servers if one.name == name), None)

    def old(self, besides: str = "") -> tuple[Present, ...]:
        """The older server's entries, but the one named ``besides``."""
        beside = tuple(one for one in self.servers if one.name != besides)
        return tuple(one for one in (*beside, *self.nested) if one.is_old)

    def path(self, name: str) -> tuple[str, ...]:
        """Where a server of this name stands in the config."""
        return (*self.client.container, name)


def is_ours(command: tuple[str, ...]) -> bool:
    """Whether a command line starts kioku's server."""
    program = _program(command[0])
    if program == PROGRAMS[0] or (program in PROGRAMS and _is_alias(command[0])):
        return True
    if program == "kioku":
        return command[1:3] == ("mcp", "serve")
    return ("-m", OUR_MODULE) in itertools.pairwise(command)


def _is_alias(path: str) -> bool:
    """Whether an older name of the server is the one that kioku itself installs beside its own."""
    beside = os.path.join(os.path.dirname(os.path.realpath(path)), PROGRAMS[0])
    return os.path.isabs(path) and os.path.exists(beside)


def is_old(command: tuple[str, ...]) -> bool:
    """Whether a command line starts the server that kioku replaces."""
    if is_ours(command):
        return False
    if any(_OLD_WORD.search(_program(word)) for word in command[:1]):
        return True
    for first, second in itertools.pairwise(command):
        if first == "-m" and _OLD_MODULE.fullmatch(second):
            return True
    is_runner = _program(command[0]) in {"uvx", "uv", "pipx"}
    return is_runner and any(_OLD_WORD.search(word) for word in command[1:])


def _program(word: str) -> str:
    name = os.path.basename(word.replace("\\", "/")).lower()
    return name.removesuffix(".exe").removesuffix(".cmd")


def standing(client: Client, place: Place, scope: str) -> Standing:
    """Read one client's config.

    Raises:
        UnreadableConfigError: it is not what the client would read.
    """
    path = file_of(client, place, scope)
    config = parse(path, read(path), client.format)
    return of_config(client, scope, config)


def of_config(client: Client, scope: str, config: Config) -> Standing:
    """The servers of a config that was read.

    Raises:
        UnreadableConfigError: its servers are no mapping.
    """
    config.at((*client.container, ""))  # refuses servers that are a list
    entries = config.at(client.container) or {}
    now = Standing(client, scope, config)
    nested: tuple[Present, ...] = ()
    projects = config.value.get(client.projects) if client.projects else None
    for directory, said in projects.items() if isinstance(projects, dict) else ():
        below = said.get(client.container[0]) if isinstance(said, dict) else None
        if isinstance(below, dict):
            path = (client.projects, directory, *client.container)
            nested += _presents(now.shape, below, path)
    return now._replace(servers=_presents(now.shape, entries, client.container), nested=nested)


def _presents(
    shape: Shape, entries: Mapping[str, Any], path: tuple[str, ...]
) -> tuple[Present, ...]:
    return tuple(
        Present(str(name), entry, shape.read(str(name), entry), (*path, str(name)))
        for name, entry in entries.items()
    )
