"""Looks at a node, as values that a test makes up."""

from __future__ import annotations

from typing import Any

from kioku.node.statistics import EngineStatistics, PeerStatistics
from kioku.node.status import NodeStatus, SpaceStatus

ROUTER = b"router"


def peer(name: str = "alpha", **changes: Any) -> PeerStatistics:
    fields: dict[str, Any] = {
        "name": name,
        "machine": name,
        "log_id": name.encode().ljust(16, b"\0"),
        "role": "hub",
        "version": "0.1.0",
        "last_seen_ms": 1,
        "is_reachable": True,
        "is_level": True,
        "was_level_ms": 0,
        "behind": 0,
        "ahead": 0,
        "offset_ms": 3,
        "erased": True,
        "held": 0,
        "missing": 0,
        "refused": (),
        "problem": "",
    }
    return PeerStatistics(**{**fields, **changes})


def engine(*peers: PeerStatistics, **changes: Any) -> EngineStatistics:
    reached = [one for one in peers if one.is_reachable]
    fields: dict[str, Any] = {
        "address": None,
        "space": "team",
        "role": "spoke",
        "is_up": True,
        "is_level": bool(reached) and all(one.is_level for one in reached),
        "is_ready": any(one.is_level for one in reached),
        "is_comparing": False,
        "comparing_with": "",
        "events_left": 0,
        "peers": peers,
        "identities": frozenset([ROUTER]),
        "erased": True,
        "missing": 0,
        "forks": (),
        "problem": "",
        "counts": {},
    }
    return EngineStatistics(**{**fields, **changes})


def status(
    found: EngineStatistics | None = None,
    *,
    state: Any = "leading",
    space_problem: str = "",
    **changes: Any,
) -> NodeStatus:
    space = SpaceStatus("team", "/team.db", b"", state, problem=space_problem, engine=found)
    fields: dict[str, Any] = {
        "pid": 1,
        "version": "0.1.0",
        "machine": "beta",
        "role": "spoke",
        "listen": (),
        "connect": ("tcp/192.0.2.1:7447",),
        "uptime_ms": 1,
        "transport": "open",
        "problem": "",
        "identity": b"own",
        "routers": (ROUTER,),
        "rebuilds": 0,
        "spaces": (space,),
    }
    return NodeStatus(**{**fields, **changes})
