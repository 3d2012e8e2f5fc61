"""What kioku-mesh has left on this machine: variables that mean nothing any more, and stores.

Only looked at: another program's directory is never written to.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from kioku.config import OLD_STATE_DIR_VARIABLES
from kioku.doctor.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What the predecessor read from the environment and kioku does not, with what to do instead.
_DEAD_VARIABLES: Final = {
    "FORCE_REBUILD": "unset it; kioku rebuild does that",
    "SKIP_REBUILD": "unset it; nothing is rebuilt unasked",
    "DISABLE_INDEX": "unset it; the index is part of each save",
    "BACKEND": "unset it; there is one backend",
    "INDEX_DB": "unset it; KIOKU_STATE_DIR names the directory of the stores",
    "ROUTER_ENDPOINT": "unset it; there is no router to reach",
    "MCP_ALLOW_TTY": "unset it; kioku-mcp --help says how to start it",
}
_DEAD_ALONE: Final = {
    "ZENOH_CONNECT": "unset it; kioku does not read it",
    "ZENOH_BACKEND_ROCKSDB_ROOT": "unset it; kioku does not read it",
}
_OLD_PREFIXES: Final = ("KIOKU_MESH_", "MESH_MEM_")
_OLD_NAMES: Final = ("kioku-mesh", "mesh-mem")
_OLD_STORES: Final = tuple(
    os.path.join(directory, name)
    for directory in ("", "local", "state", os.path.join("state", "local"))
    for name in ("raw.db", "index.db", "pending_puts.db")
)


def check_predecessor(environ: Mapping[str, str]) -> Iterator[Check]:
    """Look at the variables, and where its stores were by default or by those variables."""
    yield from _check_variables(environ)
    yield from _check_stores(environ)


def _check_variables(environ: Mapping[str, str]) -> Iterator[Check]:
    dead = {
        prefix + name: remedy
        for prefix in _OLD_PREFIXES
        for name, remedy in _DEAD_VARIABLES.items()
    }
    found = {name: hint for name, hint in {**dead, **_DEAD_ALONE}.items() if environ.get(name)}
    for name, hint in found.items():
        yield Check("environment", "warn", f"{name} is set and changes nothing", hint)
    if not found:
        yield Check("environment", "pass", "no variable is set that means nothing here")


def _check_stores(environ: Mapping[str, str]) -> Iterator[Check]:
    places = [os.path.join(directory, name) for directory in _directories(environ)
              for name in _OLD_STORES]  # fmt: skip
    stores = [path for path in places if os.path.isfile(path)]
    for path in stores:
        yield Check(
            "old store",
            "warn",
            f"{path}: of kioku-mesh; what is in it is not in kioku, which leaves it as it is",
            "keep it for a kioku that imports it; moved elsewhere, it is not named any more",
        )
    if not stores:
        yield Check("old store", "pass", "kioku-mesh has left none where it kept them")


def _directories(environ: Mapping[str, str]) -> list[str]:
    """Give where a store of kioku-mesh may lie: as its variables say, or by default."""
    home = environ.get("HOME") or os.path.expanduser("~")
    share, state = os.path.join(home, ".local", "share"), os.path.join(home, ".local", "state")
    bases = [share, state, environ.get("XDG_DATA_HOME"), environ.get("XDG_STATE_HOME")]
    if sys.platform == "darwin":
        bases.append(os.path.join(home, "Library", "Application Support"))
    bases += [environ.get("APPDATA"), environ.get("LOCALAPPDATA")]
    named = [environ.get(name) for name in OLD_STATE_DIR_VARIABLES]
    default = [os.path.join(base, name) for base in bases if base for name in _OLD_NAMES]
    return list(dict.fromkeys(one for one in (*named, *default) if one))
