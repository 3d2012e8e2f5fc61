"""``init``: a config file, and where the mesh is wanted how this machine takes part in it.

Two rules are guarded here. Nobody comes to listen where other machines reach it without having said
that this is meant. And nothing depends on a hub being up: a spoke that hears nothing is set up all
the same, and asks later.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE
from kioku.cli.files import FORCE, replace_file
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.store import settings_of
from kioku.errors import ExistsError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from kioku.cli.systemd import Units
    from kioku.config import Settings
    from kioku.config.mesh import MeshConfig

_NEXT = 'kioku save "what you learned" -p your-project'
_ASK_MS = 3_000  # how long a spoke's init waits for its hub


class _Answer(NamedTuple):
    """What a hub said of its spaces: ``space`` is the one to join, ``""`` to ask again later."""

    said: str
    state: str
    space: str = ""


def _init(arguments: Namespace) -> int:
    from kioku.doctor.place import check_state_directory

    settings = settings_of(arguments)
    mode = "local" if arguments.mode == "localhost" else arguments.mode
    if mode == "local":
        _refuse_mesh_options(arguments)
    config = _decided(arguments, settings, mode)
    path = os.path.abspath(arguments.out or settings.config_path)
    units = _units(arguments, settings, path)
    answer = _ask_hub(config) if mode == "spoke" and not arguments.print else None
    if answer and answer.space:
        settings = settings._replace(space=answer.space)
        config = config._replace(spaces=(answer.space,))
    text = _config_text(settings, config)
    if arguments.print:
        _print(text, units, is_json=arguments.json)
        return 0
    check_state_directory(settings.state_dir)
    _write(path, text, is_forced=arguments.force)
    if units is not None:
        _write(units.user_path, units.user_text, is_forced=arguments.force)
        _write(units.system_path, units.system_text, is_forced=arguments.force)
    if arguments.json:
        render.json(_written_json(path, settings, config, answer, units))
    else:
        _show_written(path, config, answer, units)
    return 0


def _refuse_mesh_options(arguments: Namespace) -> None:
    if arguments.listen or arguments.connect:
        raise CommandError(
            "--listen and --connect are of --mode hub and --mode spoke",
            hint="kioku init --mode hub --listen ADDRESS, or --mode spoke --connect ADDRESS",
        )
    if arguments.install_systemd:
        raise CommandError(
            "--install-systemd is of --mode hub and --mode spoke: by itself a memory runs nothing",
            hint="kioku init --mode hub --listen ADDRESS --install-systemd",
        )


# -- how it takes part --------------------------------------------------------------------------


def _decided(arguments: Namespace, settings: Settings, mode: str) -> MeshConfig:
    """What the command line and a person's answers say; what an older file says is replaced.

    Raises:
        CommandError: something is missing, and nobody is there to be asked.
        ConfigError: something cannot be used.
    """
    from kioku.config.checks import Found
    from kioku.config.mesh import MeshArguments, decide
    from kioku.config.sources import Collected
    from kioku.errors import ConfigError

    listen, connect = arguments.listen or (), arguments.connect or ()
    if mode == "hub" and not listen:
        listen = (_asked_where_to_listen(arguments),)
    if mode == "spoke" and not connect and not listen:
        connect = (_asked_for_hub(),)
    found = {name: Found(getattr(settings, name), "default") for name in ("config_path", "pc_id")}
    found["mode"] = Found(mode, "argument")
    said = MeshArguments(
        mode,
        listen=listen,
        connect=connect,
        spaces=() if arguments.space is None or mode == "local" else (arguments.space,),
        insecure=arguments.insecure or None,
    )
    decided = decide(Collected(found, [], {}), said)
    if decided.faults:
        raise ConfigError(decided.faults[0].message)
    return decided.config


def _asked_where_to_listen(arguments: Namespace) -> str:
    from kioku.cli.addresses import addresses_here, ask_where_to_listen
    from kioku.config.endpoints import parse_endpoint
    from kioku.config.mesh import WHAT_INSECURE_MEANS

    if not render.is_answered() or arguments.print:
        here = ", ".join(one.text for one in addresses_here())
        raise CommandError(
            "a hub needs to know where it listens: --listen ADDRESS", hint=f"addresses here: {here}"
        )
    chosen = ask_where_to_listen()
    if chosen is None:
        raise CommandError("no address was chosen; nothing was written", hint="--listen ADDRESS")
    if not arguments.insecure and not parse_endpoint(chosen).is_loopback:
        arguments.insecure = render.ask(f"{WHAT_INSECURE_MEANS}; listen there all the same?")
    return chosen


def _asked_for_hub() -> str:
    from kioku.cli.addresses import ask_for_hub

    chosen = ask_for_hub()
    if chosen is None:
        raise CommandError(
            "a spoke needs the address of its hub: --connect ADDRESS",
            hint="kioku init --mode spoke --connect 192.0.2.1",
        )
    return chosen


# -- what the hub has ---------------------------------------------------------------------------


def _ask_hub(config: MeshConfig) -> _Answer:
    """Ask the hubs which spaces they have; that none answers is no error.

    Raises:
        CommandError: they have several, none was named, and nobody is there to be asked.
    """
    from kioku.cli.hubs import spaces_of_hubs

    names = spaces_of_hubs(config, timeout_ms=_ASK_MS)
    where = ", ".join(config.connect)
    if names is None:
        return _Answer(f"{where}: no answer now; `kioku serve` asks again until there is", "silent")
    if config.spaces:
        missing = [name for name in config.spaces if name not in names]
        remark = f", and not {missing[0]}: `kioku spaces` there shows more" if missing else ""
        return _Answer(f"{where}: it has {', '.join(names) or 'no space'}{remark}", "answered")
    if len(names) > 1:
        return _Answer(f"{where}: it has {', '.join(names)}", "answered", _one_of(names))
    return _Answer(f"{where}: it has {names[0] if names else 'no space yet'}", "answered")


def _one_of(names: list[str]) -> str:
    from kioku.cli.addresses import ask_for_space

    chosen = ask_for_space(names) if render.is_answered() else None
    if chosen is None:
        raise CommandError(
            f"the hub has several spaces: {', '.join(names)}; choose one with --space",
            hint=f"kioku init … --space {names[0]}",
        )
    return chosen


# -- what is written ----------------------------------------------------------------------------


def _config_text(settings: Settings, config: MeshConfig) -> str:
    is_named = bool(config.spaces) or settings.sources["space"] != "default"
    # Without a name a spoke takes the space that its hub has, whatever that is called.
    mark = "# " if config.mode == "spoke" and not is_named else ""
    text = f"""\
