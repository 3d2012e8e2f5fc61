"""``peers``: the other machines, as a running node knows them, or as it knew them last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.store import open_memory, settings_of
from kioku.errors import AmbiguousIdError, NotFoundError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Sequence

    from kioku.memory.meeting import KnownPeer
    from kioku.node.statistics import PeerStatistics
    from kioku.node.status import NodeStatus

ID_DIGITS_MIN: Final = 6
NO_PEERS = "No peers yet."


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


# -- the verb -----------------------------------------------------------------------------------


def _peers(arguments: Namespace) -> int:
    if arguments.action == "forget":
        return _forget(arguments)
    from kioku.memory.meeting import known_peers

    with open_memory(arguments) as memory:
        store = settings_of(arguments).store_path
        leader = ask_leader(store)
        found = views_of(known_peers(memory.replica), leader, store)
    if arguments.json:
        render.json(_json(leader, found))
    elif found and render.is_for_person():
        from kioku.cli import views

        views.show_peers(found, leader.text)
    else:
        render.line(f"node: {leader.text}")
        for view in found:
            render.line(peer_text(view))
        if not found:
            render.line(NO_PEERS)
    return 0


def _json(leader: Leader, found: Sequence[PeerView]) -> dict[str, Any]:
    status = leader.status
    return {
        "running": status is not None,
        "pid": status.pid if status else None,
        "problem": leader.problem,
        "peers": [view._asdict() for view in found],
    }


def peer_text(view: PeerView) -> str:
    """One peer on one line: its name, how it stands, and what is known of it."""
    parts = [view.role or "unknown", "reachable" if view.is_reachable else "not reachable"]
    parts += ["level"] if view.is_level and view.is_reachable else []
    parts += [f"behind {_count(view.behind)}", f"ahead {_count(view.ahead)}"]
    parts.append("clock unknown" if view.offset_ms is None else f"clock {view.offset_ms:+,} ms")
    parts += [f"held {_count(view.held)}", f"missing {_count(view.missing)}"]
    parts += ["not all erased"] if view.erased is False else []
    parts.append(f"kioku {view.version or 'unknown'}")
    parts.append(f"last seen {view.last_seen or 'never'}")
    parts += ["continued by another log"] if view.is_succeeded else []
    parts += [f"refused: {reason}" for reason in view.refused]
    parts += [f"problem: {view.problem}"] if view.problem else []
    return f"{view.name} (machine {view.machine}, log {view.log_id}): {', '.join(parts)}"


def _count(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _forget(arguments: Namespace) -> int:
    from kioku.memory.meeting import known_peers

    if arguments.name is None:
        raise CommandError("`peers forget` needs a name", hint="kioku peers forget NAME")
    with open_memory(arguments) as memory:
        peer = find_peer(known_peers(memory.replica), arguments.name)
        memory.replica.forget_peer(bytes.fromhex(peer.log_id))
    if arguments.json:
        render.json({"forgotten": peer.name, "log_id": peer.log_id})
    else:
        render.line(f"forgotten: {peer.name} (log {peer.log_id}); if it is heard, it is met anew")
    return 0


PEERS = Verb(
    name="peers",
    summary="Show the other machines, and how far each is behind or ahead",
    description="Show the other machines of a space: what each has that is not here (behind), what "
    "is here and not\nthere (ahead), in events, how far its clock is off, and when it was seen "
    "last. `peers forget NAME`\nstops waiting for one that will not come back.",
    arguments=(
        argument("action", choices=("forget",), nargs="?", help="forget: wait for it no more"),
        argument("name", metavar="NAME", nargs="?", help="a name, a machine, or a log id's digits"),
        SPACE,
        JSON,
    ),
    examples=("kioku peers", "kioku peers forget old-laptop"),
    run=_peers,
    output="`node: …`, who runs the node here, and a line for each peer, those that are reached "
    "first; `forgotten: NAME (log …)`.",
    json="The same. What only a running node knows is null where none runs.",
)

VERBS = {PEERS.name: PEERS}
