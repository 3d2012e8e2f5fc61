"""``status`` and ``rebuild``: what looks after the store itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import JSON, REBUILD_FLAG, SPACE
from kioku.cli.parser import Verb
from kioku.cli.progress import Work
from kioku.cli.store import open_memory, settings_of
from kioku.errors import StoreAccessError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.config import Settings
    from kioku.memory import Memory


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
        elif name == "mesh_remarks":
            shown |= {f"mesh_remark {place}": text for place, text in enumerate(value, 1)}
        elif value is None and name in _MAY_BE_UNKNOWN:
            shown[name] = "unknown"
        else:
            shown[name] = _status_text(value)
    return shown


_MAY_BE_UNKNOWN = ("mesh_events_left", "unsent_events")


def _status_text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _status_fields(memory: Memory, settings: Settings) -> dict[str, Any]:
    from kioku.cli.mesh_status import mesh_fields
    from kioku.cli.verbs import version

    counts = memory.statistics()
    # First, for to give the digest signs what nobody has signed yet.
    mesh = mesh_fields(settings, memory)
    return {
        "version": version(),
        "backend": "sqlite",
        "space": counts.space,
        "private": counts.is_private,
        "store": counts.path,
        "config": settings.config_path,
        "durability": settings.durability,
        "secrets": settings.secrets,
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
        **mesh,
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


STATUS = Verb(
    name="status",
    summary="Show the store, its counts and who saves",
    arguments=(REBUILD_FLAG, SPACE, JSON),
    examples=("kioku status",),
    run=_status,
    output="`key: value` lines; without a mesh they end with `mesh: off` and `mesh_ready: no`, in "
    "one more follow, and `mesh_remark N: …` for what somebody should know.",
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

VERBS = {verb.name: verb for verb in (STATUS, REBUILD)}
