"""Settings and identity: who saves, into which space, and where the files lie.

The rule this module guards: each value is the first one found in

    argument > environment > config file > launcher > default

and is checked before anybody uses it, so nothing from outside reaches a path or a key expression
unchecked. Where each value came from is kept in ``Settings.sources``, so that an error, ``status``
and ``doctor`` can name it.

Nothing below reads ``os.environ``: the environment is an argument. TOML and platformdirs are
imported only by those who need them, because every ``kioku save`` passes through here.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from kioku.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The first name is ours; the others are what users of the predecessor have set.
ENVIRONMENT_PREFIXES = ("KIOKU_", "KIOKU_MESH_", "MESH_MEM_")
# These only say where an old store lies: kioku never writes into another program's directory.
OLD_STATE_DIR_VARIABLES = ("KIOKU_MESH_STATE_DIR", "MESH_MEM_STATE_DIR")

DEFAULT_SPACE = "default"
DURABILITIES = ("full", "normal")
MODES = ("local",)

IDENTITY_LENGTH_MAX = 128  # characters; an observation takes 1 KiB, a column of a table less
SPACE_LENGTH_MAX = 32  # it becomes a file name and a part of a key expression
CONFIG_BYTES_MAX = 64 * 1024  # six short keys; anything larger is not our file
_VALUE_SHOWN_MAX = 60  # characters of a bad value that an error repeats

# What has a meaning in a path, a key expression or a shell pattern.
_IDENTITY_FORBIDDEN = frozenset("/\\*?#$")
_SPACE_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is decided before a store is opened; every value has passed its check."""

    space: str
    state_dir: str
    config_path: str
    durability: str
    agent_family: str
    client_id: str
    pc_id: str
    session_id: str
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def store_path(self) -> str:
        """Path of the space's one file."""
        return store_path(self.state_dir, self.space)


class _Found(NamedTuple):
    value: str
    source: str


class _Launcher(NamedTuple):
    variable: str
    is_prefix: bool
    agent_family: str
    client_id: str


# Variables that a launcher sets for the commands that it runs, the surest first.
_LAUNCHERS = (
    _Launcher("CLAUDECODE", False, "claude", "claude-code"),
    _Launcher("CODEX_SANDBOX", True, "codex", "codex-cli"),
    _Launcher("GEMINI_CLI", False, "gemini", "gemini-cli"),
    _Launcher("CURSOR_AGENT", False, "cursor", "cursor-agent"),
    _Launcher("OPENCODE", False, "opencode", "opencode"),
)


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
    path = _config_path(environ)
    found = {
        **_defaults(environ),
        **_from_launcher(environ),
        **_from_file(path.value),
        **_from_environment(environ),
        **{k: _Found(v, "argument") for k, v in arguments.items() if v is not None},
    }
    found.pop("mode", None)
    for name, (value, source) in found.items():
        _check(name, value, source)
    found["state_dir"] = _state_dir(environ)
    found["config_path"] = path
    return Settings(
        **{name: value for name, (value, _) in found.items()},
        sources={name: source for name, (_, source) in found.items()},
    )


def store_path(state_dir: str, space: str) -> str:
    """Path of one space's file.

    Raises:
        ConfigError: ``space`` is not a space name; it never becomes a part of a path unchecked.
    """
    _check("space", space, "argument")
    return os.path.join(state_dir, space + ".db")


# -- sources, weakest first ---------------------------------------------------------------------


def _defaults(environ: Mapping[str, str]) -> dict[str, _Found]:
    host = _usable(_host_name(environ), "localhost")
    client = _usable(f"{_user_name(environ)}@{host}", "user@localhost")
    values = {
        "space": DEFAULT_SPACE,
        "durability": "full",
        "agent_family": "",
        "client_id": client,
        "pc_id": host,
        "session_id": "",
    }
    return {name: _Found(value, "default") for name, value in values.items()}


def _from_launcher(environ: Mapping[str, str]) -> dict[str, _Found]:
    for launcher in _LAUNCHERS:
        if _is_set(environ, launcher):
            source = f"launcher ({launcher.variable})"
            return {
                "agent_family": _Found(launcher.agent_family, source),
                "client_id": _Found(launcher.client_id, source),
            }
    return {}


def _is_set(environ: Mapping[str, str], launcher: _Launcher) -> bool:
    if launcher.is_prefix:
        return any(k.startswith(launcher.variable) and v for k, v in environ.items())
    return bool(environ.get(launcher.variable))


def _from_file(path: str) -> dict[str, _Found]:
    content = _read(path)
    if content is None:
        return {}
    import tomllib  # a few ms that most saves, having no config file, need not pay

    source = f"config file {path}"
    try:
        values = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{source}: not TOML ({error}); correct it or remove it") from error
    for name, value in values.items():
        if name not in _CHECKS or name == "session_id":
            known = ", ".join(sorted(set(_CHECKS) - {"session_id"}))
            raise ConfigError(f"{source}: unknown key {_show(name)}; remove it (known: {known})")
        if not isinstance(value, str):
            raise ConfigError(f"{source}: {name}: not a string; put it in quotes")
        _check(name, value, source)
    return {name: _Found(value, source) for name, value in values.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Found]:
    found = {}
    for name in ("space", "agent_family", "client_id", "session_id"):
        value = _variable(environ, name.upper())
        if value is not None:
            found[name] = value
    return found


def _variable(environ: Mapping[str, str], suffix: str) -> _Found | None:
    """The first of the three names that is set; set to nothing counts as not set."""
    for prefix in ENVIRONMENT_PREFIXES:
        value = environ.get(prefix + suffix)
        if value:
            return _Found(value, f"environment {prefix}{suffix}")
    return None


