"""Units of systemd that keep ``kioku serve`` running: one of a user's own, one of the system's.

The rule this module guards: what is written works as it stands. The program is named by its whole
path, the settings that only the present environment has are written down, and nothing in a path is
taken for one of systemd's own marks.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import KiokuError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kioku.config import Settings

NAME: Final = "kioku.service"
STOP_S: Final = 10
"""A node stops within two seconds; this is for a disk that is slow to write the last page."""
RESTART_S: Final = 5  # slow enough never to meet systemd's own limit of five starts in ten seconds
_BOOTED: Final = "/run/systemd/system"  # sd_booted(3)
SYSTEM_DIRECTORY: Final = "/etc/systemd/system"


class NoSystemdError(KiokuError):
    """There is no systemd here that could run a unit."""

    hint = "kioku serve runs in the foreground: let whatever starts services here start that"


class Units(NamedTuple):
    """Both units: where each is written, its text, and the commands that make it run."""

    user_path: str
    user_text: str
    system_path: str
    system_text: str
    user_commands: tuple[str, ...]
    system_commands: tuple[str, ...]


def require_systemd(booted: str = _BOOTED) -> None:
    """Refuse where no systemd runs.

    Raises:
        NoSystemdError: it says what is missing.
    """
    if not os.path.isdir(booted):
        raise NoSystemdError("--install-systemd: no systemd runs here")
    if shutil.which("systemctl") is None:
        raise NoSystemdError("--install-systemd: there is no systemctl in PATH")


def units(settings: Settings, config_path: str, environ: Mapping[str, str]) -> Units:
    """Both units for what ``config_path`` says."""
    variables = {"KIOKU_CONFIG": config_path}
    if settings.sources["state_dir"] != "default":
        variables["KIOKU_STATE_DIR"] = settings.state_dir
    elif os.path.isabs(environ.get("XDG_DATA_HOME", "")):
        variables["XDG_DATA_HOME"] = environ["XDG_DATA_HOME"]
    config_home = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(config_home):
        config_home = os.path.join(os.path.expanduser("~"), ".config")
    user_path = os.path.join(config_home, "systemd", "user", NAME)
    system_path = os.path.join(os.path.dirname(config_path), "kioku-system.service")
    return Units(
        user_path=user_path,
        user_text=_text(variables, is_system=False),
        system_path=system_path,
        system_text=_text(variables, is_system=True),
        user_commands=(
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {NAME}",
            f"loginctl enable-linger {_shell_word(_user())}",
        ),
        system_commands=(
            f"sudo install -m 644 {_shell_word(system_path)} {SYSTEM_DIRECTORY}/{NAME}",
            "sudo systemctl daemon-reload",
            f"sudo systemctl enable --now {NAME}",
        ),
    )


def _text(variables: Mapping[str, str], *, is_system: bool) -> str:
    lines = ["[Unit]", "Description=kioku, the memory that this machine shares with others"]
    if is_system:
        lines += ["Wants=network-online.target", "After=network-online.target"]
    lines += ["", "[Service]", "Type=exec"]
    if is_system:
        lines += [f"User={_escaped(_user())}"]
    lines += [f"Environment={_quoted(f'{name}={value}')}" for name, value in variables.items()]
    lines += [
        f"ExecStart={' '.join(_quoted(word, is_command=True) for word in [*program(), 'serve'])}",
        "# 1: the port is taken or the disk is full, which may pass. 2: a setting is wrong, which",
        "# does not.",
        "Restart=on-failure",
        f"RestartSec={RESTART_S}",
        "RestartPreventExitStatus=2",
        f"TimeoutStopSec={STOP_S}",
        "UMask=0077",
        "NoNewPrivileges=yes",
    ]
    if is_system:
        lines += ["ProtectSystem=full"]
    wanted_by = "multi-user.target" if is_system else "default.target"
    return "\n".join([*lines, "", "[Install]", f"WantedBy={wanted_by}", ""])


def program() -> list[str]:
    """The command that runs this kioku and no other, whatever ``PATH`` is then."""
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), "kioku")
    if os.access(beside, os.X_OK):
        return [beside]
    return [os.path.abspath(sys.executable), "-m", "kioku.cli"]


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str, *, is_command: bool = False) -> str:
    r"""A word as systemd reads it back: ``%`` is its own mark, ``$`` one of command lines."""
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    if is_command:
        text = text.replace("$", "$$")
    is_plain = all(c.isalnum() or c in "/._-=%@:+," for c in word)
    return text if is_plain else f'"{text}"'


def _shell_word(word: str) -> str:
    from shlex import quote

    return quote(word)
