"""Python, SQLite, and what else on this machine calls itself kioku."""

from __future__ import annotations

import os
import re
import sys
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from kioku.config import Settings
from kioku.doctor.report import Check
from kioku.errors import KiokuError
from kioku.memory.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.metadata import Distribution

    from kioku.memory import Memory

DISTRIBUTION: Final = "kioku-log"
PACKAGE: Final = "kioku"
COMMANDS: Final = ("kioku", "kioku-mcp", "kioku-mesh", "kioku-mesh-mcp")
# Of their own, since what is wrong with the settings has a check of its own.
_NOBODY_S: Final = Settings("default", "", "", "normal", "", "doctor", "doctor", "")
_PYTHON_MIN: Final = (3, 11)
_REQUIREMENT: Final = re.compile(r"^([A-Za-z0-9._-]+)\s*([^;]*)(;.*extra.*)?")
_CLAUSE: Final = re.compile(r"(>=|<)\s*([0-9.]+)")


def check_installation(environ: Mapping[str, str]) -> Iterator[Check]:
    """Look at everything but settings and stores."""
    yield _check_python(sys.version_info[:3])
    yield _check_sqlite()
    yield _check_dependencies()
    yield _check_copies()
    yield _check_package()
    yield _check_commands(environ)


def _check_python(version: Sequence[int]) -> Check:
    found = ".".join(map(str, version))
    if tuple(version[:2]) < _PYTHON_MIN:
        return Check("python", "fail", f"Python {found}", "install Python 3.11 or newer")
    return Check("python", "pass", f"Python {found}")


def _check_sqlite() -> Check:
    """Save and find something in a store of its own, so that SQLite is seen to do all it must."""
    from importlib.metadata import version

    try:
        with open_store(":memory:", _NOBODY_S) as memory:
            memory.save("kioku doctor looks whether saving and finding work")
            is_found = bool(memory.search("looking"))
            sqlite = _sqlite_version(memory)
    except KiokuError as error:
        return Check("sqlite", "fail", str(error), "pip install --force-reinstall kioku-log apsw")
    summary = f"apsw {version('apsw')}, SQLite {sqlite}"
    if not is_found:
        hint = "pip install --force-reinstall apsw"
        return Check("sqlite", "fail", f"{summary}: no full-text search", hint)
    return Check("sqlite", "pass", f"{summary}, saves and finds")


def _sqlite_version(memory: Memory) -> str:
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        return str(reading.connection.execute("SELECT sqlite_version()").get)


# -- what is installed --------------------------------------------------------------------------


def _check_dependencies() -> Check:
    from importlib.metadata import requires

    wrong = list(_unmet(requires(DISTRIBUTION) or ()))
    if wrong:
        return Check(
            "dependencies", "fail", "; ".join(wrong), "pip install --upgrade --force kioku-log"
        )
    return Check("dependencies", "pass", "all are there, in versions that kioku works with")


def _unmet(requirements: Iterable[str]) -> Iterator[str]:
    """Say which of a plain install's requirements are not met by what is installed."""
    from importlib.metadata import PackageNotFoundError, version

    for requirement in requirements:
        parsed = _REQUIREMENT.match(requirement)
        if parsed is None or parsed[3]:
            continue
        name, clauses = parsed[1], parsed[2]
        try:
            found = version(name)
        except PackageNotFoundError:
            yield f"{name} is not installed"
            continue
        if not all(_fits(found, *clause) for clause in _CLAUSE.findall(clauses)):
            yield f"{name} {found} is installed, {requirement} is needed"


def _fits(version: str, comparison: str, bound: str) -> bool:
    found, limit = _release(version), _release(bound)
    return found >= limit if comparison == ">=" else found < limit


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version.partition("+")[0])[:3]))


def _distributions(name: str, path: Sequence[str] | None = None) -> list[Distribution]:
    """Find all installations of one name, on ``sys.path`` or elsewhere; each place once."""
    from importlib.metadata import distributions

    found = distributions(name=name) if path is None else distributions(name=name, path=list(path))
    return list({os.path.realpath(str(one.locate_file(""))): one for one in found}.values())


