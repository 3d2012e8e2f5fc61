"""Sabotages of what is seen of a mesh from outside: the doctor's checks of machines and copies."""

from __future__ import annotations

from tests.sabotage.change import Change
from tests.sabotage.doctor_mutants import case

FORKS = "kioku/doctor/forks.py"

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
}
