"""``purge --status``: which replicas have confirmed that they erased what was to be erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.acquaintance import told_apart
from kioku.cli.store import full_id, open_memory
from kioku.errors import NotFoundError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.memory.meeting import KnownErasure, KnownPeer

NOTHING = "Nothing was erased yet, so nobody is waited for."
_LOOKED_THROUGH_MAX = 10_000  # erasures, for one that was named; a list shows the newest


class NeverPurgedError(NotFoundError):
    """Nothing here says that this id was purged."""

    hint = "`kioku purge --status` shows what was"


def show_receipts(arguments: Namespace) -> int:
    """Print who has confirmed each purge and retract, or the one purge that was named."""
    from kioku.memory.meeting import known_erasures

    with open_memory(arguments) as memory:
        is_erased = memory.replica.is_erased()
        if arguments.id is None:
            found = known_erasures(memory.replica)
        else:
            key = full_id(memory, arguments.id)
            every = known_erasures(memory.replica, _LOOKED_THROUGH_MAX)
            found = [one for one in every if one.id == key]
            if not found:
                raise NeverPurgedError(f"{arguments.id}: was never purged")
    if arguments.json:
        render.json({"erased": is_erased, "erasures": [_json(one) for one in found]})
        return 0
    if not found:
        render.line(NOTHING)
        return 0
    render.line(f"here: {'all of it is erased' if is_erased else 'not all of it is erased yet'}")
    for one in found:
        render.line(_text(one))
    return 0


def _text(one: KnownErasure) -> str:
    from kioku.cli import formats

    what = f"purge of {one.id}" if one.id else f"retract of {counted(one.versions, 'version')}"
    return f"{what} {formats.time_text(one.stamped_at)} by {one.replica}: {_state(one)}"


def _state(one: KnownErasure) -> str:
    if not one.is_signed:
        return "not sent yet"
    if not one.confirmed and not one.outstanding:
        return "no other replica was ever met"
    names = told_apart([*one.confirmed, *one.outstanding])
    confirmed = ", ".join(names[peer.log_id] for peer in one.confirmed)
    if not one.outstanding:
        return f"confirmed by all {len(one.confirmed)}: {confirmed}"
    waiting = ", ".join(
        f"{names[peer.log_id]} (last seen {_seen(peer)[:19]})" for peer in one.outstanding
    )
    return f"{f'confirmed by {confirmed}; ' if confirmed else ''}outstanding: {waiting}"


def _seen(peer: KnownPeer) -> str:
    return peer.last_seen_at.isoformat(timespec="milliseconds")


def _json(one: KnownErasure) -> dict[str, Any]:
    from kioku.cli import formats

    return {
        "operation": one.operation,
        "id": one.id or None,
        "versions": one.versions,
        "stamped_at": formats.json_time(one.stamped_at),
        "replica": one.replica,
        "is_sent": one.is_signed,
        "confirmed": [_peer_json(peer) for peer in one.confirmed],
        "outstanding": [_peer_json(peer) for peer in one.outstanding],
    }


def _peer_json(peer: KnownPeer) -> dict[str, Any]:
    return {
        "name": peer.name,
        "machine": peer.machine,
        "log_id": peer.log_id,
        "last_seen": _seen(peer),
    }
