"""What a setting may be: each check says what is wrong with a value, or ``""``.

A value from outside ends up in paths, tables and key expressions, so it is refused where it comes
in and nobody below checks it again. An error shows a bad value cut and escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kioku.errors import ConfigError
from kioku.project.name import PROJECT_LENGTH_MAX, is_project_name

if TYPE_CHECKING:
    from collections.abc import Callable

DURABILITIES = ("full", "normal")
SECRETS = ("redact", "refuse", "allow")
MODES = ("local", "hub", "spoke")

ALL_SPACES = "all"  # as a name: every space that is not private

IDENTITY_LENGTH_MAX = 128  # characters; an observation takes 1 KiB, a column of a table less
SPACE_LENGTH_MAX = 32  # it becomes a file name and a part of a key expression
_VALUE_SHOWN_MAX = 60  # characters of a bad value that an error repeats

# What has a meaning in a path, a key expression or a shell pattern.
IDENTITY_FORBIDDEN = frozenset("/\\*?#$")
_SPACE_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

Value = str | bool


class Found(NamedTuple):
    """A setting's value and where it stands."""

    value: Value
    source: str


class Fault(NamedTuple):
    """A value that cannot be used: the setting it is of, what stands there, and the whole error."""

    name: str
    value: str
    source: str
    message: str


def fault_of(name: str, found: Found) -> Fault | None:
    """What is wrong with a setting's value; None if nothing is."""
    value, source = found
    wrong = CHECKS[name](value) if isinstance(value, str) else ""
    if not wrong:
        return None
    if source == "argument":
        return Fault(name, show(value), source, f"{name}: {show(value)} {wrong}; change it")
    place = source if source.startswith("environment") else f"{source}: {name}"
    remedy = "change or unset it"
    return Fault(name, show(value), source, f"{place}: {show(value)} {wrong}; {remedy}")


def check(name: str, found: Found) -> None:
    """Refuse a value that cannot be used.

    Raises:
        ConfigError: it names where the value stands and what to do.
    """
    if fault := fault_of(name, found):
        raise ConfigError(fault.message)


def show(value: Value) -> str:
    """A bad value, cut and escaped so that an error message cannot be abused by it."""
    shown = ascii(value)
    return shown if len(shown) <= _VALUE_SHOWN_MAX else shown[:_VALUE_SHOWN_MAX] + "…"


def is_plain(value: str) -> bool:
    """Whether it may be a path: no control character, no byte that was not UTF-8."""
    return not any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in value)


def _identity_fault(value: str) -> str:
    if not 1 <= len(value) <= IDENTITY_LENGTH_MAX:
        return f"needs 1 to {IDENTITY_LENGTH_MAX} characters"
    if not value.isprintable() or value != value.strip() or IDENTITY_FORBIDDEN & set(value):
        forbidden = " ".join(sorted(IDENTITY_FORBIDDEN))
        return f"must be printable, without {forbidden} and without spaces at its ends"
    return ""


def _optional_identity_fault(value: str) -> str:
    return _identity_fault(value) if value else ""


def _space_fault(value: str) -> str:
    if value == ALL_SPACES:
        return "is no space of its own: it stands for every space, in search and list alone"
    if 1 <= len(value) <= SPACE_LENGTH_MAX and set(value) <= _SPACE_ALLOWED:
        return ""
    return f"is not a space name: use 1 to {SPACE_LENGTH_MAX} of a-z, 0-9 and -"


def _project_fault(value: str) -> str:
    if value and not is_project_name(value):
        return (
            f"is not a project name: use at most {PROJECT_LENGTH_MAX} printable characters, "
            "without spaces at its ends"
        )
    return ""


def _durability_fault(value: str) -> str:
    return "" if value in DURABILITIES else f"is none of {', '.join(DURABILITIES)}"


def _mode_fault(value: str) -> str:
    return "" if value in MODES else f"is none of {', '.join(MODES)}"


def _secrets_fault(value: str) -> str:
    return "" if value in SECRETS else f"is none of {', '.join(SECRETS)}"


def _no_fault(_: str) -> str:
    return ""


CHECKS: dict[str, Callable[[str], str]] = {
    "mode": _mode_fault,
    "space": _space_fault,
    "durability": _durability_fault,
    "secrets": _secrets_fault,
    "agent_family": _optional_identity_fault,
    "client_id": _identity_fault,
    "pc_id": _identity_fault,
    "session_id": _optional_identity_fault,
    "project": _project_fault,
    "detect_project": _no_fault,  # true or false, which its kind says already
}