def _check_copies() -> Check:
    found = _distributions(DISTRIBUTION)
    places = [f"{one.version} in {one.locate_file('')}" for one in found]
    if len(found) > 1:
        return Check(
            "installation",
            "warn",
            f"{DISTRIBUTION} is installed more than once: {'; '.join(places)}",
            f"uninstall all but one: pip uninstall {DISTRIBUTION}, until only the one is left",
        )
    return Check("installation", "pass", f"{DISTRIBUTION} {'; '.join(places)}")


def _check_package() -> Check:
    """Find what else gives, or would give elsewhere, a module called kioku."""
    from importlib.metadata import packages_distributions

    others = sorted(set(packages_distributions().get(PACKAGE, ())) - {DISTRIBUTION})
    others += [one.name for one in _distributions(PACKAGE) if one.name not in others]
    if others:
        return Check(
            "package",
            "fail",
            f"the distribution {', '.join(others)} brings a package kioku too; one hides the other",
            f"pip uninstall {' '.join(others)}; then pip install --force-reinstall {DISTRIBUTION}",
        )
    shadows = list(_shadows(sys.path))
    if shadows:
        return Check(
            "package",
            "warn",
            f"{', '.join(shadows)}: Python may import this as kioku",
            "rename it, or start Python from another directory",
        )
    return Check("package", "pass", "nothing else is called kioku here")


def _shadows(path: Iterable[str]) -> Iterator[str]:
    """Give modules and packages of our name that come before us, or lie in this directory."""
    own = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
    before = takewhile(lambda entry: _package(entry) != own, map(os.path.realpath, path))
    for entry in dict.fromkeys((*before, os.path.realpath(os.curdir))):
        package = _package(entry)
        if package == own:
            continue
        if os.path.isfile(os.path.join(package, "__init__.py")):
            yield package
        elif os.path.isfile(os.path.join(entry, f"{PACKAGE}.py")):
            yield os.path.join(entry, f"{PACKAGE}.py")


def _package(entry: str) -> str:
    return os.path.realpath(os.path.join(entry, PACKAGE))


# -- what a shell would run ---------------------------------------------------------------------


def _check_commands(environ: Mapping[str, str]) -> Check:
    from shutil import which

    path = environ.get("PATH", "")
    found = {name: place for name in COMMANDS if (place := which(name, path=path))}
    wrong = [text for name, place in found.items() if (text := _stranger(name, place))]
    if wrong:
        return Check(
            "commands",
            "warn",
            "; ".join(wrong),
            f"pip uninstall it where it is, or put {os.path.dirname(sys.executable)} first in PATH",
        )
    names = ", ".join(found) or "none of kioku's commands"
    return Check("commands", "pass", f"{names} in PATH" + (", of this version" if found else ""))


def _stranger(name: str, place: str) -> str:
    """Say what a command in PATH belongs to, if not to a kioku of this version; runs nothing."""
    from importlib.metadata import version

    python = _interpreter(place)
    if python is None:
        return ""  # a binary launcher, as on Windows: nothing to read
    if os.path.realpath(_prefix(python)) == os.path.realpath(sys.prefix):
        return ""
    places = [*_sites(_prefix(python)), *_sites(_prefix(place))]
    installed = _distributions(DISTRIBUTION, places)
    ours = version(DISTRIBUTION)
    if not installed:
        return f"{place} is another program's"
    if all(one.version == ours for one in installed):
        return ""
    return f"{place} is {name} {installed[0].version}, this is {ours}"


def _interpreter(script: str) -> str | None:
    """Give the interpreter that a script's first line names; None if it has no such line."""
    try:
        with open(script, "rb") as file:
            head = file.read(4096)
    except OSError:
        return None
    # The second form is what installers write where the path is too long for a first line.
    line = re.match(
        rb"#!\s*(/\S*python\S*)|#!/bin/sh\n'''exec' \"?(/[^\"\n]*?python\S*?)\"? ", head
    )
    return None if line is None else os.fsdecode(line[1] or line[2])


def _prefix(path: str) -> str:
    """Give the directory that has the ``bin`` in which a program lies."""
    return os.path.dirname(os.path.dirname(path))


def _sites(prefix: str) -> list[str]:
    from glob import escape, glob

    return glob(os.path.join(escape(prefix), "lib*", "python*", "*-packages"))
