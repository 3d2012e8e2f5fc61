"""What a node's log has lines for: what matters, once, and nothing that comes with every save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.cli.serve_log import (
    BARE_AFTER_MS,
    BARE_ROUTER,
    LASTING_MS,
    OFFSET_MS_MAX,
    PROGRESS_MS,
    ServeLog,
)
from kioku.node.status import SpaceStatus
from tests.unit.looks import ROUTER, engine, peer, status

if TYPE_CHECKING:
    from kioku.node.status import NodeStatus

HOLDER = 4711


class Reader:
    """Somebody who reads the log while time passes."""

    def __init__(self) -> None:
        self.log = ServeLog(lambda _: HOLDER)
        self.now_ms = 0

    def events(self, found: NodeStatus, *, after_ms: int = 1) -> list[str]:
        return [event for event, _ in self.told(found, after_ms=after_ms)]

    def told(self, found: NodeStatus, *, after_ms: int = 1) -> list[tuple[str, str]]:
        self.now_ms += after_ms
        return [(one.event, one.text) for one in self.log.look(found, self.now_ms)]


def begun() -> Reader:
    """One who has read that all is level."""
    reader = Reader()
    told = reader.told(status(engine(peer())))
    assert told == [
        ("connected", "connected to the mesh"),
        ("leading", "space team: is shared from here"),
        ("met", "met alpha (hub, kioku 0.1.0)"),
        ("level", "level with 1 peer"),
    ]
    return reader


def test_what_stays_as_it_is_is_told_once() -> None:
    reader = begun()
    for _ in range(100):
        assert reader.events(status(engine(peer())), after_ms=1_000) == []


def test_being_behind_for_a_moment_is_no_news() -> None:
    reader = begun()
    for _ in range(50):
        behind = engine(peer(is_level=False, behind=1), events_left=1)
        assert reader.events(status(behind), after_ms=LASTING_MS // 3) == []
        assert reader.events(status(engine(peer())), after_ms=LASTING_MS // 3) == []


def test_catching_up_is_told_now_and_then_until_it_is_done() -> None:
    reader = begun()
    told = []
    for left in range(100_000, 0, -1_000):
        lagging = peer(is_level=False, behind=left)
        found = engine(lagging, events_left=left, comparing_with="alpha")
        told += reader.told(status(found), after_ms=200)
    assert told[0][0] == "behind"
    assert told[0][1].startswith("catching up: ")
    assert told[0][1].endswith(" events left, now from alpha")
    assert len(told) <= 100 * 200 // PROGRESS_MS
    assert reader.told(status(engine(peer()))) == [("level", "level with 1 peer")]


def test_not_being_level_without_anything_to_come_says_with_whom() -> None:
    reader = begun()
    found = engine(peer(is_level=False, ahead=7), peer("gamma", is_level=False))
    told = [reader.told(status(found), after_ms=LASTING_MS) for _ in range(5)]
    assert told[0] == [("met", "met gamma (hub, kioku 0.1.0)")]
    assert told[1] == [("behind", "not level: alpha (7 ahead), gamma")]
    assert told[2:] == [[], [], []]


def test_one_who_has_all_is_enough_not_to_be_behind() -> None:
    """Where many save, somebody always lacks something."""
    reader = begun()
    busy = engine(peer(), peer("gamma", is_level=False, ahead=7))
    assert reader.events(status(busy)) == ["met"]
    for _ in range(20):
        assert reader.events(status(busy), after_ms=LASTING_MS) == []
    assert reader.told(status(engine(peer(), peer("gamma")))) == [("level", "level with 2 peers")]


def test_a_hub_says_where_it_listens_and_a_spoke_whom_it_dials() -> None:
    listening = status(role="hub", listen=("tcp/a:1", "tcp/b:2"), connect=(), routers=())
    assert Reader().told(listening)[:2] == [
        ("listening", "listening on tcp/a:1"),
        ("listening", "listening on tcp/b:2"),
    ]
    dialling = status(transport="dialling", routers=())
    assert Reader().told(dialling)[0] == ("dialling", "dialling tcp/192.0.2.1:7447")


def test_who_came_and_went_between_two_looks_is_told_once_for_each_time() -> None:
    reader = begun()
    gone = {"is_reachable": False, "is_level": True}
    for last_seen_ms in (5, 9):
        looked = status(engine(peer(), peer("gamma", last_seen_ms=last_seen_ms, **gone)))
        told = reader.told(looked)
        assert told[:2] == [
            ("met", "met gamma (hub, kioku 0.1.0)"),
            ("gone", "gamma is not reached any more"),
        ]
        assert reader.events(looked) == []
    silent = peer("gamma", last_seen_ms=11, problem="timeout", **gone)
    absent = peer("delta", last_seen_ms=7, offset_ms=None, **gone)
    assert reader.events(status(engine(peer(), silent, absent))) == ["problem"]


def test_a_lost_connection_and_a_lost_peer_are_told_and_so_is_their_return() -> None:
    reader = begun()
    gone = engine(peer(is_reachable=False))
    assert reader.events(status(gone, routers=())) == ["disconnected", "gone"]
    assert reader.events(status(gone, routers=())) == []
    assert reader.events(status(engine(peer()))) == ["connected", "met", "level"]


def test_who_runs_the_node_instead_is_named() -> None:
    reader = Reader()
    [(event, text)] = reader.told(status(state="standby", transport="idle", routers=()))
    assert event == "standby"
    assert f"process {HOLDER} runs its node" in text
    assert reader.events(status(engine(), state="leading")) == ["connected", "leading"]


def test_problems_forks_and_refusals_are_told_once_each() -> None:
    reader = begun()
    found = engine(
        peer(refused=("log 1 is of format 2",), problem="timeout"), forks=("split",), problem="full"
    )
    bad = status(found, problem="no way", space_problem="busy")
    assert sorted(reader.events(bad)) == ["fork", *["problem"] * 4, "refused"]
    assert reader.events(bad) == []
    more = engine(
        peer(refused=("log 1 is of format 2", "log 2 is too"), problem="timeout"),
        forks=("split", "again"),
        problem="full",
    )
    assert reader.told(status(more, problem="no way", space_problem="busy")) == [
        ("fork", "again"),
        ("refused", "refused from alpha: log 2 is too"),
    ]
    assert reader.events(status(engine(peer()))) == []  # what is over is over


def test_a_clock_that_is_off_is_told_by_which_way() -> None:
    reader = begun()
    within = engine(peer(offset_ms=OFFSET_MS_MAX))
    assert reader.events(status(within)) == []
    for offset_ms, said in ((75_000, "75 s ahead of"), (-7_500_000, "7,500 s behind")):
        [(event, text)] = reader.told(status(engine(peer(offset_ms=offset_ms))))
        assert (event, said in text) == ("clock", True)
        assert reader.events(status(engine(peer(offset_ms=offset_ms + 1)))) == []
        assert reader.events(status(engine(peer(offset_ms=None)))) == []


def test_a_router_that_keeps_nothing_is_told_of_once_it_had_time_to_speak() -> None:
    reader = Reader()
    bare = status(engine(identities=frozenset()))
    assert "bare-router" not in reader.events(bare)
    assert reader.events(bare, after_ms=BARE_AFTER_MS) == []
    assert reader.told(bare, after_ms=1) == [("bare-router", BARE_ROUTER)]
    assert reader.events(bare, after_ms=BARE_AFTER_MS) == []
    spoken = begun()
    assert spoken.events(status(engine(peer())), after_ms=2 * BARE_AFTER_MS) == []


def test_another_hub_that_is_a_replica_is_no_bare_router() -> None:
    reader = Reader()
    own = status(engine(peer(), identities=frozenset([ROUTER])), role="hub", routers=(ROUTER,))
    assert "another hub" in dict(reader.told(own))["connected"]
    assert reader.events(own, after_ms=2 * BARE_AFTER_MS) == []


def test_each_space_is_told_of_by_its_name() -> None:
    spaces = tuple(
        SpaceStatus(name, f"/{name}.db", b"", "leading", engine=engine(peer()))
        for name in ("home", "work")
    )
    told = ServeLog(lambda _: None).look(status()._replace(spaces=spaces), 0)
    assert [one.space for one in told if one.event == "level"] == ["home", "work"]
    assert [one.peer for one in told if one.event == "met"] == ["alpha", "alpha"]
