"""What the verbs of the mesh print as JSON."""

from __future__ import annotations

from typing import Final

from kioku.cli.shapes import Schema, digits, listed, moment, number, record, text, word, yes_or_no


def _or_null(shape: Schema) -> Schema:
    """The same, or null where nobody knows."""
    return {**shape, "type": [shape["type"], "null"]}


_NAME: Final = text("what its log calls it, else its machine")
_LOG_ID: Final = digits("the log that it writes")
_BEHIND: Final = _or_null(number("events that it has and that are not here"))
_AHEAD: Final = _or_null(number("events that are here and that it has not"))

_PEER: Final = record(
    {
        "name": _NAME,
        "machine": text("its name in the mesh"),
        "log_id": _LOG_ID,
        "role": word("what it is there", "hub", "spoke", ""),
        "version": text('its kioku\'s; `""` if it never said'),
        "last_seen": moment("when it was heard last; null for never", or_null=True),
        "is_reachable": yes_or_no("it was heard of late, and answers"),
        "is_level": yes_or_no("what it stated last is what is stated here"),
        "behind": _BEHIND,
        "ahead": _AHEAD,
        "offset_ms": {
            "type": ["integer", "null"],
            "description": "how far its clock is ahead of ours, in milliseconds",
        },
        "held": _or_null(number("events of its log that are stamped too far ahead to count yet")),
        "missing": _or_null(number("contents that it lacks itself")),
        "erased": _or_null(yes_or_no("nothing that it was to erase is left there")),
        "refused": listed({"type": "string"}, "logs of its that cannot be taken, and why"),
        "problem": text('why comparing with it failed last; `""` if it did not'),
        "is_succeeded": yes_or_no("another log continues it, so nobody waits for it"),
    }
)

MESH: Final[dict[str, Schema]] = {
    "peers": {
        "anyOf": [
            record(
                {
                    "running": yes_or_no("a process of this machine runs the node, and answers"),
                    "pid": _or_null(number("which")),
                    "problem": text('why it does not answer; `""` if it does, or if there is none'),
                    "peers": listed(_PEER, "those that are reached first"),
                }
            ),
            record({"forgotten": _NAME, "log_id": _LOG_ID}),
        ]
    },
    "sync": record(
        {
            "level": yes_or_no("with every peer that is reached, one at least"),
            "events_left": _or_null(
                number("events that are elsewhere and not here; null where nobody is reached")
            ),
            "problem": text('what stands in the way; `""` if nothing is known'),
            "peers": listed(
                record(
                    {
                        "name": _NAME,
                        "log_id": _LOG_ID,
                        "is_level": yes_or_no("it has what is here, and the other way round"),
                        "behind": _BEHIND,
                        "ahead": _AHEAD,
                    }
                ),
                "those that are reached",
            ),
        }
    ),
}

_WAITED: Final = record(
    {
        "name": _NAME,
        "machine": text("its name in the mesh"),
        "log_id": _LOG_ID,
        "last_seen": moment("when it was heard last"),
    }
)

RECEIPTS: Final = record(
    {
        "erased": yes_or_no("with `--status`: nothing that was to be erased is left here"),
        "erasures": listed(
            record(
                {
                    "operation": word("what erases", "purge", "retract"),
                    "id": _or_null(digits("what was purged; null of a retract")),
                    "versions": number("how many versions a retract erases"),
                    "stamped_at": moment("when that was done"),
                    "replica": text("the name of the replica that did it"),
                    "is_sent": yes_or_no("others can have it"),
                    "confirmed": listed(_WAITED, "who has confirmed that it is erased there"),
                    "outstanding": listed(_WAITED, "who has not"),
                }
            ),
            "the newest first",
        ),
    }
)

MESH_STATUS: Final[Schema] = {
    "mesh": word("how this store takes part", "off", "hub", "spoke"),
    "mesh_ready": yes_or_no("a peer is reached that has all that is here, and the other way round"),
    "mesh_node": text("which process runs the node; not there, as all that follow, without a mesh"),
    "mesh_listen": listed({"type": "string"}, "where a hub listens"),
    "mesh_connect": listed({"type": "string"}, "the hubs that are dialled"),
    "mesh_connected": yes_or_no("there is a way into the mesh"),
    "mesh_peers_reached": number("peers that were heard of late, and answer"),
    "mesh_peers_known": number("peers that were ever met, less those forgotten"),
    "mesh_events_left": _or_null(number("events that are elsewhere and not here, as is known")),
    "unsent_events": _or_null(
        number("events that not even the best informed peer that is reached has; null for none")
    ),
    "mesh_remarks": listed({"type": "string"}, "what somebody should know, a sentence each"),
}
"""The fields of ``status`` that are about the mesh, the first two everywhere."""
