"""Runs the command line as its users do: a process of its own, seen through its streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import kioku
from tests.integration.json_output import assert_documented, prints_json

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "kioku.cli")
# A shell that starts a test run in the background makes its children ignore interruptions, and
# nohup that the terminal goes away.
INTERRUPTIBLE = (
    sys.executable,
    "-c",
    (
        "import signal as s, kioku.cli as c; s.signal(s.SIGHUP, s.SIG_DFL);"
        " s.signal(s.SIGINT, s.default_int_handler); exit(c.main())"
    ),
)
SECONDS_MAX = 120  # far beyond anything; only so that a hang fails instead of lasting


class Result(NamedTuple):
    """What a finished command leaves behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


def environment(**variables: str) -> dict[str, str]:
    """This process's environment (a test's own, see conftest) with ``variables`` on top."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **variables}


def run(
    *arguments: str | bytes,
    stdin: str | bytes = b"",
    cwd: str | os.PathLike[str] | None = None,
    **variables: str,
) -> Result:
    """Run ``kioku`` to its end, whatever its exit code; what it gives as JSON is documented.

    It runs in the test's empty home, which is no project, unless ``cwd`` is another.
    """
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=data,
        capture_output=True,
        env=environment(**variables),
        cwd=cwd or os.environ["HOME"],
        timeout=SECONDS_MAX,
        check=False,
    )
    result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
    if result.out and prints_json(tuple(map(os.fsdecode, arguments))):
        assert_documented(os.fsdecode(arguments[0]), result.out)
    return result


def done(
    *arguments: str | bytes,
    stdin: str | bytes = b"",
    cwd: str | os.PathLike[str] | None = None,
    **variables: str,
) -> Result:
    """Run ``kioku`` and demand exit code 0 and nothing on standard error."""
    result = run(*arguments, stdin=stdin, cwd=cwd, **variables)
    assert (result.code, result.err) == (0, ""), result
    return result


def saved_id(*arguments: str, **variables: str) -> str:
    """Save and give the new id."""
    out = done("save", *arguments, **variables).out
    prefix, _, digits = out.rstrip("\n").partition(": ")
    assert prefix == "saved"
    assert len(digits) == 32
    assert set(digits) <= set("0123456789abcdef")
    return digits


def save_many(*contents: str, **fields: object) -> list[str]:
    """Save through the library, which uses the same store, without a process for each."""
    with kioku.open() as memory:
        found = memory.save_many([{"content": content, **fields} for content in contents])
    return [observation.id for observation in found]


def saved_and_deleted(project: str = "") -> str:
    """Save and delete something, and give its key."""
    [key] = save_many("old words", project=project)
    with kioku.open() as memory:
        memory.delete(key)
    return key


def assert_refused(result: Result, code: int, *said: str) -> None:
    """One line that says what, at most one that says what to do, no traceback, no output."""
    lines = result.err.splitlines()
    assert result.code == code, result
    assert result.out == ""
    assert lines[0].startswith("kioku: ")
    assert [line.startswith("hint: ") for line in lines[1:]] in ([], [True]), lines
    for text in said:
        assert text in result.err, result.err
