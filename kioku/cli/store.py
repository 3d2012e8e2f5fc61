"""The store that a command works on, and the ids that a person types."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.errors import InvalidArgumentError, PrivateSpaceError

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.config import Settings
    from kioku.memory import Memory

ID_DIGITS = 32
_HEX = frozenset("0123456789abcdef")


def open_memory(arguments: Namespace) -> Memory:
    """Open the space that the command names; its first use creates it."""
    from kioku.memory import open as open_space

    named = _named(arguments)
    is_new = named is not None and not os.path.exists(settings_of(arguments).store_path)
    memory = open_space(space=named)
    if is_new:  # as likely mistyped as meant
        render.advise(f"the space {named} is new, and empty; kioku spaces lists all")
    return memory


def open_with(settings: Settings) -> Memory:
    """Open the space of settings that were loaded already; to load them twice would cost a save."""
    from kioku.memory.opening import create_directory, open_store

    create_directory(settings.state_dir)
    return open_store(settings.store_path, settings, space=settings.space)


def refuse_private(memory: Memory, arguments: Namespace) -> None:
    """Refuse to write out what a private space holds unless ``--private`` says that it is meant.

    Raises:
        PrivateSpaceError: if it is one.
    """
    if memory.is_private() and not arguments.private:
        raise PrivateSpaceError(settings_of(arguments).space)


def settings_of(arguments: Namespace) -> Settings:
    """What is decided before a store is opened."""
    from kioku.config import load_settings

    return load_settings(os.environ, space=_named(arguments))


def are_several(arguments: Namespace) -> bool:
    """Whether a command that can search several spaces was told to."""
    return len(set(arguments.spaces or ())) > 1 or arguments.spaces == ["all"]


def _named(arguments: Namespace) -> str | None:
    """The one space that a command names; None if the settings say which."""
    several = getattr(arguments, "spaces", None)
    name: str | None = several[0] if several else getattr(arguments, "space", None)
    return name


def is_full_id(text: str) -> bool:
    """Whether it is a whole id, 32 hex digits in lower case."""
    return len(text) == ID_DIGITS and set(text) <= _HEX


def full_id(memory: Memory, typed: str) -> str:
    """The whole id that a person means; one typed whole need not be known here.

    Raises:
        NotFoundError, AmbiguousIdError: no id begins so, or several do.
        InvalidArgumentError: it is no id at all.
    """
    digits = typed.strip().lower()
    if is_full_id(digits):
        return digits
    if len(digits) > ID_DIGITS or not set(digits) <= _HEX:
        raise InvalidArgumentError(f"{typed!r}: not an id; give 6 to 32 hex digits")
    return memory.resolve_id(digits)
