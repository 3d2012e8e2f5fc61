"""Sabotages of the doctor: its thresholds, where stores may lie, and the repair of the clock."""

from __future__ import annotations

from tests.sabotage.change import Change

PLACE = "kioku/doctor/place.py"
INSTALLATION = "kioku/doctor/installation.py"
PREDECESSOR = "kioku/doctor/predecessor.py"
DOCTOR = "kioku/doctor/__init__.py"
STORE = "kioku/doctor/store.py"
AUDIT = "kioku/audit.py"
FILESYSTEM = "kioku/log/filesystem.py"
FILES = "kioku/log/files.py"
TRIAL = "kioku/log/trial.py"
OPENING = "kioku/memory/opening.py"
CLOCK = "kioku/clock_repair.py"
OWNER = "kioku/log/owner.py"

CASES = "tests/unit/test_doctor_checks.py::test_it_fails_and_its_hint_mends_it"
MOUNTS = "tests/unit/log/test_filesystem.py"
TRIALS = "tests/unit/test_doctor_trial.py"
EDGE = "tests/integration/test_file_systems.py"
REPAIRS = "tests/property/test_clock_repair.py"
COMMAND = "tests/integration/test_clock_repair.py"


def case(*names: str) -> str:
    """The tests of these cases alone, for all of them take a minute."""
    return " ".join(f"{CASES}[{name}]" for name in names)


