"""``doctor``: what is wrong with the installation and the store, and mending it.

The rule this module guards: the clock is only repaired on a person's word, and what a lost machine
stamped ahead is only taken back on it. Everything that ``--fix`` does can lose nothing, so it asks
nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE, YES
from kioku.cli.forgetting import require_yes
from kioku.cli.parser import Verb, argument
from kioku.cli.progress import Work
from kioku.cli.store import open_memory, settings_of
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.clock_repair import ClockRepair, HeldRetraction
    from kioku.doctor import Report

_EXIT_CODES = {"pass": 0, "warn": 1, "fail": 2}


def _doctor(arguments: Namespace) -> int:
    from kioku.doctor import check

    clock = _fix_clock(arguments) if arguments.fix_clock else None
    taken_back = _retract_held(arguments) if arguments.retract_held else None
    # Without --space the doctor reads the settings itself: a bad one is a finding, not an error.
    target = settings_of(arguments) if arguments.space else None
    with Work("checking"):
        report = check(target, deep=arguments.deep, fix=arguments.fix, environ=os.environ)
    if arguments.json:
        shown = _report_json(report)
        if arguments.fix:
            shown["fixed"] = list(report.fixed)
        if clock is not None:
            shown["clock"] = _clock_json(clock)
        if taken_back is not None:
            shown["retracted"] = _taken_json(taken_back)
        render.json(shown)
    else:
        if taken_back is not None:
            render.line(f"retracted: {_waiting(taken_back)}")
        _show(report, clock, is_fixing=arguments.fix)
    return _EXIT_CODES[report.worst_status]


def _show(report: Report, clock: ClockRepair | None, *, is_fixing: bool) -> None:
    if clock is not None:
        render.line(f"clock: {_count(clock)} stamped again" if clock.ahead_ms else _CLOCK_FINE)
    if render.is_for_person():
        from kioku.cli import views

        views.show_report(report)
    else:
        for found in report.checks:
            render.line(f"[{found.status.upper()}] {found.name} - {found.summary}")
            if found.hint:
                render.line(f"hint: {found.hint}")
    for line in report.fixed:
        render.line(f"fixed: {line}")
    if is_fixing and not report.fixed:
        render.line("fixed: nothing; there was nothing that can be fixed without asking")


_CLOCK_FINE = "clock: nothing to stamp again"


def _fix_clock(arguments: Namespace) -> ClockRepair | None:
    """Show what would be stamped again, ask, and do it; None if there is no store yet."""
    if not os.path.exists(settings_of(arguments).store_path):
        return None
    with open_memory(arguments) as memory:
        found = memory.fix_clock(dry_run=True)
        if found.ahead_ms:
            size = f"{_count(found)}, up to {found.ahead_ms // 1000:,} s ahead of the clock"
            now = found.now.strftime("%Y-%m-%d %H:%M:%S UTC")
            require_yes(
                arguments,
                f"this machine's clock says {now}; if that is right, stamp {size}, again?",
                f"{size}, would be stamped again; be sure that {now} is right",
            )
        return memory.fix_clock()


def _retract_held(arguments: Namespace) -> HeldRetraction:
    """Show what would be taken back of a machine that is gone, ask, and do it."""
    with open_memory(arguments) as memory:
        found = memory.retract_held(arguments.retract_held, dry_run=True)
        require_yes(
            arguments,
            f"take back {_waiting(found)}, on every machine and for ever? If {found.name} can still"
            " be mended, set its clock and run kioku doctor --fix-clock there instead",
            f"{_waiting(found)} would be taken back on every machine, for ever",
        )
        return memory.retract_held(found.name)


def _waiting(found: HeldRetraction) -> str:
    return (
        f"{counted(found.events, 'event')} of {found.name} (of observations:"
        f" {found.observations:,}), stamped up to {found.ahead_ms // 1000:,} s ahead"
    )


def _taken_json(found: HeldRetraction) -> dict[str, Any]:
    return {
        "name": found.name,
        "events": found.events,
        "observations": found.observations,
        "ahead_ms": found.ahead_ms,
    }


def _count(repair: ClockRepair) -> str:
    return (
        f"{counted(repair.saves, 'save')} and {counted(repair.deletions, 'deletion')}"
        f" (of observations: {repair.observations:,})"
    )


def _clock_json(repair: ClockRepair) -> dict[str, Any]:
    return {
        "saves": repair.saves,
        "deletions": repair.deletions,
        "observations": repair.observations,
        "ahead_ms": repair.ahead_ms,
        "now": repair.now.isoformat(timespec="milliseconds"),
    }


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "version": report.version,
        "ok": report.ok,
        "worst_status": report.worst_status,
        "checks": [
            {
                "name": found.name,
                "status": found.status,
                "summary": found.summary,
                "hint": found.hint,
            }
            for found in report.checks
        ],
    }


DOCTOR = Verb(
    name="doctor",
    summary="Check the installation and the store",
    description="Check the installation and the store: docs/operations.md tells of each check.",
    arguments=(
        argument(
            "--deep",
            action="store_true",
            help="verify every event, and repair what is derived from them",
        ),
        argument("--fix", action="store_true", help="do what hints say, where nothing can be lost"),
        argument(
            "--fix-clock",
            action="store_true",
            help="stamp again what was saved while this machine's clock was ahead",
        ),
        argument(
            "--retract-held",
            metavar="NAME",
            help="take back, everywhere, what a machine that is gone stamped ahead of the clock",
        ),
        YES,
        SPACE,
        JSON,
    ),
    examples=(
        "kioku doctor",
        "kioku doctor --deep --fix",
        "kioku doctor --fix-clock",
        "kioku doctor --retract-held old-laptop",
    ),
    run=_doctor,
    output="`[PASS|WARN|FAIL] name - summary` for each check, and `hint: …` where one helps; "
    "`fixed: …` for each thing that `--fix` did, `clock: …` with `--fix-clock`, `retracted: …` with"
    " `--retract-held`.",
    json="All checks, and the worst.",
    exit_codes="0 all passed, 1 the worst is a warning, 2 something failed or the usage is wrong",
)

VERBS = {DOCTOR.name: DOCTOR}
