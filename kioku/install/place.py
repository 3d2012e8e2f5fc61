"""The machine as the clients see it: whose home, which platform, which directory, which variables.

Taken as a value, so that a test can be a Mac or a stranger's home.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOWS: Final = "win32"
MACOS: Final = "darwin"
_LEVELS_MAX: Final = 64


class Place(NamedTuple):
    """Where one looks for clients.

    Attributes:
        home: the user's home directory.
        directory: where the command was typed; the project is the repository around it.
        platform: ``sys.platform``'s word.
        environ: the environment.
    """

    home: str
    directory: str
    platform: str
    environ: Mapping[str, str]

    @classmethod
    def here(cls) -> Place:
        """This process's own."""
        home = os.path.expanduser("~")
        try:
            directory = os.getcwd()
        except OSError:  # it was removed
            directory = home
        return cls(home, directory, sys.platform, os.environ)

    def told(self, variable: str) -> str:
        """An absolute path that a variable names, ``""`` if it names none."""
        value = self.environ.get(variable, "")
        if value.startswith("~/"):
            value = os.path.join(self.home, value[2:])
        return value if os.path.isabs(value) else ""

    @property
    def config_home(self) -> str:
        """Where programs keep their config by the XDG rules."""
        return self.told("XDG_CONFIG_HOME") or os.path.join(self.home, ".config")

    @property
    def application_data(self) -> str:
        """Where a desktop application of this platform keeps its config."""
        if self.platform == MACOS:
            return os.path.join(self.home, "Library", "Application Support")
        if self.platform == WINDOWS:
            told = self.environ.get("APPDATA", "")
            return told or os.path.join(self.home, "AppData", "Roaming")
        return self.config_home

    @property
    def project(self) -> str:
        """The top of the repository around the directory, else the directory itself."""
        directory = self.directory
        for _ in range(_LEVELS_MAX):
            if os.path.exists(os.path.join(directory, ".git")) and directory != self.home:
                return directory
            above = os.path.dirname(directory)
            if above == directory:
                break
            directory = above
        return self.directory

    def program(self, name: str) -> str:
        """The path of a program that ``PATH`` finds, ``""`` if there is none."""
        import shutil

        return shutil.which(name, path=self.environ.get("PATH", "")) or ""
