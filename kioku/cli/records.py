"""The records that several verbs print as JSON: an observation, a hit, an event, a check."""

from __future__ import annotations

from kioku.cli.moving_shapes import MOVING_SHARED
from kioku.cli.shapes import (
    Schema,
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

OBSERVATION: Schema = {
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
        "how many last words there are on it; past 1 an edit may have lost: `history`", minimum=1
    ),
    "secrets": listed({"type": "string"}, "the kinds of credentials that it looks to hold"),
    "extra": {"type": "object", "description": "fields that other programs added"},
}

_HIT: Schema = {
    **OBSERVATION,
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

_REDACTION: Schema = {
    "kind": text("what it was called: `github token`, `private text` …"),
    "field": text("the field that it stood in"),
}

_CHECK: Schema = {
    "name": text("what was looked at"),
    "status": word("how it is", "pass", "warn", "fail"),
    "summary": text("what was found"),
    "hint": text('what to do; `""` if nothing need be done'),
}

_PLACE = text("the space it is in; only where several were asked for")

SHARED = {
    "observation": record(OBSERVATION),
    "listed": record({**OBSERVATION, "space": _PLACE}, optional=("space",)),
    "hit": record({**_HIT, "space": _PLACE}, optional=("space", "explanation")),
    "explanation": record(_EXPLANATION),
    "event": record(_EVENT),
    "check": record(_CHECK),
    "redaction": record(_REDACTION),
    **MOVING_SHARED,
}