# kioku's settings. Every line may be left out; variables of the environment, as KIOKU_SPACE,
# come before this file.
mode = "{config.mode}"
{mark}space = "{settings.space}"

# "full": what was saved survives a power cut. "normal": faster, it survives a crash.
durability = "{settings.durability}"

# What becomes of a credential in what is saved: "redact", "refuse" or "allow".
secrets = "{settings.secrets}"

# Whether the directory that a command runs in may say the project.
# detect_project = false

# Who saves. Where these are left out, the program that started kioku is asked, then the machine.
# agent_family = "…"
# client_id = "user@host"
# pc_id = "host"
"""
    return text + _mesh_text(config)


def _mesh_text(config: MeshConfig) -> str:
    if config.mode == "local":
        return "\n[mesh]\ninsecure = true\n" if config.is_insecure else ""
    lines = [
        "",
        "# How this machine shares: docs/operations.md says what each line means.",
        "[mesh]",
    ]
    if config.mode == "hub":
        lines.append(f"listen = {_listed(config.listen)}")
    if config.mode == "spoke" or config.connect:
        lines.append(f"connect = {_listed(config.connect)}")
    if config.spaces:
        lines.append(f"spaces = {_listed(config.spaces)}")
    elif config.mode == "hub":
        lines.append('# spaces = ["default"]  # without this line: all that are not private')
    else:
        lines.append('# spaces = ["default"]  # without this line: the one that the hub has')
    lines.append(f'# machine = "{config.machine}"  # without this line: made from pc_id')
    if config.is_insecure:
        from kioku.config.mesh import WHAT_INSECURE_MEANS

        lines.append(f"# Accepted when this was written: {WHAT_INSECURE_MEANS}.")
    lines.append(f"insecure = {'true' if config.is_insecure else 'false'}")
    lines += ["", "# Other settings of Zenoh, as they stand in its own file.", "# [zenoh]"]
    return "\n".join([*lines, ""])


def _listed(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _write(path: str, text: str, *, is_forced: bool) -> None:
    """Write it whole or not at all; the same text again is no conflict."""
    if not is_forced and os.path.exists(path):
        with open(path, "rb") as file:
            if file.read(len(text.encode()) + 1) != text.encode():
                raise ExistsError(path, FORCE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with replace_file(path) as file:
        file.write(text.encode())


def _units(arguments: Namespace, settings: Settings, path: str) -> Units | None:
    if not arguments.install_systemd:
        return None
    from kioku.cli import systemd

    if not arguments.print:
        systemd.require_systemd()
    return systemd.units(settings, path, os.environ)


def _print(text: str, units: Units | None, *, is_json: bool) -> None:
    if is_json:
        more = {"user_unit": units.user_text, "system_unit": units.system_text} if units else {}
        render.json({"text": text, **more})
        return
    render.block(text.rstrip("\n"))
    if units is not None:
        for path, unit in (
            (units.user_path, units.user_text),
            (units.system_path, units.system_text),
        ):
            render.block(f"\n# {path}\n{unit}".rstrip("\n"))


def _next(config: MeshConfig) -> str:
    return _NEXT if config.mode == "local" else "kioku serve"


def _show_written(
    path: str, config: MeshConfig, answer: _Answer | None, units: Units | None
) -> None:
    render.line(f"wrote {path}")
    if answer is not None:
        render.line(f"hub {answer.said}")
    if units is None:
        render.line(f"next: {_next(config)}")
        return
    render.line(f"wrote {units.user_path}")
    render.line(f"wrote {units.system_path}")
    render.line("next, as a service of yours, also while you are not logged in:")
    render.block("\n".join(f"  {command}" for command in units.user_commands))
    render.line("or as a service of the whole machine:")
    render.block("\n".join(f"  {command}" for command in units.system_commands))


def _written_json(
    path: str,
    settings: Settings,
    config: MeshConfig,
    answer: _Answer | None,
    units: Units | None,
) -> Mapping[str, Any]:
    commands = [*units.user_commands] if units else []
    return {
        "wrote": path,
        "mode": config.mode,
        "space": settings.space,
        "next": commands[0] if commands else _next(config),
        "listen": list(config.listen),
        "connect": list(config.connect),
        "insecure": config.is_insecure,
        "hub": answer.state if answer else None,
        "units": [units.user_path, units.system_path] if units else [],
        "commands": commands,
    }


INIT = Verb(
    name="init",
    summary="Write a config file; one machine alone needs none",
    description="Write a config file. Saving works without one; it is needed to share a memory "
    "between machines:\na hub is always on and listens, a spoke dials hubs.",
    arguments=(
        argument(
            "--mode",
            choices=("local", "localhost", "hub", "spoke"),
            default="local",
            help="local (the default, also called localhost): this machine alone",
        ),
        argument(
            "--listen",
            metavar="EP",
            action="append",
            help="where a hub listens: ADDRESS or ADDRESS:PORT (7447); repeatable",
        ),
        argument(
            "--connect",
            metavar="EP",
            action="append",
            help="a hub to dial, written alike; repeatable, in the order in which they are tried",
        ),
        argument(
            "--insecure",
            action="store_true",
            help="accept that whoever reaches this hub can read and change the whole memory",
        ),
        argument(
            "--install-systemd",
            action="store_true",
            help="also write units that keep `kioku serve` running, and print how to enable them",
        ),
        argument("--out", metavar="PATH", help="the file (KIOKU_CONFIG, else the user's own)"),
        argument("--force", action="store_true", help="replace a file that is there"),
        argument("--print", action="store_true", help="print the file's text and write nothing"),
        SPACE,
        JSON,
    ),
    examples=(
        "kioku init",
        "kioku init --mode hub --listen 192.0.2.1 --insecure",
        "kioku init --mode spoke --connect 192.0.2.1 --print",
    ),
    run=_init,
    output="`wrote <path>` for each file and the next step; of a spoke, what its hub said.",
    json="The same; with `--print` the texts.",
)

VERBS = {INIT.name: INIT}
