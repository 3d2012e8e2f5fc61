"""What registering a server with a client, or taking it back, comes to: a plan, nothing done yet.

nothing of the name there            the client's own command adds it, where it has one, unless
                                     the file has comments or is a link; else it is edited
the same entry there                 nothing to do
another entry of the name            refused, unless --force: it is replaced in the file, and
                                     what its user added to it stays
the older server there               named; --replace takes it out, after a copy of the file
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.install import environ
from kioku.install.clients import is_here
from kioku.install.editing import parse
from kioku.install.errors import InstallError
from kioku.install.files import copies, read, require_writable
from kioku.install.own_commands import QUIET
from kioku.install.plan import HIDDEN, Plan, Run, Write
from kioku.install.registry import is_ours, of_config, standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.install.clients import Client
    from kioku.install.place import Place
    from kioku.install.registry import Present, Standing
    from kioku.install.server import Server

_COPIES_TRIED_MAX: Final = 20
_SHORTEST_SECRET: Final = 4  # a shorter value is no secret, and hiding it would hide everything


class Wish(NamedTuple):
    """What was asked for.

    Attributes:
        scope: ``user`` or ``project``.
        force: replace another entry of the same name.
        replace: take out entries of the older server.
        by_file: edit the file also where the client has a command.
    """

    scope: str = "user"
    force: bool = False
    replace: bool = False
    by_file: bool = False


def installing(client: Client, place: Place, server: Server, wish: Wish) -> Plan:
    """What it takes to have ``server`` registered with ``client``; a refusal is a plan too."""
    try:
        return _installing(client, place, server, wish)
    except InstallError as error:
        return Plan(client.name, "refused", refusal=str(error))


def _installing(client: Client, place: Place, server: Server, wish: Wish) -> Plan:
    if wish.scope == "project" and (refusal := _no_project(client, place)):
        return Plan(client.name, "refused", refusal=refusal)
    now = standing(client, place, wish.scope)
    old = now.old(besides=server.name)
    present = now.named(server.name)
    leaving = old if wish.replace else ()
    wanted, notes = _wanted(now, server, leaving, replaces=wish.force or wish.replace)
    plan = Plan(
        client.name,
        "",
        notes=(*notes, *_notes(client, place, wanted, wish)),
        secrets=_secrets(now, wanted),
        file=now.config.path,
    )
    if old and not wish.replace:
        names = ", ".join(one.name for one in old)
        plan = plan._replace(
            notes=(f"{names} starts the older server: --replace removes it", *plan.notes)
        )
    is_same = present is not None and _says(present, wanted)
    if is_same and not leaving:
        return plan._replace(summary="already registered")
    if present is not None and not (is_same or _may_replace(present, wanted, wish)):
        refusal = _differs(now, present, wanted)
        return plan._replace(summary="refused", refusal=refusal)
    edit = _edit(now, wanted, leaving, put=not is_same)
    if present is None:
        asks = not leaving and not wish.by_file
        run = _own_command(client, place, now, wanted, edit) if asks else None
        return _adding(plan._replace(summary="registered"), now, run, edit)
    require_writable(now.config.path)
    summary = "rid of the older server" if is_same else "replaced"
    return plan._replace(summary=summary, steps=(edit(),))


def _no_project(client: Client, place: Place) -> str:
    """Why there is no project to write for, ``""`` if there is one."""
    if not client.project_file:
        return f"{client.title} has no config of a project; without --project it is for all"
    if place.project == place.home:
        return "the home directory is no project; go into one, or leave out --project"
    return ""


def _adding(plan: Plan, now: Standing, run: Run | None, edit: Callable[[], Write]) -> Plan:
    """Add a server: by the client's own command, unless that would lose what its user wrote."""
    require_writable(now.config.path)
    if run is None:
        return plan._replace(steps=(edit(),))
    loss = _loss(now)
    if not loss:
        return plan._replace(steps=(run,))
    said = f"edited because `{now.client.program} mcp add` {loss}"
    return plan._replace(steps=(edit(),), notes=(said, *plan.notes))