# -- places -------------------------------------------------------------------------------------


def _config_path(environ: Mapping[str, str]) -> _Found:
    named = _variable(environ, "CONFIG")
    if named is None:
        directory = _platform_dir(environ, "XDG_CONFIG_HOME", ".config")
        return _Found(os.path.join(directory, "config.toml"), "default")
    return _Found(_absolute(environ, named), named.source)


def _state_dir(environ: Mapping[str, str]) -> _Found:
    value = environ.get("KIOKU_STATE_DIR")
    if value:
        named = _Found(value, "environment KIOKU_STATE_DIR")
        return _Found(_absolute(environ, named), named.source)
    return _Found(_platform_dir(environ, "XDG_DATA_HOME", ".local", "share"), "default")


def _absolute(environ: Mapping[str, str], named: _Found) -> str:
    value, source = named
    if not _is_plain(value):
        raise ConfigError(f"{source}: {_show(value)} is not plain text; change or unset it")
    if value == "~" or value.startswith("~/"):
        value = _home(environ) + value[1:]
    return os.path.abspath(value)


def _platform_dir(environ: Mapping[str, str], xdg_variable: str, *below_home: str) -> str:
    """The user's directory for kioku; the XDG variables win on every platform."""
    base = environ.get(xdg_variable, "")
    if os.path.isabs(base) and _is_plain(base):  # the XDG specification: ignore any other
        return os.path.join(base, "kioku")
    if sys.platform in ("win32", "darwin"):
        # Imported here: it costs as much as the whole of a save, and Linux needs none of it.
        import platformdirs

        if xdg_variable == "XDG_CONFIG_HOME":
            return platformdirs.user_config_dir("kioku", appauthor=False)
        return platformdirs.user_data_dir("kioku", appauthor=False)
    return os.path.join(_home(environ), *below_home, "kioku")


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    return home if os.path.isabs(home) else os.path.expanduser("~")


def _read(path: str) -> bytes | None:
    """The config file's bytes; None if there is no such file, which is the usual case."""
    try:
        with open(path, "rb") as file:
            content = file.read(CONFIG_BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(
            f"config file {path}: {error.strerror}; make it readable or unset KIOKU_CONFIG"
        ) from error
    if len(content) > CONFIG_BYTES_MAX:
        raise ConfigError(f"config file {path}: over {CONFIG_BYTES_MAX:,} bytes; not a config file")
    return content


# -- who ----------------------------------------------------------------------------------------


def _host_name(environ: Mapping[str, str]) -> str:
    if hasattr(os, "uname"):  # socket.gethostname costs an import of socket
        return os.uname().nodename
    return environ.get("COMPUTERNAME", "")


def _user_name(environ: Mapping[str, str]) -> str:
    for variable in ("USER", "LOGNAME", "USERNAME"):
        if environ.get(variable):
            return environ[variable]
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # Windows; a container's user that has no name
        return "user"


def _usable(guess: str, otherwise: str) -> str:
    """A guessed identity made valid: nobody typed it, so nobody could correct it."""
    kept = "".join(c if c.isprintable() and c not in _IDENTITY_FORBIDDEN else "-" for c in guess)
    return kept[:IDENTITY_LENGTH_MAX].strip() or otherwise


# -- checks: what is wrong with a value, or "" --------------------------------------------------


def _identity_fault(value: str) -> str:
    if not 1 <= len(value) <= IDENTITY_LENGTH_MAX:
        return f"needs 1 to {IDENTITY_LENGTH_MAX} characters"
    if not value.isprintable() or value != value.strip() or _IDENTITY_FORBIDDEN & set(value):
        forbidden = " ".join(sorted(_IDENTITY_FORBIDDEN))
        return f"must be printable, without {forbidden} and without spaces at its ends"
    return ""


def _optional_identity_fault(value: str) -> str:
    return _identity_fault(value) if value else ""


def _space_fault(value: str) -> str:
    if 1 <= len(value) <= SPACE_LENGTH_MAX and set(value) <= _SPACE_ALLOWED:
        return ""
    return f"is not a space name: use 1 to {SPACE_LENGTH_MAX} of a-z, 0-9 and -"


def _durability_fault(value: str) -> str:
    return "" if value in DURABILITIES else f"is none of {', '.join(DURABILITIES)}"


def _mode_fault(value: str) -> str:
    return "" if value in MODES else "is not a mode of this version, which has local only"


_CHECKS = {
    "mode": _mode_fault,
    "space": _space_fault,
    "durability": _durability_fault,
    "agent_family": _optional_identity_fault,
    "client_id": _identity_fault,
    "pc_id": _identity_fault,
    "session_id": _optional_identity_fault,
}


def _check(name: str, value: str, source: str) -> None:
    fault = _CHECKS[name](value)
    if fault:
        place = source if source.startswith("environment") else f"{source}: {name}"
        remedy = "change it" if source == "argument" else "change or unset it"
        raise ConfigError(f"{place}: {_show(value)} {fault}; {remedy}")


def _is_plain(value: str) -> bool:
    """Whether it may be a path: no control character, no byte that was not UTF-8."""
    return not any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in value)


def _show(value: str) -> str:
    """A bad value, cut and escaped so that an error message cannot be abused by it."""
    shown = ascii(value)
    return shown if len(shown) <= _VALUE_SHOWN_MAX else shown[:_VALUE_SHOWN_MAX] + "…"
