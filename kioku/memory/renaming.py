"""What a rename or a merge of projects comes to, and its steps.

A rename edits every observation of the project, some at a time, and leaves an alias behind. The
alias is said first: an interruption loses nothing, and the same call goes on where it stopped.

The edit is stamped one millisecond after what it edits, not now. So it never beats what somebody
else changed meanwhile on a machine that was not heard of, and everything keeps its place in the
order of time; the alias finds what the rename did not reach (docs/adr/0047).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import InvalidArgumentError, NotFoundError
from kioku.log.event import SAVE
from kioku.log.hlc import horizon
from kioku.memory import naming, recall
from kioku.memory.results import Project
from kioku.memory.versions import RENAMED_AFTER
from kioku.observation import reread_fields
from kioku.observation.layout import encode_fields
from kioku.project.name import PRESENT
from kioku.replica import Draft
from kioku.view.schema import IS_ALIAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.project.aliases import ProjectNames
    from kioku.replica import Reading, Transaction

BATCH: Final = 50  # a transaction: each takes its words out of the index and puts them in, 1 ms

_COUNTS: Final = f"""
    SELECT project, count(*), max(hlc) FROM record
    WHERE (expires_ms IS NULL OR expires_ms > ?) AND NOT {IS_ALIAS} GROUP BY project"""
# A held one is somebody's whose clock is ahead: it wins nothing yet, so there is nothing to edit.
_MOVABLE: Final = f"project IN ({{}}) AND NOT held AND NOT {IS_ALIAS}"


class Move(NamedTuple):
    """What is to be done: say that ``aliases`` are other names of ``to``, and edit what has one
    of ``names`` to have that one; ``total`` observations have one now.
    """

    to: str
    aliases: tuple[str, ...]
    names: tuple[str, ...]
    total: int


def listed(reading: Reading, now_ms: int) -> list[Project]:
    """Give the projects, the latest change first."""
    names = naming.read_names(reading, now_ms)
    counts: dict[str, tuple[int, int]] = dict.fromkeys(names, (0, 0))
    rows: Any = reading.connection.execute(_COUNTS, (now_ms,)).fetchall()
    for name, count, stamp in rows:
        project = names.project_of(name)
        known, newest = counts.get(project, (0, 0))
        counts[project] = (known + count, max(newest, stamp))
    ordered = sorted(counts.items(), key=lambda item: (-item[1][1], item[0]))
    return [
        Project(name, names.aliases_of(name), count, recall.time_of(stamp) if stamp else None)
        for name, (count, stamp) in ordered
    ]


def plan_rename(reading: Reading, old: str, new: str, now_ms: int) -> Move:
    """Say what a rename comes to.

    Raises:
        NotFoundError, InvalidArgumentError: as of ``Memory.rename_project``.
    """
    check_alias(old, new)
    names = naming.read_names(reading, now_ms)
    _require_project(reading, names, old)
    if new not in names.names_of(old) and _exists(reading, names, new):
        raise InvalidArgumentError(f"{new}: is a project already; merge {old} into it")
    return _plan(reading, names, [old], new)


def plan_merge(reading: Reading, projects: object, into: str, now_ms: int) -> Move:
    """Say what a merge comes to.

    Raises:
        NotFoundError, InvalidArgumentError: as of ``Memory.merge_projects``.
    """
    if isinstance(projects, str) or not isinstance(projects, Iterable):
        raise InvalidArgumentError("projects: is not a list of names; put it in brackets")
    merged = [_named("project", name) for name in projects]
    if not merged:
        raise InvalidArgumentError("projects: name at least one to merge")
    names = naming.read_names(reading, now_ms)
    for name in (*merged, _named("into", into)):
        _require_project(reading, names, name)
    return _plan(reading, names, merged, names.project_of(into))


def check_alias(name: object, of: object) -> None:
    """Refuse an alias that could say nothing.

    Raises:
        InvalidObservationError, InvalidArgumentError.
    """
    if _named("name", name) == _named("name", of):
        raise InvalidArgumentError(f"{name}: is the same name twice")


def _named(field: str, name: object) -> str:
    """A name that a project may be given.

    Raises:
        InvalidObservationError: if no observation can have it.
        InvalidArgumentError: if it is the word for the present project.
    """
    encode_fields({1: field, 2: name})
    if name == PRESENT:
        raise InvalidArgumentError(f"{field}: {PRESENT} stands for the present project")
    return str(name)


def _plan(reading: Reading, names: ProjectNames, old: Sequence[str], to: str) -> Move:
    """What was typed, and all names of what was that project; but what has been another name of
    ``to`` before, and was not typed, stays as it is.
    """
    moved = dict.fromkeys(old)
    for name in old:
        if names.project_of(name) != to:
            moved.update(dict.fromkeys(names.names_of(name)))
    moved.pop(to, None)
    projects = dict.fromkeys(names.project_of(name) for name in old)
    projects.pop(to, None)
    return Move(to, tuple(projects), tuple(moved), _count(reading, moved))


def move_some(transaction: Transaction, move: Move, now_ms: int) -> int:
    """Edit the oldest few of what still has an old name, and say how many they were.

    What a clock that was ahead has stamped gets the next stamp of ours, which is greater: one of
    its own that lies ahead would be taken for now, and lose.
    """
    if not move.names:
        return 0
    where = _MOVABLE.format(", ".join("?" * len(move.names)))
    rows: Any = transaction.connection.execute(
        f"SELECT event FROM record WHERE {where} ORDER BY hlc LIMIT {BATCH}", move.names
    ).fetchall()
    drafts = []
    limit = horizon(now_ms) - RENAMED_AFTER
    for (event,) in rows:
        entry = transaction.entry(event)
        assert entry.body is not None, "what has a record can be read"
        # Field by field, so that what only a newer kioku understands of it stays.
        fields = sorted({**reread_fields(entry.body), 2: move.to}.items())
        stamp = entry.hlc + RENAMED_AFTER if entry.hlc <= limit else None
        drafts.append(Draft(SAVE, entry.key, encode_fields(dict(fields)), stamp))
    transaction.append(drafts)
    return len(drafts)


def _count(reading: Reading, names: Iterable[str]) -> int:
    given = tuple(names)
    where = _MOVABLE.format(", ".join("?" * len(given)))
    return int(reading.connection.execute(f"SELECT count(*) FROM record WHERE {where}", given).get)


def _exists(reading: Reading, names: ProjectNames, name: str) -> bool:
    """Whether anything is saved under any of a project's names, or it has several."""
    all_names = names.names_of(name)
    return len(all_names) > 1 or _count(reading, all_names) > 0


def _require_project(reading: Reading, names: ProjectNames, name: str) -> None:
    if not _exists(reading, names, name):
        raise NotFoundError(f"{name}: there is no project of this name")