def _loss(now: Standing) -> str:
    """What a client's command might do to the file that its user would not want."""
    if now.config.format.has_comments(now.config.text):
        return "would lose or move its comments"
    if os.path.islink(now.config.path):
        return "may put a file in the place of the link"
    return ""


def _may_replace(present: Present, wanted: Server, wish: Wish) -> bool:
    """Whether another entry may go: it was asked for, or our own only gains what is carried over.

    So ``--replace`` does what it should also where the older server was left beside ours at first.
    """
    if wish.force or not wish.replace:
        return wish.force
    said = present.server
    if present.is_old or said is None or said.command != wanted.command:
        return present.is_old
    return said.environ.items() <= wanted.environ.items()


def _says(present: Present, wanted: Server) -> bool:
    """Whether an entry starts the server as it is wanted; more variables are its user's own."""
    said = present.server
    if said is None or said.command != wanted.command:
        return False
    return {**said.environ, **wanted.environ} == said.environ


def _differs(now: Standing, present: Present, wanted: Server) -> str:
    said = present.server
    what = "is another server"
    if present.is_old:
        what = "starts the older server"
    elif said is not None and said.command == wanted.command:
        what = "starts kioku with other variables"
    elif present.is_ours:
        what = "starts kioku in another way"
    shown = f" ({' '.join(said.command)})" if said is not None else ""
    how = "--replace" if present.is_old else "--force"
    return (
        f"{now.config.path}: {present.name} {what}{shown}; {how} replaces it, --name takes another"
    )


def _wanted(
    now: Standing, server: Server, leaving: tuple[Present, ...], *, replaces: bool
) -> tuple[Server, tuple[str, ...]]:
    """The server with the variables that stay from entries that it replaces, and what to say."""
    kept: dict[str, str] = {}
    notes: list[str] = []
    present = now.named(server.name)
    for one in (*leaving, *([present] if present is not None and replaces else ())):
        if one.server is None:
            continue
        if one.is_ours:
            kept |= one.server.environ
        elif one.is_old:
            carried, rest = environ.carried(one.server.environ)
            kept |= carried
            if rest:
                notes.append(f"not carried over from {one.name}: {', '.join(rest)}")
    return server._replace(environ={**kept, **server.environ}), tuple(notes)


def _edit(
    now: Standing, wanted: Server, leaving: tuple[Present, ...], *, put: bool
) -> Callable[[], Write]:
    """The edit of the file, made only if it is needed."""

    def make() -> Write:
        config = now.config
        for one in leaving:
            config = parse(config.path, config.drop(one.path), config.format)
        data = config.data
        if put:
            present = now.named(wanted.name)
            shape = now.shape
            keeps = present is not None and is_ours(
                present.server.command if present.server else ("",)
            )
            entry = shape.over(present.entry, wanted) if keeps and present else shape.make(wanted)
            data = config.put(now.path(wanted.name), entry)
        return Write(now.config.path, now.config.data, data)

    return make


def _own_command(
    client: Client,
    place: Place,
    now: Standing,
    wanted: Server,
    edit: Callable[[], Write],
) -> Run | None:
    """The client's own command, None if it has none here for this."""
    program = place.program(client.program) if client.adding else ""
    words = client.adding(wanted, now.scope) if client.adding and program else None
    if words is None:
        return None
    hidden = {f"{n}={v}" for n, v in wanted.environ.items() if not environ.is_shown(n)}
    shown = (f"{word.partition('=')[0]}={HIDDEN}" if word in hidden else word for word in words)

    def fault() -> str:
        try:
            found = standing(client, place, now.scope).named(wanted.name)
        except InstallError as error:
            return str(error)
        if found is None:
            return f"{now.config.path} has no {wanted.name}"
        return "" if _says(found, wanted) else f"{now.config.path} has another {wanted.name}"

    try:
        instead = edit()
    except InstallError:
        instead = None
    return Run(
        arguments=(program, *words),
        environ={**place.environ, **QUIET},
        directory=place.project if now.scope == "project" else place.directory,
        shown=(client.program, *shown),
        saved=(now.config.path, now.config.data),
        fault=fault,
        instead=instead,
    )


