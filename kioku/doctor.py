"""What is wrong with an installation or a store, and what to do about it.

The rule this module guards: **a correct installation passes**, also one that has not saved anything
yet, and looking changes nothing. Only ``deep`` repairs, and only what is derived from the log, and
says so. Each check is one function; what only the replica can see, it finds by itself.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from kioku.config import OLD_STATE_DIR_VARIABLES, Settings, load_settings
from kioku.errors import ConfigError, KiokuError, StoreError
from kioku.log import hlc
from kioku.memory import Memory, open_store
from kioku.memory import open as open_memory
from kioku.view.audit import count_unreadable, find_differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Status = Literal["pass", "warn", "fail"]

_ORDER: Final = ("pass", "warn", "fail")
_PYTHON_MIN: Final = (3, 11)
_FREE_BYTES_WARN: Final = 256 * 2**20
"""Below this a disk tends to be full within days, and a checkpoint needs room for the WAL."""
_FREE_BYTES_FAIL: Final = 16 * 2**20
_CLOCK_MS_MIN: Final = 1_735_689_600_000
"""The start of 2025, before kioku was written: a clock that says less has never been set."""

_DERIVED: Final = ("frontier", "erased", "fold", "view")
"""The checks whose failures a rebuild mends, since the log itself is not at fault."""

# What the predecessor read from the environment and kioku does not, with what to do instead.
_DEAD_VARIABLES: Final = {
    "FORCE_REBUILD": "unset it; kioku rebuild does that",
    "SKIP_REBUILD": "unset it; nothing is rebuilt unasked",
    "DISABLE_INDEX": "unset it; the index is part of each save",
    "BACKEND": "unset it; there is one backend",
    "INDEX_DB": "unset it; KIOKU_STATE_DIR names the directory of the stores",
    "ROUTER_ENDPOINT": "unset it; there is no router to reach",
    "MCP_ALLOW_TTY": "unset it; kioku-mcp --help says how to start it",
}
_OLD_PREFIXES: Final = ("KIOKU_MESH_", "MESH_MEM_")
_OLD_STORES: Final = ("local/raw.db", "local/index.db", "index.db", "state/local/index.db")
_DEAD_ALONE: Final = {
    "ZENOH_CONNECT": "unset it; kioku does not read it",
    "ZENOH_BACKEND_ROCKSDB_ROOT": "unset it; kioku does not read it",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``hint`` says what to do unless it passed."""

    name: str
    status: Status
    summary: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was looked at, of the kioku of this ``version``."""

    version: str
    checks: tuple[Check, ...]

    @property
    def worst_status(self) -> Status:
        """The worst of all checks."""
        return max((check.status for check in self.checks), key=_ORDER.index, default="pass")

    @property
    def ok(self) -> bool:
        """Whether nothing failed; a warning is ok."""
        return self.worst_status != "fail"


def check(
    target: Memory | Settings | str | os.PathLike[str] | None = None,
    *,
    deep: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Report:
    """Look at the installation and one store; never raises for what it finds.

    Args:
        target: an open memory, a store's file, or settings; those of ``environ`` if None. A store
            that is not there yet is not created.
        deep: read and verify every event, compare all that is derived with the log, and repair it.
        environ: the environment, for the settings and for variables that mean nothing any more.
    """
    from importlib.metadata import version

    checks = [_check_python(), _check_sqlite()]
    checks += [*_check_environment(environ), *_check_old_stores(environ)]
    if isinstance(target, Memory):
        checks += _check_memory(target, deep=deep)
    else:
        checks += _check_target(target, environ, deep=deep)
    return Report(version("kioku-log"), tuple(checks))


# -- the installation ---------------------------------------------------------------------------


def _check_python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _PYTHON_MIN:
        return Check("python", "fail", f"Python {found}", "install Python 3.11 or newer")
    return Check("python", "pass", f"Python {found}")


def _check_sqlite() -> Check:
    """Save and find something in a store of its own, so that SQLite is seen to do all it must."""
    from importlib.metadata import version

    try:
        with open_memory(":memory:") as memory:
            memory.save("kioku doctor looks whether saving and finding work")
            is_found = bool(memory.search("looking"))
            sqlite = _sqlite_version(memory)
    except KiokuError as error:
        return Check("sqlite", "fail", str(error), "reinstall kioku-log and apsw")
    summary = f"apsw {version('apsw')}, SQLite {sqlite}"
    if not is_found:
        return Check("sqlite", "fail", f"{summary}: no full-text search", "reinstall apsw")
    return Check("sqlite", "pass", f"{summary}, saves and finds")


def _sqlite_version(memory: Memory) -> str:
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        return str(reading.connection.execute("SELECT sqlite_version()").get)


def _check_environment(environ: Mapping[str, str]) -> Iterator[Check]:
    """Name the variables that meant something to the predecessor and mean nothing here."""
    dead = {
        prefix + name: remedy
        for prefix in _OLD_PREFIXES
        for name, remedy in _DEAD_VARIABLES.items()
    }
    for name, remedy in {**dead, **_DEAD_ALONE}.items():
        if environ.get(name):
            yield Check("environment", "warn", f"{name} is set and changes nothing", remedy)


def _check_old_stores(environ: Mapping[str, str]) -> Iterator[Check]:
    """Name the stores of the predecessor; nothing is read or written there."""
    for directory in filter(None, map(environ.get, OLD_STATE_DIR_VARIABLES)):
        for name in _OLD_STORES:
            path = os.path.join(directory, name)
            if os.path.isfile(path):
                yield Check("old store", "pass", f"{path}: of kioku-mesh; it is left as it is")


# -- the place of the store ---------------------------------------------------------------------


def _check_target(
    target: Settings | str | os.PathLike[str] | None, environ: Mapping[str, str], *, deep: bool
) -> Iterator[Check]:
    try:
        settings = target if isinstance(target, Settings) else load_settings(environ)
    except ConfigError as error:
        yield Check("settings", "fail", str(error), "correct the setting that it names")
        return
    path = settings.store_path
    if isinstance(target, str | os.PathLike):
        path = os.fspath(target)
    yield Check("settings", "pass", f"space {settings.space}, durability {settings.durability}")
    directory = os.path.dirname(os.path.abspath(path))
    yield _check_directory(directory)
    yield _check_disk(directory)
    if not os.path.exists(path):
        yield Check("store", "pass", f"{path}: none yet; the first save creates it")
        return
    try:
        with open_store(path, settings) as memory:
            yield from _check_memory(memory, deep=deep)
    except StoreError as error:
        hint = "do as it says; if the file is lost, import an export into a new one"
        yield Check("store", "fail", str(error), hint)


def _check_directory(directory: str) -> Check:
    nearest = _nearest(directory)
    if not (os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)):
        return Check(
            "directory",
            "fail",
            f"{nearest}: is no directory that can be written",
            "change its permissions or set KIOKU_STATE_DIR to another directory",
        )
    if nearest != directory:
        return Check("directory", "pass", f"{directory}: will be created")
    if os.name != "nt" and os.stat(directory).st_mode & stat.S_IWOTH:
        return Check(
            "directory",
            "warn",
            f"{directory}: every user of this machine can write there",
            f"chmod o-w {directory}",
        )
    return Check("directory", "pass", f"{directory}: can be written")


def _nearest(path: str) -> str:
    """Give the path, or what is there already on the way to it."""
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _check_disk(directory: str) -> Check:
    from shutil import disk_usage

    free = disk_usage(_nearest(directory)).free
    summary = f"{free / 2**20:,.0f} MiB free"
    if free >= _FREE_BYTES_WARN:
        return Check("disk", "pass", summary)
    return Check("disk", "fail" if free < _FREE_BYTES_FAIL else "warn", summary, "free some space")


# -- the store ----------------------------------------------------------------------------------


def _check_memory(memory: Memory, *, deep: bool) -> Iterator[Check]:
    counts = memory.statistics()
    summary = f"{counts.observations:,} observations, {counts.events:,} events, {counts.logs} logs"
    yield Check("store", "pass", f"{counts.path}: {summary}")
    if counts.path != ":memory:":
        yield _check_files(counts.path)
        yield _check_key(memory, counts.path)
    yield _check_clock(memory)
    yield _check_unreadable(memory)
    yield from _find(memory, deep=deep)


def _check_files(path: str) -> Check:
    """The content is in these files: others must not read them."""
    found = [path + end for end in ("", "-wal", "-shm") if os.path.exists(path + end)]
    readable = [name for name in found if _is_open_to_others(name)]
    if readable:
        names = " ".join(readable)
        return Check("files", "warn", f"{names}: other users can read it", f"chmod 600 {names}")
    return Check("files", "pass", "only their owner can read them")


def _is_open_to_others(path: str) -> bool:
    return os.name != "nt" and bool(os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _check_key(memory: Memory, path: str) -> Check:
    from kioku.log.keyfile import FileKeyRing

    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        log_id: bytes | None = reading.connection.execute(
            "SELECT log_id FROM own JOIN log USING(log) WHERE closed_seq IS NULL"
        ).get
    if log_id is None:
        return Check("key", "pass", "no log yet; the first save begins one")
    ring = FileKeyRing(path)
    name = ring.path(log_id)
    try:
        key = ring.load(log_id)
    except StoreError as error:
        return Check("key", "fail", str(error), "restore it; else the next save begins a new log")
    if key is None or key.inode != ring.inode():
        return Check(
            "key",
            "warn",
            f"{name}: missing, or made for another file; this store is a copy",
            "nothing is lost: the next save begins a new log",
        )
    if _is_open_to_others(name):
        return Check("key", "warn", f"{name}: other users can read it", f"chmod 600 {name}")
    return Check("key", "pass", f"log {log_id.hex()} is this store's to extend")


def _check_clock(memory: Memory) -> Check:
    wall_ms = memory.now_ms()
    if wall_ms < _CLOCK_MS_MIN:
        return Check("clock", "fail", "the clock stands before 2025", "set the machine's clock")
    newest = memory.replica.statistics().newest_stamp
    ahead_ms = hlc.unix_ms(newest) - wall_ms
    if ahead_ms > hlc.DRIFT_MS_MAX:
        return Check(
            "clock",
            "warn",
            f"the newest event is stamped {ahead_ms // 1000:,} s ahead of this machine's clock",
            "compare this machine's clock with the others'",
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
        f"{count:,} observations are stored but in a form that this kioku cannot read",
        "upgrade kioku; if it is the newest, run kioku doctor --deep",
    )


def _find(memory: Memory, *, deep: bool) -> list[Check]:
    """What the replica finds and, if ``deep``, the view; what is derived is built again."""
    found = _look(memory, deep=deep)
    broken = [check.name for check in found if check.status == "fail"]
    if not deep or not broken or not set(broken) <= set(_DERIVED):
        return found
    try:
        memory.rebuild()
    except KiokuError as error:
        return [*found, Check("rebuild", "fail", str(error), "restore a backup")]
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
        with memory.replica.reading(now_ms=now_ms) as reading:
            problems = "; ".join(find_differences(reading.connection))
        found.append(
            Check("view", "fail", problems, "run kioku rebuild")
            if problems
            else Check("view", "pass", "is what the events add up to")
        )
    return found


def _status(text: str) -> Status:
    return "fail" if text == "fail" else "warn" if text == "warn" else "pass"
