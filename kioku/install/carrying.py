"""The one executor of plans: shows what a plan would do, or does it, step by step.

Whoever plans decides; here every file is copied before it changes and replaced whole, and a program
of a client's is given no terminal, no input and not for ever.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.install.difference import difference
from kioku.install.errors import InstallError
from kioku.install.files import copy_beside, replace
from kioku.install.own_commands import SECONDS_MAX
from kioku.install.plan import Plan, Run, Write

if TYPE_CHECKING:
    from datetime import datetime

_OUTPUT_BYTES_MAX: Final = 1 << 16
_SAID_MAX: Final = 200  # characters of a failed command's own words


class Outcome(NamedTuple):
    """What came of a plan.

    Attributes:
        lines: what was done, or would be, a sentence or a line of a difference each.
        problem: why it could not be done, ``""`` if it could.
        has_changed: whether anything was written or run.
        copies: the copies that were kept.
    """

    lines: tuple[str, ...]
    problem: str = ""
    has_changed: bool = False
    copies: tuple[str, ...] = ()


def preview(plan: Plan) -> Outcome:
    """What a plan would do, nothing done."""
    lines: list[str] = []
    for step in plan.steps:
        if isinstance(step, Run):
            lines.append(f"would run: {shlex.join(step.shown)}")
        else:
            verb = "create" if step.old is None else "remove" if step.new is None else "edit"
            lines += [f"would {verb} {step.path}", *difference(step)]
    return Outcome(tuple(map(plan.hidden, lines)), plan.refusal)


def carry_out(plan: Plan, now: datetime) -> Outcome:
    """Do what a plan says; it stops at the first step that cannot be done."""
    outcome = Outcome(())
    if plan.refusal:
        return outcome._replace(problem=plan.refusal)
    for step in plan.steps:
        try:
            done = _run(step, now) if isinstance(step, Run) else _write(step, now)
        except InstallError as error:
            return outcome._replace(problem=plan.hidden(str(error)))
        except OSError as error:
            problem = f"{error.filename or plan.file}: {error.strerror or error}"
            return outcome._replace(problem=plan.hidden(problem))
        outcome = Outcome(
            (*outcome.lines, *map(plan.hidden, done.lines)),
            plan.hidden(done.problem),
            outcome.has_changed or done.has_changed,
            (*outcome.copies, *done.copies),
        )
        if done.problem:
            break
    return outcome


def _write(step: Write, now: datetime) -> Outcome:
    if step.old == step.new:
        return Outcome(())
    copies: tuple[str, ...] = ()
    if step.old is not None and step.keeps_copy:
        copies = (copy_beside(step.path, step.old, now),)
    replace(step.path, step.old, step.new, mode=step.mode)
    verb = "created" if step.old is None else "removed" if step.new is None else "edited"
    kept = tuple(f"kept a copy: {copy}" for copy in copies)
    return Outcome((f"{verb} {step.path}", *kept), has_changed=True, copies=copies)


def _run(step: Run, now: datetime) -> Outcome:
    path, data = step.saved
    copies = (copy_beside(path, data, now),) if data is not None else ()
    problem = _outcome_of(step)
    kept = tuple(f"kept a copy: {copy}" for copy in copies)
    shown = shlex.join(step.shown)
    if not problem:
        return Outcome((f"ran: {shown}", *kept), has_changed=True, copies=copies)
    said = f"{shown} did not do it ({problem})"
    if step.instead is None:
        return Outcome(kept, problem=said, has_changed=True, copies=copies)
    done = _write(step.instead._replace(keeps_copy=not copies), now)
    lines = (f"{said}; its file was edited instead", *done.lines, *kept)
    return Outcome(lines, has_changed=True, copies=(*copies, *done.copies))


def _outcome_of(step: Run) -> str:
    """Run a client's command; ``""`` if it did what it should, else what went wrong."""
    try:
        code, said = _ran(step)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS_MAX:.0f} s"
    except OSError as error:
        return error.strerror or str(error)
    fault = step.fault()
    if not fault:
        return ""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
    words = f", {telling[0][:_SAID_MAX]}" if telling else ""
    return f"exit {code}{words}; {fault}"


def _ran(step: Run) -> tuple[int, bytes]:
    """The exit code and the words of a command; its whole family is ended when time is up."""
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(  # noqa: S603 - the client's own program, found on PATH
            step.arguments,
            env=dict(step.environ),
            cwd=step.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            code = process.wait(SECONDS_MAX)
        except BaseException:  # also what a person stops with Ctrl-C
            os.killpg(process.pid, signal.SIGKILL)
            raise
        output.seek(0, os.SEEK_END)
        output.seek(max(0, output.tell() - _OUTPUT_BYTES_MAX))
        return code, output.read()
