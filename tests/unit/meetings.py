"""Replicas that meet: how one states what it has to another, and who has confirmed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.log.event import PURGE
from kioku.replica import Draft, Replica
from tests.property.stores import open_store

if TYPE_CHECKING:
    from kioku.log.event import EventId
    from kioku.log.peers import Peer

NOW_MS = 1_790_000_000_000
KEY, OTHER = bytes([1]) * 16, bytes([2]) * 16
PEER, STRANGER = bytes([7]) * 16, bytes([8]) * 16


def meet(
    replica: Replica,
    log_id: bytes = PEER,
    *,
    now_ms: int = NOW_MS,
    version: str = "1",
    keep: bool = False,
) -> bool:
    return replica.note_peer(
        log_id, machine="alice", role="spoke", version=version, now_ms=now_ms, keep=keep
    )


def only(replica: Replica) -> Peer:
    [peer] = replica.peers()
    return peer


def carry(sender: Replica, receiver: Replica) -> None:
    for chunk in sender.export_chunks(receiver.frontier()):
        receiver.ingest_chunk(chunk, now_ms=NOW_MS)


def state(replica: Replica, peer: Replica) -> None:
    """Let a peer state what it has, and have erased, as a comparison would find it."""
    stated = replica.extent()
    ours, theirs = replica.stated_frontier(), peer.stated_frontier()
    logs = {tip.log_id for tip in ours}
    differing = [
        (log, theirs.of_log(log)) for log in logs if theirs.of_log(log) != ours.of_log(log)
    ]
    log_id = peer.begin_log(NOW_MS)
    replica.note_statement(log_id, stated, differing=differing, is_erased=peer.is_erased())


def confirmed_by(replica: Replica, event: EventId) -> set[bytes]:
    [found] = [one for one in replica.erasures() if one.event == event]
    return {peer.log_id for peer in found.confirmed}


def purge(replica: Replica, key: bytes = KEY) -> EventId:
    event = replica.append([Draft(PURGE, key)], now_ms=NOW_MS)[-1].id
    replica.seal()
    return event


def confirmed_purge(replica: Replica) -> tuple[bytes, EventId]:
    """Purge, and have a peer confirm it; gives the peer's log and the purge."""
    with open_store(seed=3) as other:
        log_id = other.begin_log(NOW_MS)
        meet(replica, log_id)
        event = purge(replica)
        carry(replica, other)
        state(replica, other)
    assert confirmed_by(replica, event) == {log_id}
    return log_id, event
