"""``delete``, ``undelete``, ``purge`` and ``gc``: what takes away, and what brings back.

The rule this module guards: nothing that cannot be brought back, and nothing in bulk, happens
without ``--yes`` or an answer on a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import (
    DRY_RUN,
    ID,
    JSON,
    PC_ID,
    PROJECT,
    SINCE,
    SPACE,
    UNTIL,
    YES,
    days,
    filters,
)
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.progress import Work
from kioku.cli.store import full_id, is_full_id, open_memory
from kioku.errors import InvalidArgumentError, NotFoundError, UsageError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kioku.memory import Memory
    from kioku.retention import GcCounts

BATCH = 10_000  # as many as one list can give
_PURGE_KEPT = "kioku history ID shows whether it is purged"


class RefusedError(UsageError):
    """It needed a yes and got none; nothing was done."""

    hint = "--yes does it without asking"


class NotDeletedError(UsageError):
    """There is nothing to bring back."""


class NeverHeldError(NotFoundError):
    """Nothing here has ever had this id, so it may well be a mistyped one."""

    def __init__(self, typed: str, id: str) -> None:
        super().__init__(f"{typed}: nothing here has ever had this id")
        self.hint = f"kioku gc --force-id {id} refuses it for ever all the same"


def _delete(arguments: Namespace) -> int:
    chosen = filters(arguments)
    if arguments.id is None:
        if not chosen:
            raise CommandError("give an id, or filters to delete by", hint="kioku delete --help")
        return _delete_matching(arguments, chosen)
    if chosen:
        raise CommandError("give an id or filters, not both", hint="kioku delete --help")
    with open_memory(arguments) as memory:
        key = full_id(memory, arguments.id)
        if arguments.dry_run:
            _require(memory, key, arguments.id)
        else:
            memory.delete(key, reason=arguments.reason)
    _show_deleted([key], arguments)
    return 0


def _delete_matching(arguments: Namespace, chosen: dict[str, Any]) -> int:
    with open_memory(arguments) as memory:
        ids = _matching(memory, chosen)
        if arguments.dry_run:
            _show_deleted(ids, arguments)
            return 0
        if ids:
            require_yes(arguments, f"delete {_count(ids)}?", f"{_count(ids)} would be deleted")
        deleted = _delete_each(memory, ids, arguments.reason)
    _show_deleted(deleted, arguments)
    return 0


def _delete_each(memory: Memory, ids: Sequence[str], reason: str) -> list[str]:
    """Each in a transaction of its own, so that an interruption keeps what was done."""
    deleted = []
    with Work("deleting", kept="{done:,} of {total:,} were deleted") as work:
        for done, key in enumerate(ids, start=1):
            work(done - 1, len(ids))
            try:
                memory.delete(key, reason=reason)
            except NotFoundError:  # another process was faster
                continue
            deleted.append(key)
    return deleted


def _matching(memory: Memory, chosen: dict[str, Any]) -> list[str]:
    found = memory.list(limit=BATCH, include_superseded=True, **chosen)
    if len(found) == BATCH:
        render.note(f"kioku: only the newest {BATCH:,} are taken at a time; run it again for more")
    return [observation.id for observation in found]


def _show_deleted(ids: Sequence[str], arguments: Namespace) -> None:
    if arguments.json:
        render.json({"deleted": list(ids), "dry_run": arguments.dry_run})
        return
    did = "would delete (tombstone)" if arguments.dry_run else "deleted (tombstone)"
    for key in ids:
        render.line(f"{did}: {key}")
    if arguments.id is None:
        render.line(f"{'would delete' if arguments.dry_run else 'deleted'}: {_count(ids)}")


def _undelete(arguments: Namespace) -> int:
    with open_memory(arguments) as memory:
        key = full_id(memory, arguments.id)
        try:
            observation = memory.undelete(key)
        except InvalidArgumentError as error:  # the id is valid: it is its state that forbids it
            raise NotDeletedError(str(error)) from error
    if arguments.json:
        from kioku.cli.formats import observation_json

        render.json(observation_json(observation))
    else:
        render.line(f"undeleted: {observation.id}")
    return 0


def _purge(arguments: Namespace) -> int:
    if arguments.status:
        from kioku.cli.receipts import show_receipts

        return show_receipts(arguments)
    if arguments.id is None:
        raise CommandError("give the id of what is to be erased", hint="kioku purge --help")
    with open_memory(arguments) as memory:
        key = full_id(memory, arguments.id)
        _require_known(memory, key, arguments.id)
        require_yes(arguments, f"erase {key} everywhere, for ever?", f"{key} would be erased")
        with Work("erasing", kept=_PURGE_KEPT):
            had_copy = memory.purge(key)
    _show_purged(key, is_json=arguments.json, had_copy=had_copy)
    return 0


def _gc(arguments: Namespace) -> int:
    if arguments.force_id is not None:
        return _gc_one(arguments)
    choice = {"project": arguments.project, "host": arguments.by_pc_id}
    with open_memory(arguments) as memory:
        counts = memory.gc(arguments.retention_days, dry_run=True, **choice)
        if counts.versions and not arguments.dry_run:
            of = counted(counts.observations, "observation")
            size = f"{counted(counts.versions, 'version')} of {of}"
            require_yes(arguments, f"erase {size}, for ever?", f"{size} would be erased")
            with Work("erasing", kept="all of it is erased, or nothing: --dry-run shows which"):
                counts = memory.gc(arguments.retention_days, **choice)
    _show_counts(counts, is_json=arguments.json, is_dry_run=arguments.dry_run)
    return 0


def _gc_one(arguments: Namespace) -> int:
    """Purge one id now. A whole id after the word force is an answer; a beginning is not."""
    with open_memory(arguments) as memory:
        key = full_id(memory, arguments.force_id)
        if arguments.dry_run:
            _show_would_purge(key, is_json=arguments.json)
            return 0
        if not is_full_id(arguments.force_id.strip().lower()):
            require_yes(arguments, f"erase {key} everywhere, for ever?", f"{key} would be erased")
        had_copy = memory.purge(key)
    _show_purged(key, is_json=arguments.json, had_copy=had_copy)
    return 0


def _show_purged(id: str, *, is_json: bool, had_copy: bool) -> None:
    if is_json:
        render.json({"purged": id, "had_local_copy": had_copy})
    elif had_copy:
        render.line(f"purged: {id}")
    else:
        render.line(f"purged: {id} (no local copy; none will be accepted)")


def _show_would_purge(id: str, *, is_json: bool) -> None:
    if is_json:
        render.json({"would_purge": id, "dry_run": True})
    else:
        render.line(f"would purge: {id}")


def _show_counts(counts: GcCounts, *, is_json: bool, is_dry_run: bool) -> None:
    fields = {
        "deleted": counts.deleted,
        "expired": counts.expired,
        "beaten": counts.beaten,
        "observations": counts.observations,
        "body_bytes": counts.body_bytes,
        "dry_run": is_dry_run,
    }
    if is_json:
        render.json(fields)
        return
    size = counted(counts.versions, "version")
    render.line(f"{'would erase' if is_dry_run else 'erased'}: {size}")
    for name, value in fields.items():
        render.line(f"{name}: {('no', 'yes')[value] if value is is_dry_run else value}")


def _require(memory: Memory, id: str, typed: str) -> None:
    if memory.get(id) is None:
        raise NotFoundError(f"{typed}: no observation that can be read has this id")


def _require_known(memory: Memory, id: str, typed: str) -> None:
    """A purge is for ever and for everybody, so a mistyped id must not become one.

    Raises:
        NeverHeldError: nothing here is about this id; ``gc --force-id`` takes any.
    """
    try:
        memory.history(id)
    except NotFoundError as error:
        raise NeverHeldError(typed, id) from error


def require_yes(arguments: Namespace, question: str, refusal: str) -> None:
    """Go on only with ``--yes`` or with a yes on the terminal.

    Raises:
        RefusedError: if there was neither; it says what would have been done.
    """
    if not (arguments.yes or render.ask(question)):
        raise RefusedError(f"{refusal}; nothing was done")


def _count(ids: Sequence[str]) -> str:
    return counted(len(ids), "observation")


DELETE = Verb(
    name="delete",
    summary="Delete observations; undelete brings them back",
    description="Delete one observation, or all that match. A tombstone hides them everywhere; "
    "until gc erases\nthem, undelete brings them back.",
    arguments=(
        argument("id", metavar="ID", nargs="?", help=ID.help),
        argument("-r", "--reason", metavar="TEXT", default="", help="why, kept in the history"),
        PROJECT,
        PC_ID,
        SINCE,
        UNTIL,
        DRY_RUN,
        YES,
        SPACE,
        JSON,
    ),
    examples=(
        'kioku delete 3f9a21 -r "no longer true"',
        "kioku delete -p demo --until 2026-01-01 --dry-run",
    ),
    run=_delete,
    output="`deleted (tombstone): <id>` for each, in bulk followed by `deleted: N observations`; "
    "with `--dry-run` `would delete` in place of `deleted`.",
    json="The ids.",
)

UNDELETE = Verb(
    name="undelete",
    summary="Bring a deleted observation back",
    arguments=(ID, SPACE, JSON),
    examples=("kioku undelete 3f9a21",),
    run=_undelete,
    output="`undeleted: <id>`",
    json="The observation.",
)

PURGE = Verb(
    name="purge",
    summary="Erase an observation for ever, everywhere",
    description="Erase an observation for ever: its content leaves this store's files now and "
    "every other replica\nas soon as it hears of it. Nothing brings it back.",
    arguments=(
        argument("id", metavar="ID", nargs="?", help=ID.help),
        argument(
            "--status",
            action="store_true",
            help="show which replicas have confirmed that they erased it, or all that was purged",
        ),
        YES,
        SPACE,
        JSON,
    ),
    examples=("kioku purge 3f9a21 --yes", "kioku purge --status"),
    run=_purge,
    output="`purged: <id>`; with `--status` `here: …`, and for each purge and each retract (of "
    "`gc`, of a repaired clock) who has confirmed it, who has not, and when those were last seen.",
    json="The id, and whether its content was here; with `--status` the same as its lines.",
)

GC = Verb(
    name="gc",
    summary="Erase what was deleted or expired long ago",
    description="Erase the content of what was deleted, or has expired, for longer than the "
    "retention. What can be\nread now stays, whatever its age.",
    arguments=(
        argument(
            "--retention-days",
            metavar="N",
            type=days,
            default=days("30"),
            help="keep what was deleted within the last N days (30)",
        ),
        PROJECT,
        argument("--by-pc-id", metavar="HOST", help=PC_ID.help),
        argument(
            "--force-id", metavar="ID", help="purge this id now, even if it was never held here"
        ),
        DRY_RUN,
        YES,
        SPACE,
        JSON,
    ),
    examples=("kioku gc --retention-days 90 --dry-run", "kioku gc --yes"),
    run=_gc,
    output="`erased: N versions` (`would erase` with `--dry-run`) and a `name: count` line each; "
    "with `--force-id` `purged: <id>`, and `no local copy` where there was none.",
    json="The counts; with `--force-id` as of `purge`.",
)

VERBS = {verb.name: verb for verb in (DELETE, UNDELETE, PURGE, GC)}
