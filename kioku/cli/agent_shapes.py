"""What ``kioku mcp`` prints with ``--json``."""

from __future__ import annotations

from kioku.cli.shapes import Schema, listed, record, text, word, yes_or_no

_TEXT: Schema = {"type": "string"}

_DONE = record(
    {
        "client": text("what `--client` calls it"),
        "result": word(
            "what came of it; of a dry run, what would",
            "registered",
            "already registered",
            "replaced",
            "rid of the older server",
            "removed",
            "not registered",
            "nothing to write",
            "hook added",
            "hook already there",
            "hook replaced",
            "hook removed",
            "no hook",
            "refused",
        ),
        "changed": yes_or_no("something was written or run"),
        "file": text("the client's config"),
        "lines": listed(_TEXT, "what was run or written, or would be"),
        "copies": listed(_TEXT, "the copies that were kept of what was there"),
        "notes": listed(_TEXT, "what else there is to know or to do"),
        "problem": text('why it was refused, else `""`'),
        "check": text("how to see that it works"),
    }
)

_ROW = record(
    {
        "client": text("what `--client` calls it"),
        "title": text("what its maker calls it"),
        "scope": text("`user`, `project`, or a directory for which alone the user's config has it"),
        "here": yes_or_no("the client was found on this machine"),
        "file": text("the config, which need not exist"),
        "state": word(
            "what was found in it",
            "registered",
            "not registered",
            "older server",
            "another server",
            "unreadable",
        ),
        "name": text("what the client calls the server"),
        "command": listed(_TEXT, "the command line that it starts"),
        "runs": yes_or_no("the program of that command exists"),
        "variables": listed(_TEXT, "the names of the variables that it gives the server"),
        "problem": text('why the config cannot be read, else `""`'),
    }
)

MCP: Schema = {
    "anyOf": [
        record(
            {
                "dry_run": yes_or_no("nothing was done"),
                "clients": listed(_DONE, "the clients that were named or found"),
            }
        ),
        listed(_ROW, "of `mcp list`: the clients, and what each starts"),
        record({"directory": text("of `mcp plugin`: the marketplace that the plugin lies in")}),
    ]
}
