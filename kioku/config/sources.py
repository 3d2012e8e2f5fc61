"""Where settings come from: defaults, the launcher, the config file, the environment; and places.

Nothing here reads ``os.environ``: the environment is an argument. TOML and platformdirs are
imported only by those who need them, because every ``kioku save`` passes through here. What cannot
be used is a ``Fault``, not an exception, so that ``kioku config`` can show all there is.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.config.checks import (
    CHECKS,
    IDENTITY_FORBIDDEN,
    IDENTITY_LENGTH_MAX,
    Fault,
    Found,
    fault_of,
    is_plain,
    show,
)
from kioku.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The first name is ours; the others are what users of the predecessor have set.
ENVIRONMENT_PREFIXES = ("KIOKU_", "KIOKU_MESH_", "MESH_MEM_")
# These only say where an old store lies: kioku never writes into another program's directory.
OLD_STATE_DIR_VARIABLES = ("KIOKU_MESH_STATE_DIR", "MESH_MEM_STATE_DIR")

DEFAULT_SPACE = "default"
CONFIG_BYTES_MAX = 64 * 1024  # a few short keys; anything larger is not our file


class _Launcher(NamedTuple):
    variable: str
    is_prefix: bool
    agent_family: str
    client_id: str
    session: str = ""
    """The variable that holds the id of its session, if it has one."""


# Variables that a launcher sets for the commands that it runs, the surest first.
_LAUNCHERS = (
    _Launcher("CLAUDECODE", False, "claude", "claude-code", "CLAUDE_CODE_SESSION_ID"),
    _Launcher("CODEX_SANDBOX", True, "codex", "codex-cli"),
    _Launcher("GEMINI_CLI", False, "gemini", "gemini-cli"),
    _Launcher("CURSOR_AGENT", False, "cursor", "cursor-agent"),
    _Launcher("OPENCODE", False, "opencode", "opencode"),
)


class Collected(NamedTuple):
    """Every setting with where it stands, what is wrong with any of them, and the tables of the
    config file that only the mesh reads (``kioku.config.mesh``), as they stand there.
    """

    found: dict[str, Found]
    faults: list[Fault]
    tables: Mapping[str, Mapping[str, Any]]


def collect(environ: Mapping[str, str], arguments: Mapping[str, str | None]) -> Collected:
    """Find every setting; an argument that is None was not given."""
    faults: list[Fault] = []
    path = _place("config_path", _config_path, environ, faults)
    written, file_faults, tables = _from_file(path) if path.value else Collected({}, [], {})
    found = {
        **_defaults(environ),
        **_from_launcher(environ),
        **written,
        **_from_environment(environ),
        **{k: Found(v, "argument") for k, v in arguments.items() if v is not None},
    }
    faults += file_faults
    checked = (fault_of(name, value) for name, value in found.items())
    faults += [fault for fault in checked if fault and fault not in file_faults]
    found["state_dir"] = _place("state_dir", _state_dir, environ, faults)
    found["config_path"] = path
    return Collected(found, faults, tables)


def variables_of(name: str) -> tuple[str, ...]:
    """The variables of the environment that say a setting, the first one that is set counts."""
    if name == "state_dir":
        return ("KIOKU_STATE_DIR",)
    if name not in (*_IN_ENVIRONMENT, "config_path"):
        return ()
    if name in _OURS_ALONE:
        return (ENVIRONMENT_PREFIXES[0] + name.upper(),)
    suffix = name.removesuffix("_path").upper()
    return tuple(prefix + suffix for prefix in ENVIRONMENT_PREFIXES)


# -- sources, weakest first ---------------------------------------------------------------------

_IN_ENVIRONMENT = ("space", "agent_family", "client_id", "session_id", "project", "secrets")
_OURS_ALONE = ("secrets",)  # the predecessor had none
_NOT_IN_FILE = ("session_id", "project")  # of one session, of one directory: not of a person
_FLAGS = ("detect_project",)
_TABLES = ("mesh", "zenoh")


def _defaults(environ: Mapping[str, str]) -> dict[str, Found]:
    host = _usable(_host_name(environ), "localhost")
    client = _usable(f"{_user_name(environ)}@{host}", "user@localhost")
    values: dict[str, str | bool] = {
        "mode": "local",
        "space": DEFAULT_SPACE,
        "durability": "full",
        "secrets": "redact",
        "agent_family": "",
        "client_id": client,
        "pc_id": host,
        "session_id": "",
        "project": "",
        "detect_project": True,
    }
    return {name: Found(value, "default") for name, value in values.items()}


def _from_launcher(environ: Mapping[str, str]) -> dict[str, Found]:
    for launcher in _LAUNCHERS:
        if _is_set(environ, launcher):
            source = f"launcher ({launcher.variable})"
            found = {
                "agent_family": Found(launcher.agent_family, source),
                "client_id": Found(launcher.client_id, source),
            }
            if session_id := _usable(environ.get(launcher.session, ""), ""):
                found["session_id"] = Found(session_id, f"launcher ({launcher.session})")
            return found
    return {}


def _is_set(environ: Mapping[str, str], launcher: _Launcher) -> bool:
    if launcher.is_prefix:
        return any(k.startswith(launcher.variable) and v for k, v in environ.items())
    return bool(environ.get(launcher.variable))


def _from_file(place: Found) -> Collected:
    """What the config file says; without what is wrong in it, which comes beside."""
    path = str(place.value)
    source = f"config file {path}"
    try:
        values = _read_toml(path, source, named_by=place.source)
    except ConfigError as error:
        return Collected({}, [Fault("config_path", show(path), source, str(error))], {})
    tables = {name: values.pop(name) for name in _TABLES if isinstance(values.get(name), dict)}
    found = {}
    faults = []
    for name, value in values.items():
        fault = _file_fault(name, value, source)
        if fault:
            faults.append(fault)
        if name in CHECKS and isinstance(value, str | bool):
            found[name] = Found(value, source)
    return Collected(found, faults, tables)


def _file_fault(name: str, value: Any, source: str) -> Fault | None:
    if name in _TABLES:
        wrong = f"{source}: {name}: not a table; write [{name}] and its settings below"
    elif name not in CHECKS or name in _NOT_IN_FILE:
        tables = [f"[{table}]" for table in _TABLES]
        known = ", ".join([*sorted(set(CHECKS) - set(_NOT_IN_FILE)), *tables])
        wrong = f"{source}: unknown key {show(name)}; remove it (known: {known})"
    elif name in _FLAGS and not isinstance(value, bool):
        wrong = f"{source}: {name}: neither true nor false; write it without quotes"
    elif name not in _FLAGS and not isinstance(value, str):
        wrong = f"{source}: {name}: not a string; put it in quotes"
    else:
        return fault_of(name, Found(value, source))
    return Fault(name, show(str(value)), source, wrong)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Found]:
    found = {}
    for name in _IN_ENVIRONMENT:
        value = _variable(environ, variables_of(name))
        if value is not None:
            found[name] = value
    return found


def _variable(environ: Mapping[str, str], names: tuple[str, ...]) -> Found | None:
    """The first of some names that is set; set to nothing counts as not set."""
    for name in names:
        if value := environ.get(name):
            return Found(value, f"environment {name}")
    return None


# -- places -------------------------------------------------------------------------------------


def _place(
    name: str,
    find: Callable[[Mapping[str, str]], Found],
    environ: Mapping[str, str],
    faults: list[Fault],
) -> Found:
    """A directory or file; empty, with a fault, if what was said cannot be one."""
    found = find(environ)
    value = str(found.value)
    if is_plain(value):
        return found
    place = "environment HOME" if found.source == "default" else found.source
    message = f"{place}: {show(value)} is not plain text; change or unset it"
    faults.append(Fault(name, show(value), found.source, message))
    return Found("", found.source)


def _config_path(environ: Mapping[str, str]) -> Found:
    named = _variable(environ, variables_of("config_path"))
    if named is None:
        directory = _platform_dir(environ, "XDG_CONFIG_HOME", ".config")
        return Found(os.path.join(directory, "config.toml"), "default")
    return _absolute(environ, named)


def _state_dir(environ: Mapping[str, str]) -> Found:
    named = _variable(environ, variables_of("state_dir"))
    if named is None:
        return Found(_platform_dir(environ, "XDG_DATA_HOME", ".local", "share"), "default")
    return _absolute(environ, named)


def _absolute(environ: Mapping[str, str], named: Found) -> Found:
    value = str(named.value)
    if not is_plain(value):
        return named  # to be refused as it stands
    if value == "~" or value.startswith("~/"):
        value = _home(environ) + value[1:]
    return Found(os.path.abspath(value), named.source)


def _platform_dir(environ: Mapping[str, str], xdg_variable: str, *below_home: str) -> str:
    """The user's directory for kioku; the XDG variables win on every platform."""
    base = environ.get(xdg_variable, "")
    if os.path.isabs(base) and is_plain(base):  # the XDG specification: ignore any other
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


def _read_toml(path: str, source: str, *, named_by: str) -> dict[str, Any]:
    """The config file's table; empty if there is no such file, which is the usual case."""
    try:
        with open(path, "rb") as file:
            content = file.read(CONFIG_BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        other = "" if named_by == "default" else f" or change {named_by}"
        raise ConfigError(f"{source}: {error.strerror}; make it readable{other}") from error
    if len(content) > CONFIG_BYTES_MAX:
        raise ConfigError(f"{source}: over {CONFIG_BYTES_MAX:,} bytes; not a config file")
    import tomllib  # a few ms that most saves, having no config file, need not pay

    try:
        return tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{source}: not TOML ({error}); correct it or remove it") from error


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
    kept = "".join(c if c.isprintable() and c not in IDENTITY_FORBIDDEN else "-" for c in guess)
    return kept[:IDENTITY_LENGTH_MAX].strip() or otherwise
