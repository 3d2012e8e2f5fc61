"""``projects``: which projects there are, and giving them other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.cli import render
from kioku.cli.arguments import DRY_RUN, JSON, SPACE, YES
from kioku.cli.forgetting import require_yes
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.present import project
from kioku.cli.progress import Work
from kioku.cli.store import open_memory
from kioku.errors import NotFoundError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kioku.memory import Memory
    from kioku.memory.results import Project


class NoProjectError(NotFoundError):
    """No project has this name."""

    hint = "kioku projects lists them, each with its other names"


NONE: Final = "(none)"
NOTHING: Final = "No projects yet."
# How many names each takes, and how they are written.
_NAMES: Final = {
    "list": (0, 0, ""),
    "rename": (2, 2, "OLD NEW"),
    "merge": (2, 100, "OLD [OLD ...] INTO"),
    "alias": (2, 2, "NAME OTHER"),
    "unalias": (1, 1, "NAME"),
}


def _projects(arguments: Namespace) -> int:
    action, names = arguments.action, arguments.names
    least, most, form = _NAMES[action]
    if not least <= len(names) <= most:
        raise CommandError(
            f"{action} takes {form or 'no names'}", hint=f"kioku projects {action} {form}".rstrip()
        )
    with open_memory(arguments) as memory:
        if action == "list":
            _show_projects(memory.projects(), is_json=arguments.json)
            return 0
        *old, new = names if action != "unalias" else (*names, "")
        try:
            count = _ACTIONS[action](memory, arguments, old, new)
        except NotFoundError as error:
            raise NoProjectError(*error.args) from error
    _show_done(arguments, old, new, count)
    return 0


def _move(memory: Memory, arguments: Namespace, old: list[str], new: str) -> int:
    count = _moved(memory, arguments.action, old, new, dry_run=True)
    if arguments.dry_run:
        return count
    what = f"{arguments.action} {', '.join(old)} to {new}"
    size = counted(count, "observation")
    require_yes(arguments, f"{what} ({size})?", f"{what}: {size} would be edited")
    return _moved(memory, arguments.action, old, new, dry_run=False)


def _moved(memory: Memory, action: str, old: list[str], new: str, *, dry_run: bool) -> int:
    kept = "{done:,} of {total:,} were edited; run it again for the rest"
    with Work("editing", kept=kept) as work:
        if action == "rename":
            return memory.rename_project(old[0], new, dry_run=dry_run, progress=work)
        return memory.merge_projects(old, new, dry_run=dry_run, progress=work)


def _alias(memory: Memory, arguments: Namespace, old: list[str], new: str) -> int:
    memory.alias_project(old[0], new, dry_run=arguments.dry_run)
    return 0


def _unalias(memory: Memory, arguments: Namespace, old: list[str], _: str) -> int:
    memory.unalias_project(old[0], dry_run=arguments.dry_run)
    return 0


_ACTIONS: Final = {"rename": _move, "merge": _move, "alias": _alias, "unalias": _unalias}
_DONE: Final = {
    "rename": "renamed",
    "merge": "merged",
    "alias": "aliased",
    "unalias": "unaliased",
}


def _show_done(arguments: Namespace, old: list[str], new: str, count: int) -> None:
    if arguments.json:
        fields = {"action": arguments.action, "from": old, "to": new, "observations": count}
        render.json({**fields, "dry_run": arguments.dry_run})
        return
    did = f"would {arguments.action}" if arguments.dry_run else _DONE[arguments.action]
    to = f" -> {new}" if new else ""
    edited = f" ({counted(count, 'observation')})"
    is_move = arguments.action in ("rename", "merge")
    render.line(f"{did}: {', '.join(old)}{to}{edited if is_move else ''}")


def _show_projects(found: Sequence[Project], *, is_json: bool) -> None:
    if is_json:
        render.json([_project_json(one) for one in found])
    elif not found:
        render.line(NOTHING)
    elif render.is_for_person():
        from kioku.cli import views

        views.show_projects(found)
    else:
        render.block("\n".join(render.one_line(_project_text(one)) for one in found))


def _project_text(found: Project) -> str:
    from kioku.cli.formats import time_text

    count = counted(found.observations, "observation")
    changed = f", last change {time_text(found.updated_at)}" if found.updated_at else ""
    also = f" (also: {', '.join(found.aliases)})" if found.aliases else ""
    return f"{found.name or NONE}: {count}{changed}{also}"


def _project_json(found: Project) -> dict[str, Any]:
    from kioku.cli.formats import json_time

    return {
        "name": found.name,
        "aliases": list(found.aliases),
        "observations": found.observations,
        "updated_at": None if found.updated_at is None else json_time(found.updated_at),
    }


PROJECTS = Verb(
    name="projects",
    summary="List projects, rename, merge and alias them",
    description="List the projects, the latest change first; or give one another name.\n"
    "rename OLD NEW and merge OLD [OLD ...] INTO edit every observation and leave an alias, so "
    "that what another machine still saves under an old name is found under the new one.\n"
    "alias NAME OTHER: NAME is another name of OTHER; nothing is edited. unalias NAME ends that.",
    arguments=(
        argument(
            "action",
            metavar="ACTION",
            nargs="?",
            choices=tuple(_NAMES),
            default="list",
            help="list (the default), rename, merge, alias or unalias",
        ),
        argument(
            "names",
            metavar="NAME",
            nargs="*",
            type=project,
            help="projects; . is the present one",
        ),
        DRY_RUN,
        YES,
        SPACE,
        JSON,
    ),
    examples=(
        "kioku projects",
        "kioku projects rename old-name acme/rocket --dry-run",
        "kioku projects merge web frontend acme/web --yes",
        "kioku projects alias rocket acme/rocket",
    ),
    run=_projects,
    output="`NAME: N observations, last change TIME (also: NAME, NAME)` for each; `renamed: OLD -> "
    "NEW (N observations)` and the like for what was done, `would rename: …` with `--dry-run`.",
    json="The projects, or what was done.",
    is_mixed=True,
)

VERBS = {verb.name: verb for verb in (PROJECTS,)}
