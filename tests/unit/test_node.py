"""A node: its spaces, its lock, its end. Real threads and stores, over a mesh in memory."""

from __future__ import annotations

import os
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku.errors import (
    InvalidArgumentError,
    PeerUnreachableError,
    PrivateSpaceError,
    ReplicaClosedError,
    StoreCorruptError,
)
from kioku.node.leader import LeaderLock
from kioku.node.node import ask_leader, ask_leader_to_compare
from tests.unit.nodes import Machines, contents, machines, state_of, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kioku.node.node import Node


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Machines]:
    with machines(tmp_path) as made:
        yield made


def led_by(path: str) -> int:
    status = ask_leader(path)
    return status.pid if status is not None else 0


# -- what it is for


def test_what_one_machine_saves_is_on_the_others_before_and_while_they_run(world: Machines) -> None:
    hub, one, two = world.hub(), world.spoke("one"), world.spoke("two")
    one.memory().save("before")
    with hub.node() as cellar, one.node() as first, two.node() as second:
        for node in (cellar, first, second):
            assert node.wait_level(60), node.statistics()
        two.memory().save("while")
        memories = [machine.memory() for machine in (hub, one, two)]
        until(lambda: all(contents(memory) == {"before", "while"} for memory in memories))
        for node in (cellar, first, second):
            assert node.wait_level(60), node.statistics()


