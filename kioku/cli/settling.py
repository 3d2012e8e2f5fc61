"""``spaces`` and ``config``: what is decided before a store is opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import JSON
from kioku.cli.parser import CommandError, Verb, argument
from kioku.errors import ConfigError, ExistsError

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.config.explanation import Line
    from kioku.memory.spaces import Space

_FOR_GOOD = "give it another name; what a space was created as cannot be changed"


def _spaces(arguments: Namespace) -> int:
    from kioku.config import load_settings
    from kioku.memory.spaces import spaces_of

    if arguments.create is not None:
        return _create(arguments)
    if arguments.private:
        raise CommandError(
            "--private says how a space is created, and none is",
            hint="kioku spaces --create NAME --private",
        )
    settings = load_settings(os.environ)
    found = spaces_of(settings)
    if arguments.json:
        render.json([_space_json(space, settings.space) for space in found])
    elif found and render.is_for_person():
        from kioku.cli import views

        views.show_spaces(found, settings.space)
    elif found:
        for space in found:
            render.line(_space_text(space, settings.space))
    else:
        render.line("No spaces yet; a first save creates one.")
    return 0


def _create(arguments: Namespace) -> int:
    from kioku.config import load_settings
    from kioku.memory import open as open_space

    settings = load_settings(os.environ, space=arguments.create)
    if os.path.exists(settings.store_path):
        raise ExistsError(settings.store_path, _FOR_GOOD)
    with open_space(space=settings.space, private=arguments.private) as memory:
        is_private = memory.is_private()
    if arguments.json:
        created = {"created": settings.space, "path": settings.store_path, "is_private": is_private}
        render.json(created)
    else:
        mark = "private " if is_private else ""
        render.line(f"created: {mark}space {settings.space} at {settings.store_path}")
    return 0


def _space_json(space: Space, current: str) -> dict[str, Any]:
    return {
        "name": space.name,
        "path": space.path,
        "file_bytes": space.file_bytes,
        "is_private": space.is_private,
        "is_current": space.name == current,
        "problem": space.problem,
    }


def _space_text(space: Space, current: str) -> str:
    if space.problem:
        return f"{space.name}: cannot be read: {space.problem}"
    remarks = [f"{space.file_bytes:,} bytes"]
    remarks += ["private"] if space.is_private else []
    remarks += ["current"] if space.name == current else []
    return f"{space.name}: {space.path} ({', '.join(remarks)})"


def _config(arguments: Namespace) -> int:
    from kioku.config.explanation import explain

    lines = _with_project(explain(os.environ))
    shown = [line for line in lines if line.name == "config_path"] if arguments.path else lines
    if arguments.json:
        render.json([line._asdict() for line in shown])
    elif arguments.path:
        render.line(str(shown[0].value))
    elif render.is_for_person():
        from kioku.cli import views

        views.show_fields(dict(map(_config_pair, shown)))
    else:
        for line in shown:
            render.line(_config_text(line))
    broken = [line for line in shown if line.problem and not line.is_idle]
    if broken:
        raise ConfigError(broken[0].problem)
    return 0


def _with_project(lines: list[Line]) -> list[Line]:
    """The settings with the project that a save here would get, where the directory names it."""
    from kioku.cli.present import detected

    values = {line.name: line.value for line in lines}
    found = detected() if values["detect_project"] is True else None
    if not found or not found.name:
        return lines
    return [
        line._replace(value=found.name, source=found.source)
        if line.name == "project" and not line.value and not line.problem
        else line
        for line in lines
    ]


def _config_text(line: Line) -> str:
    return ": ".join(_config_pair(line))


def _config_pair(line: Line) -> tuple[str, str]:
    """The name of a setting, and what is shown for it."""
    if line.is_idle:
        return line.name, f"set, and changes nothing  ({line.source})"
    value = ("false", "true")[line.value] if isinstance(line.value, bool) else line.value
    is_absent = line.name == "config_path" and not line.problem and not os.path.exists(value)
    remark = "; no file is there" if is_absent else "; cannot be used" if line.problem else ""
    return line.name, f"{value or 'none'}  ({line.source}{remark})"


SPACES = Verb(
    name="spaces",
    summary="List the spaces that are here, or create one",
    description="List the spaces that are here, or create one. A first save creates a space too; "
    "to create\none is needed only for a private one under a name of your own. Nothing ever leaves "
    "a private\nspace but by a backup.",
    arguments=(
        argument("--create", metavar="NAME", help="create this space"),
        argument("--private", action="store_true", help="with --create: private, for good"),
        JSON,
    ),
    examples=("kioku spaces", "kioku spaces --create diary --private"),
    run=_spaces,
    output="`name: path (N bytes, private, current)`, the last two where they are true; "
    "`name: cannot be read: …` for a damaged one.",
    json="A list of spaces; with `--create` what was created.",
)

CONFIG = Verb(
    name="config",
    summary="Show each setting and where it comes from",
    description="Show each setting and where it comes from: the environment, the config file, the "
    "launcher,\nor its default; and variables that are set and change nothing. What cannot be used "
    "is shown\ntoo, and then the exit code is 2. `kioku init` writes a file to change.",
    arguments=(
        argument("--path", action="store_true", help="only the config file's path"),
        JSON,
    ),
    examples=("kioku config", '"${EDITOR:-vi}" "$(kioku config --path)"'),
    run=_config,
    output="`name: value  (source)` lines; of a variable that means nothing, that it is set.",
    json="A list of settings; with `--path` of that one.",
    exit_codes="0 all can be used, 2 something cannot",
)

VERBS = {verb.name: verb for verb in (SPACES, CONFIG)}
