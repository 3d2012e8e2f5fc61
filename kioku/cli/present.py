"""The project that a command is about: the one that was typed, or the one that one is in.

``-p .`` is the present project, ``-p ""`` is none. The environment (``KIOKU_PROJECT``) says which
is present, else the working directory does, unless the config file turns that off.
"""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from kioku.cli import render

if TYPE_CHECKING:
    from kioku.config import Settings
    from kioku.project.detection import Present

PRESENT = "."


def project(typed: str) -> str:
    """What was typed behind ``-p``; ``.`` gives the present project's name."""
    if typed != PRESENT:
        return typed
    from kioku.config import load_settings

    found = present(load_settings(os.environ))
    if not found.name:
        raise ArgumentTypeError(f"there is no present project: {found.source}")
    return found.name


def preferred(typed: str | None) -> str | None:
    """The project whose observations a search puts first: the present one, if none was typed."""
    if typed is not None:
        return None
    from kioku.config import load_settings

    return _present(load_settings(os.environ)).name or None


def present(settings: Settings, directory: str = os.curdir) -> Present:
    """The project of a directory, the present one; where its name comes from, or why there is none.

    What was ignored on the way is remarked on standard error: a committed file that says more than
    it may must not go unnoticed, and must not stop anybody either.
    """
    return _remarked(_present(settings, directory))


def detected() -> Present:
    """The project that the working directory names; what was ignored is remarked as well."""
    return _remarked(_detected())


def _remarked(found: Present) -> Present:
    for remark in found.remarks:
        render.note(f"kioku: {remark}")
    return found


def _present(settings: Settings, directory: str = os.curdir) -> Present:
    from kioku.project.detection import Present

    if settings.project:
        return Present(settings.project, settings.sources["project"])
    if not settings.detect_project:
        return Present("", f"{settings.sources['detect_project']}: detect_project is false")
    return _detected(directory)


def _detected(directory: str = os.curdir) -> Present:
    from kioku.project.detection import detect

    return detect(directory, home=os.path.expanduser("~"))
