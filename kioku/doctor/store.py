"""One store: who can read its files, how its clock stands, and whether all of it is shown."""

from __future__ import annotations

import os
import stat
from glob import escape, glob
from typing import TYPE_CHECKING, Final

from kioku import clock_repair
from kioku.doctor.place import chmod, has_rights
from kioku.doctor.report import Check, guarded
from kioku.errors import StoreAccessError, StoreError
from kioku.log.still import kept_stores, still
from kioku.view.audit import count_unindexed, count_unreadable
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.memory import Memory

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def check_store(memory: Memory) -> Iterator[Check]:
    """Look at an open store, less what only the replica and the view can see."""
    yield guarded("store", lambda: _check_counts(memory))
    path = memory.replica.path
    if path != ":memory:":
        yield _check_files(path)
        yield guarded("kept", lambda: _check_kept(path))
    yield guarded("key", lambda: _check_key(memory))
    yield guarded("clock", lambda: _check_clock(memory))
    yield guarded("unreadable", lambda: _check_unreadable(memory))
    yield guarded("index", lambda: _check_index(memory))


def _check_counts(memory: Memory) -> Check:
    counts = memory.statistics()
    summary = ", ".join(
        (
            counted(counts.observations, "observation"),
            counted(counts.events, "event"),
            counted(counts.logs, "log"),
        )
    )
    return Check("store", "pass", f"{counts.path}: {summary}")


def _check_files(path: str) -> Check:
    """The content is in these files, and who has a key can write as this machine."""
    base = escape(os.path.splitext(path)[0])
    kept = kept_stores(path)
    names = [path, f"{path}-wal", f"{path}-shm", *sorted(glob(f"{base}.*.key")), *kept]
    open_ones = [name for name in names if os.path.exists(name) and has_rights(name, _OTHERS)]
    if open_ones:
        shown = " ".join(open_ones)
        return Check(
            "files",
            "warn",
            f"{shown}: other users can read it",
            f"kioku doctor --fix, or chmod go-rwx {shown}",
            chmod(open_ones, clear=_OTHERS),
        )
    return Check("files", "pass", "only their owner can read them")


def _check_kept(path: str) -> Check:
    """What a restore has put aside: all of it is there, so all that is erased must go there too."""
    kept = kept_stores(path)
    if not kept:
        return Check("kept", "pass", "no store was put aside by a restore")
    problems = [problem for name in kept if (problem := _problem_of(name))]
    if problems:
        return Check(
            "kept",
            "warn",
            f"put aside by a restore, but nothing can be erased there: {'; '.join(problems)}",
            "delete it, unless somebody can still mend it: what was purged may be in it",
        )
    shown = ", ".join(f"{name} ({os.path.getsize(name):,} bytes)" for name in kept)
    return Check("kept", "pass", f"put aside by a restore, delete it when it has served: {shown}")


def _problem_of(path: str) -> str:
    try:
        with still(path):
            return ""
    except StoreAccessError as error:
        return "" if os.access(path, os.R_OK) else str(error)  # a write-ahead log is no problem
    except StoreError as error:
        return str(error)


def _check_key(memory: Memory) -> Check:
    try:
        with memory.replica.reading(now_ms=memory.now_ms()) as reading:
            own = reading.own_log()
    except StoreError as error:
        hint = "restore that file; or move it away, and the next save begins a new log"
        return Check("key", "fail", str(error), hint)
    if own is None:
        return Check("key", "pass", "no log is open; the next save begins one")
    log_id, loss = own
    if loss:
        hint = "nothing is lost by it: the next save begins a new log"
        return Check("key", "warn", f"log {log_id.hex()}: {loss}", hint)
    return Check("key", "pass", f"log {log_id.hex()} is this store's to extend")


def _check_clock(memory: Memory) -> Check:
    """Hold the clock against the newest stamps: ours may have been ahead, or be behind now."""
    wall_ms = memory.now_ms()
    if wall_ms < clock_repair.WALL_MS_MIN:
        return Check("clock", "fail", "the clock stands before 2025", "set the machine's clock")
    with memory.replica.reading(now_ms=wall_ms) as reading:
        survey = clock_repair.survey(reading, wall_ms=wall_ms)
    if survey.others:
        return Check(
            "clock",
            "warn",
            f"{counted(survey.others, 'event')} of other logs ({', '.join(survey.names)}) in effect"
            f" here, stamped up to {survey.others_ahead_s:,} s ahead of this machine's clock",
            "set this machine's clock if it is behind; else it passes when their time has come",
        )
    if survey.is_ahead:
        return Check(
            "clock",
            "warn",
            f"events of this store are stamped up to {survey.ahead_s:,} s ahead of this machine's"
            " clock, which was ahead when they were saved",
            "set this machine's clock if it is behind; if it is right: kioku doctor --fix-clock",
        )
    return Check("clock", "pass", "no log is more than 60 s ahead of it")


def _check_unreadable(memory: Memory) -> Check:
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        count = count_unreadable(reading.connection)
    if not count:
        return Check("unreadable", "pass", "every observation can be read")
    return Check(
        "unreadable",
        "warn",
        f"{counted(count, 'observation')} stored in a form that this kioku cannot read",
        "upgrade kioku; if it is the newest, run kioku doctor --deep",
    )


def _check_index(memory: Memory) -> Check:
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        count = count_unindexed(reading.connection)
    if not count:
        return Check("index", "pass", "as many observations as the log shows")

    def mend() -> str:
        memory.rebuild()
        return "built the index and the views again"

    return Check(
        "index",
        "warn",
        f"{counted(abs(count), 'observation')} too {'few' if count > 0 else 'many'} in the index",
        "kioku doctor --fix, or kioku rebuild",
        mend,
    )
