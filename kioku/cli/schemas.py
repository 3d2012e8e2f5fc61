"""What ``--json`` prints, verb by verb, as JSON Schema (2020-12); ``kioku schema`` shows it.

The rule this module guards: every field that a script can see is named and described here, and
nothing else is printed (``additionalProperties`` is false throughout, but for ``extra``). The tests
check each command's output against it, docs/cli.md is written from it, and no command imports it
to do its work.

If you add a verb with ``--json``: add its schema to ``_OUTPUTS``, and run ``make docs``.
"""

from __future__ import annotations

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
LINES = frozenset[str]()
"""The verbs that print one such document a line, not one in all."""


_OBSERVATION: Schema = {
    "observation_id": digits("the id, by its older name"),
    "id": digits("32 hex digits"),
    "content": text("what was saved"),
    "project": text('`""` if none'),
    "tags": listed({"type": "string"}),
    "memory_type": text("`note`, `decision`, `bug`, `pattern`, `config`, `summary`; or a newer"),
    "importance": number("1 to 5", 1, maximum=5),
    "subject": text('`""` if none'),
    "summary": text('`""` if none'),
    "source_files": listed({"type": "string"}),
    "references": listed({"type": "string"}),
    "supersedes": listed(digits("a whole id"), "whole ids"),
    "agent_family": text("who saved it"),
    "client_id": text("who saved it"),
    "host": text("where it was saved"),
    "pc_id": text("`host`, by its older name"),
    "session_id": text("the session it was saved in"),
    "created_at": moment("ISO 8601, UTC: the writer's clock", or_null=True),
    "updated_at": moment("ISO 8601, UTC: the last change, the time that filters compare"),
    "expires_at": moment("ISO 8601, UTC", or_null=True),
    "is_held": yes_or_no("its writer's clock is ahead of ours"),
    "is_deleted": yes_or_no("only with `list --include-deleted` ever true"),
    "versions": number(
        "how many replicas wrote it; past 1 an edit may have lost: `history`", minimum=1
    ),
    "extra": {"type": "object", "description": "fields that other programs added"},
}

_HIT: Schema = {
    **_OBSERVATION,
    "score": {"type": "number", "description": "greater is better, within one search"},
    "snippet": text("the place where the words are"),
    "is_substring": yes_or_no("it holds the query's letters but none of its words"),
    "marks": listed(
        record({"begin": number("its first character"), "end": number("the one behind its last")}),
        "what matched in the snippet",
    ),
    "explanation": {
        **shared("explanation"),
        "description": "with `--explain`: how the score came about",
    },
}

_EXPLANATION: Schema = {
    "score": {"type": "number", "description": "the score"},
    "words": {"type": "number", "description": "what the terms add up to"},
    "terms": listed(
        record(
            {
                "term": text("one of the query's terms"),
                "weight": {"type": "number", "description": "what it would add at most"},
                "own": {"type": "number", "description": "what it adds by itself"},
                "lent": {
                    "type": "number",
                    "description": "what its neighbours in the session lend",
                },
            }
        ),
        "what each term of the query adds",
    ),
    **{
        name: {"type": "number", "description": f"{meaning}: words are multiplied by it"}
        for name, meaning in (
            ("coverage", "1 plus the share of the terms that are there"),
            ("importance", "a little around 1"),
            ("recency", "a little above 1"),
            ("project", "2 in the project that is preferred, else 1"),
        )
    },
    "is_substring": yes_or_no("found by its letters, not by its words"),
    "is_held": yes_or_no("its writer's clock is ahead of ours"),
    "superseded_by": listed(digits("a whole id"), "what replaces it now"),
    **{
        name: {"type": ["number", "null"], "description": f"{meaning}; null without a ranker"}
        for name, meaning in (
            ("rank_by_words", "its place by words"),
            ("rank_by_ranker", "its place by the ranker"),
            ("ranker_score", "what the ranker gave"),
        )
    },
}

_EVENT: Schema = {
    "operation": word("what was done", "save", "tombstone", "purge"),
    "status": word("what became of it", "wins", "older", "retracted", "purged", "held", "unknown"),
    "why": text("a sentence that says why it has that status"),
    "stamped_at": moment("when its writer's logical clock says it was written"),
    "replica": text("the name of the replica that wrote it"),
    "log_id": digits("the log it stands in"),
    "seq": number("its place there", 1),
    "hash": digits("its hash", 64),
    "reason": text("why it was deleted, if that was said"),
    "observation": {
        "anyOf": [shared("observation"), {"type": "null"}],
        "description": "what was saved; null if it cannot be read",
    },
}

_CHECK: Schema = {
    "name": text("what was looked at"),
    "status": word("how it is", "pass", "warn", "fail"),
    "summary": text("what was found"),
    "hint": text('what to do; `""` if nothing need be done'),
}

_PLACE = text("the space it is in; only where several were asked for")

_CLOCK: Schema = {
    "saves": number("with `--fix-clock`: saves that were stamped again"),
    "deletions": number("deletions that were stamped again"),
    "observations": number("how many observations those belong to"),
    "ahead_ms": number("how far ahead the greatest of them was stamped"),
    "now": moment("the clock that they were held against"),
}

SHARED = {
    "observation": record(_OBSERVATION),
    "listed": record({**_OBSERVATION, "space": _PLACE}, optional=("space",)),
    "hit": record({**_HIT, "space": _PLACE}, optional=("space", "explanation")),
    "explanation": record(_EXPLANATION),
    "event": record(_EVENT),
    "check": record(_CHECK),
}

_STATUS: Schema = {
    "version": text("kioku's"),
    "backend": {"const": "sqlite", "description": "what stores it"},
    "space": text("the space's name"),
    "private": yes_or_no("its events can never leave the store"),
    "store": text("its file"),
    "config": text("the config file, which need not exist"),
    "durability": word("what a save survives", "full", "normal"),
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
    "mesh": word("whether the mesh runs", "off"),
    "mesh_ready": yes_or_no("whether it has peers"),
}

_PURGED = record(
    {
        "purged": digits("the id"),
        "had_local_copy": yes_or_no("whether its content was here"),
    }
)

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

_OUTPUTS: dict[str, Schema] = {
    "init": {
        "anyOf": [
            record(
                {
                    "wrote": text("the config file"),
                    "mode": word("how it shares", "local"),
                    "space": text("the space's name"),
                    "next": text("a command to try"),
                }
            ),
            record({"text": text("with `--print`: what would be written")}),
        ]
    },
    "save": record(
        {
            **_OBSERVATION,
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
        }
    ),
    "search": listed(shared("hit")),
    "get-memory": shared("observation"),
    "list": listed(shared("listed")),
    "edit": shared("observation"),
    "delete": record(
        {
            "deleted": listed(digits("an id"), "the ids"),
            "dry_run": yes_or_no("whether it was only tried"),
        }
    ),
    "undelete": shared("observation"),
    "purge": _PURGED,
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
    "status": record(_STATUS),
    "doctor": record(
        {
            "version": text("kioku's"),
            "ok": yes_or_no("nothing failed; a warning is ok"),
            "worst_status": word("the worst of all checks", "pass", "warn", "fail"),
            "checks": listed(shared("check"), "all that was looked at"),
            "fixed": listed({"type": "string"}, "with `--fix`: what was done, a sentence a thing"),
            "clock": {**record(_CLOCK), "description": "with `--fix-clock`: what that did"},
        },
        optional=("fixed", "clock"),
    ),
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
    "rebuild": record(
        {
            "events": number("that were read"),
            "observations": number("that can be read now"),
        }
    ),
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
