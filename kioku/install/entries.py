"""What one server looks like in each client's config, and how it is read back.

An entry is written with what the client needs; of one that is replaced, what the user added (a
timeout, a list of tools, ``disabled``) stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.install.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Entry = dict[str, Any]


class Shape(NamedTuple):
    """How a client writes a server: the entry of one, and the names that say command and variables.

    ``is_joined``: the command and its arguments are one list.
    """

    make: Callable[[Server], Entry]
    command: str = "command"
    environ: str = "env"
    is_joined: bool = False

    def read(self, name: str, entry: object) -> Server | None:
        """The server that an entry describes; None if it describes no program to be started."""
        if not isinstance(entry, dict):
            return None
        said, arguments = entry.get(self.command), entry.get("args") or []
        words = said if self.is_joined else [said, *_listed(arguments)]
        if not isinstance(words, list) or not words:
            return None
        if not all(isinstance(word, str) for word in words):
            return None
        environ = entry.get(self.environ) or {}
        if not isinstance(environ, dict):
            environ = {}
        return Server(name, tuple(words), {str(k): str(v) for k, v in environ.items()})

    def over(self, present: object, server: Server) -> Entry:
        """The entry of ``server`` in the place of ``present``: what is not ours to say stays."""
        fresh = self.make(server)
        if not isinstance(present, dict):
            return fresh
        kept = {n: v for n, v in present.items() if n not in ("args", self.command, self.environ)}
        return {**fresh, **{n: v for n, v in kept.items() if n != "type" or n not in fresh}}


def _listed(arguments: object) -> list[Any]:
    return arguments if isinstance(arguments, list) else [None]


def _with_environ(entry: Entry, server: Server, name: str = "env") -> Entry:
    return {**entry, name: dict(server.environ)} if server.environ else entry


def _program(server: Server) -> Entry:
    return {"command": server.command[0], "args": list(server.command[1:])}


def _plain(server: Server) -> Entry:
    return _with_environ(_program(server), server)


def _typed(server: Server) -> Entry:
    return _with_environ({"type": "stdio", **_program(server)}, server)


def _copilot(server: Server) -> Entry:
    return _with_environ({"type": "local", **_program(server), "tools": ["*"]}, server)


def _opencode(server: Server) -> Entry:
    entry: Mapping[str, Any] = {"type": "local", "command": list(server.command), "enabled": True}
    return _with_environ(dict(entry), server, "environment")


def _zed(server: Server) -> Entry:
    return {"source": "custom", **_program(server), "env": dict(server.environ)}


def _goose(server: Server) -> Entry:
    return {
        "name": server.name,
        "description": "A memory shared with other agents and machines",
        "type": "stdio",
        "cmd": server.command[0],
        "args": list(server.command[1:]),
        "envs": dict(server.environ),
        "enabled": True,
        "timeout": 300,
    }


PLAIN = Shape(_plain)
TYPED = Shape(_typed)
COPILOT = Shape(_copilot)
OPENCODE = Shape(_opencode, environ="environment", is_joined=True)
ZED = Shape(_zed)
GOOSE = Shape(_goose, command="cmd", environ="envs")
