"""The project that a directory belongs to: what its ``.kioku.toml`` says, else its repository.

    nearest .kioku.toml upward  >  the remote's name  >  the name of the repository's own directory

A repository whose top is the home directory or the root of the file system is not taken for one:
it keeps somebody's settings, and everything would belong to it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.project.git import common_directory, remote_url
from kioku.project.marker import FILE_NAME, read_marker
from kioku.project.remote import name_of_directory, name_of_remote

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS_MAX: Final = 64  # directories upward; a hostile tree could have thousands


class Present(NamedTuple):
    """The project that one is in.

    ``name`` is empty if there is none; ``source`` says where it comes from, or why there is none;
    ``remarks`` say what was found on the way and ignored. ``is_none``: a file says that there shall
    be none, which is more than that nothing says so.
    """

    name: str
    source: str
    remarks: tuple[str, ...] = ()
    is_none: bool = False


def detect_project(path: str | os.PathLike[str] = ".") -> str | None:
    """Give the project that a directory belongs to; None if nothing says so.

    Starts no program and changes nothing. Inside a git repository it is the remote's name
    (``owner/repo``; the last two parts of its path, in lower case), the same in all worktrees and
    clones; without a remote the name of the repository's directory. A ``.kioku.toml`` there or
    above, with ``project = "…"``, comes first.

    Cost: about 0.1 ms.
    """
    return detect(os.fspath(path), home=os.path.expanduser("~")).name or None


def detect(path: str, *, home: str) -> Present:
    """Give the project that a directory belongs to, and how that is known."""
    try:
        place = os.path.realpath(path)
    except (OSError, ValueError):  # the working directory was removed; a zero byte
        return Present("", "the directory cannot be read")
    common: str | None = None
    unusable = ""
    remarks: list[str] = []
    for directory in _upward(place):
        marker = read_marker(os.path.join(directory, FILE_NAME))
        if marker and marker.remark:
            remarks.append(marker.remark)
        if marker and marker.project is not None:
            file = os.path.join(directory, FILE_NAME)
            source = _by_marker(file, marker.project)
            return Present(marker.project, source, tuple(remarks), is_none=not marker.project)
        if common is None and (found := common_directory(directory)):
            if directory in (os.path.realpath(home), os.path.dirname(directory)):
                unusable = f"{directory} is a repository, but is not taken for a project"
            else:
                common = found
    if common is not None:
        return _of_repository(common)._replace(remarks=tuple(remarks))
    nothing = f"no {FILE_NAME} and no git repository at or above {place}"
    return Present("", unusable or nothing, tuple(remarks))


def _by_marker(file: str, project: str) -> str:
    return file if project else f"{file} says that there is none"


def _of_repository(common: str) -> Present:
    remote, url = remote_url(common)
    if name := name_of_remote(url):
        return Present(name, f"git remote {remote}")
    if name := name_of_directory(common):
        return Present(name, f"git repository {common}")
    return Present("", f"the git repository {common} has no remote and no name")


def _upward(place: str) -> Iterator[str]:
    for _ in range(LEVELS_MAX):
        yield place
        above = os.path.dirname(place)
        if above == place:
            return
        place = above