def test_a_save_that_the_node_is_told_of_is_level_only_once_peers_have_it(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    memory, there = spoke.memory(), hub.memory()
    with hub.node(), spoke.node() as node:
        memory.replica.followers.append(node.notify)
        assert node.wait_level(60)
        for number in range(5):
            memory.save(f"note {number}")
            assert node.wait_level(60), node.statistics()
            assert f"note {number}" in contents(there)


def test_one_connection_carries_several_spaces_and_no_private_one(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    spoke.memory("secret", private=True).save("nobody's business")
    for machine in (hub, spoke):
        for name in ("home", "team"):
            machine.memory(name).save(f"{name} of {machine.name}")
    spaces = [[machine.space(name) for name in ("home", "team")] for machine in (hub, spoke)]
    with hub.node(*spaces[0]) as cellar, spoke.node(*spaces[1]) as node:
        assert node.wait_level(60), node.statistics()
        assert cellar.wait_level(60), cellar.statistics()
        assert len(world.mesh.transports()) == 2
    for name in ("home", "team"):
        assert contents(hub.memory(name)) == {f"{name} of cellar", f"{name} of laptop"}
    with pytest.raises(PrivateSpaceError, match="secret"):
        spoke.node(spoke.space("team"), spoke.space("secret")).start()


def test_a_space_that_turns_out_to_be_private_takes_no_part(world: Machines) -> None:
    """Its store was not there when the node began, and another process created it."""
    hub, spoke = world.hub(), world.spoke()
    late = spoke.space("late")._replace(
        open=lambda: spoke.memory("late", private=True).replica.open_again(busy_timeout_ms=1_000)
    )
    with hub.node(), spoke.node(late) as node:
        until(lambda: "late is private" in node.statistics().spaces[0].problem, node.statistics)
        assert state_of(node) == "failed"
        lock = LeaderLock(late.path)
        until(lock.try_take)  # nobody else may be kept from it
        lock.release()


# -- who leads


def test_one_of_two_nodes_leads_and_the_other_takes_over(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    with hub.node(), spoke.node() as first:
        until(lambda: state_of(first) == "leading")
        with spoke.node() as second:
            until(lambda: state_of(second) == "standby")
            assert second.statistics().transport == "idle"
            first.stop()
            until(lambda: state_of(second) == "leading")
            spoke.memory().save("by the second")
            assert second.wait_level(60)
        assert contents(hub.memory()) == {"by the second"}


def test_a_lock_whose_file_is_deleted_is_taken_anew(world: Machines) -> None:
    spoke = world.spoke()
    with world.hub().node(), spoke.node() as node:
        until(lambda: state_of(node) == "leading")
        os.unlink(spoke.directory / "default.node.lock")
        until(lambda: "deleted" in node.statistics().spaces[0].problem)
        until(lambda: state_of(node) == "leading")
        assert node.wait_level(60)


def test_a_store_that_is_moved_away_is_said_and_found_again(world: Machines) -> None:
    spoke = world.spoke()
    spoke.memory().save("here")
    with world.hub().node(), spoke.node() as node:
        until(lambda: state_of(node) == "leading")
        os.rename(spoke.path(), spoke.directory / "elsewhere")
        until(lambda: state_of(node) == "failed")
        os.rename(spoke.directory / "elsewhere", spoke.path())
        until(lambda: state_of(node) == "leading", node.statistics)


# -- beginning and ending


def test_a_node_can_be_started_again_as_often_as_it_was_stopped(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    node = spoke.node()
    assert node.statistics().spaces[0].state == "standby"
    with hub.node():
        for number in range(3):
            node.start()
            with pytest.raises(InvalidArgumentError, match="runs already"):
                node.start()
            spoke.memory().save(f"run {number}")
            assert node.wait_level(60)
            assert node.stop()
            assert node.stop()
            assert not node.is_running
            assert state_of(node) == "stopped"
    assert contents(hub.memory()) == {"run 0", "run 1", "run 2"}


def test_what_was_saved_last_is_published_before_a_node_has_stopped(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    memory = spoke.memory()
    with hub.node() as cellar:
        with spoke.node() as node:
            assert node.wait_level(60)
            memory.save("the last words")
        until(lambda: contents(hub.memory()) == {"the last words"}, cellar.statistics)
        assert memory.replica.count_unsealed() == 0


def test_a_node_may_be_stopped_at_any_moment(world: Machines) -> None:
    spoke = world.spoke()
    node = spoke.node()
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: until(lambda: state_of(node) == "leading"),
        node.compare_now,
        lambda: spoke.memory().save("anything"),
    ]
    with world.hub().node():
        for step in steps * 3:
            node.start()
            step()
            assert node.stop(60)
        with node:
            assert node.wait_level(60)


def test_what_ends_a_node_is_told_to_who_stops_it_and_it_can_begin_again(
    world: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kioku.node.loop import Loop

    def broken(_: Loop, __: int) -> None:
        raise ZeroDivisionError("by the test")

    spoke = world.spoke()
    node = spoke.node()
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_go_round", broken)
        node.start()
        assert node.join(60)
    with pytest.raises(ZeroDivisionError, match="by the test"):
        node.stop()
    assert node.stop()
    with world.hub().node(), node:
        assert node.wait_level(60)


def test_stopping_frees_the_lock_the_socket_and_every_thread(world: Machines) -> None:
    spoke = world.spoke()
    before = threading.active_count()
    with spoke.node() as node:
        until(lambda: ask_leader(spoke.path()) is not None)
        assert threading.active_count() > before
        node.stop()
        assert ask_leader(spoke.path()) is None
        files = set(os.listdir(spoke.directory))
        assert "default.node.lock" in files
        assert "default.node.sock" not in files
    until(lambda: threading.active_count() == before)


def test_who_leads_finishes_an_erasure_also_while_no_hub_can_be_reached(world: Machines) -> None:
    def dial(_: Any) -> Any:
        raise PeerUnreachableError("no hub answered; it is tried again")

    spoke = world.spoke()
    memory = spoke.memory()
    key = bytes.fromhex(memory.save("to be forgotten").id)
    reader = memory.replica.open_again(busy_timeout_ms=100)
    with spoke.node(dial=dial) as node:
        until(lambda: state_of(node) == "leading")
        with reader.reading(now_ms=memory.now_ms()) as reading:
            assert not reading.is_purged(key)
            memory.replica.append([kioku.Draft(kioku.PURGE, key, None)], now_ms=memory.now_ms())
            assert not memory.replica.is_erased()
        until(memory.replica.is_erased)
    reader.close()


def test_a_node_of_nothing_is_refused(world: Machines) -> None:
    from kioku.node.node import Node

    with pytest.raises(InvalidArgumentError, match="spaces"):
        Node(world.spoke().mesh_settings, [], version="0")


def test_a_forked_child_can_neither_use_nor_end_its_parents_node(world: Machines) -> None:
    spoke = world.spoke()
    with world.hub().node(), spoke.node() as node:
        until(lambda: state_of(node) == "leading")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of later Pythons: we know why
            pid = os.fork()
        if pid == 0:
            code = 1
            try:
                assert node.stop()
                node.notify()
                try:
                    node.statistics()
                except ReplicaClosedError:
                    code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert led_by(spoke.path()) == os.getpid()
        assert node.wait_level(60)


# -- what it tells


def test_a_store_that_cannot_be_read_is_told_and_ends_no_node(
    world: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kioku.node.engine import Engine

    def broken(_: Engine) -> Any:
        raise StoreCorruptError("the disk has a hole; run kioku doctor")

    with world.hub().node() as node:
        until(lambda: state_of(node) == "leading")
        until(lambda: node.statistics().spaces[0].engine is not None)
        monkeypatch.setattr(Engine, "statistics", broken)
        assert "a hole" in node.statistics().spaces[0].problem
        monkeypatch.undo()
        assert node.statistics().spaces[0].problem == ""


def test_others_who_write_for_long_are_waited_for_and_told_of(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    memory = spoke.memory()
    with hub.node() as cellar, spoke.node() as node:
        assert node.wait_level(60)
        with memory.replica.transaction(now_ms=memory.now_ms()):
            hub.memory().save("comes meanwhile")
            until(lambda: _is_told_busy(node))
        assert node.wait_level(60), node.statistics()
        assert cellar.wait_level(60)
        assert contents(memory) == {"comes meanwhile"}
        assert node.statistics().spaces[0].problem == ""


def test_a_store_that_others_write_to_is_led_as_soon_as_they_let_it(world: Machines) -> None:
    spoke = world.spoke()
    memory = spoke.memory()
    node = spoke.node()
    try:
        with world.hub().node():
            with memory.replica.transaction(now_ms=memory.now_ms()):
                node.start()
                until(lambda: _is_told_busy(node), node.statistics)
                assert state_of(node) == "leading"
            assert node.wait_level(60)
    finally:
        node.stop()


def _is_told_busy(node: Node) -> bool:
    space = node.statistics().spaces[0]
    return "locked" in space.problem + (space.engine.problem if space.engine else "")


def test_another_process_reads_of_a_node_just_what_it_tells_itself(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    assert ask_leader(spoke.path()) is None
    with hub.node(), spoke.node() as node:
        assert node.wait_level(60)
        told, read = node.statistics(), ask_leader(spoke.path())
        assert read is not None
        assert (read.pid, read.machine, read.role) == (os.getpid(), "laptop", "spoke")
        assert (read.identity, read.routers) == (told.identity, told.routers)
        space = read.space_at(spoke.path())
        assert space is not None
        assert space.is_level
        assert space.engine is not None
        assert [peer.machine for peer in space.engine.peers] == ["cellar"]
        assert read.space_at("/elsewhere") is None


def test_a_node_that_is_busy_tells_what_it_told_last_and_how_old_that_is(
    world: Machines,
) -> None:
    with world.hub().node() as node:
        until(lambda: state_of(node) == "leading")
        may_go_on = threading.Event()
        assert node._loop is not None
        node._loop.post(may_go_on.wait)
        told = node.statistics()
        may_go_on.set()
        assert told.spaces[0].state == "leading"
        assert told.age_ms >= 1_000


def test_another_process_can_have_it_compare(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    assert ask_leader_to_compare(spoke.path()) is None
    with hub.node(), spoke.node() as node:
        assert node.wait_level(60)
        assert ask_leader_to_compare(spoke.path()) is not None
        assert node.wait_level(60)


def test_no_fault_in_one_space_touches_another(
    world: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kioku.node.engine import Engine

    hub, spoke = world.hub(), world.spoke()
    handle = Engine.handle

    def faulty(self: Engine, delivery: Any) -> None:
        if self._site.replica.space_name() == "home":
            raise ZeroDivisionError("by the test")
        handle(self, delivery)

    spaces = [[machine.space(name) for name in ("home", "team")] for machine in (hub, spoke)]
    spoke.memory("team").save("goes on")
    monkeypatch.setattr(Engine, "handle", faulty)
    with hub.node(*spaces[0]), spoke.node(*spaces[1]) as node:
        until(lambda: "ZeroDivisionError" in node.statistics().spaces[0].problem)
        until(lambda: contents(hub.memory("team")) == {"goes on"})
        assert node.is_running
