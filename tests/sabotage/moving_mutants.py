"""Sabotages of what carries a memory elsewhere: backups, restores, imports, and who follows."""

from __future__ import annotations

from tests.sabotage.change import Change

BACKUP = "kioku/backup.py"
COPYING = "kioku/copying.py"
RESTORING = "kioku/memory/restoring.py"
STILL = "kioku/log/still.py"

BACKUP_TESTS = "tests/integration/test_backup.py"
RESTORE_TESTS = "tests/integration/test_restore.py"

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
            "if os.path.realpath(path) == taken or _is_same_file(path, taken):",
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
    "restore": [
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
}