def _notes(client: Client, place: Place, wanted: Server, wish: Wish) -> tuple[str, ...]:
    notes = [
        f"{name} is set here, and the server will not see it: -e {name}={place.environ[name]}"
        for name in environ.unsaid(place.environ, place.home, wanted.environ)
    ]
    if wish.scope == "project":
        notes.append(
            "the file names a path of this machine; others who share it need one of their own"
        )
        if told := [name for name in wanted.environ if not environ.is_shown(name)]:
            notes.append(f"whoever gets the file gets the values of {', '.join(told)}")
    elif not is_here(client, place):
        notes.append(f"{client.title} was not found here; it is registered for when it comes")
    if client.name == "codex-cli" and wish.scope == "project":
        notes.append("Codex reads a project's config once the project is trusted")
    return tuple(notes)


def _secrets(now: Standing, wanted: Server) -> tuple[str, ...]:
    """What must not be printed: variables and headers of any server in the file."""
    found = list(environ.secret(wanted.environ))
    for one in now.servers:
        if isinstance(one.entry, dict):
            for name in ("env", "environment", "envs", "headers", "http_headers"):
                found += _texts(one.entry.get(name))
    long = {text for text in found if len(text) >= _SHORTEST_SECRET}
    return tuple(long | {json.dumps(text, ensure_ascii=False)[1:-1] for text in long})


def _texts(variables: Any) -> tuple[str, ...]:
    if not isinstance(variables, dict):
        return ()
    return environ.secret({str(n): v for n, v in variables.items() if isinstance(v, str)})


# -- taking it back -----------------------------------------------------------------------------


def uninstalling(client: Client, place: Place, name: str, wish: Wish) -> Plan:
    """What it takes to have no server of this name with the client any more."""
    try:
        return _uninstalling(client, place, name, wish)
    except InstallError as error:
        return Plan(client.name, "refused", refusal=str(error))


def _uninstalling(client: Client, place: Place, name: str, wish: Wish) -> Plan:
    if wish.scope == "project" and not client.project_file:
        return Plan(client.name, "not registered")
    now = standing(client, place, wish.scope)
    old = now.old(besides=name)
    present = now.named(name)
    leaving = tuple(one for one in (present, *(old if wish.replace else ())) if one is not None)
    plan = Plan(client.name, "not registered", file=now.config.path)
    if old and not wish.replace:
        names = ", ".join(one.name for one in old)
        plan = plan._replace(notes=(f"{names} starts the older server: --replace removes it",))
    if not leaving:
        return plan
    if present is not None and not (present.is_ours or present.is_old or wish.force):
        what = f"{now.config.path}: {name} is another server; --force removes it all the same"
        return plan._replace(summary="refused", refusal=what)
    require_writable(now.config.path)
    config = now.config
    for one in leaving:
        config = parse(config.path, config.drop(one.path), config.format)
    only = leaving[0] if len(leaving) == 1 else None
    data = _as_before(now, only, config.data) if only is not None else config.data
    return plan._replace(
        summary="removed",
        steps=(Write(now.config.path, now.config.data, data, keeps_copy=data is not None),),
        secrets=_secrets(now, _nobody(name)),
    )


def _nobody(name: str) -> Server:
    from kioku.install.server import Server

    return Server(name, ("",), {})


def _as_before(now: Standing, one: Present, dropped: bytes | None) -> bytes | None:
    """The very bytes that were there before the entry, where they are known; else ``dropped``.

    They are when putting the entry into them gives what is there now: then nothing else changed.
    """
    path, format_ = one.path, now.config.format
    candidates: list[bytes | None] = []
    for copy in copies(now.config.path)[:_COPIES_TRIED_MAX]:
        try:
            candidates.append(read(copy))
        except InstallError:
            continue
    for before in (*candidates, None):
        try:
            config = parse(now.config.path, before, format_)
            if of_config(now.client, now.scope, config).named(one.name) is not None:
                continue
            if config.put(path, one.entry) == now.config.data:
                return before
        except InstallError:
            continue
    return dropped
