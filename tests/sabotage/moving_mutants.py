"""Sabotages of what carries a memory elsewhere: backups, restores, imports, and who follows."""

from __future__ import annotations

from tests.sabotage.change import Change

BACKUP = "kioku/backup.py"
COPYING = "kioku/copying.py"
RESTORING = "kioku/memory/restoring.py"
STILL = "kioku/log/still.py"
ERASING = "kioku/erasing.py"
LINES = "kioku/memory/lines.py"
JSON_LINES = "kioku/cli/json_lines.py"
NEWS = "kioku/memory/news.py"
DIFFERENCE = "kioku/memory/difference.py"

BACKUP_TESTS = "tests/integration/test_backup.py"
RESTORE_TESTS = "tests/integration/test_restore.py"
KEPT_TESTS = "tests/integration/test_kept_stores.py"
LINES_TESTS = "tests/property/test_lines.py"
IMPORT_TESTS = "tests/integration/test_import_lines.py"
FOLLOWING_TESTS = "tests/unit/test_following.py"

MOVING_GROUPS: dict[str, list[Change]] = {
    "backup": [
        Change(
            "what was saved before a backup is not signed in it",
            COPYING,
            "                self.seal()\n                with",
            "                with",
            BACKUP_TESTS,
        ),
        Change(
            "a backup does not close its log",
            BACKUP,
            "            copy.disown()\n            here",
            "            here",
            RESTORE_TESTS,
        ),
        Change(
            "what is purged while pages are copied stays in the backup",
            BACKUP,
            "if (here.purged, here.retracted) == (there.purged, there.retracted):",
            "if here or there:",
            BACKUP_TESTS,
        ),
        Change(
            "a backup is not checked",
            BACKUP,
            '            if finding.status == "fail":\n',
            '            if finding.status == "never":\n',
            BACKUP_TESTS,
        ),
        Change(
            "a backup replaces the store itself",
            BACKUP,
            "if os.path.realpath(path) == taken or is_same_file(path, taken):",
            "if path == taken:",
            BACKUP_TESTS,
        ),
        Change(
            "what a killed backup left stays",
            BACKUP,
            "    discard_leftovers(prefix)\n",
            "",
            BACKUP_TESTS,
        ),
    ],
    "kept": [
        Change(
            "what is purged stays in the stores that restores have kept",
            ERASING,
            "            yield Draft(PURGE, key)\n",
            "            yield from ()\n",
            KEPT_TESTS,
        ),
        Change(
            "what is collected stays in the stores that restores have kept",
            ERASING,
            "    yield from retracts(_targets(here, there))\n",
            "",
            KEPT_TESTS,
        ),
        Change(
            "what a repair says again is erased in the kept store that alone has it",
            ERASING,
            "if all(version.entry.body != found.body for version in here.versions(found.key)):",
            "if found:",
            KEPT_TESTS,
        ),
        Change(
            "a purge of what only a kept store holds does not look there",
            "kioku/transaction.py",
            "            owe_beside(self.connection)\n",
            "            return\n",
            KEPT_TESTS,
        ),
        Change(
            "a second name of the store is opened as another store",
            STILL,
            "    return [name for name in _kept_names(path) if not is_same_file(name, path)]\n",
            "    return _kept_names(path)\n",
            KEPT_TESTS,
        ),
        Change(
            "an erasure that did not reach a kept store is taken for done",
            "kioku/log/erasure.py",
            "        done = [_HERE]\n",
            "        done = [_HERE, _DONE]\n",
            KEPT_TESTS,
        ),
        Change(
            "what a backup has purged stays in the store it replaces",
            RESTORING,
            "            _owe_erasure(temporary, settings)\n",
            "            pass\n",
            KEPT_TESTS,
        ),
    ],
    "restore": [
        Change(
            "a backup's triggers are restored with it",
            STILL,
            "    if foreign:\n",
            "    if not rows:\n",
            RESTORE_TESTS,
        ),
        Change(
            "what is derived in a backup is believed",
            BACKUP,
            "        copy.rebuild()",
            "        copy.is_private()",
            RESTORE_TESTS,
        ),
        Change(
            "an event of no log is restored",
            "kioku/audit.py",
            "    if strays:\n",
            "    if strays is None:\n",
            RESTORE_TESTS,
        ),
        Change(
            "a log's key need not be its owner's",
            "kioku/audit.py",
            "if log_id_of(log.public_key) != log.log_id:",
            "if not log.public_key:",
            RESTORE_TESTS,
        ),
        Change(
            "a store that is there is destroyed",
            RESTORING,
            '    return kept if keep_aside(target, kept) else ""\n',
            "    return kept\n",
            RESTORE_TESTS,
        ),
        Change(
            "what was purged since the backup comes back",
            RESTORING,
            "        if keys:\n",
            "        if not keys:\n",
            RESTORE_TESTS,
        ),
        Change(
            "what was purged since the backup stays in the file",
            RESTORING,
            "Draft(PURGE, key) for key in keys",
            "Draft(2, key) for key in keys",
            RESTORE_TESTS,
        ),
        Change(
            "a store that others have open is replaced",
            RESTORING,
            "    if others:\n",
            "    if not others and target == '':\n",
            RESTORE_TESTS,
        ),
        Change(
            "a lonely write-ahead log is taken for the new store's",
            STILL,
            "            if os.path.exists(path + suffix):\n",
            "            if os.path.exists(path):\n",
            RESTORE_TESTS,
        ),
        Change(
            "what was saved last in the store put aside is not signed",
            RESTORING,
            "            memory.replica.seal()  # so that an import can take all of it later\n",
            "            pass\n",
            RESTORE_TESTS,
        ),
        Change(
            "a backup of another space is restored",
            RESTORING,
            "    if found.space != settings.space:\n",
            "    if not found.space:\n",
            RESTORE_TESTS,
        ),
    ],
    "lines": [
        Change(
            "what a newer kioku knows is lost in an export",
            LINES,
            "    if not observation.unknown:\n",
            "    if observation.unknown:\n",
            LINES_TESTS,
        ),
        Change(
            "a line's own time is lost",
            LINES,
            '_TIMES: Final = ("created_at", "updated_at", "expires_at")',
            '_TIMES: Final = ("created_at", "expires_at")',
            LINES_TESTS,
        ),
        Change(
            "a name that is no field is dropped",
            LINES,
            "    if unusual:\n",
            "    if not unusual:\n",
            LINES_TESTS,
        ),
        Change(
            "good lines before a bad one are saved",
            JSON_LINES,
            "    if first is not None:\n",
            "    if first is not None and not counts.read:\n",
            IMPORT_TESTS,
        ),
        Change(
            "an import twice is two observations",
            JSON_LINES,
            'if_duplicate="return")',
            'if_duplicate="save")',
            IMPORT_TESTS,
        ),
        Change(
            "an import undoes what is newer",
            JSON_LINES,
            "keep_times=True, ",
            "",
            IMPORT_TESTS,
        ),
        Change(
            "a line without a time brings back what was deleted",
            JSON_LINES,
            "if one.updated_at or not _is_known(memory, one)]",
            "if one]",
            IMPORT_TESTS,
        ),
    ],
    "following": [
        Change(
            "a full page skips what comes behind it",
            NEWS,
            "cursor = rows[-1][0] if len(rows) == limit else top",
            "cursor = top",
            FOLLOWING_TESTS,
        ),
        Change(
            "an event is told twice",
            NEWS,
            "WHERE event > ? AND",
            "WHERE event >= ? AND",
            FOLLOWING_TESTS,
        ),
        Change(
            "an undelete passes for an edit",
            NEWS,
            'return "undelete" if before.kind == TOMBSTONE else "edit"',
            'return "edit"',
            FOLLOWING_TESTS,
        ),
        Change(
            "a difference goes by what is now, not by what was then",
            DIFFERENCE,
            "after = past.winners(reading.connection, keys, span.end - 1)",
            "after = past.winners(reading.connection, keys, 2**62)",
            FOLLOWING_TESTS,
        ),
        Change(
            "what was done in a difference's first moment is taken for old",
            DIFFERENCE,
            "before = past.winners(reading.connection, keys, span.first - 1)",
            "before = past.winners(reading.connection, keys, span.first)",
            FOLLOWING_TESTS,
        ),
        Change(
            "an edit that was taken back is a difference",
            DIFFERENCE,
            'return None if is_same else "edited"',
            'return "edited"',
            FOLLOWING_TESTS,
        ),
    ],
}
