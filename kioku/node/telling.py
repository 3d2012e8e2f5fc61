"""How an engine's statistics are made: what was heard, beside what the store knows."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kioku.node.statistics import EngineStatistics, PeerStatistics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.log.peers import Peer as MetPeer
    from kioku.node.comparing import Comparer
    from kioku.node.forks import ForkWatch
    from kioku.node.peers import Peer, Peers
    from kioku.node.site import Site

JUST_MS: Final = 5_000
FAILURES_REACHABLE_MAX: Final = 1
"""A peer whose sessions have failed more often in a row does not count as reachable."""


def tell(
    site: Site, peers: Peers, comparer: Comparer, forks: ForkWatch, clock_problem: str
) -> EngineStatistics:
    """Give an engine's statistics. Cost: O(peers)."""
    heard = [_peer(site, peer) for peer in peers]
    known = {peer.log_id for peer in heard}
    absent = (_absent(site, peer) for peer in site.replica.peers() if peer.log_id not in known)
    told = sorted((*heard, *absent), key=_order)
    near = [peer for peer in told if peer.is_reachable]
    running = comparer.conversation
    return EngineStatistics(
        address=site.address,
        space=site.replica.space_name(),
        role=site.profile.role,
        is_up=site.is_up,
        is_level=bool(near) and all(peer.is_level for peer in near),
        is_ready=any(peer.is_level for peer in near),
        is_comparing=comparer.is_busy,
        comparing_with=running.peer.address.machine if running else "",
        events_left=_events_left(near, running.events_left if running else 0),
        peers=tuple(told),
        identities=frozenset(p.identity for p in peers if p.is_reachable and p.identity),
        erased=site.holdings.is_erased(),
        missing=site.count_missing(),
        forks=forks.sentences,
        problem=site.problem or clock_problem,
        counts=MappingProxyType(dict(site.counts)),
    )


def _order(peer: PeerStatistics) -> tuple[bool, str, bytes]:
    return (peer.role != "hub", peer.machine, peer.log_id)


def _events_left(near: Iterable[PeerStatistics], running: int) -> int:
    return max([running, *(peer.behind or 0 for peer in near)])


def is_level(site: Site, peer: Peer) -> bool:
    """Whether a peer stated what is stated here, now or just now.

    While others save, no two are level for long. A few seconds are let pass, but not over an event
    of our own: that may be what somebody waits for.
    """
    if peer.digest and peer.digest == site.digest:
        return True
    if peer.level_ms is None or site.clock.steady_ms() - peer.level_ms > JUST_MS:
        return False
    return peer.level_tip == site.own_tip()


def is_answering(peer: Peer) -> bool:
    """Whether a peer was heard of late, has not said that it ends, and answers what it is asked."""
    is_there = peer.is_reachable and not peer.has_left
    return is_there and peer.failures <= FAILURES_REACHABLE_MAX


def _peer(site: Site, peer: Peer) -> PeerStatistics:
    beacon, now_ms = peer.beacon, site.clock.steady_ms()
    level = is_level(site, peer)
    return PeerStatistics(
        name=site.log_name(peer.address.log_id) or peer.address.machine,
        machine=peer.address.machine,
        log_id=peer.address.log_id,
        role=beacon.role if beacon else "",
        version=beacon.version if beacon else "",
        last_seen_ms=peer.heard_wall_ms,
        is_reachable=is_answering(peer),
        is_level=level,
        was_level_ms=None if peer.level_ms is None else now_ms - peer.level_ms,
        behind=0 if level else _behind(site, peer),
        ahead=0 if level else peer.ahead,
        offset_ms=peer.offset_ms,
        erased=peer.is_erased,
        held=site.count_held(peer.address.log_id),
        missing=beacon.missing if beacon else 0,
        refused=tuple(refused.reason for refused in peer.refused.values()),
        problem=peer.problem,
    )


def _behind(site: Site, peer: Peer) -> int | None:
    """Bound from below what a peer has and we have not, from what its last beacon shows."""
    if peer.digest in peer.covered or site.has_had(peer.digest):
        return 0
    tip = peer.beacon.own_tip if peer.beacon else None
    if tip is None:
        return peer.behind
    tips = site.holdings.tips_of(tip.log_id)
    own = tip.seq - max((ours.seq for ours in tips), default=0)
    return max(own, peer.behind or 0) or None


def _absent(site: Site, peer: MetPeer) -> PeerStatistics:
    """Tell of a peer that was met before and not heard since this engine began."""
    return PeerStatistics(
        name=peer.name or peer.machine,
        machine=peer.machine,
        log_id=peer.log_id,
        role=peer.role,
        version=peer.version,
        last_seen_ms=peer.last_seen_ms,
        is_reachable=False,
        is_level=False,
        was_level_ms=None,
        behind=None,
        ahead=None,
        offset_ms=None,
        erased=False,
        held=site.count_held(peer.log_id),
        missing=0,
        refused=(),
        problem="",
    )
