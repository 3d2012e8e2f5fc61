"""``backup`` and ``restore``: the whole memory as one file that can take the store's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE
from kioku.cli.files import FORCE
from kioku.cli.parser import Verb, argument
from kioku.cli.progress import Work
from kioku.cli.store import open_memory
from kioku.errors import ExistsError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.backup import Backup
    from kioku.memory.restoring import Restored

_MERGE = (
    "--force keeps it under another name; `kioku import FILE` merges the backup into it instead"
)


def _backup(arguments: Namespace) -> int:
    work = Work("copying pages", kept=f"nothing was written to {arguments.file}")
    try:
        with open_memory(arguments) as memory, work:
            made = memory.backup(arguments.file, overwrite=arguments.force, progress=work)
    except ExistsError as error:
        raise ExistsError(error.path, FORCE) from error
    if arguments.json:
        render.json({"file": made.path, **_backup_json(made)})
        return 0
    render.line(
        f"backed up: {counted(made.events, 'event')}, {made.file_bytes:,} bytes to {arguments.file}"
    )
    _show_digest(made)
    if made.unsealed and made.digest:
        render.note(
            f"not signed: {counted(made.unsealed, 'event')}, for this process may not write the"
            " store; a restore says again what is not"
        )
    return 0


def _show_digest(backup: Backup) -> None:
    render.line(f"digest: {backup.digest or 'none'}")


def _backup_json(backup: Backup) -> dict[str, object]:
    return {
        "space": backup.space,
        "events": backup.events,
        "logs": backup.logs,
        "digest": backup.digest,
        "unsealed": backup.unsealed,
        "bytes": backup.file_bytes,
    }


def _restore(arguments: Namespace) -> int:
    from kioku.memory.restoring import restore

    try:
        with Work("restoring", kept="the store is what it was"):
            done = restore(arguments.file, space=arguments.space, overwrite=arguments.force)
    except ExistsError as error:
        raise ExistsError(error.path, _MERGE) from error
    if arguments.json:
        fields = {"store": done.path, "kept": done.kept or None, "purges": done.purges}
        render.json({**fields, **_backup_json(done.backup)})
        return 0
    render.line(f"restored: {counted(done.backup.events, 'event')} to {done.path}")
    _show_digest(done.backup)
    if done.purges:
        render.line(f"purged again: {done.purges:,}")
    if done.kept:
        render.line(f"kept: {done.kept}")
        _tell_of_kept(done)
    return 0


def _tell_of_kept(done: Restored) -> None:
    if done.purges is None:
        render.note(
            "the store that was there cannot be read, so what was purged since the backup is"
            " here again until another store says so"
        )
    reach = "a purge erases in it too" if done.purges is not None else "no purge reaches it"
    way = f"`kioku import {done.kept}` adds what was saved since the backup"
    if done.backup.digest is None:  # nothing is merged out of a private space
        space = done.backup.space
        way = f"`kioku restore {done.kept} --force --space {space}` goes back to what was there"
    render.note(f"{way}; delete that file when you need it no more: {reach}")


BACKUP = Verb(
    name="backup",
    summary="Copy everything to one file, while others go on saving",
    description="Copy everything but the private keys to one file, while others go on saving. The\n"
    "copy is signed, free of what was purged, and verified before the file appears.",
    arguments=(
        argument("file", metavar="FILE", help="the file to make"),
        argument("--force", action="store_true", help="replace a file that is there"),
        SPACE,
        JSON,
    ),
    examples=("kioku backup memory-2026-05-22.db",),
    run=_backup,
    output="`backed up: N events, N bytes to FILE` and `digest: …`, as `kioku status` shows it.",
    json="What the backup holds.",
)

RESTORE = Verb(
    name="restore",
    summary="Put a backup in the store's place",
    description="Put a backup in the store's place. It is verified first. If a store is there, "
    "--force keeps it\nunder another name; what was purged since the backup stays purged. To merge "
    "a backup into\nthe store that is there, import it instead.",
    arguments=(
        argument("file", metavar="FILE", help="what `kioku backup` made"),
        argument("--force", action="store_true", help="put a store that is there aside"),
        SPACE,
        JSON,
    ),
    examples=("kioku restore memory-2026-05-22.db",),
    run=_restore,
    output="`restored: N events to PATH`, `digest: …`, and where it applies `purged again: N` and "
    "`kept: PATH`.",
    json="The same, and what the backup holds.",
)

VERBS = {verb.name: verb for verb in (BACKUP, RESTORE)}
