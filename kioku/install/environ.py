"""The variables that a server is registered with: what may be given, what is carried over, noted.

A client starts its servers with few of the shell's variables, so what kioku shall be told must
stand in the entry. Only what ``KIOKU_*`` variables say is shown; any other value may be secret.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from kioku.config import load_settings
from kioku.config.sources import ENVIRONMENT_PREFIXES, variables_of
from kioku.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CARRIED: Final = ("space", "agent_family", "client_id", "session_id", "project")
"""Settings that the older server's variables say too, under older names."""
_SYSTEM: Final = frozenset({"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"})
_NOTED: Final = ("KIOKU_STATE_DIR", "KIOKU_CONFIG", "KIOKU_SPACE", "XDG_DATA_HOME")


def given(pairs: list[str]) -> dict[str, str]:
    """The variables of ``-e NAME=VALUE``, checked.

    Raises:
        InvalidArgumentError: one is no such pair; its value is not repeated.
        ConfigError: kioku would refuse what a ``KIOKU_`` variable says.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise InvalidArgumentError(
                f"-e {name[:40] if equals else '…'}: write NAME=VALUE, NAME in letters, digits, _"
            )
        if not value.isprintable():
            raise InvalidArgumentError(
                f"-e {name}: its value has a line break or what else cannot be seen; leave it out"
            )
        found[name] = value
    ours = {name: value for name, value in found.items() if name.startswith("KIOKU_")}
    load_settings({"KIOKU_CONFIG": os.devnull, **ours})
    return found


def carried(old: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What of the older server's variables means something to kioku, and the names of the rest."""
    kept: dict[str, str] = {}
    for setting in _CARRIED:
        names = variables_of(setting)
        value = next((old[name] for name in names if old.get(name)), "")
        if value:
            kept[names[0]] = value
    meant = {name for setting in _CARRIED for name in variables_of(setting)}
    ours = ("KIOKU_STATE_DIR", "KIOKU_CONFIG")
    kept |= {name: value for name, value in old.items() if name in _SYSTEM or name in ours}
    rest = tuple(name for name in old if name not in meant and name not in kept)
    return kept, rest


def unsaid(environ: Mapping[str, str], home: str, server: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that matter here and that the server will not be told."""
    usual = os.path.join(home, ".local", "share")
    told = (name for name in _NOTED if environ.get(name) and name not in server)
    return tuple(name for name in told if environ[name] != usual)


def is_shown(name: str) -> bool:
    """Whether the value of a variable may be printed."""
    return name.startswith(ENVIRONMENT_PREFIXES) or name in _SYSTEM


def secret(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The values that must not be printed."""
    return tuple(value for name, value in variables.items() if value and not is_shown(name))
