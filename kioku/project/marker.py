"""``.kioku.toml``: the file by which a directory says which project it is.

The rule this module guards: it can say that, and nothing else. It is committed by one person and
read by another, so who saves, and into which space, is never taken from it. Its other keys are
ignored, and said to be.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kioku.project.files import read_start
from kioku.project.name import PROJECT_LENGTH_MAX, is_project_name

FILE_NAME: Final = ".kioku.toml"
FILE_BYTES_MAX: Final = 16 * 1024  # one line, and room for what a team writes around it
_KEYS_SHOWN_MAX: Final = 5
_CHARACTERS_SHOWN_MAX: Final = 40

_KEY: Final = "project"
_ONLY_LINE: Final = r'project[ \t]*=[ \t]*"([^"\\]*)"(?:[ \t]*#.*)?'  # compiled if there is a file


class Marker(NamedTuple):
    """What such a file says: ``project`` is None if it names none (``""``: there shall be none)."""

    project: str | None
    remark: str = ""


def read_marker(path: str) -> Marker | None:
    """Read one; None if there is no such file."""
    text = read_start(path, FILE_BYTES_MAX + 1)
    if text is None:
        return None
    if len(text) > FILE_BYTES_MAX:
        return Marker(None, f"{path}: ignored, it is over {FILE_BYTES_MAX:,} bytes; make it short")
    text = text.removeprefix("\ufeff")
    lines = [line.strip(" \t\r") for line in text.split("\n")]
    saying = [line for line in lines if line and not line.startswith("#")]
    only = re.fullmatch(_ONLY_LINE, saying[0]) if len(saying) == 1 else None
    return _judged(path, {_KEY: only[1]}) if only else _read_toml(path, text)


def _read_toml(path: str, text: str) -> Marker:
    import tomllib  # as costly as half a save; the usual file is one line and does without

    try:
        values = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = (
            "it nests too deeply" if isinstance(error, RecursionError) else f"not TOML: {error}"
        )
        return Marker(None, f"{path}: ignored, {reason}; correct it or remove it")
    return _judged(path, values)


def _judged(path: str, values: dict[str, object]) -> Marker:
    others = ", ".join(_shown(name) for name in [*values][: _KEYS_SHOWN_MAX + 1] if name != _KEY)
    remark = (
        f"{path}: ignored {others}; a committed file can only say which project it is"
        if others
        else ""
    )
    project = values.get(_KEY)
    if project is None:
        return Marker(None, remark or f'{path}: names no project; write project = "name"')
    if project == "" or (isinstance(project, str) and is_project_name(project)):
        return Marker(project, remark)
    return Marker(
        None,
        f"{path}: ignored, project is no name; use one line of at most {PROJECT_LENGTH_MAX}"
        " printable characters, in quotes",
    )


def _shown(name: str) -> str:
    shown = name if name.isprintable() else ascii(name)
    return shown[:_CHARACTERS_SHOWN_MAX]
