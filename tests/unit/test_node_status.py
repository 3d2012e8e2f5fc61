"""A node's status crosses to another process whole, or not at all."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from kioku.errors import TransportError
from kioku.node.inbox import InboxStatistics
from kioku.node.node import wait_level
from kioku.node.statistics import EngineStatistics, PeerStatistics
from kioku.node.status import NodeStatus, SpaceStatus
from kioku.transport.link import Address
from kioku.values import replace

PEER = PeerStatistics(
    name="cellar",
    machine="cellar",
    log_id=bytes(range(16)),
    role="hub",
    version="0.1.0",
    last_seen_ms=1_700_000_000_000,
    is_reachable=True,
    is_level=False,
    was_level_ms=None,
    behind=3,
    ahead=None,
    offset_ms=-12,
    erased=True,
    held=0,
    missing=0,
    refused=("a log that equivocates",),
    problem="",
)
ENGINE = EngineStatistics(
    address=Address(b"s" * 16, "laptop", b"l" * 16),
    space="team",
    role="spoke",
    is_up=True,
    is_level=False,
    is_ready=False,
    is_comparing=True,
    comparing_with="cellar",
    events_left=3,
    peers=(PEER,),
    identities=frozenset({b"b", b"a"}),
    erased=True,
    missing=1,
    forks=(),
    problem="",
    counts=MappingProxyType({"beacons_sent": 2, "hex": 1}),
)
STATUS = NodeStatus(
    pid=123,
    version="0.1.0",
    machine="laptop",
    role="spoke",
    listen=(),
    connect=("tcp/cellar:7447",),
    uptime_ms=5,
    transport="open",
    problem="",
    identity=b"\x00\xff",
    routers=(b"r",),
    rebuilds=0,
    spaces=(
        SpaceStatus(
            "team", "/x/team.db", b"s" * 16, "leading", "", ENGINE, InboxStatistics(*range(5))
        ),
        SpaceStatus("home", "/x/home.db", b"", "standby"),
    ),
)


def test_what_one_process_tells_is_what_the_other_reads() -> None:
    read = NodeStatus.from_json(json.loads(json.dumps(STATUS.to_json())))
    assert read == STATUS
    space = read.space_at("/x/team.db")
    assert space is not None
    assert space.engine is not None
    assert space.engine.identities == {b"a", b"b"}
    assert space.engine.counts["hex"] == 1


def test_a_spoke_whose_connection_was_lost_says_so() -> None:
    assert STATUS.remark == ""
    lost = STATUS._replace(routers=())
    assert lost.remark.startswith("no hub answers at tcp/cellar:7447; see that")
    assert lost._replace(problem="why").remark == "why"
    assert lost._replace(role="hub").remark == ""
    assert lost._replace(transport="dialling").remark == "", "that is not known yet"


def test_what_a_later_version_adds_is_left_out() -> None:
    told = STATUS.to_json()
    told["NodeStatus"]["mood"] = {"hex": "00"}
    assert NodeStatus.from_json(told) == STATUS


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        "status",
        {},
        {"NodeStatus": {}},
        {"NodeStatus": 1},
        {"PeerStatistics": {}},
        {"SpaceStatus": {"name": "a", "path": "b", "space_id": {"hex": ""}, "state": "leading"}},
        {"Unheard": {}},
        {"hex": "zz"},
        {"a": 1, "b": 2},
        {"map": 1},
        {"set": [[[{"hex": "00"}]], {"map": {}}]},
    ],
)
def test_what_is_no_status_says_that_the_versions_differ(told: object) -> None:
    with pytest.raises(TransportError, match="another version of kioku; restart it"):
        NodeStatus.from_json(told)


def test_a_space_is_level_only_as_its_engine_says() -> None:
    assert [space.is_level for space in STATUS.spaces] == [False, False]


LEVEL = STATUS.spaces[0]._replace(engine=replace(ENGINE, is_level=True))


def test_who_waits_to_be_level_has_spaces_compared_until_they_are() -> None:
    compared: list[int] = []

    def look() -> list[SpaceStatus]:
        return [LEVEL] if len(compared) == 2 else [LEVEL, STATUS.spaces[0]]

    assert wait_level(look, lambda: compared.append(1), 60)
    assert len(compared) == 2


def test_who_is_level_has_nothing_compared_and_who_is_stopped_waits_no_more() -> None:
    compared: list[int] = []
    assert wait_level(lambda: [LEVEL], lambda: compared.append(1), 0)
    assert not wait_level(list, lambda: compared.append(1), 0)
    assert not wait_level(list, lambda: compared.append(1), 3_600, is_stopped=lambda: True)
    assert not compared
