"""``init``, ``status`` and ``rebuild``: what looks after the store itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import JSON, REBUILD_FLAG, SPACE
from kioku.cli.files import FORCE, replace_file
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.progress import Work
from kioku.cli.store import open_memory, settings_of
from kioku.errors import ExistsError, StoreAccessError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.config import Settings
    from kioku.memory import Memory

_MESH_MODES = ("hub", "spoke")
_NEXT = 'kioku save "what you learned" -p your-project'


def _init(arguments: Namespace) -> int:
    from kioku.doctor.place import check_state_directory

    if arguments.mode in _MESH_MODES:
        raise CommandError(
            f"--mode {arguments.mode} comes with the mesh, which this version does not have yet",
            hint="kioku init --mode local",
        )
    if arguments.listen or arguments.connect or arguments.install_systemd:
        raise CommandError(
            "--listen, --connect and --install-systemd come with the mesh, not with --mode local",
            hint="kioku init --mode local",
        )
    settings = settings_of(arguments)
    text = _config_text(settings)
    if arguments.print:
        if arguments.json:
            render.json({"text": text})
        else:
            render.block(text.rstrip("\n"))
        return 0
    check_state_directory(settings.state_dir)
    path = os.path.abspath(arguments.out or settings.config_path)
    _write_config(path, text, is_forced=arguments.force)
    if arguments.json:
        render.json({"wrote": path, "mode": "local", "space": settings.space, "next": _NEXT})
    else:
        render.line(f"wrote {path}")
        render.line(f"next: {_NEXT}")
    return 0


def _config_text(settings: Settings) -> str:
    return f"""\
# kioku's settings. Every line may be left out; variables of the environment, as KIOKU_SPACE,
# come before this file.
mode = "local"
space = "{settings.space}"

# "full": what was saved survives a power cut. "normal": faster, it survives a crash.
durability = "{settings.durability}"

# Whether the directory that a command runs in may say the project.
# detect_project = false

# Who saves. Where these are left out, the program that started kioku is asked, then the machine.
# agent_family = "…"
# client_id = "user@host"
# pc_id = "host"
"""


def _write_config(path: str, text: str, *, is_forced: bool) -> None:
    """Write it whole or not at all; the same text again is no conflict."""
    if not is_forced and os.path.exists(path):
        with open(path, "rb") as file:
            if file.read(len(text.encode()) + 1) != text.encode():
                raise ExistsError(path, FORCE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with replace_file(path) as file:
        file.write(text.encode())


def _status(arguments: Namespace) -> int:
    if arguments.rebuild:
        from kioku.cli.familiar import explain_rebuild

        explain_rebuild()
    settings = settings_of(arguments)
    with open_memory(arguments) as memory:
        fields = _status_fields(memory, settings)
    if arguments.json:
        render.json(fields)
        return 0
    shown = _status_texts(fields)
    if render.is_for_person():
        from kioku.cli import views

        views.show_fields(shown)
    else:
        for name, value in shown.items():
            render.line(f"{name}: {value}")
    return 0


def _status_texts(fields: dict[str, Any]) -> dict[str, str]:
    """Each name and what is shown for it; a name and a family for each of the families."""
    shown: dict[str, str] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            shown |= {f"{name} ({key or 'none'})": str(count) for key, count in value.items()}
        else:
            shown[name] = _status_text(value)
    return shown


def _status_text(value: object) -> str:
    if value is None:
        return "none"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _status_fields(memory: Memory, settings: Settings) -> dict[str, Any]:
    from kioku.cli.verbs import version

    counts = memory.statistics()
    return {
        "version": version(),
        "backend": "sqlite",
        "space": counts.space,
        "private": counts.is_private,
        "store": counts.path,
        "config": settings.config_path,
        "durability": settings.durability,
        "pc_id": counts.host,
        "session_id": counts.session_id,
        "agent_family": counts.agent_family,
        "client_id": counts.client_id,
        "observations": counts.observations,
        "observations_by_family": dict(counts.by_family),
        "deleted": counts.deleted,
        "purged": counts.purged,
        "retracted": counts.retracted,
        "held": counts.held,
        "missing": counts.missing,
        "events": counts.events,
        "logs": counts.logs,
        "file_bytes": counts.file_bytes,
        "erased": counts.is_erased,
        "digest": None if counts.is_private else memory.digest(),
        "mesh": "off",
        "mesh_ready": False,
    }


def _rebuild(arguments: Namespace) -> int:
    settings = settings_of(arguments)
    if not os.path.exists(settings.store_path):
        raise StoreAccessError(f"{settings.store_path}: no store is there; a first save makes it")
    with open_memory(arguments) as memory:
        with Work("rebuilding", kept="nothing was changed") as work:
            memory.rebuild(progress=work)
        counts = memory.statistics()
    if arguments.json:
        render.json({"events": counts.events, "observations": counts.observations})
    else:
        observations = counted(counts.observations, "observation")
        render.line(f"rebuilt: {observations} from {counted(counts.events, 'event')}")
    return 0


INIT = Verb(
    name="init",
    summary="Write a config file; nothing else needs it",
    description="Write a config file to change settings in. Saving works without one.",
    arguments=(
        argument(
            "--mode",
            choices=("local", "localhost", *_MESH_MODES),
            default="local",
            help="local (the default, also called localhost); hub and spoke come with the mesh",
        ),
        argument("--listen", metavar="EP", action="append", help="comes with the mesh"),
        argument("--connect", metavar="EP", action="append", help="comes with the mesh"),
        argument("--install-systemd", action="store_true", help="comes with the mesh"),
        argument("--out", metavar="PATH", help="the file (KIOKU_CONFIG, else the user's own)"),
        argument("--force", action="store_true", help="replace a file that is there"),
        argument("--print", action="store_true", help="print the file's text and write nothing"),
        SPACE,
        JSON,
    ),
    examples=("kioku init", "kioku init --print"),
    run=_init,
    output="`wrote <path>` and the next step.",
    json="The same.",
)

STATUS = Verb(
    name="status",
    summary="Show the store, its counts and who saves",
    arguments=(REBUILD_FLAG, SPACE, JSON),
    examples=("kioku status",),
    run=_status,
    output="`key: value` lines; without a mesh `mesh: off` and `mesh_ready: no`.",
    json="The same keys, with numbers and booleans.",
)

REBUILD = Verb(
    name="rebuild",
    summary="Derive the search index and all views from the log again",
    description="Derive the search index and all views from the log again. It changes no answer.",
    arguments=(SPACE, JSON),
    examples=("kioku rebuild",),
    run=_rebuild,
    output="`rebuilt: N observations from N events`",
    json="The counts.",
)

VERBS = {verb.name: verb for verb in (INIT, STATUS, REBUILD)}
