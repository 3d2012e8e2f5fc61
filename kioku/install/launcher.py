"""The command that a client is given: absolute, of this kioku, and the same after an upgrade.

    the launcher that PATH finds, if it leads to ours   ~/.local/bin/kioku-mcp
    the launcher that this installation wrote           .venv/bin/kioku-mcp
    the running interpreter with -m kioku.mcp           where no launcher was installed

A link is not followed: uv, pipx and Homebrew move what it leads to when they upgrade. A directory
of a cache (``uvx``) is none that stays, so it is refused.
"""

from __future__ import annotations

import os
import re
import sys
from importlib import metadata, util
from typing import TYPE_CHECKING, Final

from kioku.install.errors import NoServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM: Final = "kioku-mcp"
PROGRAMS: Final = (PROGRAM, "kioku-mesh-mcp")
_DISTRIBUTION: Final = "kioku-log"
_IN_CACHE: Final = re.compile(r"/(archive|environments|builds)-v\d+/")  # uv's, wherever it lies
_NEEDED: Final = ("mcp", "ruamel")
_EXTRA: Final = "pip install 'kioku-log[mcp]' (or: uv tool install 'kioku-log[mcp]')"


def require_server() -> None:
    """Refuse before anything is written where the server could not run.

    Raises:
        NoServerError: it says what to install.
    """
    missing = [name for name in _NEEDED if util.find_spec(name) is None]
    if missing:
        said = "the MCP SDK is" if "mcp" in missing else "the extra mcp is"
        raise NoServerError(f"{said} not installed beside this kioku; {_EXTRA}")


def command(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command line of this kioku's server.

    Raises:
        NoServerError: this kioku is nowhere that lasts.
    """
    interpreter = os.path.abspath(sys.executable)
    return command_of(installed_launcher(), interpreter, environ.get("PATH", ""))


def installed_launcher() -> str:
    """The launcher that this installation wrote, ``""`` if it wrote none."""
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), PROGRAM)
    try:
        files = metadata.files(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        raise NoServerError(
            f"this kioku runs from its source and is not installed; {_EXTRA}"
        ) from None
    written = [os.path.abspath(str(one.locate())) for one in files if one.stem == PROGRAM]
    return next((path for path in (*written, beside) if _is_program(path)), "")


def command_of(launcher: str, interpreter: str, search_path: str) -> tuple[str, ...]:
    """The command line, from what there is: a launcher (or ``""``), an interpreter, ``PATH``.

    Raises:
        NoServerError: what there is will be gone tomorrow.
    """
    if launcher:
        real = os.path.realpath(launcher)
        for found in _on_path(search_path):
            if os.path.realpath(found) == real and not _is_passing(found):
                return (found,)
    chosen = (launcher,) if launcher else (interpreter, "-P", "-m", "kioku.mcp")
    if _is_passing(chosen[0]):
        raise NoServerError(
            f"{chosen[0]} lies in a cache that is emptied at times; "
            "uv tool install 'kioku-log[mcp]', then kioku mcp install"
        )
    return chosen


def _on_path(search_path: str) -> Iterator[str]:
    for directory in search_path.split(os.pathsep):
        path = os.path.join(directory, PROGRAM)
        if os.path.isabs(directory) and _is_program(path):
            yield os.path.normpath(path)


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_passing(path: str) -> bool:
    return _IN_CACHE.search(path.replace(os.sep, "/")) is not None


def is_runnable(words: tuple[str, ...], search_path: str) -> bool:
    """Whether the program of a command line exists, as a client would find it."""
    import shutil

    return shutil.which(words[0], path=search_path) is not None
