"""``mcp``: serve agents, and register that server with the programs that start it.

``serve`` is the server's own command under another name; nothing else is loaded for it. The rest
makes plans (``kioku.install``) and shows what came of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import DRY_RUN, JSON
from kioku.cli.parser import CommandError, Verb, argument

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator, Sequence

    from kioku.install.carrying import Outcome
    from kioku.install.listing import Row
    from kioku.install.place import Place
    from kioku.install.plan import Plan


class _Mcp(Verb):
    """The verb, which passes ``serve`` on whole."""

    __slots__ = ()

    def execute(self, arguments: Sequence[str]) -> int:
        """Run the server, or parse and run as any other verb."""
        if arguments[:1] == ["serve"]:
            from kioku.mcp import main

            return main(list(arguments[1:]))
        return super().execute(arguments)


def _mcp(arguments: Namespace) -> int:
    if arguments.action == "serve":
        raise CommandError("serve comes first", hint="kioku mcp serve [OPTIONS]")
    from kioku.install.server import NAME, is_name

    if arguments.name is None:
        arguments.name = NAME
    elif not is_name(arguments.name):
        raise CommandError(
            f"--name {arguments.name!r} is no name of a server",
            hint="letters, digits, - and _, at most 64",
        )
    return _ACTIONS[arguments.action](arguments)


# -- install and uninstall ----------------------------------------------------------------------


def _install(arguments: Namespace) -> int:
    from kioku.install import environ, hooks, launcher
    from kioku.install.clients import BY_NAME
    from kioku.install.place import Place
    from kioku.install.planning import installing
    from kioku.install.server import Server

    place = Place.here()
    variables = environ.given(arguments.variables or [])
    names = _chosen(arguments, place)
    launcher.require_server()
    server = Server(arguments.name, launcher.command(place.environ), variables)

    def plans() -> Iterator[Plan]:
        for name in names:
            if name in BY_NAME:
                yield installing(BY_NAME[name], place, server, _wish(arguments))
            else:
                yield _by_hand(name)
            if arguments.hooks:
                line = hooks.command(name, server.command, variables)
                yield hooks.installing(name, place, line)

    return _carry(arguments, plans(), is_new=True)


def _uninstall(arguments: Namespace) -> int:
    from kioku.install import hooks
    from kioku.install.clients import BY_NAME
    from kioku.install.place import Place
    from kioku.install.planning import uninstalling
    from kioku.install.server import NAME

    place = Place.here()
    names = _chosen(arguments, place)

    def plans() -> Iterator[Plan]:
        for name in names:
            # What came last goes first, so that the file can be as it was before both.
            is_users = arguments.name == NAME and arguments.scope != "project"
            if is_users and (hook := hooks.uninstalling(name, place)):
                yield hook
            if name in BY_NAME:
                yield uninstalling(BY_NAME[name], place, arguments.name, _wish(arguments))
            else:
                yield _by_hand(name)

    return _carry(arguments, plans(), is_new=False)


def _wish(arguments: Namespace) -> Any:
    from kioku.install.planning import Wish

    return Wish(
        scope=arguments.scope or "user",
        force=arguments.force,
        replace=arguments.replace,
        by_file=arguments.edit_file,
    )


def _chosen(arguments: Namespace, place: Place) -> list[str]:
    """The clients that were named, or those that are here.

    Raises:
        CommandError: none was named; it says which there are.
    """
    here = _found(arguments, place)
    if arguments.all:
        if not here:
            raise CommandError("no client was found here", hint=_example(arguments, []))
        return here
    if not arguments.client:
        found = f"found here: {', '.join(here)}" if here else "none was found here"
        raise CommandError(f"no client was named; {found}", hint=_example(arguments, here))
    return _named(arguments)


def _found(arguments: Namespace, place: Place) -> list[str]:
    """The clients that are here; to take it back, also those whose config has it."""
    from kioku.install.clients import CLIENTS, is_here
    from kioku.install.listing import rows

    having = set()
    if arguments.action == "uninstall":
        scope = arguments.scope or "user"
        registered = [row for row in rows(place, arguments.name) if row.state == "registered"]
        having = {row.client for row in registered if row.scope == scope}
    return [one.name for one in CLIENTS if one.name in having or is_here(one, place)]


def _named(arguments: Namespace) -> list[str]:
    """The clients of ``--client``, each once, under their own names.

    Raises:
        CommandError: one is not known.
    """
    from kioku.install.clients import BY_NAME, NAMES, OTHER_NAMES

    names = [OTHER_NAMES.get(name, name) for part in arguments.client for name in part.split(",")]
    for name in names:
        if name not in BY_NAME and name not in NAMES:
            raise CommandError(
                f"--client {name!r} is none that is known", hint=f"one of {', '.join(NAMES)}"
            )
    return list(dict.fromkeys(names))


def _example(arguments: Namespace, here: list[str]) -> str:
    typed = f"kioku mcp {arguments.action} --client {here[0] if here else 'NAME'}"
    if len(here) > 1:
        return f"{typed}, or --all for all {len(here)} of them"
    return f"{typed}; kioku mcp list shows all clients"


def _by_hand(name: str) -> Plan:
    from kioku.install.clients import BY_HAND
    from kioku.install.plan import Plan

    return Plan(name, "nothing to write", notes=BY_HAND[name])


def _carry(arguments: Namespace, plans: Iterable[Plan], *, is_new: bool) -> int:
    """Carry out one plan after the other; each is made once those before it are done."""
    from datetime import UTC, datetime

    from kioku.install.carrying import carry_out, preview

    shown = []
    told = set()  # a server and its hook may stand in one file
    worst = 0
    for plan in plans:
        done = preview(plan) if arguments.dry_run else carry_out(plan, datetime.now(UTC))
        worst = max(worst, 1 if done.problem else 0)
        if arguments.json:
            shown.append(_result(plan, done, arguments))
        elif not done.problem or done.problem not in told:
            _show(plan, done, arguments, is_new=is_new)
        told.add(done.problem)
    if arguments.json:
        render.json({"dry_run": arguments.dry_run, "clients": shown})
    return worst


def _show(plan: Plan, done: Outcome, arguments: Namespace, *, is_new: bool) -> None:
    from kioku.install.clients import BY_NAME

    say = render.note if done.problem else render.line
    if done.problem:
        render.error(f"{plan.client}: {done.problem}")
    else:
        summary = plan.summary
        if arguments.dry_run and plan.steps:
            hook, _, done_to_it = summary.rpartition("hook ")
            summary = f"{hook}{'hook ' if done_to_it != summary else ''}would be {done_to_it}"
        render.line(f"{plan.client}: {summary}")
    for line in done.lines:
        say(f"  {line}")
    for note in plan.notes:
        say(f"  note: {note}")
    is_server = plan.client in BY_NAME and not plan.summary.startswith("hook")
    if is_new and done.has_changed and not done.problem and is_server:
        render.line(f"  to check: {_check(plan.client, arguments.name)}")


def _check(client: str, name: str) -> str:
    from kioku.install.clients import BY_NAME

    return BY_NAME[client].check.format(name=name)


def _result(plan: Plan, done: Outcome, arguments: Namespace) -> dict[str, Any]:
    from kioku.install.clients import BY_NAME

    return {
        "client": plan.client,
        "result": "refused" if done.problem else plan.summary,
        "changed": done.has_changed,
        "file": plan.file,
        "lines": list(done.lines),
        "copies": list(done.copies),
        "notes": list(plan.notes),
        "problem": done.problem,
        "check": _check(plan.client, arguments.name) if plan.client in BY_NAME else "",
    }


# -- list ---------------------------------------------------------------------------------------


def _list(arguments: Namespace) -> int:
    from kioku.install.listing import rows
    from kioku.install.place import Place

    found = rows(Place.here(), arguments.name)
    if arguments.client:
        named = _named(arguments)
        found = [row for row in found if row.client in named]
    if arguments.json:
        render.json([{**row._asdict(), "command": list(row.command)} for row in found])
        return 0
    shown = [row for row in found if row.here or row.state != "not registered"]
    for row in shown:
        render.line(_line(row))
    told = {row.client for row in shown}
    absent = [row.client for row in found if row.client not in told]
    if absent:
        render.line(f"not found here: {', '.join(absent)}")
    return 0


def _line(row: Row) -> str:
    where = row.client if row.scope == "user" else f"{row.client} ({row.scope})"
    if row.state == "not registered":
        return f"{where}: not registered"
    if row.state == "unreadable":
        return f"{where}: unreadable: {row.problem}"
    missing = "" if row.runs else ", which is not there"
    remedy = f"; kioku mcp install --client {row.client} --replace removes it"
    hint = remedy if row.state == "older server" else ""
    command = " ".join(row.command) or "no command"
    return f"{where}: {row.state}: {row.name} starts {command}{missing} ({row.file}){hint}"


def _plugin(arguments: Namespace) -> int:
    from kioku.install.plugins import DIRECTORY

    if arguments.json:
        render.json({"directory": DIRECTORY})
    else:
        render.line(DIRECTORY)
    return 0


_ACTIONS = {"install": _install, "uninstall": _uninstall, "list": _list, "plugin": _plugin}

MCP = _Mcp(
    name="mcp",
    summary="Serve agents, and register that server with their programs",
    description="`mcp serve` is the MCP server on standard input and output: kioku-mcp under "
    "another name. `mcp install`\nregisters it with a client (a program that starts MCP servers), "
    "`mcp uninstall` takes that back,\n`mcp list` shows which clients are here and what each "
    "starts, `mcp plugin` where the plugin for Claude\nCode lies. A client's own command does it "
    "where it has one; else its file is edited: all else in it\nstays as it is, and a dated copy "
    "is kept beside it.",
    arguments=(
        argument(
            "action", choices=("serve", "install", "uninstall", "list", "plugin"), help="what to do"
        ),
        argument(
            "--client",
            metavar="CLIENT",
            action="append",
            help="claude-code, claude-desktop, codex-cli, gemini-cli, opencode, qwen-code, "
            "copilot-cli, cursor, vscode, windsurf, zed, goose or chatgpt-desktop; repeatable",
        ),
        argument(
            "--all",
            action="store_true",
            help="every client that is found here, and to uninstall every one that has it",
        ),
        argument("--name", metavar="NAME", help="what the client calls the server (kioku)"),
        argument(
            "-e",
            "--env",
            metavar="NAME=VALUE",
            dest="variables",
            action="append",
            help="a variable that the client gives the server; repeatable",
        ),
        argument(
            "--scope",
            choices=("user", "project"),
            help="for all your projects (user, the default) or for this one",
        ),
        argument(
            "--project",
            action="store_const",
            const="project",
            dest="scope",
            help="the same as --scope project",
        ),
        argument(
            "--hooks",
            action="store_true",
            help="also run kioku context when a session starts, where the client has a hook for "
            "that; uninstall takes it back",
        ),
        argument("--force", action="store_true", help="replace another entry of that name"),
        argument(
            "--replace",
            action="store_true",
            help="remove entries of the older server, keeping its variables that kioku knows",
        ),
        argument(
            "--edit-file",
            action="store_true",
            help="edit the client's file, also where it has a command of its own",
        ),
        DRY_RUN,
        JSON,
    ),
    examples=(
        "kioku mcp install --client claude-code",
        "kioku mcp install --client claude-code --hooks",
        "kioku mcp install --all --dry-run",
        "kioku mcp list",
    ),
    run=_mcp,
    output="a client a line, below it what was run or written; of `list`, what each starts.",
    json="The same, a record a client.",
    exit_codes="0 done, 1 refused for one client or more; the others are done all the same",
)

VERBS = {MCP.name: MCP}
