"""When engines compare, and with whom: hubs first, and equals never."""

from __future__ import annotations

import itertools

import pytest

from kioku.node.peers import BACKOFF_MS_MAX
from kioku.transport.link import LinkChange, Put
from kioku.transport.message import Live
from tests.unit.node.world import Machine, World


def pairs(world: World) -> list[tuple[str, str]]:
    """Who asked whom for heads."""
    return [(asker, asked) for asker, asked, kind in world.asked if kind == "heads"]


def spokes(world: World) -> tuple[Machine, Machine, Machine]:
    """A hub and two spokes that know each other and are level."""
    hub = world.add("hub", "hub")
    world.run(1_000)
    anna, ben = world.add("anna"), world.add("ben")
    world.run(10_000)
    assert world.is_level()
    world.asked.clear()
    return hub, anna, ben


def test_equals_exchange_beacons_and_nothing_else_and_write_nothing() -> None:
    world = World()
    machines = spokes(world)
    world.run(120_000)
    writes = [machine.count_writes() for machine in machines]
    world.counts.clear()
    world.asked.clear()
    world.run(600_000)
    assert set(world.counts) == {"put beacon"}
    assert 3 * 600 // 45 <= world.counts["put beacon"] <= 3 * 600 // 15
    assert [machine.count_writes() for machine in machines] == writes


def test_what_live_traffic_has_delivered_needs_no_session() -> None:
    world = World()
    _, anna, ben = spokes(world)
    for n in range(20):
        anna.save(b"anna %d" % n)
        ben.save(b"ben %d" % n)
        world.run(700)
    world.run(60_000)
    assert world.is_level()
    assert pairs(world) == []


def test_events_whose_live_chunk_was_lost_come_within_seconds() -> None:
    world = World()
    hub, anna, ben = spokes(world)
    world.is_cut = lambda _from, _to, kind: kind == "live"
    (key,) = anna.save(b"quiet")
    world.settle()
    assert hub.shows(key) is None
    world.run(5_000)
    assert hub.shows(key) == ben.shows(key) == b"quiet"
    assert world.is_level()


def test_who_saved_learns_within_seconds_that_all_have_it() -> None:
    world = World()
    _, anna, _ = spokes(world)
    world.run(60_000)
    anna.save(b"is it kept?")
    told = anna.engine.statistics()
    assert not told.is_level
    assert not told.is_ready
    world.run(3_100)
    assert anna.engine.statistics().is_ready
    world.run(5_000)
    assert anna.engine.statistics().is_level
    assert pairs(world) == []


def test_while_events_keep_coming_a_hub_says_so_every_ten_seconds() -> None:
    world = World()
    hub, anna, _ = spokes(world)
    before = hub.engine.statistics().counts["beacons_sent"]
    for n in range(120):
        anna.save(b"%d" % n)
        world.run(500)
    assert 6 <= hub.engine.statistics().counts["beacons_sent"] - before <= 8


def test_what_a_peer_has_is_compared_with_once_though_it_lacks_something_itself() -> None:
    world = World()
    hub, anna, _ = spokes(world)
    world.is_cut = lambda sender, _receiver, kind: (
        kind == "live"
        or (
            sender is anna and kind != "beacon"  # she can fetch nothing
        )
    )
    anna.save(b"hers")
    hub.save(b"the hub's")
    world.run(300_000)
    assert anna.digest() != hub.digest()
    assert pairs(world).count(("hub", "anna")) == 1


def test_what_is_still_under_way_when_another_tells_of_it_needs_no_session() -> None:
    world = World()
    hub, anna, ben = spokes(world)
    world.is_cut = lambda sender, receiver, _kind: sender is ben and receiver is hub
    (key,) = ben.save(b"slow")
    anna.save(b"quick")
    tip = ben.engine._site.own_tip()
    assert tip
    chunks = ben.engine._site.holdings.read_range(tip, None)
    assert chunks
    world.run(1_050)  # the hub has heard from anna that there is more
    assert hub.shows(key) is None
    for chunk in chunks:
        hub.inbox.append(Put(ben.engine.address, "live", Live(chunk).encode()))
    world.settle()
    assert hub.shows(key) == b"slow"
    world.heal()
    world.run(60_000)
    assert world.is_level()
    assert "hub" not in {asker for asker, _ in pairs(world)}


def test_a_chunk_that_does_not_fit_is_a_hint_to_compare_soon() -> None:
    world = World()
    hub, anna, _ = spokes(world)
    world.is_cut = lambda _from, _to, kind: kind in ("live", "beacon")
    (first,) = anna.save(b"lost")
    world.is_cut = lambda _from, _to, kind: kind == "beacon"
    anna.save(b"does not fit")
    world.run(500)
    assert hub.shows(first) == b"lost"


