"""Which clients are here, and what each would start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from kioku.install.clients import CLIENTS, file_of, is_here
from kioku.install.errors import InstallError
from kioku.install.launcher import is_runnable
from kioku.install.registry import standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.install.clients import Client
    from kioku.install.place import Place
    from kioku.install.registry import Present


class Row(NamedTuple):
    """One client in one scope, or one more entry of it that starts kioku or the older server.

    ``scope``: ``user``, ``project``, or the directory for which alone the user's config has it.
    ``state``: ``registered``, ``not registered``, ``older server``, ``another server`` (of the
    name) or ``unreadable``. ``runs`` says whether the program of ``command`` exists.
    """

    client: str
    title: str
    scope: str
    here: bool
    file: str
    state: str
    name: str = ""
    command: tuple[str, ...] = ()
    runs: bool = False
    variables: tuple[str, ...] = ()
    problem: str = ""


def rows(place: Place, name: str) -> list[Row]:
    """All clients, each with its user's config and, where there is one, the project's."""
    found: list[Row] = []
    for client in CLIENTS:
        found += _of(client, place, "user", name)
        file = file_of(client, place, "project")
        if file and os.path.lexists(file) and file != client.file(place):
            project = _of(client, place, "project", name)
            found += [row for row in project if row.state != "not registered"]
    return found


def _of(client: Client, place: Place, scope: str, name: str) -> Iterator[Row]:
    file = file_of(client, place, scope)
    here = is_here(client, place)
    plain = Row(client.name, client.title, scope, here, file, "not registered")
    try:
        now = standing(client, place, scope)
    except InstallError as error:
        yield plain._replace(state="unreadable", problem=str(error))
        return
    shown = [one for one in now.servers if one.name == name or one.is_ours or one.is_old]
    yield from (_row(plain, one, place) for one in shown)
    if not shown:
        yield plain
    nested = [one for one in now.nested if one.is_ours or one.is_old]
    yield from (_row(plain._replace(scope=one.path[1]), one, place) for one in nested)


def _row(plain: Row, one: Present, place: Place) -> Row:
    state = "another server"
    if one.is_old:
        state = "older server"
    elif one.is_ours:
        state = "registered"
    command = one.server.command if one.server is not None else ()
    return plain._replace(
        state=state,
        name=one.name,
        command=command,
        runs=bool(command) and is_runnable(command, place.environ.get("PATH", "")),
        variables=tuple(one.server.environ) if one.server is not None else (),
    )
