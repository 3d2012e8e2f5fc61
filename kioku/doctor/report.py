"""What a look at something gives: one ``Check`` a thing, and a ``Report`` of all.

Every name of a check stands in ``NAMES``, and a test demands of each that something makes it fail
and that its hint mends it: whoever adds a check adds its name, and that test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from kioku.errors import KiokuError

if TYPE_CHECKING:
    from collections.abc import Callable

Status = Literal["pass", "warn", "fail"]

_ORDER: Final = ("pass", "warn", "fail")

NAMES: Final = (
    # the installation
    *("python", "sqlite", "dependencies", "installation", "package", "commands"),
    # what the predecessor left
    *("environment", "old store"),
    # the place of the store
    *("settings", "config", "filesystem", "directory", "locks", "disk", "leftovers", "spaces"),
    # the mesh, as this machine is set up for it, and as the node tells that runs
    *("mesh", "exposure", "hubs"),
    *("node", "router", "versions", "offsets", "refused"),
    # the store
    *("store", "files", "kept", "key", "own log", "clock", "unreadable", "index", "forks"),
    *("held", "missing", "erasures"),
    # deep: all of the log, and all that is derived from it
    *("file", "chain", "seals", "frontier", "erased", "absent", "fold", "view", "rebuild"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``hint`` says what to do unless it passed.

    ``mend`` does what the hint says and tells of it, where that can lose nothing; else it is None.
    """

    name: str
    status: Status
    summary: str
    hint: str = ""
    mend: Callable[[], str] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        assert self.name in NAMES, f"{self.name}: a check that no test can know of"


def guarded(name: str, look: Callable[[], Check]) -> Check:
    """Look, and make a check that failed of whatever the look at a damaged store raises."""
    try:
        return look()
    except KiokuError as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - damage can raise anything; it is what we look for
        why = f"{type(error).__name__}: {error}"
    return Check(name, "fail", f"cannot be read to its end ({why})", "restore a backup beside it")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was looked at, of the kioku of this ``version``.

    ``fixed`` tells what was mended on the way, one sentence a thing.
    """

    version: str
    checks: tuple[Check, ...]
    fixed: tuple[str, ...] = ()

    @property
    def worst_status(self) -> Status:
        """The worst of all checks."""
        return max((check.status for check in self.checks), key=_ORDER.index, default="pass")

    @property
    def ok(self) -> bool:
        """Whether nothing failed; a warning is ok."""
        return self.worst_status != "fail"