def test_a_spoke_hears_from_the_hub_and_asks_no_other_spoke() -> None:
    world = World()
    _, anna, _ = spokes(world)
    world.is_cut = lambda _from, _to, kind: kind == "live"
    for n in range(5):
        anna.save(b"%d" % n)
        world.run(8_000)
    assert world.is_level()
    assert {("hub", "anna"), ("ben", "hub")} == set(pairs(world))


def test_without_a_hub_spokes_ask_each_other() -> None:
    world = World()
    hub, anna, ben = spokes(world)
    hub.end()
    world.run(120_000)
    world.is_cut = lambda _from, _to, kind: kind == "live"
    (key,) = anna.save(b"between us")
    world.run(5_000)
    assert ben.shows(key) == b"between us"


def test_a_spoke_asks_another_if_the_hub_stays_without() -> None:
    world = World()
    hub, anna, ben = spokes(world)
    # The hub hears anna and cannot fetch from her; ben could.
    world.is_cut = lambda sender, receiver, kind: (
        kind != "beacon"
        and {sender, receiver}
        == {
            hub,
            anna,
        }
    )
    live = world.is_cut
    world.is_cut = lambda *way: way[2] == "live" or live(*way)
    (key,) = anna.save(b"past the hub")
    world.run(15_000)
    assert ben.shows(key) == b"past the hub"
    assert hub.shows(key) == b"past the hub"  # it asked ben in turn


def test_heads_are_compared_once_an_hour_although_the_digests_agree() -> None:
    world = World()
    spokes(world)
    world.run(3 * 3_600_000)
    asked = pairs(world)
    for pair in itertools.permutations(("hub", "anna", "ben"), 2):
        assert 2 <= asked.count(pair) <= 3


def test_a_peer_that_never_answers_is_left_for_another() -> None:
    world = World()
    first, second = world.add("first", "hub"), world.add("second", "hub")
    world.run(1_000)
    (key,) = second.save(b"elsewhere")
    world.run(5_000)
    first.is_stuck = True
    late = world.add("late")
    world.run(20_000)
    assert late.shows(key) == b"elsewhere"
    stuck = next(p for p in late.engine.statistics().peers if p.machine == "first")
    assert "no answer" in stuck.problem


def test_who_fails_is_tried_again_later_and_later_up_to_a_minute() -> None:
    world = World()
    hub, anna, _ = spokes(world)
    world.is_cut = lambda sender, receiver, kind: kind not in ("live", "beacon")
    hub.save(b"one")
    world.is_cut = lambda sender, receiver, kind: kind != "beacon"
    hub.save(b"two")
    failures = []
    for _ in range(900):
        world.run(1_000)
        failures.append(anna.engine.statistics().counts.get("sessions_failed", 0))
    assert 10 <= failures[-1] <= 60
    gaps = [len(list(group)) for _, group in itertools.groupby(failures)]
    assert max(gaps) <= BACKOFF_MS_MAX // 1_000 + 2
    world.heal()
    world.run(BACKOFF_MS_MAX + 2_000)
    assert world.is_level()


def test_a_link_that_went_down_cuts_the_session_and_comparing_begins_when_it_is_up() -> None:
    world = World()
    hub, anna, ben = spokes(world)
    world.part(anna)
    world.run(1_000)
    statistics = anna.engine.statistics()
    assert not statistics.is_up
    assert not any(peer.is_reachable for peer in statistics.peers)
    (key,) = hub.save(b"meanwhile")
    (mine,) = anna.save(b"alone")
    world.run(300_000)
    world.heal()
    anna.inbox.append(LinkChange(is_up=True))
    world.run(3_000)
    assert anna.shows(key) == b"meanwhile"
    assert ben.shows(mine) == hub.shows(mine) == b"alone"
    assert world.is_level()


def test_comparing_can_be_asked_for_and_told_when_it_is_over() -> None:
    world = World()
    _, anna, _ = spokes(world)
    anna.engine.compare_now()
    assert anna.engine.statistics().is_comparing
    anna.due_ms = world.now_ms
    world.run(500)
    statistics = anna.engine.statistics()
    assert not statistics.is_comparing
    assert statistics.is_level
    assert {("anna", "hub"), ("anna", "ben")} == set(pairs(world))


@pytest.mark.parametrize("count", [1, 3_000])
def test_statistics_tell_who_is_level_and_how_far_the_others_are(count: int) -> None:
    world = World()
    hub, anna, _ = spokes(world)
    world.is_cut = lambda sender, receiver, kind: kind != "beacon"
    anna.save(*[b"%d" % n for n in range(count)])
    world.run(1_100)
    (told,) = [p for p in hub.engine.statistics().peers if p.machine == "anna"]
    assert (told.is_level, told.behind) == (False, count)
    world.heal()
    world.run(60_000)
    assert world.is_level()
    for machine in world.machines:
        statistics = machine.engine.statistics()
        assert statistics.is_level
        assert statistics.events_left == 0
        assert all((p.is_level, p.behind, p.ahead) == (True, 0, 0) for p in statistics.peers)
