"""The other replicas of a space: who was met, and what each has confirmed to have erased.

Nothing here needs a node or a network: it is read from the store, in which a node notes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kioku.log.event import PURGE
from kioku.log.frontier import Frontier
from kioku.memory.recall import time_of

if TYPE_CHECKING:
    from kioku.log.peers import Erasure, Peer
    from kioku.replica import Replica

ERASURES_MAX: Final = 100
_LOOKED_THROUGH_MAX: Final = 10_000
"""Erasures that are looked through for what a peer has: more only make an export larger."""


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """A replica that this one has met.

    Attributes:
        name: what its log calls it; its machine's name until that is here.
        machine, role, version: what it said of itself last.
        log_id: the log that it writes (32 hex digits).
        last_seen_at: by this machine's clock; may lag by a day where no node runs.
        is_succeeded: whether another replica continues its log and it has been silent since, so
            that nobody waits for it.
    """

    name: str
    machine: str
    role: str
    version: str
    log_id: str
    last_seen_at: datetime
    is_succeeded: bool


@dataclass(frozen=True, slots=True)
class KnownErasure:
    """A purge, or a retract (``gc``, a repaired clock), and who has confirmed it.

    Attributes:
        operation: ``purge`` or ``retract``.
        id: the observation that was purged; ``""`` of a retract.
        versions: how many versions a retract erases; 0 of a purge.
        stamped_at: when its writer's logical clock says it was written.
        replica: the name of the replica that wrote it.
        is_signed: whether others can have it yet: one that was never sent is not.
        confirmed, outstanding: the replicas that are waited for.
    """

    operation: str
    id: str
    versions: int
    stamped_at: datetime
    replica: str
    is_signed: bool
    confirmed: tuple[KnownPeer, ...]
    outstanding: tuple[KnownPeer, ...]


def known_peers(replica: Replica) -> list[KnownPeer]:
    """Give the replicas that this one has met and not forgotten, those met first before."""
    return [_peer(peer) for peer in replica.peers()]


def known_erasures(replica: Replica, limit: int = ERASURES_MAX) -> list[KnownErasure]:
    """Give the newest purges and retracts, and who has confirmed each of them."""
    return [_erasure(erasure) for erasure in replica.erasures(limit)]


def frontier_of(replica: Replica, log_id: str) -> Frontier:
    """Give what a peer is known to have, for ``export_chunks``: it may have more, never less.

    That is its own log as far as it came here, and each log up to the last purge or retract in it
    that the peer has confirmed: whoever has an event has all of its log before it.
    """
    wanted = bytes.fromhex(log_id)
    erased = [
        erasure.event
        for erasure in replica.erasures(_LOOKED_THROUGH_MAX)
        if any(peer.log_id == wanted for peer in erasure.confirmed)
    ]
    return Frontier([*replica.tips_of(wanted), *erased])


def _peer(peer: Peer) -> KnownPeer:
    return KnownPeer(
        name=peer.name or peer.machine,
        machine=peer.machine,
        role=peer.role,
        version=peer.version,
        log_id=peer.log_id.hex(),
        last_seen_at=_time(peer.last_seen_ms),
        is_succeeded=peer.is_succeeded,
    )


def _erasure(erasure: Erasure) -> KnownErasure:
    is_purge = erasure.kind == PURGE
    return KnownErasure(
        operation="purge" if is_purge else "retract",
        id=erasure.key.hex() if is_purge else "",
        versions=erasure.targets,
        stamped_at=time_of(erasure.hlc),
        replica=erasure.writer,
        is_signed=erasure.is_sealed,
        confirmed=tuple(map(_peer, erasure.confirmed)),
        outstanding=tuple(map(_peer, erasure.outstanding)),
    )


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)
