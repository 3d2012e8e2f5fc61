"""The project that a git remote's URL names.

One repository is cloned by https here and by ssh there, with a user, a port or a token, under an
alias of the host in somebody's ssh settings, with ``.git`` or without. So the host, and all that is
before it, does not count: the name is the last two parts of the path, in lower case (``owner/repo``
on every large host, whose paths have no case). A remote that is a path of this machine gives only
its last part, since the rest is nobody else's business.

No regular expressions: each takes longer to compile than all of this takes, in every save.
"""

from __future__ import annotations

from typing import Final

from kioku.project.name import is_project_name

URL_LENGTH_MAX: Final = 4_096  # what git and every host still take

# What hosts put into a path by one protocol and leave out by another.
_NOT_PARTS: Final = frozenset(("", ".", "~", "_git"))
_SUFFIX: Final = ".git"
_LETTERS_OF_SCHEMES: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+.-")
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def name_of_remote(url: str) -> str:
    """Give the project's name; ``""`` if the URL names none."""
    url = url.strip()
    if not url.isprintable() or len(url) > URL_LENGTH_MAX:
        return ""
    helper, colons, rest = url.partition("::")  # the program that git shall fetch with
    path, is_shared = _path_of(rest if colons and _is_scheme(helper) else url)
    parts = [part for part in path.split("/") if part not in _NOT_PARTS]
    if parts and parts[-1].lower() == _SUFFIX:
        parts.pop()
    if not parts or ".." in parts:
        return ""
    parts[-1] = _without_suffix(parts[-1])
    name = _lower("/".join(parts[-2:] if is_shared else parts[-1:]))
    return name if is_project_name(name) else ""


def name_of_directory(path: str) -> str:
    """Give the name of a repository by the place of its common directory; ``""`` if it has none.

    ``/src/kioku/.git`` and a bare ``/srv/kioku.git`` are both ``kioku``; a hidden one (``.git``,
    ``.bare``) is named by what holds it.
    """
    holder, _, last = path.rstrip("/").rpartition("/")
    if last.startswith("."):
        last = holder.rpartition("/")[2]
    name = _without_suffix(last)
    return name if is_project_name(name) else ""


def _path_of(url: str) -> tuple[str, bool]:
    """The path that a URL ends with, and whether other machines share it."""
    scheme, mark, rest = url.partition("://")
    if mark and _is_scheme(scheme):
        path = rest.partition("?")[0].partition("#")[0].partition("/")[2]
        return _unquoted(path), scheme.lower() != "file"
    # user@host:path, as scp has it; a colon behind a slash belongs to a path.
    host, colon, path = url.partition("]:" if "[" in url.partition("/")[0] else ":")
    is_drive = len(host) == 1 and path.startswith(("\\", "/"))
    if colon and host and "/" not in host and not is_drive:
        return path, True
    return url.replace("\\", "/"), False


def _is_scheme(text: str) -> bool:
    return bool(text) and _LETTERS_OF_SCHEMES.issuperset(text.lower())


def _unquoted(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote  # some milliseconds that nearly no URL needs

    return unquote(path)


def _without_suffix(part: str) -> str:
    return part[: -len(_SUFFIX)] if part.lower().endswith(_SUFFIX) and part != _SUFFIX else part


def _lower(text: str) -> str:
    """A to Z alone: what Unicode calls lower case changes with Python's version."""
    return text.translate(_LOWER)
