"""Engines over one wire: what one saves is on all, and nothing is said between equals."""

from __future__ import annotations

from kioku.transport.link import LinkChange
from tests.unit.node.world import World


def test_what_one_saves_is_shown_on_all_at_once() -> None:
    world = World()
    hub, anna, ben = world.add("hub", "hub"), world.add("anna"), world.add("ben")
    world.run(5_000)
    (key,) = anna.save(b"live")
    world.settle()
    assert [m.shows(key) for m in (hub, anna, ben)] == [b"live"] * 3
    assert world.is_level()


def test_who_joins_late_gets_all_there_is() -> None:
    world = World()
    world.add("hub", "hub")
    anna = world.add("anna")
    keys = [key for n in range(50) for key in anna.save(b"%d" % n)]
    world.run(5_000)
    late = world.add("late")
    world.run(2_000)
    assert all(late.shows(key) for key in keys)
    assert world.is_level()


def test_a_spoke_whose_link_is_back_asks_its_hub_at_once_what_it_missed() -> None:
    world = World()
    hub, anna = world.add("hub", "hub"), world.add("anna")
    world.run(5_000)
    for bodies in ([], [b"meanwhile"]):
        world.part(anna)
        keys = hub.save(*bodies)
        world.run(20_000)
        world.heal()
        anna.inbox.append(LinkChange(is_up=True))
        world.run(500)
        assert anna.engine.statistics().is_level
        assert [anna.shows(key) for key in keys] == bodies


def test_what_is_said_last_is_not_left_to_a_later_beacon() -> None:
    world = World()
    hub, anna = world.add("hub", "hub"), world.add("anna")
    world.run(5_000)
    (key,) = anna.save(b"last words")
    anna.step(anna.engine.farewell)
    anna.end()
    world.settle()
    assert hub.shows(key) == b"last words"
    [peer] = hub.engine.statistics().peers
    assert peer.is_level


def test_who_says_that_it_ends_is_not_counted_as_reached_any_more() -> None:
    world = World()
    hub, anna, ben = world.add("hub", "hub"), world.add("anna"), world.add("ben")
    world.run(5_000)
    ben.end()  # without a word: nobody can know yet
    anna.step(anna.engine.farewell)
    anna.end()
    world.settle()
    found = {peer.name: peer.is_reachable for peer in hub.engine.statistics().peers}
    assert found == {"anna": False, "ben": True}
    anna.begin()
    world.run(2_000)
    found = {peer.name: peer.is_reachable for peer in hub.engine.statistics().peers}
    assert found == {"anna": True, "ben": True}


def test_a_hub_that_nobody_is_left_with_is_not_ready() -> None:
    world = World()
    hub, anna = world.add("hub", "hub"), world.add("anna")
    world.run(5_000)
    assert hub.engine.statistics().is_ready
    anna.step(anna.engine.farewell)
    anna.end()
    world.settle()
    told = hub.engine.statistics()
    assert (told.is_ready, told.is_level) == (False, False)


def test_who_begins_anew_is_greeted_although_nobody_noticed_that_it_was_gone() -> None:
    world = World()
    hub, anna = world.add("hub", "hub"), world.add("anna")
    world.run(5_000)
    anna.end()
    anna.begin()
    world.run(2_000)
    assert [m.engine.statistics().is_level for m in (hub, anna)] == [True, True]


def test_whoever_saves_soon_knows_that_it_is_safe_on_the_hub_and_then_everywhere() -> None:
    world = World()
    hub, anna, ben = world.add("hub", "hub"), world.add("anna"), world.add("ben")
    world.run(100_000)  # what is said at the beginning is over
    for _ in range(5):
        anna.save(b"kept by more than me")
        world.run(2_000)
        levels = {peer.name: peer.is_level for peer in anna.engine.statistics().peers}
        assert levels["hub"]
        world.run(8_000)
        assert [m.engine.statistics().is_level for m in (hub, anna, ben)] == [True] * 3
        world.run(60_000)


def test_a_hub_answers_a_newcomer_at_once() -> None:
    world = World()
    hub = world.add("hub", "hub")
    hub.save(b"already here")
    world.run(100_000)
    late = world.add("late")
    world.settle()
    assert [peer.name for peer in late.engine.statistics().peers if peer.is_reachable] == ["hub"]
    assert world.is_level()
