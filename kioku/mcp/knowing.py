"""The tools that tell of the memory itself: an observation's past, the projects, how it stands."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from kioku.mcp.asking import held, places, shown_space
from kioku.mcp.parameters import Id, Limit, Offset, Space
from kioku.mcp.results import (
    Drained,
    History,
    ProjectPage,
    ProjectShown,
    Status,
    Version,
)
from kioku.mcp.showing import fit, marks_of_secrets, shortened
from kioku.mcp.table import Result
from kioku.mcp.text import DATA, ELLIPSIS, LEGEND, cut, label, labels, quoted, time_text
from kioku.memory.filters import LIMIT_MAX
from kioku.wording import counted, one_line

if TYPE_CHECKING:
    from kioku.mcp.desk import Desk
    from kioku.memory.results import HistoryEntry, Project

_ALIASES_MAX: Final = 8
_SPACES_MAX: Final = 32
_FAMILY_CHARACTERS: Final = 40
_NOTHING_TO_DRAIN: Final = (
    "nothing waits: every save is on this machine's disk when it returns, and the log that it is"
    " in is all that other machines are given"
)


def memory_history(
    desk: Desk, *, observation_id: Id, limit: Limit = 20, offset: Offset = 0
) -> Result[History]:
    """Give every version, deletion and erasure of an observation, and why one of them counts."""
    place = held(desk, observation_id)
    entries = place.memory.history(place.id)
    made = fit(entries[offset : offset + limit], _version)
    end = offset + len(made)
    on = f"; offset={end} goes on" if end < len(entries) else ""
    head = f"Showing {offset + 1}-{end} of {len(entries)} of {place.id}, newest first{on}."
    if not made:
        head = f"No more: there are {counted(len(entries), 'event')} of {place.id}."
    result = History(
        note=f"{head} {DATA}",
        id=place.id,
        versions=[one for one, _ in made],
        total=len(entries),
        next_offset=end if end < len(entries) else 0,
    )
    return Result(result, "\n\n".join([f"{head} {LEGEND}", *(text for _, text in made)]))


def _version(entry: HistoryEntry, width: int) -> tuple[Version, str]:
    content = entry.observation.content if entry.observation else ""
    is_cut = len(content) > width
    version = Version(
        operation=entry.operation,
        status=entry.status,
        why=entry.why,
        at=time_text(entry.stamped_at),
        replica=shortened(entry.replica or entry.log_id[:8]),
        content=cut(content, characters=width) + ELLIPSIS if is_cut else content,
        characters=len(content) if is_cut else 0,
        reason=shortened(entry.reason, 240),
        marks=marks_of_secrets(entry.observation) if entry.observation else [],
    )
    head = f"[{version.status}] {version.operation} {version.at} on {label(version.replica)}"
    lines = ["; ".join([f"{head}: {version.why}", *version.marks])]
    if version.reason:
        lines.append(quoted(f"Reason: {version.reason}"))
    if content:
        lines.append(quoted(version.content))
    return version, "\n".join(lines)


def list_projects(
    desk: Desk, *, limit: Limit = 50, offset: Offset = 0, space: Space = None
) -> Result[ProjectPage]:
    """Give the projects that have observations, the latest change first."""
    found = [
        (one, shown_space(desk, place.space))
        for place in places(desk, space or "")
        for one in place.memory.projects()
    ]
    found.sort(key=_latest, reverse=True)  # stable: where there is one space, as it is
    made = fit(found[offset : offset + limit], _project)
    end = offset + len(made)
    result = ProjectPage(
        projects=[one for one, _ in made],
        total=len(found),
        present=desk.project,
        next_offset=end if end < len(found) else 0,
    )
    present = f"the present one is {label(desk.project)}" if desk.project else "none is present"
    on = f"; offset={end} goes on" if result.next_offset else ""
    shown = f"{offset + 1}-{end}" if made else "none"
    head = f"Projects, latest change first: {shown} of {len(found)}; {present}{on}."
    return Result(result, "\n".join([head, *(text for _, text in made)]))


def _latest(found: tuple[Project, str]) -> float:
    moment = found[0].updated_at
    return moment.timestamp() if moment is not None else 0.0


def _project(found: tuple[Project, str], _: int) -> tuple[ProjectShown, str]:
    one, space = found
    project = ProjectShown(
        name=shortened(one.name),
        observations=one.observations,
        updated_at=time_text(one.updated_at),
        aliases=[shortened(alias) for alias in one.aliases[:_ALIASES_MAX]],
        space=space,
    )
    parts = [
        label(project.name) if project.name else "(none)",
        f"<space={space}>" if space else "",
        counted(project.observations, "observation"),
        f"changed {project.updated_at}" if project.updated_at else "",
        f"also called {labels(project.aliases)}" if project.aliases else "",
    ]
    return project, "- " + "; ".join(part for part in parts if part)


def get_memory_status(desk: Desk) -> Result[Status]:
    """Say how the memory stands, and who speaks."""
    counts = desk.memory().statistics()
    mesh, spaces = desk.mesh(), desk.spaces
    remarks = [shortened(one_line(mesh.problem), 400)] if mesh.problem else []
    if len(spaces) > _SPACES_MAX:
        remarks.append(f"{len(spaces) - _SPACES_MAX} more spaces: `kioku spaces` shows them")
    status = Status(
        version=metadata.version("kioku-log"),
        backend="sqlite",
        space=counts.space,
        spaces=list(spaces[:_SPACES_MAX]),
        store=counts.path,
        project=desk.project,
        project_source=shortened(one_line(desk.present.source), 400),
        agent_family=counts.agent_family,
        client_id=counts.client_id,
        pc_id=counts.host,
        session_id=counts.session_id,
        observations=counts.observations,
        observations_by_family=_most(counts.by_family),
        deleted=counts.deleted,
        held=counts.held,
        missing=counts.missing,
        mesh=mesh.role,
        mesh_ready=mesh.is_ready,
        remarks=remarks,
    )
    return Result(status, _status_text(status))


def _status_text(status: Status) -> str:
    families = ", ".join(
        f"{label(name)} {count:,}" for name, count in status.observations_by_family.items()
    )
    lines = {
        "version": status.version,
        "backend": status.backend,
        "space": ", ".join(status.spaces),
        "store": one_line(status.store),
        "project": f"{label(status.project) if status.project else 'none'}"
        f" ({status.project_source})",
        "agent_family": label(status.agent_family) if status.agent_family else "none",
        "client_id": label(status.client_id) if status.client_id else "none",
        "pc_id": label(status.pc_id),
        "session_id": label(status.session_id),
        "observations": f"{status.observations:,}" + (f" ({families})" if families else ""),
        "deleted": f"{status.deleted:,}",
        "held": f"{status.held:,}",
        "missing": f"{status.missing:,}",
        "mesh": status.mesh,
        "mesh_ready": "yes" if status.mesh_ready else "no",
    }
    shown = [f"{name}: {value}" for name, value in lines.items()]
    return "\n".join([*shown, *(f"remark: {remark}" for remark in status.remarks)])


def drain_pending_puts(
    desk: Desk,  # noqa: ARG001 - every tool has one
    *,
    limit: Annotated[int | None, Field(ge=0, le=LIMIT_MAX)] = None,  # noqa: ARG001 - as before
) -> Result[Drained]:
    """Say that no save waits to be sent, and why."""
    drained = Drained(drained=0, pending=0, why=_NOTHING_TO_DRAIN)
    return Result(drained, f"drained: 0 ({_NOTHING_TO_DRAIN})")


def _most(by_family: object) -> dict[str, int]:
    """The families with the most observations: anybody's log may name any number of them."""
    counts: dict[str, int] = dict(by_family)  # type: ignore[call-overload]
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:20]
    shown: dict[str, int] = {}
    for name, count in most:
        short = shortened(name, _FAMILY_CHARACTERS)
        shown[short] = shown.get(short, 0) + count
    return shown
