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
            "events_left": number("events that are known to be elsewhere and not here"),
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
