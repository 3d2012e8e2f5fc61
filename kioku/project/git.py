"""A git repository as it lies on the disk: where its common directory is, and its remotes.

What is read, and all that is: whether ``.git`` is a directory or a file that points to one,
``commondir`` in a linked worktree's own directory, and ``[remote "…"] url`` of the common
directory's ``config``. Files that it includes and URLs that a user's settings rewrite are not
followed: a name must not depend on one person's settings.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from kioku.project.files import read_start

if TYPE_CHECKING:
    from collections.abc import Iterator

POINTER_BYTES_MAX: Final = 4_096  # a path
CONFIG_BYTES_MAX: Final = 256 * 1024  # some thousand branches; remotes come first

_POINTER = "gitdir:"
_REMOTE = "[remote"
_ESCAPES: Final = {"n": "\n", "t": "\t", "b": "\b"}


def common_directory(directory: str) -> str | None:
    """Give the directory that a repository's worktrees share; None if none has its top here.

    ``directory`` is absolute. Cost: one ``stat``, and a second where there is no ``.git``.
    """
    entry = f"{directory}/.git"
    try:
        mode = os.stat(entry).st_mode
    except (OSError, ValueError):
        return directory if _is_repository(directory) else None
    if stat.S_ISDIR(mode):
        return _common_of(entry) if _is_repository(entry) else None
    pointer = read_start(entry, POINTER_BYTES_MAX)
    if pointer is None or not pointer.startswith(_POINTER):
        return None
    return _common_of(os.path.join(directory, pointer.removeprefix(_POINTER).strip()))


def _is_repository(directory: str) -> bool:
    """Whether git would take it for one; also of a bare one, and within ``.git``."""
    return os.path.lexists(f"{directory}/HEAD") and all(
        os.path.isdir(f"{directory}/{name}") for name in ("objects", "refs")
    )


def _common_of(git_directory: str) -> str:
    named = read_start(f"{git_directory}/commondir", POINTER_BYTES_MAX)
    if named is not None and named.strip():
        return os.path.normpath(os.path.join(git_directory, named.strip()))
    path = os.path.normpath(git_directory)
    holder, last = os.path.split(os.path.dirname(path))
    # A worktree whose repository is not mounted here: its path still says which one it is.
    return holder if last == "worktrees" and not os.path.isdir(path) else path


def remote_url(common: str) -> tuple[str, str]:
    """Give the name and URL of ``origin``, else of the first remote; empty if there is none."""
    text = read_start(f"{common}/config", CONFIG_BYTES_MAX) or ""
    first = ("", "")
    for name, url in _urls(text):
        if name == "origin":
            return name, url
        first = first if first[0] else (name, url)
    return first


def _urls(text: str) -> Iterator[tuple[str, str]]:
    """Each remote's URLs, in the order of the file."""
    remote = ""
    for line in _lines(text):
        if line.startswith("["):
            remote, line = _opened(line)  # noqa: PLW2901 - a value may follow at once
        if remote and line[:3].lower() == "url":
            equals, value = line[3:].lstrip()[:1], line.partition("=")[2]
            if equals == "=" and (url := _value(value)):
                yield remote, url


def _lines(text: str) -> Iterator[str]:
    """Lines without the space around them; one that ends in a backslash goes on in the next."""
    begun = ""
    for line in text.split("\n"):
        joined = begun + line.rstrip() if begun else line.strip()
        trail = len(joined) - len(joined.rstrip("\\"))
        if trail % 2 and not joined.startswith(("#", ";")):
            begun = joined[:-1]
        else:
            begun = ""
            yield joined


def _opened(line: str) -> tuple[str, str]:
    """The remote whose section a line opens, ``""`` for another section, and what follows."""
    if line[: len(_REMOTE)].lower() != _REMOTE:
        return "", ""
    rest = line[len(_REMOTE) :].lstrip()
    if rest.startswith("."):  # [remote.origin], as git wrote it once
        name, _, after = rest[1:].partition("]")
        return name.strip().lower(), after.lstrip()
    if not rest.startswith('"'):
        return "", ""
    name, after = _quoted(rest[1:])
    after = after.lstrip()
    return (name, after[1:].lstrip()) if after.startswith("]") else ("", "")


def _quoted(text: str) -> tuple[str, str]:
    """What stands before the closing quote, and what behind it."""
    kept: list[str] = []
    at = 0
    while at < len(text) and text[at] != '"':
        at += text[at] == "\\"
        kept.append(text[at : at + 1])
        at += 1
    return "".join(kept), text[at + 1 :]


def _value(text: str) -> str:
    """A value as git reads it: quotes, escapes and comments are its syntax."""
    kept: list[str] = []
    is_quoted = False
    characters = iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            kept.append(_ESCAPES.get(following, following))
        elif character == '"':
            is_quoted = not is_quoted
        elif character in "#;" and not is_quoted:
            break
        else:
            kept.append(character)
    return "".join(kept).strip()
