"""What the replica and the view see for themselves, and building again what is derived."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kioku.doctor.report import Check, Status, guarded
from kioku.errors import KiokuError
from kioku.memory.forgetting import ERASURE_WAIT_MS
from kioku.view.audit import find_differences

if TYPE_CHECKING:
    from kioku.memory import Memory

_DERIVED: Final = ("frontier", "erased", "fold", "view")
"""The checks whose failures a rebuild mends, since the log itself is not at fault."""


def check_derived(memory: Memory, *, deep: bool) -> list[Check]:
    """What the replica finds and, if ``deep``, the view; what is derived is built again."""
    found = _look(memory, deep=deep)
    broken = [check.name for check in found if check.status == "fail"]
    if not deep or not broken or not set(broken) <= set(_DERIVED):
        return found
    try:
        memory.rebuild()
    except KiokuError as error:
        return [*found, Check("rebuild", "fail", str(error), "do as it says, then kioku rebuild")]
    before = {check.name: check for check in found}
    return [
        _repaired(before[check.name]) if check.name in broken and check.status == "pass" else check
        for check in _look(memory, deep=True)
    ]


def _repaired(check: Check) -> Check:
    return Check(
        check.name,
        "warn",
        f"{check.summary}; built again from the log, and now it is right",
        "if this comes back, check the disk",
    )


def _look(memory: Memory, *, deep: bool) -> list[Check]:
    now_ms = memory.now_ms()
    found = [
        Check(one.name, _status(one.status), one.summary, one.hint)
        for one in memory.replica.check(deep=deep, now_ms=now_ms)
    ]
    if deep:
        found.append(guarded("view", lambda: _check_view(memory)))
    return [_with_mend(check, memory) for check in found]


def _check_view(memory: Memory) -> Check:
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        problems = "; ".join(find_differences(reading.connection))
    if problems:
        return Check("view", "fail", problems, "run kioku rebuild")
    return Check("view", "pass", "is what the events add up to")


def _with_mend(check: Check, memory: Memory) -> Check:
    if check.name != "erasures" or check.status == "pass":
        return check

    def mend() -> str:
        memory.replica.finish_erasure(ERASURE_WAIT_MS)
        return "overwrote what was erased"

    return replace(check, mend=mend)


def _status(text: str) -> Status:
    return "fail" if text == "fail" else "warn" if text == "warn" else "pass"
