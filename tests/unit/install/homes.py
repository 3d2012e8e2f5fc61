"""A home directory that is nobody's, with clients in it, and the server that is registered."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kioku.install.clients import BY_NAME, file_of
from kioku.install.place import Place
from kioku.install.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = ("/opt/kioku mem/bin/kioku-mcp",)
SERVER = Server("kioku", COMMAND, {})


class Home:
    """A place whose files a test writes, and whose programs are scripts of the test's own."""

    def __init__(self, path: Path, platform: str = "linux", **variables: str) -> None:
        self.path = path
        self.programs = path / "programs"
        self.programs.mkdir(parents=True, exist_ok=True)
        self.work = path / "work"
        self.work.mkdir(exist_ok=True)
        environ: Mapping[str, str] = {"HOME": str(path), "PATH": str(self.programs), **variables}
        self.place = Place(str(path), str(self.work), platform, environ)

    def file(self, client: str, scope: str = "user") -> Path:
        """The config of a client."""
        return Path(file_of(BY_NAME[client], self.place, scope))

    def write(self, client: str, text: str | bytes, scope: str = "user") -> Path:
        """Write the config of a client."""
        file = self.file(client, scope)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def program(self, name: str, body: str) -> None:
        """Put a Python script on ``PATH`` under a client's name."""
        path = self.programs / name
        path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def files(self) -> dict[str, bytes]:
        """Every file below, with what is in it."""
        return {
            os.path.relpath(os.path.join(directory, name), self.path): Path(
                directory, name
            ).read_bytes()
            for directory, _, names in os.walk(self.path)
            for name in names
        }
