"""What every verb does when what it prints cannot be read or written, and when it must end.

Every verb is here by a rule: one that is added without a line in ``TYPED`` fails.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku.cli import verbs
from tests.integration.cli_process import (
    COMMAND,
    INTERRUPTIBLE,
    SECONDS_MAX,
    done,
    environment,
    save_many,
)
from tests.integration.mesh import Mesh, free_port, until
from tests.integration.windows import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Each verb, typed so that it prints something; {id} is an observation, {home} a directory.
TYPED = {
    "save": "save unheard",
    "search": "search words",
    "list": "list",
    "get-memory": "get-memory {id}",
    "history": "history {id}",
    "edit": "edit {id} new",
    "delete": "delete {id}",
    "undelete": "undelete {deleted}",
    "purge": "purge {id} --yes",
    "gc": "gc --dry-run",
    "export": "export {home}/exported",
    "import": "import {home}/chunks",
    "backup": "backup {home}/backup.db",
    "restore": "restore {home}/other.db --space other",
    "init": "init --out {home}/config.toml",
    "serve": "serve --listen 127.0.0.1:{port}",
    "mesh": "mesh join {hub}",
    "sync": "sync --connect {hub}",
    "peers": "peers",
    "mcp": "mcp list",
    "status": "status",
    "doctor": "doctor",
    "scan": "scan",
    "rebuild": "rebuild",
    "context": "context --project=",
    "diff": "diff --since 2026-05-22",
    "watch": "watch",
    "drain": "drain",
    "projects": "projects",
    "spaces": "spaces",
    "config": "config",
    "completion": "completion bash",
    "schema": "schema",
}
ENDLESS = {"watch", "serve", "mesh"}  # until somebody stops it
WITH_JSON = [name for name in TYPED if verbs.load(name).json]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a hub listens, for those who look for one."""
    with Mesh(tmp_path_factory.mktemp("mesh")) as mesh:
        machine = mesh.hub()
        until(lambda: "listening on" in machine.log, lambda: machine.log)
        yield machine.endpoint


@pytest.fixture
def places(home: Path, hub: str) -> dict[str, str]:
    """What the braces of ``TYPED`` stand for."""
    elsewhere = {"KIOKU_STATE_DIR": str(home / "elsewhere"), "KIOKU_SPACE": "other"}
    done("save", "x", **elsewhere)
    done("export", str(home / "chunks"), **elsewhere)
    done("backup", str(home / "other.db"), **elsewhere)
    key, deleted = save_many("words", "other words", memory_type="decision")
    with kioku.open() as memory:
        memory.delete(deleted)
    return {"id": key, "deleted": deleted, "home": str(home), "hub": hub, "port": str(free_port())}


def typed(name: str, places: dict[str, str]) -> list[str]:
    """The words of a command."""
    return [word.format(**places) for word in TYPED[name].split()]


def ended(
    command: Sequence[str], stdout: int, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose standard output is ``stdout``."""
    return subprocess.run(
        [*COMMAND, *command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment(**variables),
        timeout=SECONDS_MAX,
        check=False,
    )


def test_every_verb_is_tried() -> None:
    assert TYPED.keys() == verbs.MODULES.keys()


@pytest.mark.parametrize("name", TYPED)
def test_output_to_a_full_disk_is_an_error(places: dict[str, str], name: str) -> None:
    with open("/dev/full", "wb") as full:
        result = ended(typed(name, places), full.fileno())
    assert result.returncode == 1
    assert result.stderr == b"kioku: No space left on device\n"


@pytest.mark.parametrize(
    ("name", "flag"), [(name, "") for name in TYPED] + [(name, "--json") for name in WITH_JSON]
)
def test_a_reader_that_is_gone_ends_the_command_quietly(
    places: dict[str, str], name: str, flag: str
) -> None:
    inside, outside = os.pipe()
    os.close(inside)
    result = ended([*typed(name, places), *flag.split()], outside)
    os.close(outside)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.parametrize(
    "line", ["help", "--version", "serve --help", "save --help", "status --color always"]
)
def test_a_reader_that_is_gone_ends_help_and_pages_quietly(line: str) -> None:
    inside, outside = os.pipe()
    os.close(inside)
    result = ended(line.split(), outside)
    os.close(outside)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.parametrize("name", sorted(TYPED.keys() - ENDLESS))
def test_what_a_script_reads_depends_on_nothing_but_the_command(
    places: dict[str, str], name: str
) -> None:
    """No colour, no width and no hint from the environment reaches a pipe."""
    loud = {"FORCE_COLOR": "3", "CLICOLOR_FORCE": "1", "COLUMNS": "20", "TERM": "xterm-256color"}
    result = subprocess.run(
        [*COMMAND, *typed(name, places)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(**loud),
        timeout=SECONDS_MAX,
        check=False,
    )
    assert result.returncode in (0, 1)
    assert b"\x1b" not in result.stdout
    assert result.stderr == b""


def started(*command: str) -> subprocess.Popen[bytes]:
    """Start a command and do not wait for it."""
    return subprocess.Popen(
        [*INTERRUPTIBLE, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )


def a_deletion_is_done() -> bool:
    """Whether the latest change is a deletion."""
    [newest] = done("list", "--include-deleted", "-n", "1", "--json").json
    return bool(newest["is_deleted"])


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, rb"kioku: interrupted; "),
        (signal.SIGTERM, 143, b""),
        (signal.SIGHUP, 129, b""),
    ],
)
def test_a_delete_that_is_stopped_keeps_what_it_did(number: int, code: int, said: bytes) -> None:
    with kioku.open() as memory:
        memory.save_many([{"content": f"number {n}", "project": "demo"} for n in range(9_000)])
    process = started("delete", "-p", "demo", "--yes")
    wait_until(a_deletion_is_done)
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == code
    assert out == b""
    assert err.startswith(said)
    assert err.count(b"\n") == (number == signal.SIGINT)
    assert 0 < len(done("list", "-n", "10000", "--json").json) < 9_000
    done("doctor", "--deep")


@pytest.mark.parametrize("command", ["export", "backup"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_file_that_is_stopped_half_written_is_removed(
    home: Path, command: str, number: int, code: int
) -> None:
    with kioku.open() as memory:
        memory.save_many([{"content": f"{n} " + "x" * 3_000} for n in range(20_000)])
    before = set(home.iterdir())
    process = started(command, str(home / "half"))
    wait_until(lambda: bool(set(home.iterdir()) - before))
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, out) == (code, b"")
    assert (b"nothing was written" in err) == (number == signal.SIGINT)
    assert set(home.iterdir()) == before
    done("doctor")
