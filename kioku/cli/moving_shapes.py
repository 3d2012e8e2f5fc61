"""What the verbs that carry a memory elsewhere, and those that follow it, print with ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.cli.shapes import (
    counts,
    digits,
    listed,
    moment,
    number,
    record,
    shared,
    text,
    word,
    yes_or_no,
)

if TYPE_CHECKING:
    from kioku.cli.shapes import Schema

_BACKUP: Schema = {
    "space": text("the space that it is a copy of"),
    "events": number("in it, of all logs"),
    "logs": number("one a replica, or more"),
    "digest": {
        "anyOf": [digits("64 hex digits", 64), {"type": "null"}],
        "description": "of its events, as `status` shows it; null of a private space",
    },
    "unsealed": number("events that are not signed: of a private space or a read-only store"),
    "bytes": number("its size"),
}

_LINES: Schema = {
    "read": number("observations in them"),
    "saved": number("that were not here"),
    "unchanged": number("that were here already, or are newer, deleted or purged here"),
    "deleted": number("lines passed over: they tell of what was deleted"),
    "redacted": number("lines of which credentials or private text were taken out"),
    "kept_in_extra": counts("names that are no fields of an observation, and in how many lines"),
}

_MAYBE = {"anyOf": [shared("observation"), {"type": "null"}]}

_CHANGE: Schema = {
    "cursor": number("where `--after` goes on, in this store alone", 1),
    "operation": text("`save`, `edit`, `undelete`, `delete`, `purge`, `retract`"),
    "id": text('the id; `""` of a retract'),
    "stamped_at": moment("when its writer's logical clock says it was written"),
    "replica": text("the name of the replica that wrote it"),
    "log_id": digits("the log that it is in"),
    "machine": text('the machine that it came from; `""` if it is this one, or not known'),
    "is_own": yes_or_no("whether that is this one"),
    "status": word("how it stands now", "wins", "older", "retracted", "purged", "held", "unknown"),
    "is_superseded": yes_or_no("whether something newer replaces it"),
    "reason": text("why it was deleted, if that was said"),
    "observation": {**_MAYBE, "description": "what it says; null if that cannot be read"},
}

_DIFFERENCE: Schema = {
    "operation": word(
        "what was done", "added", "edited", "undeleted", "deleted", "purged", "superseded"
    ),
    "id": digits("the observation's"),
    "stamped_at": moment("when that was done"),
    "replica": text("the name of the replica that did it"),
    "reason": text("why it was deleted, if that was said"),
    "superseded_by": text('the id of what replaces it; `""` but for `superseded`'),
    "changed": listed({"type": "string"}, "the names of the fields that an edit changed"),
    "before": {**_MAYBE, "description": "as it was; null if it was not there or is erased"},
    "after": {**_MAYBE, "description": "as it is; null if it is not there or is erased"},
}

MOVING_SHARED: dict[str, Schema] = {
    "lines": record(_LINES),
    "difference": record(_DIFFERENCE),
}

MOVING: dict[str, Schema] = {
    "watch": record(_CHANGE),
    "diff": listed(shared("difference")),
    "export": record(
        {
            "file": text("the file"),
            "chunks": number("with `--format cbor`: how many chunks it holds"),
            "observations": number("with `--format jsonl`: how many observations it holds"),
            "bytes": number("its size"),
        },
        optional=("chunks", "observations"),
    ),
    "import": record(
        {
            "chunks": number("read"),
            "events": number("read"),
            "new_events": number("that were not here"),
            "new_bodies": number("contents that were not here"),
            "held": number("events of a clock that is ahead of ours"),
            "missing": number("events whose content did not come with them"),
            "lines": {
                "anyOf": [shared("lines"), {"type": "null"}],
                "description": "of JSON Lines; null if there were none",
            },
        }
    ),
    "drain": record(
        {
            "drained": {"const": 0, "description": "nothing waits"},
            "pending": {"const": 0, "description": "nothing waits"},
            "why": text("a sentence that says why"),
        }
    ),
    "backup": record({"file": text("the file"), **_BACKUP}),
    "restore": record(
        {
            "store": text("the file that was put in place"),
            "kept": {
                "type": ["string", "null"],
                "description": "where the store that was there is now; null if there was none",
            },
            "purges": {
                "type": ["integer", "null"],
                "description": "purged again, for the store that was there had purged them since;"
                " null if it could not be read",
            },
            **_BACKUP,
        }
    ),
}
