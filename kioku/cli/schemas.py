"""What ``--json`` prints, verb by verb, as JSON Schema (2020-12); ``kioku schema`` shows it.

The rule this module guards: every field that a script can see is named and described here, and
nothing else is printed (``additionalProperties`` is false throughout, but for ``extra``). The tests
check each command's output against it, docs/cli.md is written from it, and no command imports it
to do its work.

If you add a verb with ``--json``: add its schema to ``_OUTPUTS``, and run ``make docs``.
"""

from __future__ import annotations

from kioku.cli.agent_shapes import MCP
from kioku.cli.mesh_shapes import MESH, MESH_STATUS, RECEIPTS
from kioku.cli.moving_shapes import MOVING
from kioku.cli.records import OBSERVATION, SHARED
from kioku.cli.shapes import (
    Schema,
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

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LINES = frozenset({"watch"})
"""The verbs that print one such document a line, not one in all."""


_REDACTIONS = listed(shared("redaction"), "what was taken out of it before it was written")

_CLOCK: Schema = {
    "saves": number("with `--fix-clock`: saves that were stamped again"),
    "deletions": number("deletions that were stamped again"),
    "observations": number("how many observations those belong to"),
    "ahead_ms": number("how far ahead the greatest of them was stamped"),
    "now": moment("the clock that they were held against"),
}

_RETRACTED: Schema = {
    "name": text("whose events they were"),
    "events": number("that waited for the clock"),
    "observations": number("how many observations those belong to"),
    "ahead_ms": number("how far ahead the greatest of them was stamped"),
}

_STATUS: Schema = {
    "version": text("kioku's"),
    "backend": {"const": "sqlite", "description": "what stores it"},
    "space": text("the space's name"),
    "private": yes_or_no("its events can never leave the store"),
    "store": text("its file"),
    "config": text("the config file, which need not exist"),
    "durability": word("what a save survives", "full", "normal"),
    "secrets": word("what becomes of a credential that is saved", "redact", "refuse", "allow"),
    "pc_id": text("the host that a save would name"),
    "session_id": text("the session that a save would name"),
    "agent_family": text('the agent family that a save would name, or `""`'),
    "client_id": text("the client that a save would name"),
    "observations": number("those that can be read now"),
    "observations_by_family": counts('the same by agent family, by `""` where none was given'),
    "deleted": number("hidden by a tombstone"),
    "purged": number("erased for ever"),
    "retracted": number("events that count for nothing any more"),
    "held": number("events of a clock that is ahead of ours"),
    "missing": number("contents that have not come yet"),
    "events": number("in all logs"),
    "logs": number("one a replica, or more"),
    "file_bytes": number("the store's size on the disk"),
    "erased": yes_or_no("nothing that was purged or retracted is left in a file"),
    "digest": {
        "anyOf": [digits("64 hex digits", 64), {"type": "null"}],
        "description": "equal on two stores that hold the same events; null of a private space",
    },
    **MESH_STATUS,
}


def _context_section(meaning: str) -> Schema:
    note = {
        **OBSERVATION,
        "is_new": yes_or_no("somebody else added it since the last time"),
        "line": text("what the text says of it"),
    }
    fields = {
        "has_more": yes_or_no("there are more than fit"),
        "notes": listed(record(note), "in the order of the text"),
    }
    return {**record(fields), "description": meaning}


_PURGED = record(
    {
        "purged": digits("the id"),
        "had_local_copy": yes_or_no("whether its content was here"),
    }
)

_OUTPUTS: dict[str, Schema] = {
    "init": {
        "anyOf": [
            record(
                {
                    "wrote": text("the config file"),
                    "mode": word("how this machine takes part", "local", "hub", "spoke"),
                    "space": text("the space's name"),
                    "next": text("a command to try"),
                    "listen": listed({"type": "string"}, "where a hub listens"),
                    "connect": listed({"type": "string"}, "the hubs that are dialled"),
                    "insecure": yes_or_no("whether an unprotected address was accepted"),
                    "hub": {
                        "enum": ["answered", "silent", None],
                        "description": "of a spoke: whether a hub answered",
                    },
                    "units": listed({"type": "string"}, "with `--install-systemd`: the units"),
                    "commands": listed({"type": "string"}, "what enables the first of them"),
                }
            ),
            record(
                {
                    "text": text("with `--print`: what would be written"),
                    "user_unit": text("with `--install-systemd`: the unit of a user's own"),
                    "system_unit": text("the unit of the whole machine"),
                },
                optional=("user_unit", "system_unit"),
            ),
        ]
    },
    "save": record(
        {
            **OBSERVATION,
            "duplicate": yes_or_no("it was there already; nothing was written"),
            "predecessors": listed(
                record(
                    {
                        "id": digits("what it may replace"),
                        "similarity": {"type": "number", "description": "share of the words, 0-1"},
                        "excerpt": text("its summary, or how it begins"),
                    }
                ),
                "what says nearly the same, the nearest first",
            ),
            "redactions": _REDACTIONS,
        }
    ),
    "search": listed(shared("hit")),
    "context": record(
        {
            "project": text('which one it is about; `""` is all'),
            "budget": number("the tokens that the text may have"),
            "tokens": number("those that it has"),
            "since": moment("others' notes count as new from here on", or_null=True),
            "text": text("what is printed without `--json`"),
            "decisions": _context_section("those in force, by importance"),
            "threads": _context_section("what was left open"),
            "news": _context_section("what else others added, the newest first"),
        }
    ),
    "get-memory": shared("observation"),
    "list": listed(shared("listed")),
    "scan": record(
        {
            "found": listed(
                record(
                    {
                        "id": digits("the observation"),
                        "kind": text("what it is called"),
                        "field": text("where it stands: `content`, `tags[0]`, `extra`, `reason`"),
                        "start": number("at which character of that text"),
                        "hint": text("the letters that all of its kind begin with, its length"),
                        "is_current": yes_or_no("it is in what wins now, not only in the history"),
                        "space": text("the space that it is in"),
                    }
                ),
                "never the credential itself",
            ),
            "erased": number("observations that were purged or redacted"),
        }
    ),
    "edit": record({**OBSERVATION, "redactions": _REDACTIONS}),
    "delete": record(
        {
            "deleted": listed(digits("an id"), "the ids"),
            "dry_run": yes_or_no("whether it was only tried"),
        }
    ),
    "undelete": shared("observation"),
    "purge": {"anyOf": [_PURGED, RECEIPTS]},
    "history": listed(shared("event")),
    "gc": {
        "anyOf": [
            record(
                {
                    "deleted": number("versions under a tombstone"),
                    "expired": number("versions of what expired"),
                    "beaten": number("versions that were edited away"),
                    "observations": number("what these versions belong to"),
                    "body_bytes": number("their size"),
                    "dry_run": yes_or_no("whether it was only tried"),
                }
            ),
            _PURGED,
            record(
                {
                    "would_purge": digits("with `--force-id --dry-run`: the id"),
                    "dry_run": {"const": True, "description": "it was only tried"},
                }
            ),
        ]
    },
    "mcp": MCP,
    "status": record(_STATUS, optional=tuple(MESH_STATUS)[2:]),
    "doctor": record(
        {
            "version": text("kioku's"),
            "ok": yes_or_no("nothing failed; a warning is ok"),
            "worst_status": word("the worst of all checks", "pass", "warn", "fail"),
            "checks": listed(shared("check"), "all that was looked at"),
            "fixed": listed({"type": "string"}, "with `--fix`: what was done, a sentence a thing"),
            "clock": {**record(_CLOCK), "description": "with `--fix-clock`: what that did"},
            "retracted": {
                **record(_RETRACTED),
                "description": "with `--retract-held`: what that took back",
            },
        },
        optional=("fixed", "clock", "retracted"),
    ),
    **MOVING,
    **MESH,
    "rebuild": record(
        {
            "events": number("that were read"),
            "observations": number("that can be read now"),
        }
    ),
    "projects": {
        "anyOf": [
            listed(
                record(
                    {
                        "name": text('the name it goes by; `""` for what belongs to none'),
                        "aliases": listed({"type": "string"}, "its other names"),
                        "observations": number("that can be read now"),
                        "updated_at": moment(
                            "the last change; null if there is none", or_null=True
                        ),
                    }
                )
            ),
            record(
                {
                    "action": word("what was done", "rename", "merge", "alias", "unalias"),
                    "from": listed({"type": "string"}, "the old or other names"),
                    "to": text('the project that they are now; `""` with `unalias`'),
                    "observations": number("that were edited"),
                    "dry_run": yes_or_no("whether it was only tried"),
                }
            ),
        ]
    },
    "spaces": {
        "anyOf": [
            listed(
                record(
                    {
                        "name": text("the space's name"),
                        "path": text("its file"),
                        "file_bytes": number("its size, without what is still in its log file"),
                        "is_private": yes_or_no("nothing leaves it"),
                        "is_current": yes_or_no("it is used where no other is named"),
                        "problem": text('why it cannot be read; `""` if it can'),
                    }
                )
            ),
            record(
                {
                    "created": text("with `--create`: the space's name"),
                    "path": text("its file"),
                    "is_private": yes_or_no("nothing leaves it"),
                }
            ),
        ]
    },
    "config": listed(
        record(
            {
                "name": text("the setting's name, or the variable's"),
                "value": {
                    "type": ["string", "boolean"],
                    "description": 'what it is; `""` of a variable that changes nothing',
                },
                "source": text("where it stands: `default`, `environment NAME`, …"),
                "problem": text('what is wrong with it; `""` if nothing is'),
                "is_idle": yes_or_no("a variable that is set and changes nothing"),
            }
        )
    ),
    "schema": {"type": "object", "description": "a schema, or one by each verb's name"},
}

VERBS = tuple(_OUTPUTS)


def schema(verb: str) -> Schema:
    """The JSON Schema of what ``kioku VERB --json`` prints, with the shapes that it refers to."""
    shape = _OUTPUTS[verb]
    names = _referred(shape)
    used = {"$defs": {name: SHARED[name] for name in SHARED if name in names}} if names else {}
    a_line = ", each line" if verb in LINES else ""
    return {"$schema": DIALECT, "title": f"kioku {verb} --json{a_line}", **shape, **used}


def _referred(shape: object) -> set[str]:
    """The names of the shared shapes within this one, also where one refers to another."""
    if isinstance(shape, list):
        return {name for part in shape for name in _referred(part)}
    if not isinstance(shape, dict):
        return set()
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return {name} | _referred(SHARED[name])
    return {name for part in shape.values() for name in _referred(part)}
