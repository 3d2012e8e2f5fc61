"""Sabotages of what is seen of a mesh from outside: the doctor's checks of machines and copies."""

from __future__ import annotations

from tests.sabotage.change import Change
from tests.sabotage.doctor_mutants import case

FORKS = "kioku/doctor/forks.py"
CLOCK = "kioku/clock_repair.py"

HELD_TESTS = "tests/unit/test_held_retraction.py"

EDGE_GROUPS: dict[str, list[Change]] = {
    "forks": [
        Change(
            "a log with two ends passes",
            FORKS,
            "HAVING count(*) > 1 ORDER",
            "HAVING count(*) > 2 ORDER",
            case("forks-a_store_that_was_copied"),
        ),
        Change(
            "a successor settles a fork that is written on",
            FORKS,
            "if successors.get(fork.log_id, 0) <= fork.newest]",
            "if fork.log_id not in successors]",
            case("forks-a_copy_that_was_not_noticed_by_its_own_side"),
        ),
        Change(
            "only the first successor counts",
            FORKS,
            "= max(began.get(parent.log_id, 0), hlc)",
            "= began.get(parent.log_id, hlc)",
            case("forks-a_copy_that_was_not_noticed_by_its_own_side"),
        ),
        Change(
            "a fork of our own is told as another's",
            FORKS,
            "hlc or 0, bool(own))",
            "hlc or 0, False)",
            case("forks-a_disk_that_was_set_back"),
        ),
    ],
    "retract-held": [
        Change(
            "everybody's waiting events are taken back",
            CLOCK,
            "WHERE l.name = :name AND NOT",
            "WHERE :name = :name AND NOT",
            HELD_TESTS,
        ),
        Change(
            "what was taken back is taken back again",
            CLOCK,
            'r.hash = e.hash) ORDER BY e.hlc"""',
            'r.hash = e.key) ORDER BY e.hlc"""',
            HELD_TESTS,
        ),
        Change(
            "a dry run takes back",
            "kioku/memory/sharing.py",
            "                held = clock_repair.find_held(reading, name)",
            "                held = clock_repair.find_held(reading, name)[:1]",
            HELD_TESTS,
        ),
        Change(
            "the command asks nobody",
            "kioku/cli/doctor.py",
            "        found = memory.retract_held(arguments.retract_held, dry_run=True)",
            "        return memory.retract_held(arguments.retract_held)",
            "tests/integration/test_clock_repair.py -k machine_that_is_gone",
        ),
    ],
}
