"""Spokes that were told of no space, and the hubs that they ask: nodes over a mesh in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.nodes import Machines, contents, machines, state_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kioku.node.node import Node


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Machines]:
    with machines(tmp_path) as made:
        yield made


def problem_of(node: Node) -> str:
    return node.statistics().spaces[0].problem


def test_a_new_spoke_becomes_the_one_space_of_its_hub_with_what_it_has(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    hub.memory("team").save("of the team")
    spoke.memory().save("of the new machine")
    with (
        hub.node(hub.space("team")) as cellar,
        spoke.node(spoke.space(is_chosen=False)) as node,
    ):
        assert node.wait_level(60), node.statistics()
        assert cellar.wait_level(60), cellar.statistics()
        assert node.statistics().spaces[0].name == "team"
    both = {"of the team", "of the new machine"}
    assert contents(spoke.memory()) == contents(hub.memory("team")) == both
    assert spoke.memory().replica.space_id() == hub.memory("team").replica.space_id()


def test_it_stays_what_it_became_also_where_no_hub_answers(world: Machines) -> None:
    hub, spoke, other = world.hub(), world.spoke("one"), world.spoke("two")
    hub.memory("team").save("of the team")
    with hub.node(hub.space("team")), spoke.node(spoke.space(is_chosen=False)) as node:
        assert node.wait_level(60)
    router = world.mesh.connect(is_hub=True)  # that of a plain Zenoh, say
    with (
        spoke.node(spoke.space(is_chosen=False)) as first,
        other.node(other.space("team")) as second,
    ):
        spoke.memory().save("without a hub")
        assert first.wait_level(60), first.statistics()
        assert second.wait_level(60), second.statistics()
    assert "without a hub" in contents(other.memory("team"))
    router.close(1)


def test_a_spoke_waits_while_its_hubs_have_several_spaces_and_names_them(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    spaces = [hub.space(name) for name in ("team", "home")]
    with hub.node(*spaces), spoke.node(spoke.space(is_chosen=False)) as node:
        until(lambda: "home, team; choose one" in problem_of(node))
        assert state_of(node) == "joining"
        assert not node.wait_level(0.3)
    with hub.node(*spaces), spoke.node(spoke.space("home")) as node:
        assert node.wait_level(60)


def test_a_spoke_waits_for_a_hub_that_has_a_space(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    router = world.mesh.connect(is_hub=True)  # that of a plain Zenoh, say
    with spoke.node(spoke.space(is_chosen=False)) as node:
        until(lambda: node.statistics().transport == "open")
        assert state_of(node) == "joining"
        assert problem_of(node) == ""
        with hub.node(hub.space("team")):
            assert node.wait_level(60), node.statistics()
            assert node.statistics().spaces[0].name == "team"
    router.close(1)


def test_a_store_that_met_its_peers_keeps_to_its_space_and_says_so(world: Machines) -> None:
    hub, spoke = world.hub(), world.spoke()
    with hub.node(), spoke.node(spoke.space(is_chosen=False)) as node:
        assert node.wait_level(60)
    spoke.memory().save("kept to itself")
    with (
        hub.node(hub.space("team")) as cellar,
        spoke.node(spoke.space(is_chosen=False)) as node,
    ):
        until(lambda: "has met its peers, but the hubs have team" in problem_of(node))
        assert state_of(node) == "leading"
        assert not cellar.wait_level(0.3)
    assert contents(hub.memory("team")) == set()
    assert spoke.memory().replica.space_name() == "default"


def test_two_spokes_that_are_new_meet_in_the_space_of_their_hub(world: Machines) -> None:
    hub, one, two = world.hub(), world.spoke("one"), world.spoke("two")
    one.memory("a").save("of one")
    two.memory("b").save("of two")
    with (
        hub.node(hub.space("team")),
        one.node(one.space("a", is_chosen=False)) as first,
        two.node(two.space("b", is_chosen=False)) as second,
    ):
        until(
            lambda: contents(one.memory("a")) == contents(two.memory("b")) == {"of one", "of two"}
        )
        assert first.wait_level(60)
        assert second.wait_level(60)
