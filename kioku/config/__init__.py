"""Settings and identity: who saves, into which space, and where the files lie.

The rule this package guards: each value is the first one found in

    argument > environment > config file > launcher > default

and is checked before anybody uses it, so nothing from outside reaches a path or a key expression
unchecked. Where each value came from is kept in ``Settings.sources``, so that an error, ``kioku
config`` and ``doctor`` can name it. ``checks`` says what a value may be, ``sources`` finds it.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.config.checks import ALL_SPACES as ALL_SPACES
from kioku.config.checks import Found, check, fault_of
from kioku.config.sources import OLD_STATE_DIR_VARIABLES as OLD_STATE_DIR_VARIABLES
from kioku.config.sources import collect
from kioku.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """Everything that is decided before a store is opened; every value has passed its check.

    No dataclass, for whose import completion at a prompt has no time.
    ``project`` is the one that the environment fixes, ``""`` if none; ``detect_project`` says
    whether the directory may name one. ``mode`` is how the machine takes part in the mesh, of which
    ``kioku.config.mesh`` says more. ``secrets`` says what becomes of a credential in what is saved:
    ``redact``, ``refuse`` or ``allow``.
    """

    space: str
    state_dir: str
    config_path: str
    durability: str
    agent_family: str
    client_id: str
    pc_id: str
    session_id: str
    project: str = ""
    detect_project: bool = True
    mode: str = "local"
    secrets: str = "redact"
    sources: Mapping[str, str] = MappingProxyType({})

    @property
    def store_path(self) -> str:
        """Path of the space's one file."""
        return store_path(self.state_dir, self.space)


def load_settings(
    environ: Mapping[str, str],
    *,
    space: str | None = None,
    agent_family: str | None = None,
    client_id: str | None = None,
    session_id: str | None = None,
    durability: str | None = None,
) -> Settings:
    """Decide every setting; an argument that is None was not given.

    Raises:
        ConfigError: a value, or the config file, cannot be used; names the source and the remedy.

    Cost: one attempt to open the config file; TOML is imported only if it is there.
    """
    arguments = {
        "space": space,
        "agent_family": agent_family,
        "client_id": client_id,
        "session_id": session_id,
        "durability": durability,
    }
    found, faults, _ = collect(environ, arguments)
    if faults:
        raise ConfigError(faults[0].message)
    values: dict[str, Any] = {name: value for name, (value, _) in found.items()}
    return Settings(**values, sources={name: source for name, (_, source) in found.items()})


def store_path(state_dir: str, space: str) -> str:
    """Path of one space's file.

    Raises:
        ConfigError: ``space`` is not a space name; it never becomes a part of a path unchecked.
    """
    check("space", Found(space, "argument"))
    return os.path.join(state_dir, space + ".db")


def is_space(name: str) -> bool:
    """Whether a text can be a space's name."""
    return fault_of("space", Found(name, "argument")) is None
