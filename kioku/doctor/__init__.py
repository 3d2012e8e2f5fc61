"""What is wrong with an installation or a store, and what to do about it.

The rule this package guards: **a correct installation passes**, also one that has not saved
anything yet, and looking changes nothing. ``fix`` repairs only what can lose nothing, ``deep`` only
what is derived from the log, and both say so. Each check is one function of its family's module:

    installation   Python, SQLite, what is installed and by whom
    predecessor    variables and stores of kioku-mesh
    place          settings, file system, directory, locks, disk, leftovers
    spaces         the other stores in that directory
    store          one store: its files, its key, its clock, what waits in it
    forks          logs that became trees, for their store was copied
    mesh           how this machine takes part in a mesh, and whom it reaches
    node           what the node that runs tells of itself and of its peers
    derived        what only the replica and the view can see, and building it again
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from kioku.doctor.derived import check_derived
from kioku.doctor.forks import check_forks
from kioku.doctor.installation import check_installation
from kioku.doctor.mesh import check_mesh
from kioku.doctor.node import check_node
from kioku.doctor.place import check_place
from kioku.doctor.predecessor import check_predecessor
from kioku.doctor.report import NAMES, Check, Report, Status, guarded
from kioku.doctor.spaces import check_spaces
from kioku.doctor.store import check_store
from kioku.errors import ConfigError, KiokuError, StoreError
from kioku.memory import Memory, open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kioku.config import Settings

__all__ = ["NAMES", "Check", "Report", "Status", "check"]


def check(
    target: Memory | Settings | str | os.PathLike[str] | None = None,
    *,
    deep: bool = False,
    fix: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Report:
    """Look at the installation and one store; never raises for what it finds.

    Args:
        target: an open memory, a store's file, or settings; those of ``environ`` if None. A store
            that is not there yet is not created.
        deep: read and verify every event, compare all that is derived with the log, and repair it.
        fix: do what the hints say, where that can lose nothing; ``Report.fixed`` tells of it.
        environ: the environment, for the settings and for variables that mean nothing any more.
    """
    from importlib.metadata import version

    checks, fixed = _mend(_look(target, environ, deep=deep), fix=fix)
    if fixed:
        checks = list(_told(_look(target, environ, deep=deep), fixed))
    told = tuple(line for lines in fixed.values() for line in lines)
    return Report(version("kioku-log"), tuple(checks), told)


def _look(
    target: Memory | Settings | str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    *,
    deep: bool,
) -> Iterator[Check]:
    yield from check_installation(environ)
    yield from check_predecessor(environ)
    if isinstance(target, Memory):
        yield from _check_memory(target, deep=deep)
        yield from _check_node(target.replica.path)
    else:
        yield from _check_target(target, environ, deep=deep)


def _check_target(
    target: Settings | str | os.PathLike[str] | None, environ: Mapping[str, str], *, deep: bool
) -> Iterator[Check]:
    from kioku.config import Settings, load_settings

    try:
        settings = target if isinstance(target, Settings) else load_settings(environ)
    except ConfigError as error:
        yield Check("settings", "fail", str(error), "correct the setting that it names")
        return
    named = os.fspath(target) if isinstance(target, str | os.PathLike) else None
    path = os.path.abspath(named or settings.store_path)
    told = f"space {settings.space}, durability {settings.durability}"
    yield Check("settings", "pass", f"{told}, credentials: {settings.secrets}")
    yield from check_place(path, settings.config_path)
    if named is None:
        yield check_spaces(path, settings)
        yield from check_mesh(environ)
    if not os.path.exists(path):
        yield Check("store", "pass", f"{path}: none yet; the first save creates it")
        return
    try:
        with open_store(path, settings) as memory:
            yield from _check_memory(memory, deep=deep)
    except StoreError as error:
        hint = "do as it says; if the file is lost, import an export into a new one"
        yield Check("store", "fail", str(error), hint)
    yield from _check_node(path)


def _check_memory(memory: Memory, *, deep: bool) -> Iterator[Check]:
    yield from check_store(memory)
    yield guarded("forks", lambda: check_forks(memory))
    yield from check_derived(memory, deep=deep)


def _check_node(path: str) -> Iterator[Check]:
    from importlib.metadata import version

    if path != ":memory:":
        yield from check_node(path, version("kioku-log"))


# -- mending ------------------------------------------------------------------------------------


def _mend(looking: Iterable[Check], *, fix: bool) -> tuple[list[Check], dict[str, list[str]]]:
    """Mend while looking, for the store is open only that long; what fails is found again."""
    checks, done = [], dict[str, list[str]]()
    for found in looking:
        checks.append(found)
        if fix and found.status != "pass" and found.mend is not None:
            with suppress(KiokuError, OSError):
                done.setdefault(found.name, []).append(found.mend())
    return checks, {name: lines for name, lines in done.items() if lines}


def _told(checks: Iterable[Check], fixed: Mapping[str, list[str]]) -> Iterator[Check]:
    for found in checks:
        if found.status == "pass" and fixed.get(found.name):
            yield replace(found, summary=f"{found.summary}; fixed: {'; '.join(fixed[found.name])}")
        else:
            yield found
