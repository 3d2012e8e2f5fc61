"""``peers``: the other machines, as a running node knows them, or as it knew them last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.acquaintance import ask_leader, find_peer, views_of
from kioku.cli.arguments import JSON, SPACE
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.store import open_memory, settings_of

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kioku.cli.acquaintance import Leader, PeerView

NO_PEERS = "No peers yet."


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
