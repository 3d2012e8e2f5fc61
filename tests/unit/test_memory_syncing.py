"""``memory.syncing()``: a program's own part in the mesh, over a mesh in memory."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku.errors import (
    AddressInUseError,
    ConfigError,
    InvalidArgumentError,
    NodeSilentError,
    PrivateSpaceError,
    ReplicaClosedError,
)
from tests.unit.nodes import Machines, contents, machines, state_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HUB = ["127.0.0.1:1"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    with machines(tmp_path) as made:
        monkeypatch.setattr(
            "kioku.node.node.dial_zenoh",
            lambda settings: made.mesh.connect(is_hub=settings.role == "hub"),
        )
        yield made


def test_a_program_shares_its_memory_for_as_long_as_its_block_lasts(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    here, there = spoke.memory(), hub.memory()
    here.save("before")
    with there.syncing(listen=HUB), here.syncing(connect=HUB) as syncing:
        assert syncing.wait_level(60)
        assert contents(there) == {"before"}
        here.save("meanwhile")
        there.save("from the hub")
        assert syncing.wait_level(60)
        assert contents(here) == contents(there) == {"before", "meanwhile", "from the hub"}
        assert syncing.statistics().role == "spoke"
    here.save("afterwards")
    assert contents(there) == {"before", "meanwhile", "from the hub"}


def test_one_address_may_be_given_without_a_list(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    with hub.memory().syncing(listen=HUB[0]), spoke.memory().syncing(connect=HUB[0]) as syncing:
        assert syncing.statistics().connect == ("tcp/127.0.0.1:1",)
        assert syncing.wait_level(60)


@pytest.mark.parametrize("timeout_s", [float("nan"), float("inf"), -1, "30", None, True])
def test_a_time_that_is_none_is_not_waited_for(world: Machines, timeout_s: Any) -> None:
    with world.hub().memory().syncing(listen=HUB) as syncing:
        with pytest.raises(InvalidArgumentError, match=r"timeout_s: .* is no number of seconds"):
            syncing.wait_level(timeout_s, is_stopped=lambda: True)
        assert not syncing.wait_level(0)


def test_it_relies_on_a_process_that_leads_already_and_takes_over_from_it(
    world: Machines,
) -> None:
    spoke = world.spoke()
    here = spoke.memory()
    with world.hub().node():
        first, second = here.syncing(connect=HUB), here.syncing(connect=HUB)
        with first, second:
            assert first.wait_level(60)
            assert second.wait_level(60)
            states = [one._node.statistics().spaces[0].state for one in (first, second)]
            assert sorted(states) == ["leading", "standby"]
            led = first if states[0] == "leading" else second
            follower = second if led is first else first
            assert follower.statistics().transport == "open"
            led.stop()
            until(lambda: follower._node.statistics().spaces[0].state == "leading")
            here.save("by the second")
            assert follower.wait_level(60)


def test_a_leader_that_was_stopped_is_named(
    world: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoke = world.spoke()
    here = spoke.memory()

    def silent(store: str, question: str) -> None:
        raise NodeSilentError(store, 123)

    with spoke.node() as leader:
        until(lambda: state_of(leader) == "leading")
        with here.syncing(connect=HUB) as syncing:
            until(lambda: syncing.statistics().spaces[0].state == "leading")  # the other's
            monkeypatch.setattr("kioku.node.control.ask", silent)
            with pytest.raises(NodeSilentError, match="process 123"):
                syncing.statistics()
            assert not syncing.wait_level(0.1)


def test_it_can_be_entered_again_but_not_twice_at_once(world: Machines) -> None:
    here = world.spoke().memory()
    syncing = here.syncing(connect=HUB)
    with syncing, pytest.raises(InvalidArgumentError, match="runs already"):
        syncing.start()
    with syncing:  # whose node hears of each save at once
        assert here.replica.followers == [syncing._node.notify]
    assert here.replica.followers == []


def test_an_error_in_the_block_ends_it_as_well(world: Machines) -> None:
    here = world.spoke().memory()
    with pytest.raises(ZeroDivisionError), here.syncing(connect=HUB):
        raise ZeroDivisionError
    assert here.replica.followers == []


def test_what_cannot_be_synced_is_refused_before_anything_begins(world: Machines) -> None:
    spoke = world.spoke()
    with pytest.raises(PrivateSpaceError, match="secret"):
        spoke.memory("secret", private=True).syncing(connect=HUB)
    with kioku.open(":memory:") as memory, pytest.raises(InvalidArgumentError, match="open a file"):
        memory.syncing(connect=HUB)
    memory = spoke.memory()
    with pytest.raises(ConfigError, match="kioku init"):
        memory.syncing()
    with pytest.raises(ConfigError):
        memory.syncing(connect=["no address at all"])
    with pytest.raises(ConfigError, match="insecure"):
        memory.syncing(listen=["192.0.2.7"])


def test_the_config_file_says_where_to_connect(
    world: Machines, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "config" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('mode = "spoke"\n[mesh]\nconnect = ["127.0.0.1:1"]\nmachine = "attic"\n')
    with world.hub().node(), world.spoke().memory().syncing() as syncing:
        assert syncing.wait_level(60)
        assert syncing.statistics().machine == "attic"


def test_a_store_that_nobody_named_becomes_the_hubs_space(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    hub.memory("team").save("of the team")
    here = spoke.memory("somewhere")
    here.save("of a machine that was just set up")
    with hub.node(hub.space("team")), here.syncing(connect=HUB) as syncing:
        assert syncing.wait_level(60)
    assert here.replica.space_name() == "team"
    assert len(contents(here)) == len(contents(hub.memory("team"))) == 2


def test_asyncio_waits_in_no_thread_of_the_memory(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()

    async def program() -> None:
        async with kioku.open_async(spoke.path()) as memory:
            await memory.save("awaited")
            async with await memory.syncing(connect=HUB) as syncing:
                waiting = asyncio.ensure_future(syncing.wait_level(60))
                assert len(await memory.list()) == 1  # meanwhile
                assert not waiting.done()
                world_hub.start()
                assert await waiting
                assert (await syncing.statistics()).role == "spoke"

    world_hub = hub.node(hub.space("default", is_chosen=False))
    try:
        asyncio.run(program())
        until(lambda: contents(hub.memory()) == {"awaited"})
    finally:
        world_hub.stop()


def test_cancelling_a_wait_ends_it_and_its_thread(world: Machines) -> None:
    spoke = world.spoke()
    before = threading.active_count()

    async def program() -> None:
        async with (
            kioku.open_async(spoke.path()) as memory,
            await memory.syncing(connect=HUB) as syncing,
        ):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(syncing.wait_level(3_600), 0.1)

    asyncio.run(program())
    until(lambda: threading.active_count() == before)


def test_a_hub_that_cannot_listen_says_so_before_the_block_begins(
    world: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dial(_: object) -> None:
        raise AddressInUseError("tcp/127.0.0.1:1", "it is taken")

    monkeypatch.setattr("kioku.node.node.dial_zenoh", dial)
    memory = world.hub().memory()
    syncing = memory.syncing(listen=HUB)
    with pytest.raises(AddressInUseError, match="taken"):
        syncing.start()
    assert not syncing._node.is_running
    assert memory.replica.followers == []


def test_a_closed_memory_does_not_begin_to_sync(world: Machines) -> None:
    memory = world.spoke().memory()
    memory.close()
    with pytest.raises(ReplicaClosedError):
        memory.syncing(connect=HUB)
