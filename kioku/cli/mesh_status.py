"""What ``kioku status`` says of the mesh: whether this store is level with anybody, and what stands
in the way.

The rule this module guards: ``mesh_ready`` is yes only while a node runs here and some peer that it
reaches has all that is here, and the other way round. To ask costs a second at most, and nothing is
started for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kioku.errors import ConfigError
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kioku.cli.acquaintance import Leader
    from kioku.config import Settings
    from kioku.config.mesh import MeshConfig
    from kioku.memory import Memory
    from kioku.node.statistics import EngineStatistics
    from kioku.node.status import SpaceStatus

OFF = {"mesh": "off", "mesh_ready": False}
NOT_RUNNING = "not running: `kioku serve` runs it"


def mesh_fields(settings: Settings, memory: Memory) -> dict[str, Any]:
    """Every field of the mesh; two where this store takes no part in one."""
    from kioku.cli.acquaintance import ask_leader
    from kioku.node.leader import lock_path

    store = settings.store_path
    if settings.mode == "local" and not os.path.exists(lock_path(store)):
        return OFF  # nobody ever ran a node of it, so nobody is asked
    leader = ask_leader(store)
    if settings.mode == "local" and leader.status is None and not leader.problem:
        return OFF
    config, wrong = _configured(settings)
    status = leader.status
    space = status.space_at(os.path.realpath(store)) if status is not None else None
    engine = space.engine if space is not None else None
    peers = engine.peers if engine is not None else ()
    reached = [peer for peer in peers if peer.is_reachable]
    ahead = [peer.ahead for peer in reached if peer.ahead is not None]
    known = {peer.log_id for peer in memory.replica.peers()} | {peer.log_id for peer in reached}
    remarks = [*wrong, *_remarks(leader, space, config, memory)]
    return {
        "mesh": status.role if status is not None else settings.mode,
        "mesh_ready": engine is not None and engine.is_ready,
        "mesh_node": leader.text if status is not None or leader.problem else NOT_RUNNING,
        "mesh_listen": list(status.listen if status else config.listen if config else ()),
        "mesh_connect": list(status.connect if status else config.connect if config else ()),
        "mesh_connected": bool(engine is not None and engine.is_up),
        "mesh_peers_reached": len(reached),
        "mesh_peers_known": len(known),
        "mesh_events_left": _left(engine, is_reached=bool(reached)),
        "unsent_events": min(ahead) if ahead else None,
        "mesh_remarks": remarks,
    }


def _left(engine: EngineStatistics | None, *, is_reached: bool) -> int | None:
    """Events that are known to be missing here; None where nobody is reached who would know."""
    if engine is None:
        return None
    return engine.events_left if is_reached else engine.events_left or None


def _configured(settings: Settings) -> tuple[MeshConfig | None, list[str]]:
    """What the config file says; what is wrong with it is only remarked."""
    if settings.mode == "local":
        return None, []
    from kioku.config.mesh import load_mesh

    try:
        return load_mesh(os.environ), []
    except ConfigError as error:
        return None, [str(error)]


def _remarks(
    leader: Leader, space: SpaceStatus | None, config: MeshConfig | None, memory: Memory
) -> Iterator[str]:
    from kioku.cli.serve_log import BARE_ROUTER, bare_routers

    status = leader.status
    yield from _exposures(status.listen if status else config.listen if config else ())
    if leader.problem:
        waiting = memory.replica.count_unsealed()
        if waiting:
            yield f"{counted(waiting, 'event')} saved here since that node stopped answering"
        return
    if status is None:
        return
    if bare_routers(status):
        yield BARE_ROUTER
    yield from filter(None, (status.remark, space.problem if space else ""))
    if space is not None and space.engine is not None:
        yield from _space_remarks(space)


def _exposures(endpoints: Iterable[str]) -> Iterator[str]:
    from kioku.config.endpoints import parse_endpoint
    from kioku.config.mesh import WHAT_INSECURE_MEANS

    for endpoint in endpoints:
        if not parse_endpoint(endpoint).is_loopback:
            yield f"insecure: {endpoint} is reached from other machines: {WHAT_INSECURE_MEANS}"


def _space_remarks(space: SpaceStatus) -> Iterator[str]:
    from kioku.cli.serve_log import OFFSET_MS_MAX

    engine = space.engine
    assert engine is not None, "it is looked at only where there is one"
    if engine.problem:
        yield engine.problem
    yield from engine.forks
    for peer in engine.peers:
        if peer.offset_ms is not None and abs(peer.offset_ms) > OFFSET_MS_MAX:
            yield f"the clock of {peer.name} is {peer.offset_ms // 1_000:+,} s off this one's"
        for reason in peer.refused:
            yield f"refused from {peer.name}: {reason}"
