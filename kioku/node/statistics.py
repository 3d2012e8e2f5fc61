"""What an engine tells of itself and of its peers, as values.

Everything here is a moment's look: nothing that decides reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import dataclass

    from kioku.node.site import Role
    from kioku.transport.link import Address
else:
    from kioku.values import dataclass


@dataclass(frozen=True, slots=True)
class PeerStatistics:
    """What is known of one peer.

    Attributes:
        name: what its log's genesis states; its machine's name while that is not here.
        machine, log_id: who it is in the mesh, and the log that it writes.
        role: ``"hub"``, ``"spoke"``, or ``""`` while it has not said.
        version: its kioku's.
        last_seen_ms: when it was last heard, by our wall; 0 for never.
        is_reachable: whether it was heard of late, on this link, and answers, and has not said
            since that it ends.
        is_level: whether it stated what is stated here, now or a few seconds ago.
        was_level_ms: how long ago (by the steady clock) it last was; None for not in this run.
        behind: events that it has and this replica has not; None while that is not known.
        ahead: events that are here and that it has not; None while that is not known.
        offset_ms: how far its wall is ahead of ours, give or take the way; None for not heard.
        erased: whether nothing is left there of what was to be erased.
        held: events of its log that are stamped too far ahead to count yet.
        missing: bodies that it misses itself.
        refused: logs that it offers and that cannot be taken, and why.
        problem: why comparing with it failed last; empty if it did not.
    """

    name: str
    machine: str
    log_id: bytes
    role: str
    version: str
    last_seen_ms: int
    is_reachable: bool
    is_level: bool
    was_level_ms: int | None
    behind: int | None
    ahead: int | None
    offset_ms: int | None
    erased: bool
    held: int
    missing: int
    refused: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """What an engine does.

    Attributes:
        address: what it is joined as.
        space: the space's name.
        role: ``"hub"`` or ``"spoke"``.
        is_up: whether the link has a way into the mesh.
        is_level: whether it is level with every peer that it can reach; False while there is none.
        is_ready: whether it is level with one at least, who has all that is here.
        is_comparing: whether a session runs, or one that somebody asked for is still to come.
        comparing_with: the machine that the running session is with; empty for none.
        events_left: events that are known to be elsewhere and not here yet.
        peers: everybody who was heard or is known from before, hubs first, then by name.
        identities: what the transports of reachable peers are known by: a router that is none of
            them keeps nothing.
        erased: whether nothing is left here of what was to be erased.
        missing: bodies that should be here and are not.
        forks: what became of our own log, in sentences.
        problem: what the store failed with last, in one line; empty once it works.
        counts: how often what happened, by name.
    """

    address: Address | None
    space: str
    role: Role
    is_up: bool
    is_level: bool
    is_ready: bool
    is_comparing: bool
    comparing_with: str
    events_left: int
    peers: tuple[PeerStatistics, ...]
    identities: frozenset[bytes]
    erased: bool
    missing: int
    forks: tuple[str, ...]
    problem: str
    counts: Mapping[str, int]