DOCTOR_GROUPS: dict[str, list[Change]] = {
    "file-systems": [
        Change(
            "the first mount that fits is taken",
            FILESYSTEM,
            "if is_above and (found is None or len(mount.point) >= len(found.point)):",
            "if is_above and found is None:",
            MOUNTS,
        ),
        Change(
            "of two mounts at one point the hidden one is taken",
            FILESYSTEM,
            "len(mount.point) >= len(found.point)",
            "len(mount.point) > len(found.point)",
            MOUNTS,
        ),
        Change(
            "a name that begins alike is taken for what lies below",
            FILESYSTEM,
            'real.startswith(mount.point.rstrip("/") + "/")',
            "real.startswith(mount.point)",
            MOUNTS,
        ),
        Change(
            "a link is not followed",
            FILESYSTEM,
            "real = os.path.realpath(path)",
            "real = os.path.abspath(path)",
            MOUNTS,
        ),
        Change(
            "any FUSE is taken for local",
            FILESYSTEM,
            'if kind.startswith("fuse") and kind not in LOCAL_FUSE_KINDS:',
            "if False:",
            MOUNTS,
        ),
        Change(
            "a sandbox is refused its own root",
            FILESYSTEM,
            'kind == "9p" and "trans=fd"',
            'kind == "9p" and "trans=none"',
            MOUNTS,
        ),
        Change(
            "a store begins anywhere",
            FILES,
            "    check_place(path)\n",
            "",
            MOUNTS,
        ),
        Change(
            "the directory is made before it is asked where it lies",
            OPENING,
            "    check_place(path)\n",
            "",
            EDGE,
        ),
        Change(
            "every opening asks",
            FILES,
            "    if os.path.isfile(path):\n        return False\n",
            "",
            EDGE,
        ),
        Change(
            "a lock that keeps nobody out is good enough",
            TRIAL,
            'if during.startswith("free"):',
            'if during.startswith("never"):',
            TRIALS,
        ),
        Change(
            "seeing what is not committed is good enough",
            TRIAL,
            'if during != "locked 0":',
            "if False:",
            TRIALS,
        ),
        Change(
            "not seeing what is committed is good enough",
            TRIAL,
            'if after != "free 1":',
            "if False:",
            TRIALS,
        ),
        Change(
            "a directory without a write-ahead log is good enough",
            TRIAL,
            'if connection.execute("PRAGMA journal_mode = WAL").get != "wal":',
            'if connection.execute("PRAGMA journal_mode = WAL").get == "off":',
            TRIALS,
        ),
        Change(
            "init asks nothing",
            "kioku/cli/initializing.py",
            "    check_state_directory(settings.state_dir)\n",
            "",
            EDGE,
        ),
    ],
    "doctor": [
        Change(
            "a network file system is a warning",
            PLACE,
            'return Check("filesystem", "fail",',
            'return Check("filesystem", "warn",',
            EDGE,
        ),
        Change(
            "a shared file system passes",
            PLACE,
            "if filesystem.is_shared(mount):",
            "if False:",
            case("filesystem-virtiofs"),
        ),
        Change(
            "what is being written is taken for left over",
            PLACE,
            "st_mtime >= LEFT_S_MIN",
            "st_mtime >= 0",
            case("leftovers-what_was_interrupted"),
        ),
        Change(
            "a full disk is a warning",
            PLACE,
            '"fail" if free < FREE_BYTES_FAIL else "warn"',
            '"warn" if free < FREE_BYTES_FAIL else "warn"',
            case("disk-no_room"),
        ),
        Change(
            "a config file may be changed by all",
            PLACE,
            "    if has_rights(path, stat.S_IWOTH):",
            "    if has_rights(path, 0):",
            case("config-a_config_file_that_all_can_change"),
        ),
        Change(
            "a key may be read by all",
            STORE,
            '*sorted(glob(f"{base}.*.key")), *kept',
            "*kept",
            case("files-files_that_others_can_read"),
        ),
        Change(
            "fixing gives no rights away but takes the owner's",
            PLACE,
            "& ~clear)",
            "& clear)",
            case("files-files_that_others_can_read", "directory-a_directory_that_all_can_write"),
        ),
        Change(
            "fixing is done without being asked",
            DOCTOR,
            'if fix and found.status != "pass" and found.mend is not None:',
            'if found.status != "pass" and found.mend is not None:',
            COMMAND,
        ),
        Change(
            "what was fixed is not looked at again",
            DOCTOR,
            "    if fixed:\n",
            "    if not fix:\n",
            COMMAND,
        ),
        Change(
            "a foreign package called kioku passes",
            INSTALLATION,
            "- {DISTRIBUTION})",
            "- {DISTRIBUTION, 'memories'})",
            case("package-another_distribution_with_a_package_of_the_name"),
        ),
        Change(
            "a module in the current directory passes",
            INSTALLATION,
            "dict.fromkeys((*before, os.path.realpath(os.curdir)))",
            "dict.fromkeys(before)",
            case("package-a_file_called_kioku"),
        ),
        Change(
            "a command of another version passes",
            INSTALLATION,
            "if all(one.version == ours for one in installed):",
            "if installed:",
            case("commands-a_command_of_another_version"),
        ),
        Change(
            "a second installation passes",
            INSTALLATION,
            "if len(found) > 1:",
            "if len(found) > 2:",
            case("installation-older_copies_and_a_stranger"),
        ),
        Change(
            "a package that is too old passes",
            INSTALLATION,
            'return found >= limit if comparison == ">=" else found < limit',
            'return True if comparison == ">=" else found < limit',
            case("dependencies-older_copies_and_a_stranger"),
        ),
        Change(
            "the predecessor's default places are not looked at",
            PREDECESSOR,
            "for one in (*named, *default) if one",
            "for one in named if one",
            case("old_store-.local/state/kioku-mesh/local/raw.db"),
        ),
        Change(
            "the newest events of the own log are not verified",
            AUDIT,
            "first = max(own.branch.first_seq, core.store.tip(own.branch).seq - NEWEST + 1)",
            "first = core.store.tip(own.branch).seq + 1",
            case("own_log-damage_own_log0"),
        ),
        Change(
            "what a damaged log raises is a traceback",
            AUDIT,
            "except Exception as error:  # noqa: BLE001 - as below",
            "except ValueError as error:",
            "tests/integration/test_damage.py::test_a_value_that_was_never_written_is_no_traceback",
        ),
        Change(
            "what was taken back is said to wait",
            AUDIT,
            ' WHERE r.hash IS NULL AND e.key NOT IN (SELECT key FROM purged)"\n        " GROUP',
            ' WHERE e.key NOT IN (SELECT key FROM purged)"\n        " GROUP',
            case("held-events_that_their_author_takes_back"),
        ),
        Change(
            "a copy with its key is taken for the original",
            OWNER,
            "        if not key.belongs_to(self.machine_id, self.opened_inode):\n",
            "        if False:\n",
            case("key-a_copy_with_its_key"),
        ),
        Change(
            "a store that was rolled back passes",
            OWNER,
            "        if not self._has_sealed(own.branch, key):\n",
            "        if False:\n",
            case("key-an_older_copy_of_itself"),
        ),
        Change(
            "a rebuild leaves the digest as it was",
            "kioku/transaction.py",
            "        if not is_private(self.connection):\n",
            "        if False:\n",
            case("frontier-derived_frontier"),
        ),
    ],
    "clock-repair": [
        Change(
            "only what is over a minute and a second ahead is repaired",
            CLOCK,
            '    values = {"limit": horizon(wall_ms)}',
            '    values = {"limit": horizon(wall_ms + 1_000)}',
            REPAIRS,
        ),
        Change(
            "others' events that are ahead prove nothing",
            CLOCK,
            "    if found.others:\n",
            "    if False:\n",
            REPAIRS,
        ),
        Change(
            "a wall of 1970 is believed",
            CLOCK,
            "if found.wall_ms < WALL_MS_MIN:",
            "if found.wall_ms < 0:",
            REPAIRS,
        ),
        Change(
            "what is held here is said again",
            CLOCK,
            "    AND NOT EXISTS(SELECT 1 FROM held h WHERE h.event = e.event)\n",
            "",
            REPAIRS,
        ),
        Change(
            "what was retracted is said again",
            CLOCK,
            "    AND NOT EXISTS(SELECT 1 FROM retracted r\n"
            '        WHERE r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash)"""',
            '    """',
            REPAIRS,
        ),
        Change(
            "it is retracted before it is said again",
            CLOCK,
            "    yield from retracts(entry.id for entry in found.again)\n",
            "",
            REPAIRS,
        ),
        Change(
            "it is said again in the wrong order",
            CLOCK,
            "    for entry in found.again:\n",
            "    for entry in reversed(found.again):\n",
            REPAIRS,
        ),
        Change(
            "the clock stays ahead",
            CLOCK,
            "    transaction.set_clock(found.last)\n    if",
            "    if",
            REPAIRS,
        ),
        Change(
            "a retract in the tail of a lost log takes the clock along",
            CLOCK,
            "        transaction.set_clock(found.last)  # which",
            "        # which",
            REPAIRS,
        ),
        Change(
            "the clock goes back too far",
            CLOCK,
            "last = ask(_NEWEST_FINE, values).get or 0",
            "last = 0",
            REPAIRS,
        ),
        Change(
            "what lies at the limit is said again for ever",
            CLOCK,
            "if again and again[-1].hlc <= last + len(again):",
            "if False:",
            REPAIRS,
        ),
        Change(
            "the tail of a log that was lost is looked at too early",
            CLOCK,
            "    transaction.begin_log()",
            "    transaction.clock_last()",
            REPAIRS,
        ),
        Change(
            "the tip still says where the clock is",
            OWNER,
            '"hlc_foreign", self._store.tip(own.branch).hash)',
            '"hlc_foreign", b"")',
            REPAIRS,
        ),
        Change(
            "the command does not ask",
            "kioku/cli/doctor.py",
            "        if found.ahead_ms:\n            size",
            "        if found.ahead_ms < 0:\n            size",
            COMMAND,
        ),
    ],
}
