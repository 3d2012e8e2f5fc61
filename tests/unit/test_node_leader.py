"""Who leads: one process at a time, and never nobody for long."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from kioku.errors import StoreAccessError
from kioku.node.leader import LeaderLock, holder_of, lock_path
from tests.integration.child import Child

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from kioku.node.leader import LeaderLock
lock = LeaderLock(sys.argv[1])
print(lock.try_take(), flush=True)
sys.stdin.read()
"""

# Holds the lock; one child lets go of it, another does nothing and outlives its parent.
FORKER = """
import os, sys
from kioku.node.leader import LeaderLock
lock = LeaderLock(sys.argv[1])
assert lock.try_take()
generous = os.fork()
if generous == 0:
    lock.release()
    os._exit(0)
os.waitpid(generous, 0)
if os.fork() == 0:
    print("child", os.getpid(), lock.is_held, flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.read()
"""


def test_one_of_two_holds_it_until_it_lets_go(tmp_path: Path) -> None:
    one, two = (LeaderLock(str(tmp_path / "space.db")) for _ in range(2))
    assert (one.try_take(), one.try_take(), two.try_take()) == (True, True, False)
    one.release()
    one.release()
    assert (one.is_held, two.try_take(), one.try_take()) == (False, True, False)
    two.release()


def test_the_file_stays_and_is_its_owners_alone(tmp_path: Path) -> None:
    lock = LeaderLock(str(tmp_path / "space.db"))
    lock.try_take()
    lock.release()
    found = os.stat(tmp_path / "space.node.lock")
    assert stat.S_IMODE(found.st_mode) == 0o600


def test_two_ways_to_one_store_are_one_lock(tmp_path: Path) -> None:
    (tmp_path / "space.db").touch()
    (tmp_path / "other.db").symlink_to(tmp_path / "space.db")
    assert lock_path(str(tmp_path / "other.db")) == str(tmp_path / "space.node.lock")


def test_it_says_who_took_it_last(tmp_path: Path) -> None:
    store = str(tmp_path / "space.db")
    assert holder_of(store) is None
    lock = LeaderLock(store)
    lock.try_take()
    assert holder_of(store) == os.getpid()
    lock.release()
    (tmp_path / "space.node.lock").write_text("nonsense")
    assert holder_of(store) is None


def test_a_lock_whose_file_was_deleted_is_known_to_be_worth_nothing(tmp_path: Path) -> None:
    one, two = (LeaderLock(str(tmp_path / "space.db")) for _ in range(2))
    one.try_take()
    assert one.is_in_place()
    os.unlink(one.path)
    assert not one.is_in_place()
    assert two.try_take()
    assert (one.is_in_place(), two.is_in_place()) == (False, True)
    one.release()
    two.release()


def test_a_directory_that_cannot_be_written_is_an_error_of_the_operators(tmp_path: Path) -> None:
    with pytest.raises(StoreAccessError):
        LeaderLock(str(tmp_path / "absent" / "space.db")).try_take()


def test_the_death_of_its_holder_frees_it(tmp_path: Path) -> None:
    store = str(tmp_path / "space.db")
    lock = LeaderLock(store)
    with Child(HOLDER, store) as child:
        assert child.read_line() == "True"
        assert (lock.try_take(), holder_of(store)) == (False, child.pid)
        child.kill()
        assert lock.try_take()
    lock.release()


def test_a_forked_child_neither_has_it_nor_keeps_it_from_others(tmp_path: Path) -> None:
    store = str(tmp_path / "space.db")
    lock = LeaderLock(store)
    with Child(FORKER, store) as parent:
        who, pid, is_held = parent.read_line().split()
        assert (who, is_held) == ("child", "False")
        assert not lock.try_take()  # a child's letting go took nothing from its parent
        os.kill(parent.pid, 9)
        os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
        os.kill(int(pid), 0)  # the child lives
        assert lock.try_take()
    lock.release()
