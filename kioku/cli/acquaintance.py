"""What is known of the other machines: by a running node, or as it was known last.

The rule this module guards: what only a running node knows is None where none answers, never a
number that was true once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import AmbiguousIdError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kioku.memory.meeting import KnownPeer
    from kioku.node.statistics import PeerStatistics
    from kioku.node.status import NodeStatus

ID_DIGITS_MIN: Final = 6


class UnknownPeerError(NotFoundError):
    """No machine of this name, or whose log begins so, was ever met."""

    hint = "`kioku peers` shows those that are known"


class PeerView(NamedTuple):
    """One peer as it is shown; None and ``""`` are what nobody knows, as where no node runs."""

    name: str
    machine: str
    log_id: str
    role: str
    version: str
    last_seen: str | None
    is_reachable: bool
    is_level: bool
    behind: int | None
    ahead: int | None
    offset_ms: int | None
    held: int | None
    missing: int | None
    erased: bool | None
    refused: tuple[str, ...] = ()
    problem: str = ""
    is_succeeded: bool = False


class Leader(NamedTuple):
    """What was learned of the process that runs this store's node; ``status`` None if none does.

    ``problem`` says why one that there is gave no answer.
    """

    status: NodeStatus | None
    problem: str = ""

    @property
    def text(self) -> str:
        """The same in a few words."""
        if self.problem:
            return self.problem
        if self.status is None:
            return "not running here; what is shown is what was known last"
        return f"process {self.status.pid}, a {self.status.role}"


def ask_leader(store: str, *, compare: bool = False) -> Leader:
    """Ask the process that runs a store's node; starts none, and waits a second at most."""
    from kioku.errors import KiokuError
    from kioku.node import node

    ask = node.ask_leader_to_compare if compare else node.ask_leader
    try:
        return Leader(ask(store))
    except KiokuError as error:
        return Leader(None, str(error))


def views_of(known: Iterable[KnownPeer], leader: Leader, store: str) -> list[PeerView]:
    """Every peer that is known: reachable ones first, then by name."""
    import os

    space = leader.status.space_at(os.path.realpath(store)) if leader.status else None
    engine = space.engine if space is not None else None
    noted = {peer.log_id: peer for peer in known}
    running = {peer.log_id.hex(): peer for peer in engine.peers} if engine is not None else {}
    views = [
        _running(peer, noted.get(log_id))
        for log_id, peer in running.items()
        if peer.is_reachable or log_id in noted  # else it was forgotten
    ]
    views += [_noted(peer) for log_id, peer in noted.items() if log_id not in running]
    return sorted(views, key=lambda view: (not view.is_reachable, view.name, view.log_id))


def _running(peer: PeerStatistics, noted: KnownPeer | None) -> PeerView:
    return PeerView(
        name=peer.name or peer.machine,
        machine=peer.machine,
        log_id=peer.log_id.hex(),
        role=peer.role or (noted.role if noted else ""),
        version=peer.version or (noted.version if noted else ""),
        last_seen=_moment(peer.last_seen_ms) or (_iso(noted) if noted else None),
        is_reachable=peer.is_reachable,
        is_level=peer.is_level,
        behind=peer.behind,
        ahead=peer.ahead,
        offset_ms=peer.offset_ms,
        held=peer.held,
        missing=peer.missing,
        erased=peer.erased,
        refused=peer.refused,
        problem=peer.problem,
        is_succeeded=noted.is_succeeded if noted else False,
    )


def _noted(peer: KnownPeer) -> PeerView:
    return PeerView(
        name=peer.name,
        machine=peer.machine,
        log_id=peer.log_id,
        role=peer.role,
        version=peer.version,
        last_seen=_iso(peer),
        is_reachable=False,
        is_level=False,
        behind=None,
        ahead=None,
        offset_ms=None,
        held=None,
        missing=None,
        erased=None,
        is_succeeded=peer.is_succeeded,
    )


def _iso(peer: KnownPeer) -> str:
    return peer.last_seen_at.isoformat(timespec="milliseconds")


def _moment(ms: int) -> str | None:
    from datetime import UTC, datetime

    if not ms:
        return None
    return datetime.fromtimestamp(ms / 1_000, UTC).isoformat(timespec="milliseconds")


def told_apart(peers: Sequence[KnownPeer]) -> dict[str, str]:
    """What to call each of them, by its log: its name, and its log too where others have it."""
    names = [peer.name for peer in peers]
    return {
        peer.log_id: peer.name if names.count(peer.name) == 1 else f"{peer.name} {peer.log_id[:8]}"
        for peer in peers
    }


def find_peer(known: Sequence[KnownPeer], typed: str) -> KnownPeer:
    """The one peer of this name, of this machine, or whose log's id begins so.

    Raises:
        UnknownPeerError, AmbiguousIdError: none is meant, or several are.
    """
    digits = typed.lower()
    found = [
        peer
        for peer in known
        if typed in (peer.name, peer.machine)
        or (len(digits) >= ID_DIGITS_MIN and peer.log_id.startswith(digits))
    ]
    if not found:
        raise UnknownPeerError(f"{typed}: no such machine was ever met")
    if len(found) > 1:
        logs = ", ".join(peer.log_id[:8] for peer in found)
        raise AmbiguousPeerError(typed, len(found), logs)
    return found[0]


class AmbiguousPeerError(AmbiguousIdError):
    """A name that several peers have, as after a store was restored."""

    def __init__(self, typed: str, count: int, logs: str) -> None:
        super().__init__(typed, count)
        self.args = (f"{typed}: {count} replicas are called so; name one by its log: {logs}",)
        self.hint = "`kioku peers` shows whole log ids"
